"""The ARI client: connects, stays connected, and carries requests."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from controller.asterisk.ari.catalog import (
    Applications,
    Asterisk,
    Bridges,
    Channels,
    Endpoints,
    Playbacks,
    Recordings,
    Sounds,
)
from controller.asterisk.ari.errors import (
    AriDisconnected,
    AriError,
    AriForbidden,
    AriNotFound,
    AriReplaced,
    AriUnauthorized,
    AriVersionTooOld,
)
from controller.asterisk.ari.link import Link
from controller.asterisk.ari.models import AsteriskInfo
from controller.asterisk.ari.pool import HttpPool
from controller.asterisk.ari.wire import EVENT_TYPES, FrameReader, path

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from controller.asterisk.ari.events import Event
    from controller.asterisk.ari.wire import Query
    from controller.ports.clock import Clock

OLDEST_VERSION = (22, 10, 1)
"""The first release of Asterisk 22 with the ARI security fixes of June 2026."""

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
CONNECTING_TIMEOUT_S = 2.0
"""Shorter than for other requests: what falls into a hole in the network keeps us from trying again."""
STEADY_S = 5.0
"""A connection that lived this long was a good one: the back-off starts again from its first delay."""

_FATAL = (AriReplaced, AriUnauthorized, AriForbidden, AriVersionTooOld)
_log = structlog.get_logger(__name__)


class AriClient:
    """One application's connection to one Asterisk.

    `run()` keeps the event WebSocket up; `request` sends over it, `request_http` over a small pool of HTTP
    connections. `on_event`, `on_connected` and `on_disconnected` are called from the reader: they must be quick
    and must not block. `on_connected` comes before the first event of a connection; while the socket was down
    events were lost, so it is the moment to compare channels and bridges with what is remembered.
    """

    def __init__(
        self,
        base_url: str,
        app: str,
        username: str,
        password: str,
        *,
        on_event: Callable[[Event], None],
        on_connected: Callable[[], None],
        on_disconnected: Callable[[], None],
        clock: Clock,
        rng: random.Random,
        request_timeout_s: float = 5.0,
    ) -> None:
        self._app = app
        self._base_url = base_url
        self._on_event = on_event
        self._on_connected = on_connected
        self._on_disconnected = on_disconnected
        self._clock = clock
        self._rng = rng
        self._timeout_s = request_timeout_s
        self._pool = HttpPool(base_url, username, password)
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._early: list[Event] | None = None
        self.on_answered: Callable[[float], None] = lambda _took_s: None
        """Told how long Asterisk took for each answer over the socket, in seconds."""
        self.failed_deliveries = 0
        self.frames = FrameReader()
        """Counts of what was skipped."""
        self.started_at = ""
        """When Asterisk started, in ARI's text; another value after a reconnect means that all channels are gone."""
        self.channels = Channels(self)
        self.bridges = Bridges(self)
        self.playbacks = Playbacks(self)
        self.recordings = Recordings(self)
        self.sounds = Sounds(self)
        self.endpoints = Endpoints(self)
        self.applications = Applications(self)
        self.asterisk = Asterisk(self)

    @property
    def app(self) -> str:
        """The Stasis application's name."""
        return self._app

    @property
    def connected(self) -> bool:
        """Whether the event WebSocket is up. Nothing may be originated while it is not."""
        return self._link is not None and not self._link.lost

    async def wait_connected(self) -> None:
        """Return as soon as the event WebSocket is up."""
        while not self.connected:
            await self._up.wait()
            # A socket that is lost but not yet taken down: without this turn for the reader, a caller who asks
            # again and again would keep it from ever being taken down.
            await asyncio.sleep(0)

    async def request(
        self, method: str, uri: str, *, query: Query | None = None, body: Any = None, timeout_s: float | None = None
    ) -> Any:
        """Send a request over the event WebSocket; return its decoded JSON answer, None when it has no body.

        `uri` has no leading slash and no `ari/`; build it with `wire.path`. Asterisk works these off one after
        the other, so what may take long belongs to `request_http`.
        Raises AriRefused and its kinds, AriTimeout, AriDisconnected; ValueError for text that must not be sent.
        """
        link = self._link
        if link is None:
            raise AriDisconnected(method, uri, "there is no connection to Asterisk", maybe_executed=False)
        asked_s = asyncio.get_running_loop().time()
        answer = await link.request(method, uri, query, body, self._timeout_s if timeout_s is None else timeout_s)
        self.on_answered(asyncio.get_running_loop().time() - asked_s)
        return answer

    async def request_http(
        self, method: str, uri: str, *, query: Query | None = None, body: Any = None, timeout_s: float | None = None
    ) -> Any:
        """Send a request over HTTP, also while the event WebSocket is down; otherwise like `request`.

        For slow requests and for lists (see `wire.LISTS`). Raises AriUnauthorized too.
        """
        return await self._pool.request(method, uri, query, body, self._timeout_s if timeout_s is None else timeout_s)

    def stream_http(self, uri: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a long answer over HTTP in pieces, while the context is open; errors as of `request_http`.

        The time-out is for each piece: an answer may take as long as whoever reads it.
        """
        return self._pool.stream(uri, self._timeout_s)

    async def close(self) -> None:
        """Close the HTTP pool. `run()` does this itself when it ends."""
        await self._pool.close()

    async def run(self) -> None:
        """Connect and read for ever; reconnect with back-off. Ends only by being cancelled or by an error.

        Raises AriReplaced, AriUnauthorized, AriForbidden (the ARI user is read-only) and AriVersionTooOld:
        waiting helps with none of these.
        """
        failures, told = 0, ""
        loop = asyncio.get_running_loop()
        try:
            while True:
                began_s = loop.time()
                try:
                    why = await self._live_once()
                except _FATAL as error:
                    _log.error("ari_stopped", error=str(error))
                    raise
                except (AriError, TimeoutError) as error:
                    why = str(error) or "no answer to the WebSocket handshake"
                failures = 1 if loop.time() - began_s > STEADY_S else failures + 1
                delay_s = self._delay_s(failures)
                if why != told:
                    _log.warning("ari_not_connected", why=why, url=self._base_url, retry_in_s=round(delay_s, 2))
                    told = why
                await self._clock.sleep(delay_s)
        finally:
            await self._pool.close()

    def _delay_s(self, failures: int) -> float:
        longest_s: float = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(failures - 1, 16))
        return longest_s * self._rng.uniform(0.5, 1.0)

    async def _live_once(self) -> str:
        """Connect, be connected until the socket is lost, and return why it was."""
        await self._check_version()
        async with asyncio.timeout(min(self._timeout_s, CONNECTING_TIMEOUT_S)):
            socket = await self._pool.open_event_socket(self._app)
        link = Link(socket, self._app, reader=self.frames, on_event=self._deliver, clock=self._clock)
        self._early = []
        serving = asyncio.create_task(link.serve())
        try:
            try:
                await self._ask_for_events(link)
            except AriDisconnected:
                return await serving
            self._go_up(link)
            return await serving
        finally:
            self._go_down()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await link.close()

    async def _check_version(self) -> None:
        try:
            answer = await self.request_http(
                "GET",
                "asterisk/info",
                query={"only": "system,status"},
                timeout_s=min(self._timeout_s, CONNECTING_TIMEOUT_S),
            )
        except AriNotFound as error:
            raise AriNotFound(
                "GET", "asterisk/info", error.status, "ARI is not there (yet): is res_ari loaded?"
            ) from error
        info = msgspec.convert(answer, AsteriskInfo)
        found = re.match(r"(\d+)\.(\d+)\.(\d+)", info.system.version)
        if found is None:
            _log.warning("asterisk_version_unknown", version=info.system.version, needed=_dotted(OLDEST_VERSION))
        elif tuple(map(int, found.groups())) < OLDEST_VERSION:
            raise AriVersionTooOld(info.system.version, _dotted(OLDEST_VERSION))
        self.started_at = info.status.startup_time

    async def _ask_for_events(self, link: Link) -> None:
        """Have Asterisk send only what is used. Its answer proves that the application is registered by now."""
        allowed = [{"type": kind} for kind in (*EVENT_TYPES, "ApplicationReplaced", "RESTResponse")]
        uri = path("applications", self._app, "eventFilter")
        await link.request("PUT", uri, None, {"allowed": allowed}, self._timeout_s)

    def _go_up(self, link: Link) -> None:
        self._link = link
        self._up.set()
        _log.info("ari_connected", url=self._base_url, app=self._app, asterisk_started_at=self.started_at)
        self._on_connected()
        early, self._early = self._early, None
        for event in early or ():
            self._deliver(event)

    def _go_down(self) -> None:
        self._link, self._early = None, None
        if self._up.is_set():
            self._up.clear()
            self._on_disconnected()

    def _deliver(self, event: Event) -> None:
        """Hand one event on. A fault in the handler costs that event, not the connection with every call on it."""
        if self._early is not None:
            self._early.append(event)
            return
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - whatever the handler raises
            self.failed_deliveries += 1
            _log.exception("ari_event_handler_failed", event_type=type(event).__name__)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
