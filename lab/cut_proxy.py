"""A line between the controller and Asterisk's ARI that can be cut in every way in which lines are cut.

Plain HTTP passes too. It reads along in event WebSockets (RFC 6455; what Asterisk sends is neither masked nor
compressed), so that one answer alone can be lost.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LOCALHOST = "127.0.0.1"
_CHUNK_BYTES = 65_536
_UPGRADED = b"HTTP/1.1 101"
_END_OF_HEAD = b"\r\n\r\n"
_GOODBYE = b"\x88\x02\x03\xe9"
"""A close frame with the status 1001, going away."""
_LINGER_NOT = struct.pack("ii", 1, 0)
_HEAD_BYTES = 2
_MORE_LENGTH_BYTES = {126: 2, 127: 8}


class Cut(StrEnum):
    """How a line is cut."""

    RST = "rst"
    FIN = "fin"
    CLOSE_FRAME = "close_frame"
    """Asterisk says goodbye on the WebSocket."""
    BLACK_HOLE = "black_hole"
    """The connection stays up, and nothing comes through any more, either way."""


class _Line:
    """One connection, from the controller to Asterisk."""

    def __init__(self, proxy: CutProxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._near, self._far = near, far
        self._frames: _Frames | None = None
        self._head = b""
        self.swallows = False

    @property
    def is_event_socket(self) -> bool:
        """Whether Asterisk has agreed to speak WebSocket on it."""
        return self._frames is not None

    async def carry_out(self, reader: asyncio.StreamReader) -> None:
        """Carry what the controller says."""
        while data := await reader.read(_CHUNK_BYTES):
            if not self.swallows:
                self._far.write(data)
                await self._far.drain()
        self._far.close()

    async def carry_back(self, reader: asyncio.StreamReader) -> None:
        """Carry what Asterisk says."""
        while data := await reader.read(_CHUNK_BYTES):
            for part in self._parts(data):
                if self.swallows:
                    break
                if self.is_event_socket and self._proxy.is_lost(part):
                    continue
                self._near.write(part)
            await self._near.drain()
        if not self.swallows:
            self._near.close()

    def cut(self, how: Cut) -> None:
        """Cut it."""
        match how:
            case Cut.BLACK_HOLE:
                self.swallows = True
                return
            case Cut.RST:
                for writer in (self._near, self._far):
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                    writer.transport.abort()
                return
            case Cut.CLOSE_FRAME if self.is_event_socket:
                self._near.write(_GOODBYE)
        self.swallows = True
        self._near.close()
        self._far.close()

    def _parts(self, data: bytes) -> Iterator[bytes]:
        """Yield what came, frame by frame once it is a WebSocket; a connection may have carried plain HTTP before."""
        if self._frames is None and (self._head or data.startswith(_UPGRADED)):
            self._head += data
            end = self._head.find(_END_OF_HEAD)
            if end < 0:
                return
            end += len(_END_OF_HEAD)
            yield self._head[:end]
            self._frames, data = _Frames(), self._head[end:]
        if self._frames is None:
            yield data
        else:
            yield from self._frames.take(data)


class _Frames:
    """WebSocket frames, whole."""

    def __init__(self) -> None:
        self._pending = b""

    def take(self, data: bytes) -> Iterator[bytes]:
        """Yield each frame that is complete."""
        self._pending += data
        while (size := self._size()) is not None and len(self._pending) >= size:
            frame, self._pending = self._pending[:size], self._pending[size:]
            yield frame

    def _size(self) -> int | None:
        """Return how long the first frame is (RFC 6455 section 5.2); None while that cannot be told."""
        if len(self._pending) < _HEAD_BYTES:
            return None
        length = self._pending[1] & 0x7F
        more_bytes = _MORE_LENGTH_BYTES.get(length, 0)
        begins = _HEAD_BYTES + more_bytes
        if len(self._pending) < begins:
            return None
        return begins + (int.from_bytes(self._pending[_HEAD_BYTES:begins], "big") if more_bytes else length)


class CutProxy:
    """Every line through one port; get it from `cut_proxy`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._lines: set[_Line] = set()
        self._down: Cut | None = None
        self._loses: tuple[tuple[bytes, ...], Cut | None] | None = None
        self.lost = asyncio.Event()
        """Set once the answer that `lose_answer` waits for was lost."""
        self.port = 0

    def cut(self, how: Cut) -> None:
        """Cut every line, and each that is opened from now on until `mend`."""
        self._down = how
        for line in list(self._lines):
            line.cut(how)

    def mend(self) -> None:
        """Let new lines through. Those that were cut stay so."""
        self._down = None

    def lose_answer(self, *holding: bytes, then: Cut | None = None) -> None:
        """Lose the next frame to the controller that holds all of this, and at once cut every line (`then`)."""
        self.lost.clear()
        self._loses = holding, then

    def is_lost(self, frame: bytes) -> bool:
        """Tell whether a frame is the one to be lost; cuts what is to be cut with it."""
        if self._loses is None:
            return False
        holding, then = self._loses
        if not all(part in frame for part in holding):
            return False
        self._loses = None
        self.lost.set()
        if then is not None:
            self.cut(then)
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until both ends are done with it."""
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            line = _Line(self, writer, far_writer)
            self._lines.add(line)
            if self._down is not None:
                line.cut(self._down)
            try:
                await asyncio.gather(line.carry_out(reader), line.carry_back(far_reader))
            finally:
                self._lines.discard(line)
                far_writer.close()
        writer.close()


@asynccontextmanager
async def cut_proxy(host: str, port: int) -> AsyncIterator[CutProxy]:
    """Open a line to `host:port` on a free port of 127.0.0.1 for the length of the block; whoever is on it is cut off.

    Point `asterisk.url` (or a site's `ari_url`) at `http://127.0.0.1:{proxy.port}`.
    """
    proxy = CutProxy(host, port)
    serving: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(proxy.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    listener = await asyncio.start_server(take, LOCALHOST, 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        proxy.cut(Cut.RST)
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await listener.wait_closed()
