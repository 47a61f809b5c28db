"""One event WebSocket, from the moment it is open until it is lost: requests, answers, events, heartbeat."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from socket import SHUT_RDWR
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, WSMsgType

from controller.asterisk.ari.errors import AriDisconnected, AriReplaced, AriTimeout
from controller.asterisk.ari.events import ApplicationReplaced, RESTResponse
from controller.asterisk.ari.pool import CLOSE_TIMEOUT_S, decode_answer
from controller.asterisk.ari.wire import encode_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientWebSocketResponse

    from controller.asterisk.ari.events import Event
    from controller.asterisk.ari.wire import FrameReader, Query
    from controller.ports.clock import Clock

HEARTBEAT_S = 0.9
SILENT_BEATS = 4
"""A socket that stays silent over this many pings, about 4.5 s, is half-open: the far end is gone."""


class Link:
    """A live event WebSocket.

    Beats, not seconds, are counted: when this process was stopped for a while, answers that wait in the
    socket's buffer are read before the far end is called dead.
    """

    def __init__(
        self,
        socket: ClientWebSocketResponse[bool],
        app: str,
        *,
        reader: FrameReader,
        on_event: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._socket = socket
        self._app = app
        self._reader = reader
        self._on_event = on_event
        self._clock = clock
        self._pending: dict[str, asyncio.Future[RESTResponse | None]] = {}
        self._last_request = 0
        self._silent_beats = 0
        self._pong_owed: bytes | None = None
        self._lost_why: str | None = None
        self.late_answers = 0

    @property
    def lost(self) -> bool:
        """Whether the socket is of no use any more."""
        return self._lost_why is not None

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._pending)

    async def request(self, method: str, uri: str, query: Query | None, body: Any, timeout_s: float) -> Any:
        """Send one request and return its decoded JSON answer, None when it has no body.

        Raises AriRefused and its kinds, AriTimeout, AriDisconnected; ValueError before anything is sent.
        """
        self._last_request += 1
        request_id = str(self._last_request)
        frame = encode_request(request_id, method, uri, query, body)
        if self._lost_why is not None:
            raise AriDisconnected(method, uri, self._lost_why, maybe_executed=False)
        answer = asyncio.get_running_loop().create_future()
        self._pending[request_id] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self._socket.send_frame(frame, WSMsgType.TEXT)
                response = await answer
        except TimeoutError:
            raise AriTimeout(method, uri, f"none within {timeout_s:g} s", maybe_executed=True) from None
        except (ClientError, OSError) as error:
            self.lose(f"the connection broke ({type(error).__name__} {error})")
            raise AriDisconnected(method, uri, str(self._lost_why), maybe_executed=True) from error
        finally:
            del self._pending[request_id]
        if response is None:
            raise AriDisconnected(method, uri, str(self._lost_why), maybe_executed=True)
        return decode_answer(method, uri, response.status_code, response.reason_phrase, response.message_body)

    async def serve(self) -> str:
        """Read until the socket is lost; return why. Raise AriReplaced when another client took the name.

        Requests that are in flight then have failed with AriDisconnected already.
        """
        tasks = {asyncio.create_task(self._read()), asyncio.create_task(self._watch())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            why = done.pop().result()
            self.lose(why)
        except AriReplaced as error:
            self.lose(str(error))
            raise
        finally:
            self.lose("the client was stopped")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return why

    def lose(self, why: str) -> None:
        """Take the socket as lost: every request in flight fails at once. Only the first reason counts."""
        if self._lost_why is not None:
            return
        self._lost_why = why
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(None)

    async def close(self) -> None:
        """Say goodbye, for at most a second, then hang up in any case."""
        self.lose("the client was stopped")
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close()
        except (TimeoutError, ClientError, OSError):
            self._hang_up()

    def _hang_up(self) -> None:
        """End the TCP connection without a goodbye, which wakes whoever waits for room in its send buffer."""
        raw = self._socket.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):
                raw.shutdown(SHUT_RDWR)

    async def _read(self) -> str:
        while True:
            message = await self._socket.receive()
            self._silent_beats = 0
            if message.type is WSMsgType.TEXT:
                self._take(message.data)
            elif message.type is WSMsgType.PING:
                self._pong_owed = message.data
            elif message.type is WSMsgType.BINARY:
                self._reader.undecodable += 1
            elif message.type is not WSMsgType.PONG:
                return _reason(message.type, message.data)

    def _take(self, frame: bytes) -> None:
        said = self._reader.read(frame)
        if said is None:
            return
        if isinstance(said, RESTResponse):
            answer = self._pending.get(said.request_id)
            if answer is None:
                self.late_answers += 1
            elif not answer.done():
                answer.set_result(said)
        elif isinstance(said, ApplicationReplaced):
            raise AriReplaced(self._app)
        else:
            self._on_event(said)

    async def _watch(self) -> str:
        """Ping, pay the pongs that are owed (the reader must not wait for room to send), count silent beats."""
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            self._silent_beats += 1
            if self._silent_beats > SILENT_BEATS:
                why = f"nothing was heard over {SILENT_BEATS} pings"
                self.lose(why)
                self._hang_up()
                return why
            owed, self._pong_owed = self._pong_owed, None
            with suppress(TimeoutError, ClientError, OSError):
                async with asyncio.timeout(HEARTBEAT_S):
                    if owed is not None:
                        await self._socket.pong(owed)
                    await self._socket.ping()


def _reason(kind: WSMsgType, detail: object) -> str:
    if kind is WSMsgType.CLOSE:
        return f"Asterisk closed the WebSocket (code {detail})"
    if kind is WSMsgType.ERROR:
        return f"the WebSocket failed ({detail})"
    return "the connection was cut"
