"""Caps on the books in memory: what counts, what it cost, and when there is room again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.caps import CAP_PERIOD, LONG_CAP_PERIOD, Tariff
from controller.domain.outcome import NEVER_SENT, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import AttemptEnded
    from tests.simulation.memory_data import AttemptRow, MemoryData

_ANSWERED = frozenset(
    {
        *(Outcome.TALKED, Outcome.DECLINED, Outcome.NOT_CONFIRMED, Outcome.MACHINE),
        *(Outcome.POSTPONED, Outcome.DROPPED, Outcome.ABANDONED),
    }
)


def full_until(data: MemoryData, number: str, caps: Caps, now: datetime) -> datetime | None:
    """Return when every cap has room for one more call to `number`; None: they have it now."""
    counted = [(row.counts_from, row) for row in data.attempts.values() if row.counts_from is not None]
    same = [(at, row) for at, row in counted if row.attempt.number == number]
    limits = [(same, caps.per_number, CAP_PERIOD), (same, caps.per_number_30_days, LONG_CAP_PERIOD)]
    for prefix, most in caps.per_prefix.items():
        limits.append(([each for each in counted if each[1].attempt.number.startswith(prefix)], most, CAP_PERIOD))
    instants = [
        _room_at(rows, most - 1, lambda _row: 1, period, now) for rows, most, period in limits if most is not None
    ]
    if caps.max_cost_milli is not None:
        left_milli = caps.max_cost_milli - caps.reserved_milli
        instants.append(_room_at(counted, left_milli, lambda row: row.cost_milli, CAP_PERIOD, now))
    return max((at for at in instants if at is not None), default=None)


def _room_at(
    rows: list[tuple[datetime, AttemptRow]],
    room: int,
    weight: Callable[[AttemptRow], int],
    period: timedelta,
    now: datetime,
) -> datetime | None:
    """Return when the weights of a period are down to `room`; None: they are."""
    recent = sorted(((at, weight(row)) for at, row in rows if at > now - period), key=lambda each: each[0])
    total = sum(each for _, each in recent)
    if total <= room:
        return None
    if room < 0:
        return now + period
    for at, each in recent:
        total -= each
        if total <= room:
            return at + period
    return now + period


def count(row: AttemptRow, ended: AttemptEnded, now: datetime) -> None:
    """Write down what a call, now that it has ended, counts as."""
    if ended.outcome in NEVER_SENT:
        row.counts_from, row.cost_milli = None, 0
        return
    answered_at = ended.evidence.answered_at
    if answered_at is None and ended.outcome in _ANSWERED:
        answered_at = row.attempt.started_at
    tariff = Tariff(row.per_call_milli, row.per_minute_milli)
    talked_milli = 0 if answered_at is None else tariff.cost_milli(max(0.0, (now - answered_at).total_seconds()))
    row.cost_milli = max(row.cost_milli, talked_milli) if ended.outcome is Outcome.UNKNOWN else talked_milli
    row.counts_from = ended.evidence.placed_at or now
