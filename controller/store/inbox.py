"""Receipts and replies, in the database: each is written down once, whatever order they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from controller.ports.news import Kind
from controller.ports.sms import IncomingSms, Reply
from controller.store import hook_owing
from controller.store import sms_rows as rows
from controller.store.dialect import insert_if_new, tell_others, wait_for_other_bookings
from controller.store.outbox import reference_lock
from controller.store.tables import IS_UNHANDLED, sms_outbox, sms_receipts, sms_replies

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.sms import Delivery
    from controller.ports.sms import Receipt
    from controller.store.engine import Database

NOT_UNDERSTOOD = "not_understood"
_LONGEST_TEXT = 1600
_LONGEST_ADDRESS = 32
_LONGEST_MEANING = 64


class StoredSmsInbox:
    """`SmsInbox` on SQL. `replied` is called after a commit that wrote a reply."""

    def __init__(self, database: Database, *, replied: Callable[[], None]) -> None:
        self._database = database
        self._replied = replied

    async def note_receipt(self, receipt: Receipt, now: datetime) -> bool:
        """Write a receipt down and apply it to its SMS; durable on return. False: it had been taken before.

        Its SMS is the one with our key, else the newest with the reference: providers' ids come again. One that comes
        before we know the reference is kept, and applied when `StoredSmsOutbox.record` names it.
        """
        reference = rows.writable(receipt.reference)
        error = rows.writable(receipt.error)
        key = None if receipt.key is None else rows.writable(receipt.key, rows.LONGEST_ID)

        async def work(connection: AsyncConnection) -> bool:
            if reference:
                await wait_for_other_bookings(connection, reference_lock(reference))
            found = await _sms_of(connection, key, reference)
            row = {
                "provider": receipt.provider,
                "event_id": rows.short_id(receipt.event_id),
                "reference": reference,
                "key": key,
                "delivery": receipt.delivery.value,
                "error": error,
                "received_at": now,
                "applied": found is not None,
            }
            if (await connection.execute(insert_if_new(connection, sms_receipts).values(row))).rowcount == 0:
                return False
            if found is not None:
                await _apply(connection, found, receipt.delivery, error, reference, now)
            return True

        return await self._database.write(work)

    async def note_reply(self, incoming: IncomingSms, now: datetime) -> bool:
        """Write a reply down; durable on return. False: it had been taken before."""
        number = rows.writable(incoming.number, _LONGEST_ADDRESS)

        async def work(connection: AsyncConnection) -> bool:
            last_sent = (
                select(sms_outbox.c.id)
                .where(sms_outbox.c.number == number, sms_outbox.c.sent_at.is_not(None))
                .order_by(sms_outbox.c.sent_at.desc(), sms_outbox.c.id.desc())
                .limit(1)
            )
            about_id: int | None = await connection.scalar(last_sent)
            row = {
                "provider": incoming.provider,
                "event_id": rows.short_id(incoming.event_id),
                "number": number,
                "sent_to": rows.writable(incoming.to, _LONGEST_ADDRESS),
                "text": rows.writable(incoming.text, _LONGEST_TEXT),
                "about_id": about_id,
                "received_at": now,
                "needs_person": False,
            }
            is_new = (await connection.execute(insert_if_new(connection, sms_replies).values(row))).rowcount == 1
            if is_new:
                reply = f"{incoming.provider} {row['event_id']}"
                await hook_owing.owe_reply(connection, number=number, about_id=about_id, reply=reply, at=now)
                await tell_others(connection, Kind.REPLY)
            return is_new

        def tell(is_new: bool) -> None:
            if is_new:
                self._replied()

        return await self._database.write(work, then=tell)

    async def unhandled(self) -> list[Reply]:
        """Return the replies that nobody has acted on, oldest first."""

        async def work(connection: AsyncConnection) -> list[Reply]:
            query = (
                select(sms_replies, sms_outbox)
                .join(sms_outbox, sms_replies.c.about_id == sms_outbox.c.id, isouter=True)
                .where(IS_UNHANDLED)
                .order_by(sms_replies.c.id)
            )
            return [_reply_from(row) for row in (await connection.execute(query)).mappings()]

        return await self._database.read(work)

    async def settle(self, reply_id: int, meaning: str, *, needs_person: bool, now: datetime) -> None:
        """Write what a reply was taken for, once; it is not unhandled any more."""
        change = update(sms_replies).where(sms_replies.c.id == reply_id, IS_UNHANDLED)
        values = {"meaning": meaning[:_LONGEST_MEANING], "needs_person": needs_person, "handled_at": now}

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(change.values(values))

        await self._database.write(work)

    async def was_helped(self, number: str, since: datetime) -> bool:
        """Tell whether a reply from this number was settled as `not_understood` since then."""
        query = (
            select(sms_replies.c.id)
            .where(sms_replies.c.number == number, sms_replies.c.handled_at >= since)
            .where(sms_replies.c.meaning == NOT_UNDERSTOOD)
            .limit(1)
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(query)).first() is not None

        return await self._database.read(work)


async def _sms_of(connection: AsyncConnection, key: str | None, reference: str) -> RowMapping | None:
    """Return the SMS that a receipt is about, if we know it."""
    by_key = None if not key else await rows.find_locked(connection, sms_outbox.c.key == key)
    if by_key is not None or not reference:
        return by_key
    return await rows.find_locked(connection, sms_outbox.c.reference == reference)


async def _apply(
    connection: AsyncConnection, sms: RowMapping, delivery: Delivery, error: str, reference: str, now: datetime
) -> None:
    """Apply a receipt to its SMS. If it is the first to name the reference, those apply that came with that alone."""
    values: dict[str, Any] = rows.receipt_values(sms, delivery, error, now)
    is_learnt = bool(reference) and sms[sms_outbox.c.reference] is None
    if is_learnt:
        values["reference"] = reference
    if values:
        await rows.change(connection, sms[sms_outbox.c.id], values)
    if is_learnt:
        await rows.apply_early(connection, sms[sms_outbox.c.id], now)


def _reply_from(row: RowMapping) -> Reply:
    of = sms_replies.c
    incoming = IncomingSms(row[of.provider], row[of.event_id], row[of.number], row[of.sent_to], row[of.text])
    about = None if row[sms_outbox.c.id] is None else rows.sms_from(row)
    return Reply(row[of.id], incoming, row[of.received_at], about)
