"""The leases, in the database: a row each. Claims look at one in their own transaction (`claims.py`)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from controller.ports.lease import Lease, pbx_of_lease
from controller.ports.news import Kind
from controller.store import holds
from controller.store.dialect import insert_if_new, tell_others
from controller.store.engine import VersionConflictError
from controller.store.tables import leases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.clock import Clock
    from controller.store.engine import Database


class StoredLeaseBook:
    """`LeaseBook` on SQL. Times are the wall clock's, since they are for other processes to read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, name: str, holder: str, member: str, lease_s: float, *, wants: bool = False) -> Lease:
        """Take a lease that nobody holds, that has run out, or is our own member's; else return it as it then is.

        One that lasts more than twice as long as it could is of a clock that was set back, and counts as run out: a
        holder who lives is then told apart by the term, and a dead one does not stop the calls for hours. What the
        holder before had in hand is free with the new term.
        """

        async def work(connection: AsyncConnection) -> Lease:
            row = (await connection.execute(select(leases).where(leases.c.name == name).with_for_update())).first()
            now = self._clock.now()
            lasts = timedelta(seconds=lease_s)
            if row is None:
                return await _begin(connection, Lease(name, holder, member, 1, now + lasts))
            is_theirs = row.member != member and row.holder != holder
            if is_theirs and now < row.expires_at <= now + 2 * lasts:
                return await _want(connection, _lease_from(row), member) if wants else _lease_from(row)
            # It had been promised for `lasts` at most, whatever the clock says now.
            quiet = min(row.expires_at, now + lasts) if now < row.expires_at and row.holder != holder else None
            taken = Lease(name, holder, member, row.term + 1, now + lasts, quiet_until=quiet)
            values = {"holder": holder, "member": member, "term": taken.term, "expires_at": taken.expires_at}
            await connection.execute(update(leases).where(leases.c.name == name).values(**values, wanted_by=""))
            await _free_what_it_held(connection, name)
            return taken

        return await self._database.write(work)

    async def renew(self, lease: Lease, lease_s: float) -> Lease | None:
        """Hold on to the lease for `lease_s` more, also one that has run out untaken; None: it has another term."""

        async def work(connection: AsyncConnection) -> Lease | None:
            row = await _set_end(connection, lease, self._clock.now() + timedelta(seconds=lease_s))
            return None if row is None else _lease_from(row)

        return await self._database.write(work)

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it still has this term. The term stays: the next one has a higher."""

        async def work(connection: AsyncConnection) -> None:
            if await _set_end(connection, lease, self._clock.now()) is not None:
                await tell_others(connection, Kind.LEASE, lease.name)

        await self._database.write(work)

    async def all(self) -> list[Lease]:
        """Return every lease that was ever taken, by name, whether or not it has run out."""

        async def work(connection: AsyncConnection) -> list[Lease]:
            return [_lease_from(row) for row in await connection.execute(select(leases).order_by(leases.c.name))]

        return await self._database.read(work)


async def _begin(connection: AsyncConnection, taken: Lease) -> Lease:
    """Write the first lease of its name. Raises VersionConflictError when somebody else has done so meanwhile."""
    values = {"holder": taken.holder, "member": taken.member, "term": taken.term, "expires_at": taken.expires_at}
    row = insert_if_new(connection, leases).values(name=taken.name, **values)
    if (await connection.execute(row)).rowcount == 0:
        raise VersionConflictError
    return taken


async def _want(connection: AsyncConnection, lease: Lease, member: str) -> Lease:
    if lease.wanted_by == member:
        return lease
    change = update(leases).where(leases.c.name == lease.name).values(wanted_by=member).returning(*leases.c)
    row = (await connection.execute(change)).one()
    await tell_others(connection, Kind.LEASE, lease.name)
    return _lease_from(row)


async def _free_what_it_held(connection: AsyncConnection, name: str) -> None:
    pbx = pbx_of_lease(name)
    if pbx is not None:
        for promise_id in await holds.clear_of_pbx(connection, pbx):
            await tell_others(connection, Kind.PROMISE, promise_id)


async def _set_end(connection: AsyncConnection, lease: Lease, expires_at: datetime) -> Row[tuple[object, ...]] | None:
    """Let a lease end at another time; return its row, or None when it has another term by now."""
    ours = update(leases).where(
        leases.c.name == lease.name, leases.c.term == lease.term, leases.c.holder == lease.holder
    )
    return (await connection.execute(ours.values(expires_at=expires_at).returning(*leases.c))).one_or_none()


def _lease_from(row: Row[tuple[object, ...]]) -> Lease:
    return Lease(row.name, row.holder, row.member, row.term, row.expires_at, row.wanted_by)
