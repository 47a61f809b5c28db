"""Today's figures as screens and metrics show them: reckoned once for all who look, and kept for a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from controller.domain.figures_so_far import ALL, DayInFigures
from controller.domain.intervals import Interval, Length, split
from controller.domain.opening_hours import first_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from controller.console.house import ConsoleHouse
    from controller.domain.figures import Figures
    from controller.ports.facts import FactsSoFar

__all__ = ["ALL", "Today", "TodaysFigures", "day_of"]

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


@dataclass(frozen=True, slots=True)
class _Begun:
    """A day of which something was read."""

    day: Interval
    book: FactsSoFar
    sums: DayInFigures


class TodaysFigures:
    """Reckons them for whoever asks, and not more often than anybody can read. A process has one, for all who ask."""

    def __init__(self, house: ConsoleHouse) -> None:
        self._house = house
        self._kept: Today | None = None
        self._begun: _Begun | None = None
        self._reckoning: asyncio.Task[Today] | None = None

    async def now(self) -> Today:
        """Return figures that are no older than `house.fresh_figures_s`. Raises StoreUnavailableError."""
        kept, now = self._kept, self._house.now
        if kept is not None and timedelta(0) <= now - kept.as_of < timedelta(seconds=self._house.fresh_figures_s):
            return kept
        if self._reckoning is None or self._reckoning.done():
            self._reckoning = asyncio.create_task(self._reckon(now))
        # Whoever leaves meanwhile does not take it from those who wait for the same.
        return await asyncio.shield(self._reckoning)

    async def _reckon(self, now: datetime) -> Today:
        # What was read and not added up is lost: whatever goes wrong on the way, the next look begins anew.
        begun, self._begun = self._begun, None
        day = day_of(now.astimezone(self._house.zone).date(), self._house.zone)
        if begun is None or begun.day != day:
            begun = self._begin(day)
        news = await begun.book.read(now)
        # In a thread: the first look at a large day takes a while, and this loop has calls to serve.
        found = await asyncio.to_thread(begun.sums.take, news)
        self._begun = begun
        self._kept = Today(as_of=now, totals=found.totals, half_hours=found.intervals)
        return self._kept

    def _begin(self, day: Interval) -> _Begun:
        house = self._house
        ways = {ALL: house.counting, **{name: queue.counting for name, queue in house.queues.items()}}
        half_hours = split(day, house.zone, Length.HALF_HOUR)
        return _Begun(day, house.facts.so_far(day.since, day.until), DayInFigures(day, half_hours, ways))


def day_of(day: date, zone: ZoneInfo) -> Interval:
    """Return a day from the first instant at which the zone's clock shows it to that of the next."""
    return Interval(
        first_instant(datetime.combine(day, _MIDNIGHT), zone),
        first_instant(datetime.combine(day + _DAY, _MIDNIGHT), zone),
    )
