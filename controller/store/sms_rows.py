"""SMS as rows: the mapping, and what a receipt makes of one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from controller.domain.sms import Delivery, SmsStatus, after_receipt
from controller.ports.sms import QueuedSms
from controller.store import hook_owing
from controller.store.tables import IS_UNAPPLIED, sms_outbox, sms_receipts

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

LONGEST_ID = 255


def sms_from(row: RowMapping, *, further_tries: int = 0) -> QueuedSms:
    """Return the SMS in a row that has all of its columns, with so many more tries than it counts."""
    return QueuedSms(
        id=row[sms_outbox.c.id],
        key=row[sms_outbox.c.key],
        number=row[sms_outbox.c.number],
        template=row[sms_outbox.c.template],
        language=row[sms_outbox.c.language],
        queue=row[sms_outbox.c.queue],
        tries=row[sms_outbox.c.tries] + further_tries,
        queued_at=row[sms_outbox.c.queued_at],
        valid_until=row[sms_outbox.c.valid_until],
        details=json.loads(row[sms_outbox.c.details]),
        promise_id=row[sms_outbox.c.promise_id],
    )


async def locked(connection: AsyncConnection, sms_id: int) -> RowMapping:
    """Return a row, locked until the transaction ends where the database can. Raises LookupError."""
    row = await find_locked(connection, sms_outbox.c.id == sms_id)
    if row is None:
        raise LookupError(f"there is no SMS {sms_id} in the outbox")
    return row


async def find_locked(connection: AsyncConnection, condition: ColumnElement[bool]) -> RowMapping | None:
    """Return the newest row for which something holds, if there is one, locked as above."""
    query = select(sms_outbox).where(condition).order_by(sms_outbox.c.id.desc()).limit(1).with_for_update()
    return (await connection.execute(query)).mappings().one_or_none()


async def change(connection: AsyncConnection, sms_id: int, values: dict[str, Any]) -> None:
    """Write values over a row; hooks are owed what they change."""
    await hook_owing.owe_sms_change(connection, sms_id, values)
    await connection.execute(update(sms_outbox).where(sms_outbox.c.id == sms_id).values(values))


def receipt_values(row: RowMapping, delivery: Delivery, error: str, now: datetime) -> dict[str, Any]:
    """Return what a receipt changes in a row; nothing, where it says no more than is known.

    Whatever we thought: what the network knows of has left us, so from now on it counts towards the caps.
    """
    before = SmsStatus(row[sms_outbox.c.status])
    after = after_receipt(before, delivery)
    if after is before:
        return {}
    return {
        "status": after.value,
        "sent_at": row[sms_outbox.c.sent_at] or now,
        "settled_at": row[sms_outbox.c.settled_at] or now,
        "error": None,
        "receipt_at": now,
        "receipt_error": error if after is SmsStatus.UNDELIVERED else None,
    }


async def apply_early(connection: AsyncConnection, sms_id: int, now: datetime) -> None:
    """Apply the receipts that came before the reference was known. Older ones are another SMS's: ids come again."""
    row = await locked(connection, sms_id)
    reference, since = row[sms_outbox.c.reference], row[sms_outbox.c.queued_at]
    its_own = (IS_UNAPPLIED, sms_receipts.c.reference == reference, sms_receipts.c.received_at >= since)
    for receipt in (await connection.execute(select(sms_receipts).where(*its_own).order_by(sms_receipts.c.id))).all():
        values = receipt_values(row, Delivery(receipt.delivery), receipt.error, now)
        if values:
            await change(connection, sms_id, values)
            row = await locked(connection, sms_id)
    await connection.execute(update(sms_receipts).where(*its_own).values(applied=True))


def writable(text: str, most: int | None = None) -> str:
    """Return a stranger's text as every database takes it: no zero bytes, no half characters, cut to `most`."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")[:most]


def short_id(text: str) -> str:
    """Return a provider's id as it is; one that is too long for its column by its SHA-256."""
    clean = writable(text)
    return clean if len(clean) <= LONGEST_ID else hashlib.sha256(clean.encode()).hexdigest()
