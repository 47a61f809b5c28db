"""Transactions: short, ended when a method returns, and never cut in the middle."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import for_reading, for_writing, has_one_writer, receipt_of, was_cut_off
from controller.store.faults import as_unavailable
from controller.store.in_thread import FileTransactions
from controller.store.postgresql import is_conflict, was_committed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_TRIES = 10
_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0)
"""Five seconds in all, in which a server that was restarted is back."""


class VersionConflictError(Exception):
    """A row was changed by somebody else between reading and writing it; nothing was written."""


class _CutOffError(Exception):
    """The connection was lost before anything was committed: the same can be done again. Its cause says why."""


class Database:
    """Runs pieces of work, each in a transaction of its own.

    A method that is cancelled first lets its transaction end, then raises: nothing of it runs on afterwards, and no
    connection is left in an unknown state. It waits for at most the busy timeout.

    A connection that a server cut off is replaced and the work done again, once; whether a commit whose answer was
    lost took place is asked of the server, so that nothing is done twice, or taken for undone and left behind.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._writer = for_writing(engine)
        self._reader = for_reading(engine)
        self._file = FileTransactions(engine) if has_one_writer(engine) else None
        # Our own writers queue up in order here; SQLite alone would have each of them sleep and try again.
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if has_one_writer(engine) else nullcontext()

    async def write(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, then: Callable[[T], None] | None = None
    ) -> T:
        """Commit `work` and return its result; then, even if cancelled meanwhile, call `then` with it.

        `work` runs again from its start when it raises VersionConflictError, when others were in its way (a deadlock),
        or when the connection is lost before the commit. Raises StoreUnavailableError.
        """
        return await _to_the_end(self._write(work, then))

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `work` reads, all of it from one state of the database. Raises StoreUnavailableError."""
        return await _to_the_end(self._tried(self._reader, work))

    @property
    def sync_engine(self) -> Engine:
        """The engine below, on which the transactions really run: SQLAlchemy's events are heard there."""
        return self.engine.sync_engine if self._file is None else self._file.engine

    async def close(self) -> None:
        """Close every connection."""
        if self._file is not None:
            await _to_the_end(self._file.close())
        await _to_the_end(self.engine.dispose())

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]], then: Callable[[T], None] | None) -> T:
        async with self._turn:
            result = await self._tried(self._writer, work)
        if then is not None:
            then(result)
        return result

    async def _tried(self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        was_cut_off = False
        for _ in range(_TRIES):
            try:
                return await self._once(engine, work)
            except VersionConflictError:
                continue
            except _CutOffError as error:
                if was_cut_off:
                    raise self._told(error.__cause__) from error
                was_cut_off = True
            except Exception as error:
                told = as_unavailable(error, self.engine.url)
                if told is None:
                    raise
                raise told from error
        where = self.engine.url.render_as_string(hide_password=True)
        raise StoreUnavailableError(
            f"A row in {where} was changed by others {_TRIES} times while we wrote it. "
            "Check how many controllers use this database."
        )

    async def _once(self, engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        if self._file is not None:
            return await self._file.run(work, writes=engine is self._writer)
        receipt = ""
        async with engine.connect() as connection:
            try:
                await connection.begin()
                result = await work(connection)
                if engine is self._writer:
                    receipt = await receipt_of(connection)
                await connection.commit()
            except Exception as error:
                if is_conflict(error):
                    raise VersionConflictError from error
                if not was_cut_off(connection, error):
                    raise
                await connection.invalidate(error)
                if not receipt:
                    raise _CutOffError from error
                lost = error
            else:
                return result
        if await self._was_committed(receipt, lost):
            return result
        raise _CutOffError from lost

    async def _was_committed(self, receipt: str, lost: Exception) -> bool:
        """Ask the server, for as long as a lock is waited for, what became of a commit whose answer was lost."""
        for pause_s in _PAUSES_S:
            try:
                async with self._reader.connect() as connection:
                    answer = await was_committed(connection, receipt)
                if answer is not None:
                    return answer
            except (DBAPIError, OSError):  # it is not back yet
                pass
            await asyncio.sleep(pause_s)
        raise self._told(lost) from lost

    def _told(self, cause: BaseException | None) -> StoreUnavailableError:
        told = as_unavailable(cause, self.engine.url) if isinstance(cause, Exception) else None
        where = self.engine.url.render_as_string(hide_password=True)
        return told or StoreUnavailableError(f"The database {where} broke the connection off. Check that it runs.")


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
