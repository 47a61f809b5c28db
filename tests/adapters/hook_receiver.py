"""The other end of a webhook: it behaves as it is told, well or badly, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from controller.hooks.client import HookClient
from controller.hooks.signing import read_secrets
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from controller.ports.hooks import NotTaken, Taken

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
LOCALHOST = "127.0.0.1"
BODY = json.dumps({"type": "promise.made", "data": {"queue": "営業", "number": "+819012345678"}}, ensure_ascii=False)
EVENT = "evt_0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    headers: dict[str, str] = field(repr=False)
    body: str = field(repr=False)

    @property
    def id(self) -> str:
        """The id under which it came."""
        return self.headers["webhook-id"]


class Receiver:
    """Answers with what `answers` says next, 204 when it says nothing. A callable answers for itself."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[Request] = []
        self.answers: list[int | web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]] = []
        self.always: int | None = None
        self.came: asyncio.Queue[Request] = asyncio.Queue()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Listen for the length of the block."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOCALHOST, 0).start()
        self.url = f"http://{LOCALHOST}:{runner.addresses[0][1]}/secret-path"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Request(request.path, headers, await request.text()))
        self.came.put_nowait(self.got[-1])
        answer = self.answers.pop(0) if self.answers else (self.always or 204)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return answer if isinstance(answer, web.Response) else await answer(request)


class WireServer:
    """A server that says what no HTTP server would. `says` gets the connection once a request has begun to come."""

    def __init__(self, says: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._says = says
        self.url = ""
        self.connections = 0
        self.sent_bytes = 0
        self._answering: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()
        """The client has gone, or all is said."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[WireServer]:
        """Listen for the length of the block."""
        server = await asyncio.start_server(self._answer, LOCALHOST, 0)
        self.url = f"http://{LOCALHOST}:{server.sockets[0].getsockname()[1]}/secret-path"
        async with server:
            try:
                yield self
            finally:
                for task in self._answering:
                    task.cancel()
                await asyncio.gather(*self._answering)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._answering.add(task)
        # Not left cancelled: Python 3.11 complains of a connection's task that was.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            await self._says(reader, writer)
        self.over.set()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def endless(server: WireServer, writer: asyncio.StreamWriter, beginning: bytes, more: bytes) -> None:
    """Say a beginning and then the same for ever, as long as anybody reads it."""
    writer.write(beginning)
    while True:
        writer.write(more)
        await writer.drain()
        server.sent_bytes += len(more)


def fields_of(request: Request) -> dict[str, Any]:
    """Return the headers that make up the signature."""
    return {name: value for name, value in request.headers.items() if name.startswith("webhook-")}


async def send(
    url: str, *, secrets: str = SECRET, allow_private: bool = True, timeout_s: float = 20.0
) -> Taken | NotTaken:
    """Send one event by a client of its own."""
    client = HookClient(url, read_secrets(secrets), SystemClock(), allow_private=allow_private, timeout_s=timeout_s)
    try:
        return await client.post(EVENT, BODY)
    finally:
        await client.close()
