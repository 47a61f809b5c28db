"""Where a company has its reverse proxy: one port for pages and webhooks, carried to whichever controller listens."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

LOCALHOST = "127.0.0.1"
_CHUNK_BYTES = 65_536


@asynccontextmanager
async def one_front(port: int, behind: Sequence[int]) -> AsyncIterator[None]:
    """Listen on `port` for the length of the block; each connection goes to the first of `behind` that takes it.

    Where none does, it is closed without a word.
    """
    carried: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_carry(reader, writer, behind))
        carried.add(task)
        task.add_done_callback(carried.discard)

    listener = await asyncio.start_server(take, LOCALHOST, port)
    try:
        yield
    finally:
        listener.close()
        for task in list(carried):
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)
        await listener.wait_closed()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: Sequence[int]) -> None:
    try:
        for port in behind:
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(LOCALHOST, port)
                try:
                    await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
                finally:
                    far_writer.close()
                return
    finally:
        writer.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one direction to its end."""
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
