"""The record of calls, in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, exists, func, literal, select, update

from controller.domain.call_ending import Ending
from controller.domain.promise import DEFAULT_PBX
from controller.ports.promises import StoreUnavailableError
from controller.store import hook_owing
from controller.store.dialect import insert_if_new
from controller.store.sms_rows import writable
from controller.store.tables import HAS_NO_ENDING, calls, promise_requests
from controller.store.types import UtcDateTime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from sqlalchemy import Update
    from sqlalchemy.ext.asyncio import AsyncConnection
    from structlog.typing import FilteringBoundLogger

    from controller.store.engine import Database

_LONGEST_ADDRESS = 64
"""A caller may show anything as their number; a server refuses what is longer than its column."""
RECENT_TALKS = 50
"""Enough for a mean, and not so many that last week's weighs more than this hour's."""


class StoredCallLog:
    """`CallLog` on SQL. What cannot be written is logged (`call_not_recorded`) and the call goes on."""

    def __init__(self, database: Database, log: FilteringBoundLogger) -> None:
        self._database = database
        self._log = log

    async def arrived(
        self, call_id: str, *, dialled: str, number: str | None, arrived_at: datetime, pbx: str = DEFAULT_PBX
    ) -> None:
        """Note that a call came in to an Asterisk. Said again, it changes nothing."""
        row = {
            "id": call_id,
            "dialled": writable(dialled, _LONGEST_ADDRESS),
            "number": None if number is None else writable(number, _LONGEST_ADDRESS),
            "arrived_at": arrived_at,
            "pbx": pbx,
        }

        async def work(connection: AsyncConnection) -> None:
            if (await connection.execute(insert_if_new(connection, calls).values(row))).rowcount == 1:
                await hook_owing.owe_call(connection, call_id, step="arrived", at=arrived_at)

        await self._write(work, call_id=call_id, step="arrived")

    async def joined(self, call_id: str, *, queue: str, joined_at: datetime, closed: bool = False) -> None:
        """Note that the caller came to a queue, open or closed. The first time stays, and of the queue the last one."""
        first = func.coalesce(calls.c.joined_at, literal(joined_at, UtcDateTime))
        change = update(calls).where(calls.c.id == call_id).values(queue=queue, joined_at=first, was_closed=closed)

        async def work(connection: AsyncConnection) -> None:
            was_there = await hook_owing.is_in_queue(connection, call_id, queue)
            if (await connection.execute(change)).rowcount == 1 and not was_there:
                await hook_owing.owe_call(connection, call_id, step="joined", at=joined_at)

        await self._write(work, call_id=call_id, step="joined")

    async def offered(self, call_id: str, *, offered_at: datetime) -> None:
        """Note that the caller was offered a callback in words. The first time stays."""
        change = update(calls).where(calls.c.id == call_id, calls.c.offered_at.is_(None)).values(offered_at=offered_at)
        await self._change(change, call_id=call_id, step="offered")

    async def quoted(self, call_id: str, *, low_s: float, high_s: float, quoted_at: datetime) -> None:
        """Note the first expected wait that the caller was told; a later one changes nothing."""
        change = (
            update(calls)
            .where(calls.c.id == call_id, calls.c.quoted_at.is_(None))
            .values(quoted_low_s=low_s, quoted_high_s=high_s, quoted_at=quoted_at)
        )
        await self._change(change, call_id=call_id, step="quoted")

    async def answered(self, call_id: str, *, agent: str, answered_at: datetime) -> None:
        """Note that an agent took it. The first answer stays: it is the one that the caller waited for."""
        change = (
            update(calls)
            .where(calls.c.id == call_id, calls.c.answered_at.is_(None))
            .values(agent=agent, answered_at=answered_at)
        )
        await self._change(change, call_id=call_id, step="answered", told_at=answered_at)

    async def ended(self, call_id: str, *, ending: Ending, ended_at: datetime) -> None:
        """Note how it ended. The first ending stays."""
        change = (
            update(calls).where(calls.c.id == call_id, HAS_NO_ENDING).values(ending=ending.value, ended_at=ended_at)
        )
        await self._change(change, call_id=call_id, step="ended", told_at=ended_at)

    async def recent_talks_s(self, queue: str, limit: int = RECENT_TALKS) -> list[float]:
        """Return how long the last talks of a queue took, in seconds, oldest first. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> list[float]:
            query = (
                select(calls.c.answered_at, calls.c.ended_at)
                .where(calls.c.queue == queue, calls.c.answered_at.is_not(None), calls.c.ended_at.is_not(None))
                .order_by(calls.c.ended_at.desc())
                .limit(limit)
            )
            talks = (await connection.execute(query)).all()
            return [(ended_at - answered_at).total_seconds() for answered_at, ended_at in reversed(talks)]

        return await self._database.read(work)

    async def close_orphans(self, live_call_ids: frozenset[str], *, ended_at: datetime, pbx: str = DEFAULT_PBX) -> int:
        """Give an ending to every call of an Asterisk that has none and is not live; return how many.

        Raises StoreUnavailableError.
        """
        kept = exists().where(promise_requests.c.call_id == calls.c.id)
        ending = case(
            (calls.c.answered_at.is_not(None), Ending.SERVED.value),
            (kept, Ending.PROMISED.value),
            else_=Ending.ABANDONED.value,
        )

        async def work(connection: AsyncConnection) -> int:
            # The list of live calls may be longer than a statement takes parameters: it is compared here.
            without_ending = await connection.scalars(select(calls.c.id).where(HAS_NO_ENDING, calls.c.pbx == pbx))
            orphans = [call_id for call_id in without_ending if call_id not in live_call_ids]
            for call_id in orphans:
                await connection.execute(
                    update(calls).where(calls.c.id == call_id, HAS_NO_ENDING).values(ending=ending, ended_at=ended_at)
                )
                await hook_owing.owe_call(connection, call_id, step="ended", at=ended_at)
            return len(orphans)

        return await self._database.write(work)

    async def _change(self, change: Update, *, call_id: str, step: str, told_at: datetime | None = None) -> None:
        """Make a change, and owe the step (of `told_at`) to hooks if it changed anything."""

        async def work(connection: AsyncConnection) -> None:
            changed = (await connection.execute(change)).rowcount == 1
            if changed and told_at is not None:
                await hook_owing.owe_call(connection, call_id, step=step, at=told_at)

        await self._write(work, call_id=call_id, step=step)

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[None]], *, call_id: str, step: str) -> None:
        try:
            await self._database.write(work)
        except StoreUnavailableError as error:
            self._log.warning("call_not_recorded", call_id=call_id, step=step, error=str(error))
