"""The SMS outbox: rows written with the transition that owes them, sent later, each key once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from controller.ports.sms import Accepted, QueuedSms, Refused, SmsStatus, Unclear
from controller.store import claims
from controller.store.dialect import insert_if_new, wait_for_other_bookings
from controller.store.tables import IS_QUEUED, IS_SENDING, do_not_call, sms_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.effects import SendSms
    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult
    from controller.store.engine import Database

_BLOCKED = "the number is on the do-not-call list"
_INTERRUPTED = "the program stopped while this was being sent; it may have been sent"


async def queue(connection: AsyncConnection, effect: SendSms, now: datetime) -> bool:
    """Add an SMS to the outbox, in a transaction that is under way. False when its key is there already."""
    row = {
        "key": effect.key,
        "number": effect.number,
        "template": effect.template,
        "language": effect.language,
        "queue": effect.queue,
        "details": json.dumps(dict(effect.details), ensure_ascii=False),
        "status": SmsStatus.QUEUED.value,
        "tries": 0,
        "queued_at": now,
        "not_before": now,
    }
    return (await connection.execute(insert_if_new(connection, sms_outbox).values(row))).rowcount == 1


class StoredSmsRequests:
    """`SmsRequests` on SQL. `sms_queued` is called after a commit that added an SMS."""

    def __init__(self, database: Database, *, clock: Clock, sms_queued: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._sms_queued = sms_queued

    async def owe(self, sms: SendSms) -> bool:
        """Write it to the outbox; durable on return. False when its key is there already: it is the same SMS.

        Raises StoreUnavailableError.
        """
        now = self._clock.now()

        def tell(is_new: bool) -> None:
            if is_new:
                self._sms_queued()

        return await self._database.write(lambda connection: queue(connection, sms, now), then=tell)


class StoredSmsOutbox:
    """`SmsOutbox` on SQL. Every method raises StoreUnavailableError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_due(self, now: datetime, limit: int) -> list[QueuedSms]:
        """Mark up to `limit` due rows as sending, the longest due first, and return them.

        `tries` counts this one. Several senders never get the same row. What is due to a number on the do-not-call
        list is marked as blocked first.
        """

        async def work(connection: AsyncConnection) -> list[QueuedSms]:
            await wait_for_other_bookings(connection, claims.CLAIMS)
            await connection.execute(
                update(sms_outbox)
                .where(IS_QUEUED, sms_outbox.c.not_before <= now, sms_outbox.c.number.in_(select(do_not_call.c.number)))
                .values(status=SmsStatus.BLOCKED.value, settled_at=now, error=_BLOCKED)
            )
            due = (
                select(sms_outbox)
                .where(IS_QUEUED, sms_outbox.c.not_before <= now)
                .order_by(sms_outbox.c.not_before, sms_outbox.c.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            taken = [_sms_from(row) for row in (await connection.execute(due)).mappings()]
            if taken:
                mark = (
                    update(sms_outbox)
                    .where(sms_outbox.c.id.in_([sms.id for sms in taken]))
                    .values(status=SmsStatus.SENDING.value, tries=sms_outbox.c.tries + 1)
                )
                await connection.execute(mark)
            return taken

        return await self._database.write(work)

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was taken, and return where it stands now.

        A row that is not being sent (any more) stays as it is. Raises LookupError when there is no such row.
        """

        async def work(connection: AsyncConnection) -> SmsStatus:
            change = (
                update(sms_outbox)
                .where(
                    sms_outbox.c.id == sms.id,
                    sms_outbox.c.status == SmsStatus.SENDING.value,
                    # A later try is not settled by an earlier one's late answer.
                    sms_outbox.c.tries == sms.tries,
                )
                .values(_after(result, now))
            )
            await connection.execute(change)
            status = await connection.scalar(select(sms_outbox.c.status).where(sms_outbox.c.id == sms.id))
            if status is None:
                raise LookupError(f"there is no SMS {sms.id} in the outbox")
            return SmsStatus(status)

        return await self._database.write(work)

    async def next_due_at(self) -> datetime | None:
        """Return when the next queued row is due; None when none is queued."""

        async def work(connection: AsyncConnection) -> datetime | None:
            due_at: datetime | None = await connection.scalar(
                select(func.min(sms_outbox.c.not_before)).where(IS_QUEUED)
            )
            return due_at

        return await self._database.read(work)

    async def settle_interrupted(self) -> int:
        """Mark rows that a dead process left in sending as unknown; return how many.

        For the start, before anything is sent: it cannot tell a dead sender from a live one.
        """

        async def work(connection: AsyncConnection) -> int:
            change = update(sms_outbox).where(IS_SENDING).values(status=SmsStatus.UNKNOWN.value, error=_INTERRUPTED)
            return (await connection.execute(change)).rowcount

        return await self._database.write(work)


def _sms_from(row: RowMapping) -> QueuedSms:
    return QueuedSms(
        id=row[sms_outbox.c.id],
        key=row[sms_outbox.c.key],
        number=row[sms_outbox.c.number],
        template=row[sms_outbox.c.template],
        language=row[sms_outbox.c.language],
        queue=row[sms_outbox.c.queue],
        tries=row[sms_outbox.c.tries] + 1,
        details=json.loads(row[sms_outbox.c.details]),
    )


def _after(result: SendResult, now: datetime) -> dict[str, Any]:
    match result:
        case Accepted(reference):
            return {"status": SmsStatus.SENT.value, "reference": reference, "error": None, "settled_at": now}
        case Refused(reason, retry_in_s):
            if retry_in_s is None:
                return {"status": SmsStatus.FAILED.value, "error": reason, "settled_at": now}
            retry_at = now + timedelta(seconds=retry_in_s)
            return {"status": SmsStatus.QUEUED.value, "error": reason, "not_before": retry_at}
        case Unclear(reason):
            return {"status": SmsStatus.UNKNOWN.value, "error": reason, "settled_at": now}
