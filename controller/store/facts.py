"""Where the figures come from: what the tables hold of a time, put together as facts.

A day of a large centre is some seconds of Python, in which callers must not wait: all of it is read and put together
in a thread. A file's transactions run in one anyway; a server is asked over a connection of that thread's own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from controller.domain.figure_facts import Facts
from controller.store.dialect import connect_to, has_one_writer
from controller.store.engine import Database
from controller.store.facts_agents import read_spans, read_talks
from controller.store.facts_calls import read_calls, read_turns
from controller.store.facts_promises import read_promises
from controller.store.facts_so_far import StoredFactsSoFar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

_PATIENCE_S = 5.0


class StoredFacts:
    """`FactsBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, start: datetime, end: datetime, *, as_of: datetime, queue: str | None = None) -> Facts:
        """Return all that touches [start, end), from one state of the database; `queue`: of one queue alone.

        Aware UTC. Raises StoreUnavailableError.
        """

        async def work(connection: AsyncConnection) -> Facts:
            promises, attempts, texts = await read_promises(connection, start, end, queue)
            return Facts(
                as_of=as_of,
                calls=await read_calls(connection, start, end, queue),
                talks=await read_talks(connection, start, end, as_of, queue),
                promises=promises,
                attempts=attempts,
                texts=texts,
                spans=await read_spans(connection, start, end, queue),
                turns=await read_turns(connection, start, end, queue),
            )

        return await read_in_thread(self._database, work)

    def so_far(self, start: datetime, end: datetime) -> StoredFactsSoFar:
        """Return who reads [start, end) while it goes on."""
        return StoredFactsSoFar(lambda work: read_in_thread(self._database, work), start, end)


async def read_in_thread(database: Database, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Return what `work` reads, beside the event loop. Raises StoreUnavailableError."""
    if has_one_writer(database.engine):
        return await database.read(work)
    return await asyncio.to_thread(asyncio.run, _read_apart(database.engine.url, work))


async def _read_apart(url: URL, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Return what `work` reads, over a connection of this thread's own event loop."""
    database = Database(connect_to(url.render_as_string(hide_password=False), busy_timeout_s=_PATIENCE_S))
    try:
        return await database.read(work)
    finally:
        await database.close()
