"""The plan of a day: who calls when and does what, who works, and what goes wrong. Made from two numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.simulation.people import Arrival, arrivals_of
from tests.simulation.weather import Outage, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Europe/Paris", "Australia/Lord_Howe")
CLOCK_CHANGES = {
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Europe/London": (date(2027, 3, 28), date(2027, 10, 31)),
    "Europe/Paris": (date(2027, 3, 28), date(2027, 10, 31)),
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),
}
"""Sundays on which clocks are changed; the day before has the night of it."""
HOUR_S = 3600.0
MODES = ("agent_first", "preview", "customer_first")


class Deed(StrEnum):
    """What somebody, or something, does at a moment of the day."""

    KILL = "controller killed"
    PBX_DIES = "PBX killed"
    LINK_LOST = "socket lost"
    CLOCK_SET = "wall clock set"
    RIVAL = "lease lost to a second controller"
    CANCEL = "admin cancels"
    STOP = "STOP"
    SIGN_OUT = "an agent signs out"
    SIGN_IN = "an agent signs in"
    REDIAL = "an agent redials by hand"


@dataclass(frozen=True, slots=True)
class Happening:
    """A deed and when, in seconds of the day; `lasts_s` how long, or by how much the clock is set."""

    at_s: float
    deed: Deed
    lasts_s: float = 0.0
    whom: str = ""


@dataclass(frozen=True, slots=True)
class QueuePlan:
    """The rules of one queue."""

    name: str
    mode: str
    slot_capacity: int
    """0: no times can be booked."""
    opens: time
    closes: time


@dataclass(frozen=True)
class Day:
    """One day. Times of the day are seconds from `start` by a clock that nobody sets."""

    seed: int
    number: int
    start: datetime
    zone: ZoneInfo
    queues: tuple[QueuePlan, ...]
    staff: dict[str, frozenset[str]]
    """The queues that an agent serves, by name."""
    arrivals: Sequence[Arrival]
    happenings: Sequence[Happening]
    outages: Sequence[Outage]
    kill_at_steps: frozenset[int]
    """The controller dies in these moments of its own work, counted from the morning."""
    lifetime_s: float
    max_attempts: int
    per_number_cap: int
    max_concurrent_calls: int
    active_s: float
    """Until then people call."""
    calling_hours: tuple[time, time]

    def dice(self, *what: object) -> Random:
        """Return dice for one purpose: what is rolled for one never changes what is rolled for another."""
        return Random("/".join(map(str, (self.seed, self.number, *what))))  # noqa: S311 - no secret


def plan_day(seed: int, number: int, *, modes: Sequence[str] = MODES) -> Day:
    """Return the day with this number of the world with this seed."""
    dice = Random(f"{seed}/{number}/plan")  # noqa: S311 - no secret
    zone_name = dice.choice(ZONES)
    zone = ZoneInfo(zone_name)
    start = _morning(dice, zone_name)
    hours = (time(9), dice.choice((time(18), time(19), time(0))))
    queues = tuple(
        QueuePlan(name, dice.choice(modes), dice.choice((0, 0, 1, 2)), *hours) for name in ("cards", "loans")
    )
    active_s = dice.choice((1.0, 1.5, 2.0)) * HOUR_S
    names = ("aoi", "ben", "chie", "dan")[: dice.choice((1, 2, 2, 3, 4))]
    both = frozenset({"cards", "loans"})
    staff = {name: both if nth == 0 or dice.random() < 0.7 else frozenset({"cards"}) for nth, name in enumerate(names)}
    arrivals = arrivals_of(dice, active_s, can_book=any(each.slot_capacity for each in queues))
    return Day(
        seed=seed,
        number=number,
        start=start,
        zone=zone,
        queues=queues,
        staff=staff,
        arrivals=arrivals,
        happenings=_happenings(dice, active_s, tuple(staff), [each.number for each in arrivals if each.number]),
        outages=_outages(dice, active_s),
        kill_at_steps=_kills(dice),
        lifetime_s=dice.choice((0.75, 1.5, 3.0)) * HOUR_S,
        max_attempts=dice.choice((1, 2, 3)),
        per_number_cap=dice.choice((2, 3, 8)),
        max_concurrent_calls=dice.choice((1, 2, 10)),
        active_s=active_s,
        calling_hours=(time(9), dice.choice((time(20), time(20), time(13), time(16)))),
    )


def _morning(dice: Random, zone_name: str) -> datetime:
    """Return when the day begins: mostly in the hours of the queue, sometimes at night or where clocks are changed."""
    if zone_name in CLOCK_CHANGES and dice.random() < 0.5:
        day = dice.choice(CLOCK_CHANGES[zone_name]) - timedelta(days=dice.choice((0, 1)))
    else:
        day = date(2027, 1, 1) + timedelta(days=dice.randrange(365))
    hour = dice.choice((0, 1, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 15, 16, 17, 18, 19, 23))
    local = datetime.combine(day, time(hour, dice.randrange(60)), ZoneInfo(zone_name))
    return local.astimezone(UTC)


def _kills(dice: Random) -> frozenset[int]:
    return frozenset(dice.randrange(1500) for _ in range(dice.choice((0, 0, 1, 1, 2, 4))))


def _outages(dice: Random, active_s: float) -> list[Outage]:
    found = []
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        starts_s = dice.uniform(0, active_s)
        trouble = dice.choice(tuple(Trouble))
        lasts_s = dice.uniform(0.05, 5) if trouble is Trouble.DEAF else dice.choice((1, 10, 60, 300))
        found.append(Outage(starts_s, starts_s + lasts_s, trouble))
    return sorted(found, key=lambda each: each.starts_s)


def _happenings(dice: Random, active_s: float, staff: tuple[str, ...], numbers: list[str]) -> list[Happening]:
    found: list[Happening] = []

    def some(deed: Deed, often: Sequence[int], lasts: Sequence[float] = (0.0,), whom: Sequence[str] = ("",)) -> None:
        found.extend(
            Happening(dice.uniform(0, active_s * 1.2), deed, dice.choice(lasts), dice.choice(whom))
            for _ in range(dice.choice(often))
        )

    some(Deed.KILL, (0, 0, 1, 2), (1.0, 3.0, 30.0))
    some(Deed.PBX_DIES, (0, 0, 0, 0, 1), (5.0, 20.0))
    some(Deed.LINK_LOST, (0, 0, 1, 2), (0.3, 2.0, 15.0))
    some(Deed.CLOCK_SET, (0, 0, 0, 0, 1), (3600.0, -3600.0, 86400.0, -86400.0, 1.5))
    some(Deed.RIVAL, (0, 0, 0, 1), (30.0, 200.0))
    some(Deed.CANCEL, (1, 3, 6), whom=numbers)
    some(Deed.STOP, (0, 0, 1), whom=numbers)
    some(Deed.REDIAL, (0, 1, 3), whom=numbers)
    for name in staff:
        if dice.random() < 0.5:
            leaves_s = dice.uniform(0, active_s)
            found.append(Happening(leaves_s, Deed.SIGN_OUT, whom=name))
            found.append(Happening(leaves_s + dice.choice((60.0, 600.0, 3000.0)), Deed.SIGN_IN, whom=name))
    return sorted(found, key=lambda each: each.at_s)
