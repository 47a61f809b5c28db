"""The outbox of SMS in memory: the ports `SmsOutbox` and `SmsRequests`, whose contracts it passes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import VALID_S
from controller.domain.owed_texts import outdated
from controller.domain.sms import SmsStatus, after_receipt
from controller.domain.sms_limits import CONVERTING, SMS_CAP_PERIOD
from controller.ports.sms import Accepted, Claim, QueuedSms, Refused, Unclear
from tests.simulation.memory_data import SmsRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.domain.effects import SendSms
    from controller.domain.sms_limits import SmsBill, SmsLimits
    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult
    from tests.simulation.memory_data import MemoryData, ReceiptRow


def queue_sms(data: MemoryData, effect: SendSms, now: datetime) -> bool:
    """Add an SMS; False when its key is there already."""
    if effect.key in data.sms:
        return False
    valid_s = VALID_S[effect.template] if effect.valid_s is None else effect.valid_s
    data.sms[effect.key] = SmsRow(
        len(data.sms) + 1,
        effect.key,
        effect.number,
        str(effect.template.value),
        effect.language,
        effect.queue,
        dict(effect.details),
        SmsStatus.QUEUED,
        queued_at=now,
        not_before=now,
        valid_until=now + timedelta(seconds=valid_s),
        promise_id=effect.promise_id,
    )
    return True


def apply_receipt(row: SmsRow, receipt: ReceiptRow, now: datetime) -> None:
    """Let a receipt say where an SMS stands."""
    after = after_receipt(row.status, receipt.delivery)
    receipt.applied = True
    if after is not row.status:
        row.status, row.error, row.receipt_at = after, None, now
        row.receipt_error = receipt.error if after is SmsStatus.UNDELIVERED else None
        row.sent_at, row.settled_at = row.sent_at or now, row.settled_at or now


def as_queued(row: SmsRow, *, further_tries: int = 0) -> QueuedSms:
    """Return a row as the ports know it."""
    return QueuedSms(
        row.id,
        row.key,
        row.number,
        row.template,
        row.language,
        row.queue,
        row.tries + further_tries,
        row.queued_at,
        row.valid_until,
        dict(row.details),
        row.promise_id,
    )


def apply_early(data: MemoryData, row: SmsRow, now: datetime) -> None:
    """Apply what came before the reference was known."""
    for receipt in data.receipts.values():
        is_its = receipt.reference == row.reference and receipt.received_at >= row.queued_at
        if row.reference and is_its and not receipt.applied:
            apply_receipt(row, receipt, now)


class MemorySmsRequests:
    """`SmsRequests`."""

    def __init__(self, data: MemoryData, clock: Clock, sms_queued: Callable[[], None]) -> None:
        self._data = data
        self._clock = clock
        self._sms_queued = sms_queued

    async def owe(self, sms: SendSms) -> bool:
        """Write it; False when its key is there already."""
        if not queue_sms(self._data, sms, self._clock.now()):
            return False
        self._sms_queued()
        return True


class MemorySmsOutbox:
    """`SmsOutbox`."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data

    async def due(self, now: datetime) -> QueuedSms | None:
        """Return what is due the longest."""
        rows = [row for row in self._queued() if row.not_before <= now]
        first = min(rows, key=lambda each: (each.not_before, each.id), default=None)
        return None if first is None else as_queued(first, further_tries=1)

    async def claim(self, sms: QueuedSms, bill: SmsBill, limits: SmsLimits, now: datetime) -> Claim:
        """Mark an SMS as being sent if nothing speaks against it. Raises LookupError."""
        row = self._row(sms)
        if row.status is not SmsStatus.QUEUED or row.tries + 1 != sms.tries:
            return Claim(SmsStatus.QUEUED if row.status is SmsStatus.SENDING else row.status, "somebody else has it")
        if now >= row.valid_until:
            return _settle(row, SmsStatus.LAPSED, "it could not be handed over while it was of use", now)
        if row.number in self._data.blocked:
            return _settle(row, SmsStatus.BLOCKED, "the number is on the do-not-call list", now)
        promises, held = self._data.promises, self._data.open_numbers.get((row.queue, row.number))
        about = promises[row.promise_id] if row.promise_id else None
        untrue = outdated(row.template, about, promises[held] if held else None)
        if untrue is not None:
            return _settle(row, SmsStatus.LAPSED, untrue, now)
        against = _objection(list(self._data.sms.values()), row, bill, limits, now)
        if against is not None:
            return _settle(row, SmsStatus.BLOCKED, against, now)
        row.status, row.tries, row.sent_at = SmsStatus.SENDING, sms.tries, now
        row.segments, row.cost_milli = bill.segments, bill.cost_milli
        return Claim(SmsStatus.SENDING)

    async def block(self, sms: QueuedSms, reason: str, now: datetime) -> SmsStatus:
        """Settle one that is queued as blocked. Raises LookupError."""
        row = self._row(sms)
        if row.status is SmsStatus.QUEUED and row.tries + 1 == sms.tries:
            _settle(row, SmsStatus.BLOCKED, reason, now)
        return row.status

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was claimed. Raises LookupError."""
        row = self._row(sms)
        if row.tries == sms.tries:
            if isinstance(result, Accepted) and row.reference is None:
                row.reference = result.reference
            if row.status is SmsStatus.SENDING:
                _note_result(row, result, now)
            apply_early(self._data, row, now)
        return row.status

    async def next_due_at(self) -> datetime | None:
        """Return when the next one is due."""
        return min((row.not_before for row in self._queued()), default=None)

    async def settle_interrupted(self) -> int:
        """Mark what a dead process was sending as unknown."""
        interrupted = [row for row in self._data.sms.values() if row.status is SmsStatus.SENDING]
        for row in interrupted:
            row.status, row.error = SmsStatus.UNKNOWN, "the program stopped while this was being sent"
        return len(interrupted)

    def _queued(self) -> list[SmsRow]:
        return [row for row in self._data.sms.values() if row.status is SmsStatus.QUEUED]

    def _row(self, sms: QueuedSms) -> SmsRow:
        row = next((each for each in self._data.sms.values() if each.id == sms.id), None)
        if row is None:
            raise LookupError(f"there is no SMS {sms.id} in the outbox")
        return row


def _settle(row: SmsRow, status: SmsStatus, reason: str, now: datetime) -> Claim:
    row.status, row.error, row.settled_at = status, reason, now
    return Claim(status, reason)


def _note_result(row: SmsRow, result: SendResult, now: datetime) -> None:
    match result:
        case Accepted():
            row.status, row.error, row.settled_at, row.sent_at = SmsStatus.SENT, None, now, now
        case Refused(reason, None):
            row.status, row.error, row.settled_at, row.sent_at = SmsStatus.FAILED, reason, now, None
        case Refused(reason, float() | int() as retry_in_s):
            row.status, row.error, row.sent_at = SmsStatus.QUEUED, reason, None
            row.not_before = now + timedelta(seconds=retry_in_s)
        case Unclear(reason):
            row.status, row.error, row.settled_at, row.sent_at = SmsStatus.UNKNOWN, reason, now, now


def _objection(every: list[SmsRow], sms: SmsRow, bill: SmsBill, limits: SmsLimits, now: datetime) -> str | None:
    counted = [row for row in every if row.sent_at is not None and row.sent_at > now - SMS_CAP_PERIOD]
    same = sum(row.number == sms.number for row in counted)
    if limits.per_number is not None and same >= limits.per_number:
        return f"this number had the {limits.per_number} SMS that may be sent to it in 24 hours"
    for prefix, most in limits.per_prefix.items():
        if sms.number.startswith(prefix) and sum(row.number.startswith(prefix) for row in counted) >= most:
            return f"{prefix} had the {most} SMS that may be sent to it in 24 hours"
    spent_milli = sum(row.cost_milli for row in counted) + bill.cost_milli
    if limits.max_cost_milli is not None and spent_milli > limits.max_cost_milli:
        return f"with this one, SMS would cost more than {limits.max_cost_milli / 1000:g} in 24 hours"
    breaker = limits.breaker
    if breaker is None or sms.template not in CONVERTING:
        return None
    since = now - timedelta(seconds=breaker.window_s)
    codes = [row for row in every if row.template in CONVERTING and row.sent_at is not None and row.sent_at > since]
    near = [row for row in codes if row.number.startswith(sms.number[: 1 + breaker.range_digits])]
    if any(breaker.is_open(len(rows), sum(row.converted_at is not None for row in rows)) for rows in (near, codes)):
        return "too few codes were used: somebody may be paid for sending them"
    return None
