"""A server that speaks ARI's wire format and can be told to misbehave as no real Asterisk does on request."""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.link import HEARTBEAT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from controller.asterisk.ari.events import Event

APP, USER, PASSWORD = "orikaeshi", "controller", "only-for-this-test"
CHANNEL = {"id": "c-1", "name": "PJSIP/trunk-00000001", "state": "Up"}


def event(kind: str, *, at_ms: int = 0, **fields: Any) -> str:
    """Return the frame of an event, on channel c-1 unless told."""
    stamp = f"2026-11-22T05:40:01.{at_ms:03}+0000"
    return json.dumps({"type": kind, "application": APP, "timestamp": stamp, "channel": CHANNEL, **fields})


class AriServer:
    """What it answers, what it was asked, and its faults."""

    def __init__(self) -> None:
        self.port = 0
        self.version = "22.10.1"
        self.password = PASSWORD
        self.system_name = ""
        self.read_only = False
        self.silent_uris: set[str] = set()
        """Requests for these get no answer."""
        self.refused: dict[str, tuple[int, str]] = {}
        """Requests for these get this status and message."""
        self.before_filter_answer: list[str] = []
        """Frames sent before the handshake is complete."""
        self.deaf = False
        """Reads no frame any more and sends no pong, while the TCP connection stays up."""
        self.sounds: dict[str, list[dict[str, Any]]] = {}
        """What is listed of each language; of any other there is nothing."""
        self.requests: list[dict[str, Any]] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.transports: list[asyncio.Transport] = []
        self._arrivals: asyncio.Queue[str] = asyncio.Queue()
        self._pings: asyncio.Queue[None] = asyncio.Queue()
        self._forever = asyncio.Event()

    async def asked(self, uri: str) -> None:
        """Return once a request for `uri` has come."""
        while await self._arrivals.get() != uri:
            pass

    async def pinged(self) -> None:
        """Return once a ping has come that was not waited for yet."""
        await self._pings.get()

    async def send(self, frame: str | bytes) -> None:
        """Send a text frame on the newest socket."""
        data = frame.encode() if isinstance(frame, str) else frame
        await self.sockets[-1].send_frame(data, WSMsgType.TEXT)

    def cut(self) -> None:
        """Cut the newest socket without a goodbye, as SIGKILL does."""
        self.transports[-1].abort()

    def block(self) -> None:
        """Read nothing from the newest socket, so that its client's send buffer fills up."""
        self.transports[-1].pause_reading()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{uri:.*}", self._http)
        return app

    def _authorized(self, request: web.Request) -> bool:
        expected = b64encode(f"{USER}:{self.password}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {expected}"

    async def _http(self, request: web.Request) -> web.StreamResponse:
        if not self._authorized(request):
            return web.json_response({"message": "Authentication required"}, status=401)
        uri = request.match_info["uri"]
        self._arrivals.put_nowait(f"http:{uri}")
        if uri in self.silent_uris:
            await self._forever.wait()
        if uri == "asterisk/info":
            status = {"startup_time": "2026-11-22T05:40:01.877+0000"}
            told = {"system": {"version": self.version}, "status": status, "config": {"name": self.system_name}}
            return web.json_response(told)
        if uri in self.refused:
            code, message = self.refused[uri]
            return web.json_response({"message": message}, status=code)
        if uri == "sounds":
            listed = self.sounds.get(request.query["lang"])
            missing = {"message": "No sounds found that matched the query"}
            return web.json_response(missing, status=404) if listed is None else web.json_response(listed)
        return web.json_response([])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if not self._authorized(request):
            return web.Response(status=401)
        socket = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await socket.prepare(request)
        self.sockets.append(socket)
        assert isinstance(request.transport, asyncio.Transport)
        self.transports.append(request.transport)
        async for message in socket:
            if self.deaf:
                await self._forever.wait()
            if message.type is WSMsgType.PING:
                self._pings.put_nowait(None)
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                await self._answer(socket, json.loads(message.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        uri = asked["uri"]
        self.requests.append(asked)
        self._arrivals.put_nowait(uri)
        status, message = self.refused.get(uri, (200, ""))
        if uri.endswith("/eventFilter"):
            status, message = (403, "Forbidden") if self.read_only else (204, "")
            for frame in self.before_filter_answer:
                await socket.send_str(frame)
        elif uri in self.silent_uris:
            return
        reply = {"type": "RESTResponse", "request_id": asked["request_id"], "status_code": status, "uri": uri}
        if status != 204:
            reply["message_body"] = json.dumps({"message": message, "asked": uri, "id": uri.rpartition("/")[2]})
        await socket.send_str(json.dumps(reply, separators=(",", ":")))


class BeatenClock:
    """A clock on which the heartbeat waits for the test, and every other wait is over at once and written down."""

    def __init__(self) -> None:
        self.delays_s: asyncio.Queue[float] = asyncio.Queue()
        self._beats: asyncio.Queue[None] = asyncio.Queue()

    def now(self) -> datetime:
        """Not asked for by the client."""
        raise AssertionError("the ARI client asked what time it is")

    async def sleep(self, delay_s: float) -> None:
        """Wait for `beat()`, or not at all."""
        if delay_s == HEARTBEAT_S:
            await self._beats.get()
            return
        self.delays_s.put_nowait(delay_s)
        await asyncio.sleep(0)

    def beat(self) -> None:
        """Let the heartbeat beat once."""
        self._beats.put_nowait(None)


class Wired:
    """A client that runs, what it heard, and how its `run()` ended."""

    def __init__(
        self, port: int, *, on_event: Callable[[Event], None] | None, request_timeout_s: float, password: str
    ) -> None:
        self.clock = BeatenClock()
        self.heard: asyncio.Queue[Event | str] = asyncio.Queue()
        self.client = AriClient(
            f"http://127.0.0.1:{port}",
            APP,
            USER,
            password,
            on_event=on_event or self.heard.put_nowait,
            on_connected=lambda: self.heard.put_nowait("up"),
            on_disconnected=lambda: self.heard.put_nowait("down"),
            clock=self.clock,
            rng=random.Random(7),  # noqa: S311 - spreads reconnects, guards nothing
            request_timeout_s=request_timeout_s,
        )
        self.running = asyncio.create_task(self.client.run())

    async def until(self, wanted: str | type[Event]) -> Event | str:
        """Return the next thing heard that is this, or of this kind; drop what comes before."""
        while True:
            said = await self.heard.get()
            if said == wanted or (isinstance(wanted, type) and isinstance(said, wanted)):
                return said


@asynccontextmanager
async def ari_server(port: int = 0) -> AsyncIterator[AriServer]:
    """Run a server for the length of the block."""
    server = AriServer()
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wired(
    port: int,
    *,
    on_event: Callable[[Event], None] | None = None,
    request_timeout_s: float = 5.0,
    password: str = PASSWORD,
) -> AsyncIterator[Wired]:
    """Run a client for the length of the block."""
    wire = Wired(port, on_event=on_event, request_timeout_s=request_timeout_s, password=password)
    try:
        yield wire
    finally:
        wire.running.cancel()
        await asyncio.gather(wire.running, return_exceptions=True)
