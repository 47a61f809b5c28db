"""A way to a database server that loses the answer to one COMMIT, with or without passing the COMMIT on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_COMMIT = b"COMMIT;\0"


class LostAnswers:
    """Listens on `port` of loopback and passes everything on to a server's."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._is_passed_on: bool | None = None
        self._then_refuse = False
        self._refuses = False
        self._pairs: set[StreamWriter] = set()
        self.lost = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for writer in self._pairs:
            writer.close()

    def lose_next_commit(self, *, is_passed_on: bool, then_refuse: bool = False) -> None:
        """Cut the connection that sends the next COMMIT, before or after the server has answered it."""
        self._is_passed_on, self._then_refuse = is_passed_on, then_refuse

    def mend(self) -> None:
        """Let connections through again."""
        self._refuses = False

    async def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._refuses:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._pairs |= {writer, far_writer}
        back = asyncio.create_task(self._pass_back(far_reader, writer))
        try:
            await self._pass_on(reader, far_reader, far_writer, back)
        except OSError:
            pass  # one of the two ends is gone, which the other one is told of below
        finally:
            back.cancel()
            writer.close()
            far_writer.close()

    async def _pass_on(
        self, reader: StreamReader, far_reader: StreamReader, far_writer: StreamWriter, back: asyncio.Task[None]
    ) -> None:
        while data := await reader.read(65536):
            if _COMMIT in data and self._is_passed_on is not None:
                is_passed_on, self._is_passed_on = self._is_passed_on, None
                self.lost += 1
                self._refuses = self._then_refuse
                if is_passed_on:
                    back.cancel()
                    await asyncio.wait({back})
                    far_writer.write(data)
                    await far_reader.read(65536)  # the answer, which nobody else will ever see
                return
            far_writer.write(data)

    async def _pass_back(self, far_reader: StreamReader, writer: StreamWriter) -> None:
        while data := await far_reader.read(65536):
            writer.write(data)
        writer.close()
