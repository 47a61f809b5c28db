"""Reads as quickly as something comes, for who takes it as slowly as they like: a PBX does not wait for listeners."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ReadAhead:
    """What was read and not taken yet: pieces, in their order."""

    def __init__(self, source: AsyncIterator[bytes], most_bytes: int) -> None:
        self._source = source
        self._most_bytes = most_bytes
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._fault: Exception | None = None
        self._is_over = False
        self._turn = asyncio.Condition()

    async def next(self) -> bytes:
        """Return the next piece; b"": there are no more. Raises what the source raised, once all before it is taken."""
        async with self._turn:
            await self._turn.wait_for(lambda: self._pieces or self._is_over)
            if not self._pieces:
                if self._fault is not None:
                    raise self._fault
                return b""
            piece = self._pieces.popleft()
            self._waiting_bytes -= len(piece)
            self._turn.notify_all()
            return piece

    async def read(self) -> None:
        """Read to the end; pauses while more than `most_bytes` wait to be taken."""
        try:
            async for piece in self._source:
                async with self._turn:
                    await self._turn.wait_for(lambda: self._waiting_bytes < self._most_bytes)
                    if piece:
                        self._pieces.append(piece)
                        self._waiting_bytes += len(piece)
                        self._turn.notify_all()
        except Exception as fault:  # noqa: BLE001 - whoever takes the pieces is told
            self._fault = fault
        async with self._turn:
            self._is_over = True
            self._turn.notify_all()


@asynccontextmanager
async def reading_ahead(source: AsyncIterator[bytes], most_bytes: int) -> AsyncIterator[ReadAhead]:
    """Read `source` for the length of the block, at most `most_bytes` and a piece ahead of who takes; then close it."""
    ahead = ReadAhead(source, most_bytes)
    reading = asyncio.create_task(ahead.read())
    try:
        yield ahead
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        if isinstance(source, AsyncGenerator):
            await source.aclose()
