"""Transactions on a file: each runs from its begin to its commit in a thread, in one go.

A file answers within microseconds. To let the event loop wait for each statement of SQLite apart costs three times as
much processor time as the statement, and as many turns of the loop: the file's driver is called where it is used.
"""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from controller.store.dialect import for_writing_file, open_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_READERS = 4
"""Threads that read. The file has one writer at a time anyway."""


class _InThread:
    """What a piece of work asks of its connection; every answer is there when the method returns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect, self.engine = connection.dialect, connection.engine

    async def execute(self, *statement: Any, **options: Any) -> Any:
        return self._connection.execute(*statement, **options)

    async def scalar(self, *statement: Any) -> Any:
        return self._connection.scalar(*statement)

    async def scalars(self, *statement: Any) -> Any:
        return self._connection.scalars(*statement)

    async def exec_driver_sql(self, *statement: Any) -> Any:
        return self._connection.exec_driver_sql(*statement)

    async def run_sync(self, work: Callable[..., T], *arguments: Any) -> T:
        return work(self._connection, *arguments)


class FileTransactions:
    """Runs pieces of work on the file of `engine`, writers one after the other."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine: Engine = open_file(engine)
        self._writing = for_writing_file(self.engine)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="database reader")

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool) -> T:
        """Return what `work` returns, once it is committed; what it raises undoes it. Raises DBAPIError.

        Not to be cancelled: the thread would run on. `work` may wait for its connection and for nothing else.
        """
        threads, engine = (self._writer, self._writing) if writes else (self._readers, self.engine)
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(threads, context.run, _once, engine, work)

    async def close(self) -> None:
        """Close every connection, and end the threads."""
        for threads in (self._writer, self._readers):
            await asyncio.to_thread(threads.shutdown)
        self.engine.dispose()


def _once(engine: Engine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    with engine.begin() as connection:
        steps = work(cast("AsyncConnection", _InThread(connection))).__await__()
        try:
            next(steps)
        except StopIteration as end:
            return cast("T", end.value)
        raise RuntimeError("a transaction waited for something else than its database")
