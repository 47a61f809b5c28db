"""The outbox of SMS in memory: the ports `SmsOutbox` and `SmsRequests`, whose contracts it passes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.ports.sms import Accepted, QueuedSms, Refused, SmsStatus, Unclear
from tests.simulation.memory_data import SmsRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.domain.effects import SendSms
    from controller.ports.clock import Clock
    from controller.ports.sms import SendResult
    from tests.simulation.memory_data import MemoryData


def queue_sms(data: MemoryData, effect: SendSms, now: datetime) -> bool:
    """Add an SMS; False when its key is there already."""
    if effect.key in data.sms:
        return False
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
    )
    return True


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

    async def take_due(self, now: datetime, limit: int) -> list[QueuedSms]:
        """Mark due rows as sending and return them; what goes to a number that is blocked fails instead."""
        due = [row for row in self._queued() if row.not_before <= now]
        taken: list[QueuedSms] = []
        for row in sorted(due, key=lambda each: (each.not_before, each.id)):
            if row.number in self._data.blocked:
                row.status, row.error, row.settled_at = SmsStatus.BLOCKED, "the number is on the do-not-call list", now
            elif len(taken) < limit:
                row.status, row.tries = SmsStatus.SENDING, row.tries + 1
                taken.append(_as_queued(row))
        return taken

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was taken. Raises LookupError."""
        row = next((each for each in self._data.sms.values() if each.id == sms.id), None)
        if row is None:
            raise LookupError(f"there is no SMS {sms.id} in the outbox")
        if row.status is SmsStatus.SENDING and row.tries == sms.tries:
            _settle(row, result, now)
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


def _as_queued(row: SmsRow) -> QueuedSms:
    return QueuedSms(row.id, row.key, row.number, row.template, row.language, row.queue, row.tries, dict(row.details))


def _settle(row: SmsRow, result: SendResult, now: datetime) -> None:
    match result:
        case Accepted(reference):
            row.status, row.reference, row.error, row.settled_at = SmsStatus.SENT, reference, None, now
        case Refused(reason, None):
            row.status, row.error, row.settled_at = SmsStatus.FAILED, reason, now
        case Refused(reason, float() | int() as retry_in_s):
            row.status, row.error = SmsStatus.QUEUED, reason
            row.not_before = now + timedelta(seconds=retry_in_s)
        case Unclear(reason):
            row.status, row.error = SmsStatus.UNKNOWN, reason
