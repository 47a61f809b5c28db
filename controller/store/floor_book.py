"""What the floor asks the database: few rows, by indexes, and never at each look at the floor."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller.domain.outcome import Outcome
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import CONVERTING
from controller.ports.floor_book import FloorLook
from controller.store.hooks import NOT_IN_SETTINGS
from controller.store.staff_tables import hook_deliveries
from controller.store.tables import HAS_NUMBER, IS_OPEN, attempts, calls, promises, sms_outbox, sms_replies

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database

_HELD_BACK = "of % codes sent to %"
"""How the breaker begins to say why (`controller.store.sms_caps`)."""


class StoredFloorBook:
    """`FloorBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, *, day: datetime, codes_since: datetime) -> FloorLook:
        """Return what is so now. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> FloorLook:
            replies, first_reply_at = await _replies(connection, day)
            return FloorLook(
                talks=await _talks(connection, day),
                due_by=await _due_by(connection),
                replies=replies,
                first_reply_at=first_reply_at,
                codes_stopped_at=await _codes_stopped_at(connection, codes_since),
                hooks_failed_at=await _hooks_failed_at(connection, day),
            )

        return await self._database.read(work)


async def _talks(connection: AsyncConnection, day: datetime) -> Counter[str]:
    # A call that was answered on the day arrived on it, or not long before.
    inbound = select(calls.c.agent, func.count()).where(calls.c.arrived_at >= day, calls.c.answered_at.is_not(None))
    outbound = select(attempts.c.agent, func.count()).where(
        attempts.c.counts_from >= day, attempts.c.outcome == Outcome.TALKED.value
    )
    found: Counter[str] = Counter()
    for query, agent in ((inbound, calls.c.agent), (outbound, attempts.c.agent)):
        for name, count in await connection.execute(query.group_by(agent)):
            found[name or ""] += count
    del found[""]
    return found


async def _due_by(connection: AsyncConnection) -> dict[str, datetime]:
    query = select(promises.c.id, promises.c.due_by).where(IS_OPEN, promises.c.due_by.is_not(None))
    return {row.id: row.due_by for row in await connection.execute(query)}


async def _replies(connection: AsyncConnection, day: datetime) -> tuple[int, datetime | None]:
    of = sms_replies.c
    query = select(func.count(), func.min(of.received_at)).where(HAS_NUMBER, of.received_at >= day, of.needs_person)
    count, first_at = (await connection.execute(query)).one()
    return count, first_at


async def _codes_stopped_at(connection: AsyncConnection, since: datetime) -> datetime | None:
    of = sms_outbox.c
    query = select(func.max(of.settled_at)).where(
        HAS_NUMBER,
        of.template.in_(sorted(template.value for template in CONVERTING)),
        of.status == SmsStatus.BLOCKED.value,
        of.queued_at >= since,
        of.error.like(_HELD_BACK),
    )
    found: datetime | None = (await connection.execute(query)).scalar_one()
    return found


async def _hooks_failed_at(connection: AsyncConnection, day: datetime) -> dict[str, datetime]:
    of = hook_deliveries.c
    query = (
        select(of.hook, func.max(of.settled_at).label("at"))
        .where(of.settled_at >= day, of.delivered.is_(False), of.last_error != NOT_IN_SETTINGS)
        .group_by(of.hook)
    )
    return {row.hook: row.at for row in await connection.execute(query)}
