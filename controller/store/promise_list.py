"""Promises page by page, from the database. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from controller.ports.promise_list import Kept, Page, Place
from controller.store.history import history_in
from controller.store.promise_rows import promise_from
from controller.store.promise_steps import DEFAULT_POLICY
from controller.store.tables import promises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.history import History
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.promise_list import Wanted
    from controller.store.engine import Database

_OF = promises.c


class StoredPromiseList:
    """`PromiseList` on SQL."""

    def __init__(self, database: Database, *, policies: Mapping[str, RetryPolicy]) -> None:
        self._database = database
        self._policies = policies

    async def page(self, wanted: Wanted, *, after: Place | None, limit: int) -> Page:
        """Return up to `limit` promises, the last to be made first, behind a place."""
        query = select(promises).where(*_conditions(wanted))
        if after is not None:
            # The first condition is one that an index can answer; the second decides between those of one instant.
            is_older = or_(_OF.made_at < after.made_at, and_(_OF.made_at == after.made_at, _OF.id < after.id))
            query = query.where(_OF.made_at <= after.made_at, is_older)
        query = query.order_by(_OF.made_at.desc(), _OF.id.desc()).limit(limit + 1)

        async def work(connection: AsyncConnection) -> list[Kept]:
            return [_kept(row) for row in (await connection.execute(query)).mappings()]

        found = await self._database.read(work)
        shown = found[:limit]
        return Page(shown, Place(shown[-1].made_at, shown[-1].promise.id) if len(found) > limit else None)

    async def one(self, promise_id: str) -> Kept:
        """Return one promise. Raises LookupError when there is none."""

        async def work(connection: AsyncConnection) -> Kept | None:
            found = await connection.execute(select(promises).where(_OF.id == promise_id))
            row = found.mappings().one_or_none()
            return None if row is None else _kept(row)

        kept = await self._database.read(work)
        if kept is None:
            raise LookupError(f"there is no promise {promise_id}")
        return kept

    async def history(self, promise_id: str) -> History:
        """Return all that is known of one promise. Raises LookupError when there is none."""
        return await self._database.read(lambda connection: connection.run_sync(history_in, promise_id))

    def policy(self, queue: str) -> RetryPolicy:
        """Return by which policy the promises of a queue are retried."""
        return self._policies.get(queue, DEFAULT_POLICY)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.states is not None:
        yield _OF.state.in_(sorted(state.value for state in wanted.states))
    if wanted.queue is not None:
        yield _OF.queue == wanted.queue
    if wanted.number is not None:
        yield _OF.number == wanted.number
    if wanted.made_since is not None:
        yield _OF.made_at >= wanted.made_since
    if wanted.made_until is not None:
        yield _OF.made_at < wanted.made_until


def _kept(row: RowMapping) -> Kept:
    return Kept(promise_from(row), row[_OF.made_at], row[_OF.due_by])
