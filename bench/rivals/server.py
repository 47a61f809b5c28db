"""A server that speaks ARI's wire format and does next to nothing else, so that clients are what is measured.

    python -m bench.rivals.server REST_API_FOLDER EVENTS     prints its port, and serves until its stdin is closed

`REST_API_FOLDER` holds the descriptions of ARI that come with Asterisk; some clients read them when they connect.
`GET /replay?events=N` sends N recorded events, at most `EVENTS`, to the socket that was opened last, as fast as they
are taken.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs

import msgspec

RECORDED = Path(__file__).parent / "frames.jsonl"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 4.2.2."""
_STAMP = re.compile(r'"timestamp":"[^"]*"')
CHUNK_FRAMES = 200
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
SHORT, MEDIUM = 126, 65_536
HEAD_END = b"\r\n\r\n"
PING_ANSWER = json.dumps(
    {"asterisk_id": "02:fc:00:00:00:01", "ping": "pong", "timestamp": "2026-11-22T18:42:18.607+0000"},
    separators=(",", ":"),
)
INFO_ANSWER = json.dumps(
    {"system": {"version": "22.10.1"}, "status": {"startup_time": "2026-11-22T18:40:01.877+0000"}},
    separators=(",", ":"),
)


class Asked(msgspec.Struct):
    """A request over the WebSocket, as far as it matters."""

    request_id: str
    uri: str


_asked = msgspec.json.Decoder(Asked)


def recorded_events(wanted: int) -> list[bytes]:
    """Return so many different events: those of one recorded call, again and again, each time of another call."""
    lines = RECORDED.read_text("utf-8").splitlines()
    ids = sorted({found for line in lines for found in _ids(json.loads(line))}, key=len, reverse=True)
    events: list[bytes] = []
    while len(events) < wanted:
        call = f"-{len(events)}"
        for line in lines:
            text = line
            for each in ids:
                text = text.replace(f'"{each}"', f'"{each}{call}"').replace(f':{each}"', f':{each}{call}"')
            # None is a second copy of another: clients may drop those.
            events.append(_STAMP.sub(f'"timestamp":"{_stamp(len(events))}"', text, count=1).encode())
    return events[:wanted]


def _stamp(nth: int) -> str:
    """Return ARI's text for an instant, a millisecond later for each."""
    minutes, ms = divmod(nth, 60_000)
    return f"2026-11-22T{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}.{ms % 1000:03}+0000"


def _ids(node: object) -> set[str]:
    """Return the ids of all channels, bridges and playbacks in an event."""
    if not isinstance(node, dict):
        return set()
    found = {node["id"]} if isinstance(node.get("id"), str) else set()
    return found.union(*(_ids(each) for each in node.values()))


def text_frame(text: bytes) -> bytes:
    """Return a WebSocket frame from a server (RFC 6455, 5.2): not masked."""
    return _head(TEXT, len(text)) + text


def _head(opcode: int, size: int) -> bytes:
    if size < SHORT:
        return bytes((0x80 | opcode, size))
    if size < MEDIUM:
        return bytes((0x80 | opcode, SHORT)) + size.to_bytes(2, "big")
    return bytes((0x80 | opcode, SHORT + 1)) + size.to_bytes(8, "big")


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Take one masked frame off the front of `data`; return its opcode and content, None when it is not whole yet."""
    if len(data) < 2:  # noqa: PLR2004 - the shortest head
        return None
    size, at = data[1] & 0x7F, 2
    if size == SHORT:
        size, at = int.from_bytes(data[2:4], "big"), 4
    elif size > SHORT:
        size, at = int.from_bytes(data[2:10], "big"), 10
    if len(data) < at + 4 + size:
        return None
    mask = bytes(data[at : at + 4])
    masked = int.from_bytes(data[at + 4 : at + 4 + size], "big")
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    opcode = data[0] & 0xF
    del data[: at + 4 + size]
    return opcode, (masked ^ key).to_bytes(size, "big")


class Connection(asyncio.Protocol):
    """One client's connection: HTTP until it asks for the event WebSocket."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._data = bytearray()
        self._is_socket = False
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP's is
        self.transport = transport

    def pause_writing(self) -> None:
        """Hold a replay: the client does not keep up."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Go on with it."""
        self._may_write.set()

    def connection_lost(self, _why: Exception | None) -> None:
        """Let go of a replay that waits."""
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        """Answer all that is whole, in one write."""
        self._data += data
        answers = self._frames() if self._is_socket else self._requests()
        if answers:
            self.transport.write(answers)

    async def replay(self, frames: list[bytes]) -> None:
        """Send frames as fast as they are taken."""
        for at in range(0, len(frames), CHUNK_FRAMES):
            await self._may_write.wait()
            if self.transport.is_closing():
                return
            self.transport.write(b"".join(frames[at : at + CHUNK_FRAMES]))

    def _requests(self) -> bytes:
        answers = bytearray()
        while not self._is_socket and (end := self._data.find(HEAD_END)) >= 0:
            head = self._data[:end].decode()
            size = _header(head, "content-length")
            whole = end + len(HEAD_END) + int(size or 0)
            if len(self._data) < whole:
                break
            del self._data[:whole]
            answers += self._answer(head)
        return bytes(answers)

    def _answer(self, head: str) -> bytes:
        method, target, _ = head.split(" ", 2)
        path, _, query = target.partition("?")
        if path == "/ari/asterisk/ping":
            return _http(PING_ANSWER)
        if path.endswith("/variable"):
            return b"HTTP/1.1 204 No Content\r\nServer: Asterisk\r\nContent-Length: 0\r\n\r\n"
        if path == "/ari/asterisk/info":
            return _http(INFO_ANSWER)
        if path == "/replay":
            self._server.replay(int(parse_qs(query)["events"][0]))
            return _http("{}")
        if path == "/ari/events":
            self._is_socket = True
            self._server.sockets.append(self)
            key = _header(head, "sec-websocket-key")
            accept = base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()  # noqa: S324 - RFC 6455
            return (
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
            ).encode()
        if path.startswith("/ari/api-docs/"):
            return _http(self._server.description(path.rpartition("/")[2], _header(head, "host")))
        raise ValueError(f"nobody is to ask for {method} {path}")

    def _frames(self) -> bytes:
        answers = bytearray()
        while (frame := take_frame(self._data)) is not None:
            opcode, content = frame
            if opcode == TEXT:
                answers += text_frame(_rest_answer(_asked.decode(content)))
            elif opcode == PING:
                answers += _head(PONG, len(content)) + content
            elif opcode == CLOSE:
                answers += _head(CLOSE, len(content)) + content
        return bytes(answers)


class Server:
    """What all connections share."""

    def __init__(self, descriptions: Path, events: int) -> None:
        self._descriptions = descriptions
        # Made beforehand: a server that is silent for seconds is taken for dead, by clients that look.
        self._frames = [text_frame(each) for each in recorded_events(events)]
        self.sockets: list[Connection] = []
        self._replays: set[asyncio.Task[None]] = set()

    def description(self, name: str, host: str) -> str:
        """Return a description of ARI, with this server's address in it, as Asterisk puts in its own."""
        text = (self._descriptions / Path(name).name).read_text("utf-8")
        return text.replace("http://localhost:8088/ari", f"http://{host}/ari")

    def replay(self, wanted: int) -> None:
        """Begin to send recorded events to the newest socket."""
        task = asyncio.create_task(self.sockets[-1].replay(self._frames[:wanted]))
        self._replays.add(task)
        task.add_done_callback(self._replays.discard)


def _header(head: str, name: str) -> str:
    for line in head.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


def _http(body: str) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nServer: Asterisk\r\nContent-type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def _rest_answer(asked: Asked) -> bytes:
    body = PING_ANSWER if asked.uri == "asterisk/ping" else ""
    more = f',"content_type":"application/json","message_body":{json.dumps(body)}' if body else ""
    status, reason = (200, "OK") if body else (204, "No Content")
    return (
        f'{{"type":"RESTResponse","transaction_id":"","request_id":"{asked.request_id}","status_code":{status},'
        f'"reason_phrase":"{reason}","uri":"{asked.uri}"{more},"application":"bench",'
        '"timestamp":"2026-11-22T18:42:18.607+0000","asterisk_id":"02:fc:00:00:00:01"}'
    ).encode()


async def main() -> None:
    """Serve on a free port of this machine, until whoever started this closes our stdin."""
    loop = asyncio.get_running_loop()
    shared = Server(Path(sys.argv[1]), int(sys.argv[2]))
    listening = await loop.create_server(lambda: Connection(shared), "127.0.0.1", 0)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
