"""Tells whoever watches over the process whether it lives and has work. A door of its own; it knows nothing of callers.

`/livez`: the event loop answers. Nothing else is looked at: a database that is away is not mended by a restart.
`/readyz`: another controller may be stopped now, as this one does its part. That is not the same as being of use to
browsers: a controller that stands by has no pages, and is ready.

`/metrics`, where it is wanted: what Prometheus asks for. It is made elsewhere (`controller.console.metrics`).
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import structlog
from aiohttp import web

from controller.ports.promises import StoreUnavailableError
from controller.web.server import Service, WebServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from controller.ports.lease import LeaseBook

    Scrape = Callable[[str], Awaitable[tuple[bytes, str]]]

log = structlog.get_logger(__name__)

LIVE = "/livez"
READY = "/readyz"
METRICS = "/metrics"
STORE_ANSWERS_IN_S = 1.0
MOST_CONNECTIONS = 64
SILENCE_S = 10.0
LEAVE_S = 1.0
PROBES = Service("listening for probes", "probes cannot be answered", "health.host, health.port")


class OfficeState(StrEnum):
    """What one process is for one Asterisk."""

    IN_CONTROL = "in_control"
    OPENING = "opening"
    """The lease is ours; the Asterisk is out of reach, or is being read."""
    COMING_HOME = "coming_home"
    """Its home is here; the member that has it now is to hand it back."""
    STANDING_BY = "standing_by"
    """Another member has it, or nobody yet."""


@dataclass(frozen=True, slots=True)
class OfficeHealth:
    """One Asterisk of the settings, as this process sees it."""

    name: str
    state: OfficeState
    term: int | None = None
    """Of the lease, while it is ours."""


class Health(Protocol):
    """What the process knows of itself, at this moment; asked at each request."""

    @property
    def member(self) -> str:
        """The name that stays over restarts."""
        ...

    @property
    def stopping(self) -> bool:
        """It was asked to stop."""
        ...

    @property
    def was_in_control(self) -> bool:
        """It was in control of some Asterisk at some time since it started."""
        ...

    @property
    def offices(self) -> Sequence[OfficeHealth]:
        """One for each Asterisk of the settings, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer, with its reason in words for people."""

    ready: bool
    why: str


def readiness(health: Health, *, store_answers: bool) -> Readiness:
    """Tell whether a process does its part: it works, or it could take over from another at any moment.

    A process that has work but never came to do it is not ready: an upgrade that cannot do its work stops at the first
    controller. One that did, and whose Asterisk went away since, stays ready: its pages serve on, and nobody gains by
    its being passed over.
    """
    states = {office.state for office in health.offices}
    if health.stopping:
        return Readiness(ready=False, why="stopping")
    if OfficeState.IN_CONTROL in states:
        return Readiness(ready=True, why="in control")
    if OfficeState.OPENING in states:
        if health.was_in_control:
            return Readiness(ready=True, why="was in control, and will be when its Asterisk is back")
        return Readiness(ready=False, why="not in control yet")
    if OfficeState.COMING_HOME in states:
        return Readiness(ready=False, why="waits until its own Asterisk is handed back")
    if not store_answers:
        return Readiness(ready=False, why="stands by, and could not take over: the database does not answer")
    return Readiness(ready=True, why="stands by")


class HealthServer:
    """Answers probes, in plain HTTP. Its own port: what the world may ask for is another matter."""

    def __init__(
        self, health: Health, leases: LeaseBook, host: str, port: int, *, metrics: Scrape | None = None
    ) -> None:
        """`metrics` gets the header Accept, and returns a page for Prometheus with its content type; None: no page."""
        self._health = health
        self._leases = leases
        self._metrics = metrics
        self._told: Readiness | None = None
        app = web.Application()
        app.add_routes([web.get(LIVE, self._live), web.get(READY, self._ready)])
        if metrics is not None:
            app.add_routes([web.get(METRICS, self._scrape)])
        self._server = WebServer(
            host,
            port,
            app,
            most_connections=MOST_CONNECTIONS,
            silence_s=SILENCE_S,
            leave_s=LEAVE_S,
            service=PROBES,
        )
        self.listening = self._server.listening

    @property
    def bound_port(self) -> int:
        """The port that is listened on; of meaning once `listening` is set. Differs for port 0."""
        return self._server.bound_port

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError, which names address and port, when the port cannot be had."""
        await self._server.run()

    async def _live(self, _: web.Request) -> web.Response:
        return _answer(200, {"alive": True, "member": self._health.member})

    async def _ready(self, _: web.Request) -> web.Response:
        offices = self._health.offices
        stands_by = all(office.state is OfficeState.STANDING_BY for office in offices)
        # Whoever has work is not judged by the database: calls go on without it.
        found = readiness(self._health, store_answers=not stands_by or await self._store_answers())
        if found != self._told:
            self._told = found
            log.info("readiness", ready=found.ready, why=found.why)
        told = {**asdict(found), "member": self._health.member, "offices": [asdict(office) for office in offices]}
        return _answer(200 if found.ready else 503, told)

    async def _scrape(self, request: web.Request) -> web.Response:
        if self._metrics is None:
            raise web.HTTPNotFound
        page, content_type = await self._metrics(request.headers.get("Accept", ""))
        headers = {"Cache-Control": "no-store", "Server": "orikaeshi", "Content-Type": content_type}
        return web.Response(body=page, headers=headers)

    async def _store_answers(self) -> bool:
        try:
            async with asyncio.timeout(STORE_ANSWERS_IN_S):
                await self._leases.all()
        except (StoreUnavailableError, TimeoutError):
            return False
        return True


def _answer(status: int, told: object) -> web.Response:
    return web.json_response(told, status=status, headers={"Cache-Control": "no-store", "Server": "orikaeshi"})
