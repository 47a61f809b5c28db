"""Booking links, in the database: a link is spent in the transaction that carries its one wish out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from controller.domain.lifecycle import ALLOWED, Cancelled
from controller.domain.signed import Purpose
from controller.ports.links import Ask, BookingLink, Done, LinkSpent, NeverAgain, TooLate, Withdraw
from controller.ports.promises import Made, NumberBlocked, SlotFull
from controller.store import claims
from controller.store import promise_rows as rows
from controller.store.dialect import insert_if_new, wait_for_other_bookings
from controller.store.do_not_call import block_in
from controller.store.promise_steps import DEFAULT_POLICY, take_step
from controller.store.tables import booking_links
from controller.store.taking_in import take_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.links import LinkWish, Redeemed
    from controller.ports.promises import NewPromise
    from controller.store.engine import Database

_NOT_THEM = "the page of a link: this was not me"


class StoredBookingLinks:
    """`BookingLinks` on SQL. `changed` and `sms_queued` are called after a commit, `changed` for each promise."""

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        new_id: Callable[[], str],
        changed: Callable[[Promise], None],
        sms_queued: Callable[[], None],
    ) -> None:
        self._database = database
        self._policies = policies
        self._new_id = new_id
        self._changed = changed
        self._sms_queued = sms_queued

    async def issue(self, link: BookingLink) -> BookingLink:
        """Write a link; one that is there already stays as it is. Return it as it stands."""

        async def work(connection: AsyncConnection) -> BookingLink:
            await connection.execute(insert_if_new(connection, booking_links).values(_row_of(link)))
            found = await connection.execute(select(booking_links).where(booking_links.c.id == link.id))
            return _link_from(found.mappings().one())

        return await self._database.write(work)

    async def find(self, link_id: str, now: datetime) -> BookingLink | None:
        """Return a link that has not expired, used or not."""
        query = select(booking_links).where(booking_links.c.id == link_id, booking_links.c.expires_at > now)

        async def work(connection: AsyncConnection) -> BookingLink | None:
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else _link_from(row)

        return await self._database.read(work)

    async def redeem(self, link_id: str, wish: LinkWish, now: datetime) -> Redeemed:
        """Spend a link on one wish, in the transaction that carries it out.

        Whatever is not `Done` leaves everything as it was. A link that nobody issued is as one that is spent. Raises
        ValueError for a wish that is about another number or queue than the link.
        """

        async def work(connection: AsyncConnection) -> tuple[Done, tuple[Promise, ...], bool]:
            if isinstance(wish, NeverAgain):
                await wait_for_other_bookings(connection, claims.CLAIMS)
            link = await _spend(connection, link_id, now)
            match wish:
                case Ask(wanted):
                    return await self._ask(connection, link, wanted, now)
                case Withdraw():
                    return await self._withdraw(connection, link, now)
                case NeverAgain():
                    cancelled, owes = await block_in(connection, link.number, _NOT_THEM, now, self._policy)
                    return Done(tuple(cancelled)), tuple(cancelled), owes

        def tell(result: tuple[Done, tuple[Promise, ...], bool]) -> None:
            for promise in result[1]:
                self._changed(promise)
            if result[2]:
                self._sms_queued()

        try:
            return (await self._database.write(work, then=tell))[0]
        except _NotRedeemedError as error:
            return error.answer

    async def _ask(
        self, connection: AsyncConnection, link: BookingLink, wanted: NewPromise, now: datetime
    ) -> tuple[Done, tuple[Promise, ...], bool]:
        if (wanted.number, wanted.queue) != (link.number, link.queue):
            raise ValueError(f"what is wanted is not for the number and queue of link {link.id}")
        taken = await take_in(connection, wanted, now, new_id=self._new_id, policy=self._policy(wanted.queue))
        if not isinstance(taken.answer, Made):
            raise _NotRedeemedError(taken.answer)
        changed = () if taken.changed is None else (taken.changed,)
        return Done((taken.answer.promise,)), changed, taken.owes

    async def _withdraw(
        self, connection: AsyncConnection, link: BookingLink, now: datetime
    ) -> tuple[Done, tuple[Promise, ...], bool]:
        if link.promise_id is not None:
            held: Promise | None = await rows.get(connection, link.promise_id, lock=True)
        else:
            held = await rows.find_open(connection, link.queue, link.number, lock=True)
        if held is None or (held.state, Cancelled) not in ALLOWED:
            raise _NotRedeemedError(TooLate())
        cancelled, owes = await take_step(connection, held, Cancelled(), now, self._policy(held.queue))
        return Done((cancelled,)), (cancelled,), owes

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, DEFAULT_POLICY)


async def _spend(connection: AsyncConnection, link_id: str, now: datetime) -> BookingLink:
    """Mark a link as used and return it. Raises _NotRedeemedError when it was used, has expired, or is none."""
    of = booking_links.c
    spend = update(booking_links).where(of.id == link_id, of.used_at.is_(None), of.expires_at > now)
    if (await connection.execute(spend.values(used_at=now))).rowcount == 0:
        raise _NotRedeemedError(LinkSpent())
    found = await connection.execute(select(booking_links).where(of.id == link_id))
    return _link_from(found.mappings().one())


def _row_of(link: BookingLink) -> dict[str, Any]:
    return {
        "id": link.id,
        "purpose": link.purpose.value,
        "queue": link.queue,
        "number": link.number,
        "language": link.language,
        "promise_id": link.promise_id,
        "expires_at": link.expires_at,
        "used_at": link.used_at,
    }


def _link_from(row: RowMapping) -> BookingLink:
    of = booking_links.c
    return BookingLink(
        id=row[of.id],
        purpose=Purpose(row[of.purpose]),
        queue=row[of.queue],
        number=row[of.number],
        language=row[of.language],
        expires_at=row[of.expires_at],
        promise_id=row[of.promise_id],
        used_at=row[of.used_at],
    )


class _NotRedeemedError(Exception):
    """The wish is not carried out; undoes what was written for it, and the spending of the link."""

    def __init__(self, answer: LinkSpent | TooLate | SlotFull | NumberBlocked) -> None:
        super().__init__(type(answer).__name__)
        self.answer = answer
