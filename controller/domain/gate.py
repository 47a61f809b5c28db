"""The gate: the one place that lets a number be dialled, asked in the last step before a call is placed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan, Refusal, check


@dataclass(frozen=True, slots=True)
class CallingHours:
    """When customers may be rung: local times of day in `zone`, `opens` included, `closes` not.

    `opens == closes` means around the clock.
    """

    opens: time = time(9)
    closes: time = time(20)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))

    def allow(self, now: datetime) -> bool:
        """Tell whether `now` (aware) is inside the hours. Hours that pass midnight (22:00 to 06:00) work too."""
        local = now.astimezone(self.zone).time()
        if self.opens == self.closes:
            return True
        if self.opens < self.closes:
            return self.opens <= local < self.closes
        return local >= self.opens or local < self.closes

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant from `now` on that is inside the hours, in UTC; `now` itself when it is.

        An opening time that the clocks skip (spring) counts as the instant after the skip.
        """
        if self.allow(now):
            return now
        local = now.astimezone(self.zone)
        opening = datetime.combine(local.date(), self.opens, self.zone)
        if opening.astimezone(UTC) <= now.astimezone(UTC):
            opening = datetime.combine(local.date() + timedelta(days=1), self.opens, self.zone)
        return opening.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Gate:
    """Which numbers may be dialled, and when."""

    plan: NumberPlan
    hours: CallingHours

    def clear(self, number: str, now: datetime) -> DialableNumber | Outcome:
        """Return the number to dial, or the outcome the attempt gets without a call (NOT_ALLOWED, OUTSIDE_HOURS)."""
        checked = check(number, self.plan)
        if isinstance(checked, Refusal):
            return Outcome.NOT_ALLOWED
        return checked if self.hours.allow(now) else Outcome.OUTSIDE_HOURS
