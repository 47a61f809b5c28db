"""The gate: the one place that lets a number be dialled, asked in the last step before a call is placed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan, Refusal, check

if TYPE_CHECKING:
    from collections.abc import Iterator

_HORIZON = timedelta(days=4)
"""Every zone has every hour of the day within this, also where a whole day was skipped (Samoa, 30 December 2011)."""
_HOUR = timedelta(hours=1)
_RESOLUTION = timedelta(microseconds=1)


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

        An opening time that the clocks skip (spring) counts as the instant of the skip, and of one that comes twice
        (autumn) the first is taken that is not over. Raises ValueError when the clocks skip every opening there is.
        """
        now = now.astimezone(UTC)
        if self.allow(now):
            return now
        for opening in sorted({*self._openings(now), *_clock_changes(now, self.zone)}):
            if opening > now and self.allow(opening):
                return opening
        raise ValueError(f"no hour between {self.opens} and {self.closes} within {_HORIZON.days} days in {self.zone}")

    def _openings(self, now: datetime) -> Iterator[datetime]:
        """Yield when the clocks of the zone show the opening time, from the day before `now` on."""
        today = now.astimezone(self.zone).date()
        for day in range(-1, _HORIZON.days):
            for fold in (0, 1):
                yield (
                    datetime.combine(today + timedelta(days=day), self.opens, self.zone)
                    .replace(fold=fold)
                    .astimezone(UTC)
                )


def _clock_changes(now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield each instant within the horizon at which the clocks of the zone are put forward or back."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(zone).utcoffset()

    for hour in range(_HORIZON // _HOUR):
        before, after = now + hour * _HOUR, now + (hour + 1) * _HOUR
        if offset(before) == offset(after):
            continue
        while after - before > _RESOLUTION:
            middle = before + (after - before) / 2
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        yield after


@dataclass(frozen=True, slots=True)
class Gate:
    """Which numbers may be dialled, and when."""

    plan: NumberPlan
    hours: CallingHours
    external: frozenset[str] = frozenset()
    """The numbers (as the settings write them) that callers may be sent to: an answering service, another office."""

    def clear_external(self, number: str) -> str | None:
        """Return the number to dial for a caller who is sent there, at any hour; None when no setting names it."""
        return number if number in self.external else None

    def clear(self, number: str, now: datetime) -> DialableNumber | Outcome:
        """Return the number to dial, or the outcome the attempt gets without a call (NOT_ALLOWED, OUTSIDE_HOURS)."""
        checked = check(number, self.plan)
        if isinstance(checked, Refusal):
            return Outcome.NOT_ALLOWED
        return checked if self.hours.allow(now) else Outcome.OUTSIDE_HOURS
