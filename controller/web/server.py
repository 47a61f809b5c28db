"""Serves the pages: how many connections at once, and how long somebody may be silent on one."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

MOST_CONNECTIONS = 512
SILENCE_S = 30.0
"""How long a connection may be open without a whole head of a request: idle, or dripping."""
LINGER_S = 1.0
"""How long what was refused is read and thrown away, so that its sender gets to see the answer."""
LEAVE_S = 5.0
"""How long requests are given to end when we stop."""
PATIENCE_S = 3.0
"""How long a taken port is waited for: who starts a controller again beside the old one takes its calls over, and the
old one leaves the port a moment later."""
_LOOK_AGAIN_S = 0.05
"""A port tells nobody that it has become free."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a server is for, in words for the log and for whoever finds its port taken."""

    listening: str
    cannot: str
    settings: str


PAGES = Service("listening for browsers", "the web pages cannot be served", "web.host, web.port")


class WebServer:
    """Listens in plain HTTP: a reverse proxy in front of it encrypts. Who is silent, or one too many, is let go."""

    def __init__(
        self,
        host: str,
        port: int,
        app: web.Application,
        *,
        most_connections: int = MOST_CONNECTIONS,
        silence_s: float = SILENCE_S,
        leave_s: float = LEAVE_S,
        patience_s: float = PATIENCE_S,
        service: Service = PAGES,
    ) -> None:
        self._host, self._port = host, port
        self._app = app
        self._most_connections = most_connections
        self._silence_s = silence_s
        self._leave_s = leave_s
        self._patience_s = patience_s
        self._service = service
        self.listening = asyncio.Event()
        self.bound_port = port
        """The port that is listened on; of meaning once `listening` is set. Differs for port 0."""

    async def run(self) -> None:
        """Serve until cancelled. Raises OSError, which names address and port, when the port cannot be had."""
        runner = web.AppRunner(
            self._app,
            access_log=None,
            keepalive_timeout=self._silence_s,
            lingering_time=LINGER_S,
            shutdown_timeout=self._leave_s,
            # What a provider signed is what was sent, and a small body that grows large is an attack.
            auto_decompress=False,
        )
        await runner.setup()
        try:
            server = await self._listen(runner)
            try:
                self.bound_port = server.sockets[0].getsockname()[1]
                self.listening.set()
                log.info(self._service.listening, host=self._host, port=self.bound_port)
                await asyncio.get_running_loop().create_future()
            finally:
                server.close()
                self.listening.clear()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        serving = runner.server
        if serving is None:
            raise RuntimeError("it was not set up")

        def door() -> asyncio.BaseProtocol:
            return serving() if len(serving.connections) < self._most_connections else _Refusal()

        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._patience_s
        try:
            while True:
                try:
                    server = await loop.create_server(door, self._host, self._port, reuse_address=True)
                    break
                except OSError as error:
                    if error.errno != errno.EADDRINUSE or loop.time() >= deadline_s:
                        raise
                    log.debug("the port is taken, looking again", host=self._host, port=self._port)
                await asyncio.sleep(_LOOK_AGAIN_S)
        except OSError as error:
            place = f"{self._service.cannot} at {self._host}:{self._port} ({self._service.settings})"
            raise OSError(error.errno, f"{place}: {error.strerror or error}") from error
        for each in server.sockets:
            # Who does not take what was sent is not waited for: the connections inherit it.
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._silence_s * 1000))
        return server


class _Refusal(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()
