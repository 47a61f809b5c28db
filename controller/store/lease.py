"""The lease, in the database: one row. Claims look at it in their own transaction (`claims.py`)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from controller.ports.lease import Lease
from controller.store.claims import CLAIMS, THE_LEASE
from controller.store.dialect import wait_for_other_bookings
from controller.store.tables import leases

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.clock import Clock
    from controller.store.engine import Database


class StoredLeaseBook:
    """`LeaseBook` on SQL. Times are the wall clock's, since they are for other processes to read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, holder: str, lease_s: float) -> Lease:
        """Take the lease if nobody holds it, or it has run out, or it is our own; return it as it then is.

        One that lasts more than twice as long as it could is of a clock that was set back, and counts as run out: a
        holder who lives is then told apart by the term, and a dead one does not stop the calls for hours.
        """

        async def work(connection: AsyncConnection) -> Lease:
            await wait_for_other_bookings(connection, CLAIMS)
            now = self._clock.now()
            lasts = timedelta(seconds=lease_s)
            row = (await connection.execute(select(leases).where(leases.c.id == THE_LEASE))).first()
            if row is None:
                taken = Lease(holder, 1, now + lasts)
                await connection.execute(insert(leases).values(id=THE_LEASE, **_values(taken)))
                return taken
            if row.holder != holder and now < row.expires_at <= now + 2 * lasts:
                return Lease(row.holder, row.term, row.expires_at)
            taken = Lease(holder, row.term + 1, now + lasts)
            await connection.execute(update(leases).where(leases.c.id == THE_LEASE).values(_values(taken)))
            return taken

        return await self._database.write(work)

    async def renew(self, lease: Lease, lease_s: float) -> Lease | None:
        """Hold on to the lease for `lease_s` more, also one that has run out untaken; None: it has another term."""

        async def work(connection: AsyncConnection) -> Lease | None:
            await wait_for_other_bookings(connection, CLAIMS)
            renewed = Lease(lease.holder, lease.term, self._clock.now() + timedelta(seconds=lease_s))
            is_ours = await _set_end(connection, lease, renewed.expires_at)
            return renewed if is_ours else None

        return await self._database.write(work)

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it still has this term. The term stays: the next one has a higher."""

        async def work(connection: AsyncConnection) -> None:
            await wait_for_other_bookings(connection, CLAIMS)
            await _set_end(connection, lease, self._clock.now())

        await self._database.write(work)


async def _set_end(connection: AsyncConnection, lease: Lease, expires_at: datetime) -> bool:
    change = update(leases).where(
        leases.c.id == THE_LEASE, leases.c.term == lease.term, leases.c.holder == lease.holder
    )
    return (await connection.execute(change.values(expires_at=expires_at))).rowcount == 1


def _values(lease: Lease) -> dict[str, object]:
    return {"holder": lease.holder, "term": lease.term, "expires_at": lease.expires_at}
