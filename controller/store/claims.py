"""What speaks against a call, asked in the transaction that writes its attempt: lease, do-not-call list, caps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, select

from controller.domain.caps import CAP_PERIOD, LONG_CAP_PERIOD
from controller.ports.lease import lease_of_pbx
from controller.ports.promises import NotClaimed, NotClaimedReason
from controller.store import attempt_rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.opt_outs import CLAIMS, is_listed
from controller.store.tables import attempts, leases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.caps import Caps

__all__ = ["CLAIMS", "has_lease", "is_listed", "objection", "wait_for_other_claims"]


async def wait_for_other_claims(connection: AsyncConnection, number: str, caps: Caps) -> None:
    """Let claims that count the same calls come one after the other; first in a transaction, before rows are locked.

    Caps of a prefix, and of money, are counted over all calls, so who has one claims alone. All others only wait for
    who calls the same number, and for the list, which always writes alone.
    """
    counts_all = bool(caps.per_prefix) or caps.max_cost_milli is not None
    await wait_for_other_bookings(connection, CLAIMS, shared=not counts_all)
    if not counts_all:
        await wait_for_other_bookings(connection, f"{CLAIMS} {number}")


async def objection(connection: AsyncConnection, number: str, caps: Caps, now: datetime) -> NotClaimed | None:
    """Return what speaks against a call to `number` at `now`; None: nothing."""
    if await attempt_rows.is_number_busy(connection, number):
        return NotClaimed(NotClaimedReason.NUMBER_BUSY)
    if await is_listed(connection, number):
        return NotClaimed(NotClaimedReason.BLOCKED)
    until = await _full_until(connection, number, caps, now)
    return None if until is None else NotClaimed(NotClaimedReason.OVER_CAP, until)


async def has_lease(connection: AsyncConnection, pbx: str, term: int, now: datetime, *, lock: bool = False) -> bool:
    """Tell whether calls may be placed through an Asterisk under `term`.

    Where nobody ever took its lease, there is none to hold. `lock` lets nobody take the lease until this transaction
    has ended, where the database can: who takes it then sees what was written under the term before.
    """
    query = select(leases.c.term, leases.c.expires_at).where(leases.c.name == lease_of_pbx(pbx))
    row = (await connection.execute(query.with_for_update(read=True) if lock else query)).first()
    return row is None or (row.term == term and now < row.expires_at)


async def _full_until(connection: AsyncConnection, number: str, caps: Caps, now: datetime) -> datetime | None:
    """Return when every cap has room for one more call; None: they have it now."""
    counts: list[datetime] = []
    for among, most, period in _count_caps(number, caps):
        full_until = await _count_full_until(connection, among, most, now, period)
        if full_until is not None:
            counts.append(full_until)
    if caps.max_cost_milli is not None:
        room_milli = caps.max_cost_milli - caps.reserved_milli
        full_until = await _cost_full_until(connection, room_milli, now)
        if full_until is not None:
            counts.append(full_until)
    return max(counts, default=None)


def _count_caps(number: str, caps: Caps) -> Iterator[tuple[ColumnElement[bool], int, timedelta]]:
    if caps.per_number is not None:
        yield attempts.c.number == number, caps.per_number, CAP_PERIOD
    if caps.per_number_30_days is not None:
        yield attempts.c.number == number, caps.per_number_30_days, LONG_CAP_PERIOD
    for prefix, most in caps.per_prefix.items():
        yield attempts.c.number.startswith(prefix, autoescape=True), most, CAP_PERIOD


async def _count_full_until(
    connection: AsyncConnection, among: ColumnElement[bool], most: int, now: datetime, period: timedelta
) -> datetime | None:
    is_counted = attempts.c.counts_from > now - period
    count = (await connection.execute(select(func.count()).where(among, is_counted))).scalar_one()
    if count < most:
        return None
    if most <= 0:
        return now + period  # never; it is asked again by then
    # Once this one is out, one less than `most` are left.
    blocking = (
        select(attempts.c.counts_from)
        .where(among, is_counted)
        .order_by(attempts.c.counts_from)
        .offset(count - most)
        .limit(1)
    )
    oldest: datetime = (await connection.execute(blocking)).scalar_one()
    return oldest + period


async def _cost_full_until(connection: AsyncConnection, room_milli: int, now: datetime) -> datetime | None:
    is_counted = attempts.c.counts_from > now - CAP_PERIOD
    total = select(func.coalesce(func.sum(attempts.c.cost_milli), 0)).where(is_counted)
    spent_milli: int = (await connection.execute(total)).scalar_one()
    if spent_milli <= room_milli:
        return None
    query = select(attempts.c.counts_from, attempts.c.cost_milli).where(is_counted).order_by(attempts.c.counts_from)
    for row in await connection.execute(query):
        spent_milli -= row.cost_milli
        if spent_milli <= room_milli:
            freed_at: datetime = row.counts_from
            return freed_at + CAP_PERIOD
    return now + CAP_PERIOD  # this call alone costs more than there may be
