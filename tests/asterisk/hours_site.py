"""A site that is closed in several ways today, and queues with times that can be booked: made for the day it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import holidays

from controller.domain.opening_hours import public_holidays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AWAY_EN, AWAY_JA = "0312345611", "0312345612"
"""Closed today and tomorrow by exceptions, on the clock of Tokyo."""
LUNCH = "0312345613"
"""At lunch until noon; who comes meanwhile is led to a message."""
HOLIDAY = "0312345614"
TIMES_EN, TIMES_JA = "0312345615", "0312345616"
"""To leave a number for a time today in the afternoon, tomorrow around noon, or the day after."""
TIMES_DOOR = "0312345617"
"""The same queue, through the door: it is closed in the morning."""
PAIR = "0312345618"
"""One window of time in all, for two callbacks."""
SOON = "0312345619"
"""One window of time, which begins at a full minute before long."""

TOKYO = ZoneInfo("Asia/Tokyo")
MORNING_HOUR, HALF_A_DAY_H = 10, 12
LONG_ENOUGH = timedelta(seconds=40)
"""For everything to be started, and a time to be booked."""
SOON_MIN = 5
_DAY = timedelta(days=1)
_SILENCE = "digit-pause"
"""The greeting: what is tested comes after it."""


@dataclass(frozen=True)
class Timetable:
    """The days and times of the site, as seen from `now` (aware), when its settings are written."""

    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """A place where it is between ten and eleven in the morning: there is time left today, whenever tests run."""
        ahead = (MORNING_HOUR - self.now.astimezone(UTC).hour) % 24
        behind = 24 - ahead if ahead > HALF_A_DAY_H else -ahead
        return ZoneInfo(f"Etc/GMT{behind:+d}")

    @property
    def today(self) -> date:
        """The day in `zone`."""
        return self.now.astimezone(self.zone).date()

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Return a time `days` after today, on the clock of `zone`."""
        return datetime.combine(self.today + days * _DAY, time(hour, minute), self.zone)

    @property
    def soon(self) -> datetime:
        """The full minute at which the one window of the queue "soon" begins."""
        return (self.now.astimezone(self.zone) + LONG_ENOUGH + timedelta(minutes=1)).replace(second=0, microsecond=0)

    @property
    def back(self) -> datetime:
        """When the queue "away" opens: two days from now, at half past nine in Tokyo."""
        return datetime.combine(self.now.astimezone(TOKYO).date() + 2 * _DAY, time(9, 30), TOKYO)

    def settings(self, text: str) -> str:
        """Return the settings with the queues and ways in of this site."""
        today, tomorrow, later = (self.today + days * _DAY for days in range(3))
        in_tokyo = self.now.astimezone(TOKYO).date()
        zone, country, part = place_on_holiday(self.now)
        subdivision = f'holiday_subdivision = "{part}"\n' if part else ""
        soon_ends = self.soon + timedelta(minutes=SOON_MIN)
        everyday = "".join(f'{day} = ["00:00-24:00"]\n' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
        lunch: dict[date, tuple[str, ...]] = {today: ("08:00-10:00", "12:00-20:00")}
        times: dict[date, tuple[str, ...]] = {
            today: ("08:00-10:00", "13:00-15:00"),
            tomorrow: ("11:30-13:00",),
            later: ("09:00-10:30",),
        }
        queues = [
            _queue("away", TOKYO, {in_tokyo: (), in_tokyo + _DAY: (), in_tokyo + 2 * _DAY: ("09:30-17:00",)}),
            _queue("lunch", self.zone, lunch) + 'limits = { on_closed = { message = "message-moved" } }',
            _queue("holiday", zone, {}) + f'[queues.hours]\ntime_zone = "{zone}"\nholiday_country = "{country}"\n'
            f"{subdivision}{everyday}",
            _queue("times", self.zone, times) + _slots(30, capacity=1),
            _queue("pair", self.zone, {tomorrow: ("15:00-15:30",)}) + _slots(30, capacity=2),
            _queue("soon", self.zone, {today: (f"{self.soon:%H:%M}-{soon_ends:%H:%M}",)})
            + _slots(SOON_MIN, capacity=1),
        ]
        before, staffed, after = text.rpartition('queues = ["support"]')
        assert staffed, "the second agent serves a queue of this site alone"
        others = ["support", "away", "lunch", "holiday", "times", "pair"]
        before = before.replace('queues = ["support"]', f"queues = {json.dumps(others)}")
        return "\n\n".join((before + 'queues = ["soon"]' + after, *queues, *_entrances())) + "\n"


def place_on_holiday(now: datetime) -> tuple[ZoneInfo, str, str | None]:
    """Return a clock, a country and maybe a part of it for which today is a public holiday.

    On most days there is one somewhere; as days begin at different hours around the globe, two of them are today.
    """
    for zone in (ZoneInfo(f"Etc/GMT{behind:+d}") for behind in range(-14, 13)):
        local = now.astimezone(zone)
        if local.hour in {0, 23}:  # The day has to stay the same while the tests run.
            continue
        for country, part in _places():
            if local.date() in public_holidays(country, part, local.year):
                return zone, country, part
    raise LookupError(f"nowhere is {now:%Y-%m-%d} a public holiday that the library knows of")


def _places() -> Iterator[tuple[str, str | None]]:
    known = holidays.list_supported_countries(include_aliases=False)
    yield from ((country, None) for country in known)
    yield from ((country, part) for country, parts in known.items() for part in parts)


def _queue(name: str, zone: ZoneInfo, days: Mapping[date, tuple[str, ...]]) -> str:
    exceptions = ", ".join(f"{day} = {json.dumps(spans)}" for day, spans in days.items())
    hours = f'hours = {{ time_zone = "{zone}", exceptions = {{ {exceptions} }} }}\n' if days else ""
    return f'[[queues]]\nname = "{name}"\ntitle_ja = "{name}"\ntitle_en = "{name}"\nlanguage = "en"\n{hours}'


def _slots(length_min: int, *, capacity: int) -> str:
    return f"slots = {{ length_min = {length_min}, capacity = {capacity}, lead_min = 0, horizon_days = 4 }}"


def _entrances() -> list[str]:
    ways_in = {
        AWAY_EN: ("en", '{ queue = "away" }'),
        AWAY_JA: ("ja", '{ queue = "away" }'),
        LUNCH: ("en", '{ queue = "lunch" }'),
        HOLIDAY: ("en", '{ queue = "holiday" }'),
        TIMES_EN: ("en", '{ callback = "times" }'),
        TIMES_JA: ("ja", '{ callback = "times" }'),
        TIMES_DOOR: ("en", '{ queue = "times" }'),
        PAIR: ("en", '{ callback = "pair" }'),
        SOON: ("en", '{ callback = "soon" }'),
    }
    return [
        f'[[entrances]]\nname = "to-{number}"\ndialled_numbers = ["{number}"]\nlanguage = "{language}"\n'
        f'welcome = "{_SILENCE}"\nleads_to = {leads_to}'
        for number, (language, leads_to) in ways_in.items()
    ]
