"""A period cut into the intervals of a report: quarters of an hour, half hours or days, on the clock of a time zone."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from controller.domain.opening_hours import first_instant, in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

NO_TIME = timedelta(0)
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


class Length(IntEnum):
    """How long an interval is, in minutes. A day is as long as it is: 23 or 25 hours when the clocks are changed."""

    QUARTER_HOUR = 15
    HALF_HOUR = 30
    DAY = 1440


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in aware UTC: `since` included, `until` not. Raises ValueError when it ends before it begins."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if in_utc(self.since) > in_utc(self.until):
            raise ValueError(f"an interval ends before it begins: {self.since}, {self.until}")

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return (self.until - self.since).total_seconds()

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant is in it."""
        return self.since <= at < self.until

    def shared_s(self, since: datetime, until: datetime) -> float:
        """Return how many seconds of another time are in it."""
        return self.shared(since, until).total_seconds()

    def shared(self, since: datetime, until: datetime) -> timedelta:
        """Return how much of another time is in it."""
        return max(NO_TIME, min(self.until, until) - max(self.since, since))

    def before(self, as_of: datetime) -> Interval:
        """Return the part of it that is over at an instant; an empty one where it has not begun."""
        return Interval(self.since, max(self.since, min(self.until, as_of)))


class Placed(NamedTuple):
    """The intervals of a period, to be searched by instant."""

    intervals: Sequence[Interval]
    starts: Sequence[datetime]

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> Placed:
        """Return intervals that are in order and do not overlap, ready for searching."""
        return cls(intervals, [each.since for each in intervals])

    def at(self, instant: datetime) -> int | None:
        """Return the index of the interval that an instant is in; None when it is in none."""
        index = bisect_right(self.starts, instant) - 1
        return index if index >= 0 and self.intervals[index].holds(instant) else None

    def touched(self, since: datetime, until: datetime) -> range:
        """Return the indexes of the intervals that a time from `since` to `until` may share something with."""
        return range(max(0, bisect_right(self.starts, since) - 1), bisect_right(self.starts, until))


def split(period: Interval, zone: ZoneInfo, length: Length) -> list[Interval]:
    """Return the intervals of a period, in order, without a gap.

    Each day begins when the zone's clock first shows that date (a day that the zone skipped has none), and is cut in
    elapsed minutes from there: on a day of 25 hours there are 100 quarters. The first and the last interval are cut off
    where the period begins and ends.
    """
    since, until = in_utc(period.since), in_utc(period.until)
    step = timedelta(minutes=length)
    found: list[Interval] = []
    for day in _days(since, until, zone):
        at = day.since
        while at < day.until:
            end = day.until if length is Length.DAY else min(at + step, day.until)
            if max(at, since) < min(end, until):
                found.append(Interval(max(at, since), min(end, until)))
            at = end
    return found


def _days(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Interval]:
    day = since.astimezone(zone).date() - _DAY
    starts_at = first_instant(datetime.combine(day, _MIDNIGHT), zone)
    while starts_at < until:
        day += _DAY
        ends_at = first_instant(datetime.combine(day, _MIDNIGHT), zone)
        yield Interval(starts_at, ends_at)
        starts_at = ends_at
