"""Queues that are closed by hand, in the database: a row for each until it is opened by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from controller.ports.news import Kind
from controller.ports.queue_closures import Closure
from controller.store.dialect import insert_if_new, tell_others
from controller.store.engine import VersionConflictError
from controller.store.staff_tables import queue_closures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database


class StoredQueueClosures:
    """`QueueClosures` on SQL. `changed` is called after a commit, whoever was cancelled meanwhile."""

    def __init__(self, database: Database, *, changed: Callable[[], None]) -> None:
        self._database = database
        self._changed = changed

    async def close(self, closure: Closure) -> None:
        """Close a queue; another closure of it is replaced."""
        values = {"closed_by": closure.by, "closed_at": closure.at, "until": closure.until}

        async def work(connection: AsyncConnection) -> None:
            again = update(queue_closures).where(queue_closures.c.queue == closure.queue).values(values)
            if (await connection.execute(again)).rowcount == 0:
                first = insert_if_new(connection, queue_closures).values(queue=closure.queue, **values)
                if (await connection.execute(first)).rowcount == 0:
                    raise VersionConflictError  # somebody else has closed it since we looked
            await tell_others(connection, Kind.CLOSURE, closure.queue)

        await self._database.write(work, then=lambda _: self._changed())

    async def open(self, queue: str) -> bool:
        """End the closure of a queue; False when there was none."""

        async def work(connection: AsyncConnection) -> bool:
            gone = await connection.execute(delete(queue_closures).where(queue_closures.c.queue == queue))
            if gone.rowcount:
                await tell_others(connection, Kind.CLOSURE, queue)
            return bool(gone.rowcount)

        def tell(was_closed: bool) -> None:
            if was_closed:
                self._changed()

        return await self._database.write(work, then=tell)

    async def all(self) -> list[Closure]:
        """Return every closure that was not ended, by queue."""

        async def work(connection: AsyncConnection) -> list[Closure]:
            query = select(queue_closures).order_by(queue_closures.c.queue)
            return [
                Closure(row.queue, row.closed_by, row.closed_at, row.until) for row in await connection.execute(query)
            ]

        return await self._database.read(work)
