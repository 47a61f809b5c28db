"""Calling hours: when somebody may be rung, by what the clocks show where they are.

The clock on the wall alone decides here. Where clocks are put back, an hour that has passed may come again, and what
it shows counts each time; where they are put forward, a time that is skipped never comes. (`opening_hours.py` rules
otherwise, so that a door opens once a day; a call may be placed only while the clock says so.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from controller.domain.opening_hours import OpeningHours, Span

_HORIZON = timedelta(days=4)
"""Every zone has every hour of the day within this, also where a whole day was skipped (Samoa, 30 December 2011)."""
HORIZON = timedelta(days=92)
"""How far ahead `NumberHours` looks: past every run of public holidays, also for hours of one weekday alone."""
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_RESOLUTION = timedelta(microseconds=1)
_MIDNIGHT = time(0)


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
        for opening in sorted({*self._openings(now), *_clock_changes(now, _HORIZON, self.zone)}):
            if opening > now and self.allow(opening):
                return opening
        raise ValueError(f"no hour between {self.opens} and {self.closes} within {_HORIZON.days} days in {self.zone}")

    def _openings(self, now: datetime) -> Iterator[datetime]:
        """Yield when the clocks of the zone show the opening time, from the day before `now` on."""
        today = now.astimezone(self.zone).date()
        for day in range(-1, _HORIZON.days):
            yield from _shown(today + timedelta(days=day), self.opens, self.zone)


@dataclass(frozen=True, slots=True)
class LocalHours:
    """Weekly hours with holidays, on the wall clock of their zone."""

    week: OpeningHours

    def allow(self, now: datetime) -> bool:
        """Tell whether the clock of the zone shows, at `now` (aware), a time inside the spans of its day."""
        local = now.astimezone(self.week.zone)
        return any(_holds(span, local.time()) for span in self.week.spans_on(local.date()))

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant from `now` on that is inside the hours, in UTC; `now` itself when it is.

        Raises ValueError when there is none within the horizon.
        """
        now = now.astimezone(UTC)
        if self.allow(now):
            return now
        since = now - _DAY
        while since < now + HORIZON:  # a week at a time, as what is looked for mostly is in the first
            for opening in sorted({*self._openings(since), *_clock_changes(since, _WEEK + 2 * _DAY, self.week.zone)}):
                if opening > now and self.allow(opening):
                    return opening
            since += _WEEK
        raise ValueError(f"no calling hours within {HORIZON.days} days in {self.week.zone}")

    def _openings(self, since: datetime) -> Iterator[datetime]:
        """Yield when the clock shows the beginning of a span, in a week from the day of `since` on and a day beyond."""
        first = since.astimezone(self.week.zone).date()
        for count in range(_WEEK.days + 2):
            day = first + timedelta(days=count)
            for span in self.week.spans_on(day):
                yield from _shown(day, span.opens, self.week.zone)


class Hours(Protocol):
    """Hours on one clock."""

    def allow(self, now: datetime) -> bool:
        """Tell whether `now` (aware) is inside the hours."""
        ...

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant from `now` on that is inside, in UTC. Raises ValueError when none is near."""
        ...


@dataclass(frozen=True, slots=True)
class NumberHours:
    """When one number may be rung: while every clock that may hang beside its phone says that it is time.

    Numbers of one place share one of these, so they can be told apart and grouped by it.
    """

    clocks: tuple[Hours, ...]
    """Never empty; the hours in each zone that the number may be in, and what the settings add."""

    def allow(self, now: datetime) -> bool:
        """Tell whether `now` (aware) is inside the hours of all clocks."""
        return all(clock.allow(now) for clock in self.clocks)

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant from `now` on that is inside the hours of all clocks, in UTC; `now` when it is.

        Raises ValueError when there is none within the horizon: zones too far apart for such hours, or no hours.
        """
        at = now = now.astimezone(UTC)
        while at < now + HORIZON:
            latest = max(clock.next_opening(at) for clock in self.clocks)
            if latest == at:
                return at
            at = latest  # none is open before it, so nothing is passed over
        raise ValueError(f"no time within {HORIZON.days} days lies inside the calling hours of every zone")


def _holds(span: Span, local: time) -> bool:
    return span.opens <= local and (local < span.closes or span.closes == _MIDNIGHT)


def _shown(day: date, local: time, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the two instants, mostly the same, at which the clock of the zone shows `local` on `day`."""
    for fold in (0, 1):
        yield datetime.combine(day, local, zone).replace(fold=fold).astimezone(UTC)


def _clock_changes(since: datetime, length: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield each instant from `since` on, for so long, at which the clocks of the zone are put forward or back."""

    def offset(at: datetime) -> timedelta | None:
        return at.astimezone(zone).utcoffset()

    for hour in range(0, length // _HOUR, 12):
        before, after = since + hour * _HOUR, since + (hour + 12) * _HOUR
        if offset(before) == offset(after):
            continue
        while after - before > _RESOLUTION:
            middle = before + (after - before) / 2
            before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
        yield after
