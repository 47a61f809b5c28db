"""The SMS outbox: rows written with the transition that owes them, sent later, each key once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from controller.domain.effects import VALID_S
from controller.domain.owed_texts import outdated
from controller.domain.sms import SmsStatus
from controller.ports.news import Kind
from controller.ports.sms import Accepted, Claim, QueuedSms, Refused, Unclear
from controller.store import claims, hook_owing, promise_rows, sms_caps
from controller.store import sms_rows as rows
from controller.store.dialect import insert_if_new, tell_others, wait_for_other_bookings
from controller.store.tables import IS_QUEUED, IS_SENDING, sms_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.effects import SendSms
    from controller.domain.sms_limits import SmsBill, SmsLimits
    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult
    from controller.store.engine import Database

_BLOCKED = "the number is on the do-not-call list"
_LAPSED = "it could not be handed over while it was of use"
_NOT_OURS = "somebody else has it, or it was put off"
_INTERRUPTED = "the program stopped while this was being sent; it may have been sent"


def reference_lock(reference: str) -> str:
    """Return what a result and an early receipt wait for each other by: one of the two has to see the other."""
    return f"sms {reference}"


async def queue(connection: AsyncConnection, effect: SendSms, now: datetime) -> bool:
    """Add an SMS to the outbox, in a transaction that is under way. False when its key is there already."""
    valid_s = VALID_S[effect.template] if effect.valid_s is None else effect.valid_s
    row = {
        "key": effect.key,
        "number": effect.number,
        "template": effect.template,
        "language": effect.language,
        "queue": effect.queue,
        "promise_id": effect.promise_id,
        "details": json.dumps(dict(effect.details), ensure_ascii=False),
        "status": SmsStatus.QUEUED.value,
        "tries": 0,
        "queued_at": now,
        "not_before": now,
        "valid_until": now + timedelta(seconds=valid_s),
    }
    is_new = (await connection.execute(insert_if_new(connection, sms_outbox).values(row))).rowcount == 1
    if is_new:
        await hook_owing.owe_new_sms(connection, effect.key, now)
        await tell_others(connection, Kind.SMS)
    return is_new


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

    async def due(self, now: datetime) -> QueuedSms | None:
        """Return the SMS that is due the longest; None: none is. `tries` counts the one that is about to be made."""

        async def work(connection: AsyncConnection) -> QueuedSms | None:
            query = (
                select(sms_outbox)
                .where(IS_QUEUED, sms_outbox.c.not_before <= now)
                .order_by(sms_outbox.c.not_before, sms_outbox.c.id)
                .limit(1)
            )
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else rows.sms_from(row, further_tries=1)

        return await self._database.read(work)

    async def claim(self, sms: QueuedSms, bill: SmsBill, limits: SmsLimits, now: datetime) -> Claim:
        """Mark an SMS as being sent if nothing speaks against it; committed before this returns.

        `SENDING` goes to one caller alone. Whoever comes too late gets `QUEUED`, or where it has got to meanwhile.
        Raises LookupError when there is no such row.
        """

        async def work(connection: AsyncConnection) -> Claim:
            # The do-not-call list waits by this too, so that nothing is sent once an entry is committed.
            await wait_for_other_bookings(connection, claims.CLAIMS)
            row = await rows.locked(connection, sms.id)
            if not _stands(row, sms):
                status = SmsStatus(row[sms_outbox.c.status])
                return Claim(SmsStatus.QUEUED if status is SmsStatus.SENDING else status, _NOT_OURS)
            if now >= row[sms_outbox.c.valid_until]:
                return await _settle(connection, sms, Claim(SmsStatus.LAPSED, _LAPSED), now)
            if await claims.is_listed(connection, sms.number):
                return await _settle(connection, sms, Claim(SmsStatus.BLOCKED, _BLOCKED), now)
            untrue = await _outdated(connection, sms)
            if untrue is not None:
                return await _settle(connection, sms, Claim(SmsStatus.LAPSED, untrue), now)
            against = await sms_caps.objection(connection, sms, bill, limits, now)
            if against is not None:
                return await _settle(connection, sms, Claim(SmsStatus.BLOCKED, against), now)
            values = {"tries": sms.tries, "sent_at": now, "segments": bill.segments, "cost_milli": bill.cost_milli}
            await rows.change(connection, sms.id, {"status": SmsStatus.SENDING.value, **values})
            return Claim(SmsStatus.SENDING)

        return await self._database.write(work)

    async def block(self, sms: QueuedSms, reason: str, now: datetime) -> SmsStatus:
        """Settle one that is queued as `BLOCKED`; return where it stands now. Raises LookupError."""

        async def work(connection: AsyncConnection) -> SmsStatus:
            row = await rows.locked(connection, sms.id)
            if not _stands(row, sms):
                return SmsStatus(row[sms_outbox.c.status])
            return (await _settle(connection, sms, Claim(SmsStatus.BLOCKED, reason), now)).status

        return await self._database.write(work)

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was claimed, and return where it stands now.

        What a receipt has said stands, and receipts that came early are applied. A row that is not being sent (any
        more) only learns its reference. Raises LookupError when there is no such row.
        """

        async def work(connection: AsyncConnection) -> SmsStatus:
            if isinstance(result, Accepted):
                await wait_for_other_bookings(connection, reference_lock(result.reference))
            row = await rows.locked(connection, sms.id)
            values: dict[str, Any] = {}
            # A later try is not settled by an earlier one's late answer.
            is_this_try = row[sms_outbox.c.tries] == sms.tries
            if is_this_try and row[sms_outbox.c.status] == SmsStatus.SENDING.value:
                values = _after(result, now)
            elif is_this_try and isinstance(result, Accepted) and row[sms_outbox.c.reference] is None:
                values = {"reference": rows.writable(result.reference)}
            if values:
                await rows.change(connection, sms.id, values)
                if values.get("reference"):
                    await rows.apply_early(connection, sms.id, now)
            return SmsStatus((await rows.locked(connection, sms.id))[sms_outbox.c.status])

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
            values = {"status": SmsStatus.UNKNOWN.value, "error": _INTERRUPTED}
            if hook_owing.is_wanted(connection, "sms.unknown"):
                for sms_id in (await connection.scalars(select(sms_outbox.c.id).where(IS_SENDING))).all():
                    await hook_owing.owe_sms_change(connection, sms_id, values)
            change = update(sms_outbox).where(IS_SENDING).values(values)
            return (await connection.execute(change)).rowcount

        return await self._database.write(work)


def _stands(row: RowMapping, sms: QueuedSms) -> bool:
    """Tell whether an SMS waits as `due` returned it."""
    is_next_try: bool = row[sms_outbox.c.tries] + 1 == sms.tries
    return is_next_try and row[sms_outbox.c.status] == SmsStatus.QUEUED.value


async def _settle(connection: AsyncConnection, sms: QueuedSms, claim: Claim, now: datetime) -> Claim:
    await rows.change(
        connection, sms.id, {"status": claim.status.value, "settled_at": now, "error": rows.writable(claim.reason)}
    )
    return claim


def _after(result: SendResult, now: datetime) -> dict[str, Any]:
    """Return what a result changes. What may have left counts from now on, and not from the claim: never too short."""
    match result:
        case Accepted(reference):
            settled = {"reference": rows.writable(reference), "error": None, "settled_at": now, "sent_at": now}
            return {"status": SmsStatus.SENT.value, **settled}
        case Refused(reason, None):
            failed = {"error": rows.writable(reason), "settled_at": now, "sent_at": None}
            return {"status": SmsStatus.FAILED.value, **failed}
        case Refused(reason, float() | int() as retry_in_s):
            put_off = {"error": rows.writable(reason), "sent_at": None}
            return {"status": SmsStatus.QUEUED.value, "not_before": now + timedelta(seconds=retry_in_s), **put_off}
        case Unclear(reason):
            unknown = {"error": rows.writable(reason), "settled_at": now, "sent_at": now}
            return {"status": SmsStatus.UNKNOWN.value, **unknown}
    raise TypeError(f"{type(result).__name__} is no result of sending")


async def _outdated(connection: AsyncConnection, sms: QueuedSms) -> str | None:
    """Return why a text that is about a promise is not true any more; None: it is."""
    if sms.promise_id is None:
        return None
    promise = await promise_rows.get(connection, sms.promise_id)
    return outdated(sms.template, promise, await promise_rows.find_open(connection, sms.queue, sms.number))
