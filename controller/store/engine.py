"""Transactions: short, ended when a method returns, and never cut in the middle."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import for_writing, has_one_writer
from controller.store.faults import as_unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_TRIES = 10


class VersionConflictError(Exception):
    """A row was changed by somebody else between reading and writing it; nothing was written."""


class Database:
    """Runs pieces of work, each in a transaction of its own.

    A method that is cancelled first lets its transaction end, then raises: nothing of it runs on afterwards, and no
    connection is left in an unknown state. It waits for at most the busy timeout.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._writer = for_writing(engine)
        # Our own writers queue up in order here; SQLite alone would have each of them sleep and try again.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if has_one_writer(engine) else nullcontext()

    async def write(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, then: Callable[[T], None] | None = None
    ) -> T:
        """Commit `work` and return its result; then, even if cancelled meanwhile, call `then` with it.

        `work` runs again from its start when it raises VersionConflictError. Raises StoreUnavailableError.
        """
        return await _to_the_end(self._write(work, then))

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `work` reads, all of it from one state of the database. Raises StoreUnavailableError."""
        return await _to_the_end(self._run(self.engine, work))

    async def close(self) -> None:
        """Close every connection."""
        await _to_the_end(self.engine.dispose())

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]], then: Callable[[T], None] | None) -> T:
        for _ in range(_TRIES):
            try:
                async with self._turn:
                    result = await self._run(self._writer, work)
            except VersionConflictError:
                continue
            if then is not None:
                then(result)
            return result
        where = self.engine.url.render_as_string(hide_password=True)
        raise StoreUnavailableError(
            f"A row in {where} was changed by others {_TRIES} times while we wrote it. "
            "Check how many controllers use this database."
        )

    async def _run(self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except Exception as error:
            unavailable = as_unavailable(error, engine.url)
            if unavailable is None:
                raise
            raise unavailable from error


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen; whoever cancelled is told of the cancellation instead
        raise cancelled
    return task.result()
