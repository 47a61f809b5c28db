"""Today's figures as screens show them: reckoned once for all who look, and kept for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from controller.domain.figures import by_interval, figures
from controller.domain.intervals import Interval, Length, split
from controller.domain.opening_hours import first_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from controller.console.house import ConsoleHouse
    from controller.domain.figure_facts import Counting, Facts
    from controller.domain.figures import Figures

ALL = ""
"""The name under which all queues together stand."""
_DAY = timedelta(days=1)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Today:
    """The figures of the day so far, by queue and (under `ALL`) together."""

    as_of: datetime
    """Aware UTC."""
    totals: Mapping[str, Figures]
    half_hours: Mapping[str, Sequence[Figures]]
    """Of the whole day, those to come included."""


class TodaysFigures:
    """Reckons them for whoever asks, and not more often than anybody can read."""

    def __init__(self, house: ConsoleHouse) -> None:
        self._house = house
        self._kept: Today | None = None
        self._one_at_a_time = asyncio.Lock()

    async def now(self) -> Today:
        """Return figures that are no older than `house.fresh_figures_s`. Raises StoreUnavailableError."""
        async with self._one_at_a_time:
            kept, now = self._kept, self._house.now
            if kept is None or not timedelta(0) <= now - kept.as_of < timedelta(seconds=self._house.fresh_figures_s):
                kept = self._kept = await self._reckon(now)
            return kept

    async def _reckon(self, now: datetime) -> Today:
        house = self._house
        day = day_of(now.astimezone(house.zone).date(), house.zone)
        facts = await house.facts.facts(day.since, day.until, as_of=now)
        ways = {name: queue.counting for name, queue in house.queues.items()}
        # In a thread: a day of ten thousand calls takes a while, and this loop has calls to serve.
        return await asyncio.to_thread(
            _today, facts, day, split(day, house.zone, Length.HALF_HOUR), ways, house.counting
        )


def day_of(day: date, zone: ZoneInfo) -> Interval:
    """Return a day from the first instant at which the zone's clock shows it to that of the next."""
    return Interval(
        first_instant(datetime.combine(day, _MIDNIGHT), zone),
        first_instant(datetime.combine(day + _DAY, _MIDNIGHT), zone),
    )


def _today(
    facts: Facts, day: Interval, half_hours: Sequence[Interval], by_queue: Mapping[str, Counting], counting: Counting
) -> Today:
    shares = {ALL: (facts, counting), **{name: (facts.of_queue(name), way) for name, way in by_queue.items()}}
    return Today(
        as_of=facts.as_of,
        totals={name: figures(share, day, way) for name, (share, way) in shares.items()},
        half_hours={name: by_interval(share, half_hours, way) for name, (share, way) in shares.items()},
    )
