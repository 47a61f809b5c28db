"""Opening hours by walking along the clock: what the code is held against.

The walk knows nothing of how the code reckons: it asks what the clock on the wall shows at each step in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from controller.domain.opening_hours import OpeningHours, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from controller.domain.gate import CallingHours

DAY = timedelta(days=1)
STEP = timedelta(minutes=5)
"""Every clock change and every span that is tested lies on this grid."""
ODD_ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
]
"""Clocks changed at midnight, to the day before, by half an hour, by two hours, around Ramadan; and never."""

# 内閣府「国民の祝日」について (Cabinet Office of Japan, https://www8.cao.go.jp/chosei/shukujitsu/gaiyou.html): the
# lists of 2024 (令和6年) to 2027 (令和9年), with the days off of article 3, paragraphs 2 (振替休日) and 3 (国民の休日).
JAPAN = {
    2024: "0101 0108 0211 0212 0223 0320 0429 0503 0504 0505 0506 0715 0811 0812 0916 0922 0923 1014 1103 1104 1123",
    2025: "0101 0113 0211 0223 0224 0320 0429 0503 0504 0505 0506 0721 0811 0915 0923 1013 1103 1123 1124",
    2026: "0101 0112 0211 0223 0320 0429 0503 0504 0505 0506 0720 0811 0921 0922 0923 1012 1103 1123",
    2027: "0101 0111 0211 0223 0321 0322 0429 0503 0504 0505 0719 0811 0920 0923 1011 1103 1123",
}
IN_JAPAN = {date(year, int(day[:2]), int(day[2:])) for year, days in JAPAN.items() for day in days.split()}

Minutes = tuple[tuple[int, int], ...]
"""The spans of a day, in minutes since midnight; 1440 is its end."""


@dataclass(frozen=True)
class Sheet:
    """What stands on the door: opening hours as plain numbers, for the walk."""

    zone: str
    weekly: tuple[Minutes, ...]
    in_japan: bool = False
    on_holidays: Minutes = ()
    exceptions: tuple[tuple[date, Minutes], ...] = ()

    def spans_on(self, day: date) -> Minutes:
        """Return the spans of a day."""
        usual = self.on_holidays if self.in_japan and day in IN_JAPAN else self.weekly[day.weekday()]
        return dict(self.exceptions).get(day, usual)

    def hours(self) -> OpeningHours:
        """Return the hours that are tested."""
        return OpeningHours(
            tuple(spans(day) for day in self.weekly),
            ZoneInfo(self.zone),
            holiday_country="JP" if self.in_japan else None,
            on_holidays=spans(self.on_holidays),
            exceptions={day: spans(special) for day, special in self.exceptions},
        )

    def walk(self, since: datetime, until: datetime) -> dict[tuple[date, int], tuple[datetime, datetime]]:
        """Return for each span of each day that is met when it opens and when it closes: first and last step inside."""
        found: dict[tuple[date, int], tuple[datetime, datetime]] = {}
        zone, day = ZoneInfo(self.zone), date.min
        today: Minutes = ()
        for at in steps(since, until):
            local = at.astimezone(zone)
            if local.date() != day:
                day = local.date()
                today = self.spans_on(day)
            for index, (opens, closes) in enumerate(today):
                if opens <= local.hour * 60 + local.minute < closes:
                    opened, _ = found.get((day, index), (at, at))
                    found[day, index] = (opened, at + STEP)
        return found


def spans(minutes: Minutes) -> tuple[Span, ...]:
    """Return spans as the code has them."""
    return tuple(Span(*(time(at // 60 % 24, at % 60) for at in span)) for span in minutes)


def steps(since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the steps of the grid from `since` on, up to `until`."""
    at = on_grid(since)
    while at < until:
        yield at
        at += STEP


def on_grid(at: datetime) -> datetime:
    """Return the last step that is not after `at`."""
    return at - (at - datetime(2000, 1, 1, tzinfo=UTC)) % STEP


def joined(stretches: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Return times in order, those that meet or overlap made one."""
    whole: list[tuple[datetime, datetime]] = []
    for since, until in sorted(stretches):
        if whole and since <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], until))
        else:
            whole.append((since, until))
    return whole


def clock_changes(name: str) -> list[datetime]:
    """Return each instant from 2024 to 2037 at which the clocks of a zone are put forward or back."""
    zone, half_a_day = ZoneInfo(name), timedelta(hours=12)
    at, changes = datetime(2024, 1, 1, tzinfo=UTC), []
    while at.year < 2038:
        ahead = at + half_a_day
        if at.astimezone(zone).utcoffset() != ahead.astimezone(zone).utcoffset():
            offset = at.astimezone(zone).utcoffset()
            near = steps(at, ahead + STEP)
            changes.append(next(step for step in near if step.astimezone(zone).utcoffset() != offset))
        at = ahead
    return changes


def clipped(
    stretches: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """Return what of these times lies between two instants."""
    cut = [(max(opens, since), min(closes, until)) for opens, closes in stretches]
    return [(opens, closes) for opens, closes in cut if opens < closes]


def may_ring(calling: CallingHours, at: datetime) -> bool:
    """Tell the same as `CallingHours.allow`, by the steps of the clock face from one time to the other."""
    local = at.astimezone(calling.zone)
    opens, closes, shown = (each.hour * 60 + each.minute for each in (calling.opens, calling.closes, local))
    return (shown - opens) % 1440 < ((closes - opens) % 1440 or 1440)


@st.composite
def days(draw: st.DrawFn) -> Minutes:
    """Draw the spans of a day: none, one to three, or the whole of it."""
    marks = sorted(draw(st.sets(st.integers(0, 288), max_size=6)))
    ends = [mark * 5 for mark in marks[: len(marks) // 2 * 2]]
    cut = tuple(zip(ends[::2], ends[1::2], strict=True))
    return draw(st.sampled_from([cut, cut, ((0, 1440),), ((0, 720), (720, 1440)), ((540, 720), (780, 1080))]))


@st.composite
def doors(draw: st.DrawFn) -> tuple[Sheet, datetime]:
    """Draw hours and an instant to look at them: often near a clock change, or near an exception or a holiday."""
    zone = draw(st.sampled_from(ODD_ZONES))
    changes = [at for at in CHANGES[zone] if at.year < 2027]
    anywhere = st.integers(0, 1070 * 288).map(lambda count: datetime(2024, 1, 10, tzinfo=UTC) + count * STEP)
    middle = draw(st.sampled_from(changes) | anywhere) if changes else draw(anywhere)
    apart = timedelta(seconds=draw(st.integers(-36 * 3600, 36 * 3600)), microseconds=draw(st.integers(0, 1)))
    now = middle + apart
    near = st.dates(now.date() - 2 * DAY, now.date() + 3 * DAY)
    exceptions = draw(st.dictionaries(near, days(), max_size=3))
    week = draw(st.tuples(*[days()] * 7))
    return Sheet(zone, week, draw(st.booleans()), draw(days()), tuple(exceptions.items())), now


CHANGES = {name: clock_changes(name) for name in ODD_ZONES}
