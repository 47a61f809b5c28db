"""The called party's clock, walked along: what the gate is held against.

Nothing here is reckoned with the code under test: the zones stand in a table by hand, and whether it is time is read
off the wall clock of each, five minutes at a time. Easter is counted after Butcher, and the holidays from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
Spans = tuple[tuple[int, int], ...]
"""Minutes since midnight: opens, closes."""
FROM_9_TO_20: Spans = ((540, 1200),)
DAILY = (FROM_9_TO_20,) * 7
AUSTRALIA = (
    "Antarctica/Macquarie Australia/Adelaide Australia/Brisbane Australia/Broken_Hill Australia/Darwin Australia/Eucla"
    " Australia/Hobart Australia/Lindeman Australia/Lord_Howe Australia/Melbourne Australia/Perth Australia/Sydney"
)


@dataclass(frozen=True)
class Phone:
    """A phone, and the clocks that may hang beside it."""

    number: str
    zones: str
    weekly: tuple[Spans, ...] = DAILY
    rests_in_france: bool = False

    def may_ring(self, at: datetime) -> bool:
        """Tell whether every clock shows a time inside the hours."""
        return all(self._is_time(at.astimezone(ZoneInfo(zone))) for zone in self.zones.split())

    def first(self, since: datetime, within: timedelta) -> datetime | None:
        """Return the first moment from `since` on at which it may ring, walking the clock; None: it does not come."""
        if self.may_ring(since):
            return since
        at = since - (since - datetime(2000, 1, 1, tzinfo=UTC)) % STEP + STEP
        while at < since + within:
            if self.may_ring(at):
                return at
            at += STEP
        return None

    def _is_time(self, local: datetime) -> bool:
        if self.rests_in_france and local.date() in holidays_in_france(local.year):
            return False
        minute = local.hour * 60 + local.minute
        return any(opens <= minute < closes for opens, closes in self.weekly[local.weekday()])


def holidays_in_france(year: int) -> set[date]:
    """Return the eleven days of Code du travail, L3133-1."""
    fixed = "0101 0501 0508 0714 0815 1101 1111 1225"
    easter = easter_sunday(year)
    moving = {easter + DAY, easter + 39 * DAY, easter + 50 * DAY}
    return {date(year, int(day[:2]), int(day[2:])) for day in fixed.split()} | moving


def easter_sunday(year: int) -> date:
    """Return Easter Sunday (Butcher's rule, 1876; Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


IN_FRANCE = ((((600, 780), (840, 1200)),) * 5) + ((), ())
TOKYO = Phone("+819012345678", "Asia/Tokyo")
PARIS = Phone("+33612345678", "Europe/Paris", IN_FRANCE, rests_in_france=True)
LONDON = Phone("+442079460958", "Europe/London")
LORD_HOWE = Phone("+61412345678", AUSTRALIA)
"""A mobile phone of Australia may be on Lord Howe Island, where clocks are put forward by half an hour."""
UNITED_STATES = (
    Phone("+12123456789", "America/New_York"),
    Phone("+13123456789", "America/Chicago"),
    Phone("+13033456789", "America/Denver"),
    Phone("+16023456789", "America/Phoenix"),
    Phone("+12133456789", "America/Los_Angeles"),
    Phone("+19075551234", "America/Anchorage America/Adak"),
    Phone("+18083456789", "Pacific/Honolulu"),
)
VANCOUVER = Phone("+16043456789", "America/Vancouver", ((FROM_9_TO_20,) * 5) + ((), ()))
AUCKLAND = Phone("+6494561234", "Pacific/Auckland", ((), FROM_9_TO_20, (), FROM_9_TO_20, (), FROM_9_TO_20, ()))
"""There it is another weekday than in UTC for some of the hours."""
PHONES = (TOKYO, PARIS, LONDON, LORD_HOWE, VANCOUVER, AUCKLAND, *UNITED_STATES)
"""Japan, France and the United States have their default rule, all others one of the test's own."""


def changes_of(zone: str) -> list[datetime]:
    """Return each instant from 2024 to 2037 at which the clocks of a zone are changed, found by the minute."""
    clock, found = ZoneInfo(zone), []
    at = datetime(2024, 1, 1, tzinfo=UTC)
    while at.year < 2038:
        if at.astimezone(clock).utcoffset() != (at + DAY).astimezone(clock).utcoffset():
            minutes = (at + timedelta(minutes=count) for count in range(1441))
            old = at.astimezone(clock).utcoffset()
            found.append(next(minute for minute in minutes if minute.astimezone(clock).utcoffset() != old))
        at += DAY
    return found
