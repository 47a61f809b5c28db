"""The figures of a day that goes on: what is settled is added up and forgotten, only what goes on is reckoned again.

The formulas are those of `controller/domain/figures.py`, which reckons each part; here parts are only put together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.fairness import FairnessFigures
from controller.domain.fairness_so_far import QueueTurns
from controller.domain.figure_facts import Facts
from controller.domain.figures import by_interval, figures, together
from controller.domain.intervals import Placed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from controller.domain.fairness import Turn
    from controller.domain.figure_facts import Counting, FactsSince
    from controller.domain.figures import Figures
    from controller.domain.intervals import Interval

ALL = ""
"""The name under which all queues together stand."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """The figures of a day by queue, and (under `ALL`) together."""

    totals: Mapping[str, Figures]
    intervals: Mapping[str, Sequence[Figures]]
    """Of the whole day, those to come included."""


class DayInFigures:
    """Reckons one day from what `FactsSoFar` tells of it."""

    def __init__(self, day: Interval, intervals: Sequence[Interval], ways: Mapping[str, Counting]) -> None:
        """Begin with nothing.

        `intervals` are the day's, without a gap; `ways` says by name how each queue, and `ALL`, is counted.
        """
        self._day = day
        self._intervals = intervals
        self._placed = Placed.of(intervals)
        self._ways = ways
        self._settled: dict[str, Figures] = {}
        self._settled_in: dict[str, dict[int, Figures]] = {}
        self._turns: dict[str, QueueTurns] = {}
        self._forget()

    def take(self, news: FactsSince) -> SoFar:
        """Return the figures with what a look has found: of all that has been told, and of what goes on."""
        if news.is_anew:
            self._forget()
        as_of = news.going_on.as_of
        self._settle(replace(news.settled, as_of=as_of))
        self._change_turns(news.turns_came, news.turns_gone)
        totals: dict[str, Figures] = {}
        intervals: dict[str, Sequence[Figures]] = {}
        tallies = {queue: turns.tallies() for queue, turns in self._turns.items()}
        for name in self._ways:
            found = [one for queue, one in tallies.items() if name in {ALL, queue}]
            totals[name], intervals[name] = self._figures(name, news.going_on, found, as_of)
        return SoFar(totals, intervals)

    def _forget(self) -> None:
        self._settled = {
            name: figures(Facts(self._day.since), self._day, counting) for name, counting in self._ways.items()
        }
        self._settled_in = {name: {} for name in self._ways}
        self._turns = {}

    def _settle(self, facts: Facts) -> None:
        if facts.is_empty:
            return
        for name, counting in self._ways.items():
            share = _share(facts, name)
            if share.is_empty:
                continue
            before, kept = self._settled[name], self._settled_in[name]
            self._settled[name] = together([before, figures(share, self._day, counting)], self._day, facts.as_of)
            for nth, found in self._touched(share, counting).items():
                parts = [kept[nth], found] if nth in kept else [found]
                kept[nth] = together(parts, found.interval, facts.as_of)

    def _figures(
        self, name: str, going_on: Facts, tallies: Sequence[Mapping[int, FairnessFigures]], as_of: datetime
    ) -> tuple[Figures, list[Figures]]:
        share, counting = _share(going_on, name), self._ways[name]
        kept, open_in = self._settled_in[name], self._touched(share, counting)
        nothing = figures(Facts(as_of), self._day, counting)
        intervals: list[Figures] = []
        fairness = FairnessFigures()
        for nth, interval in enumerate(self._intervals):
            parts = [part[nth] for part in (kept, open_in) if nth in part] or [nothing]
            fair = sum((one[nth] for one in tallies if nth in one), FairnessFigures())
            fairness += fair
            intervals.append(replace(together(parts, interval, as_of), fairness=fair))
        total = together([self._settled[name], figures(share, self._day, counting)], self._day, as_of)
        return replace(total, fairness=fairness), intervals

    def _touched(self, facts: Facts, counting: Counting) -> dict[int, Figures]:
        """Return the figures of the intervals in which there is something of these facts, by their indexes."""
        arrived = (one.arrived_at for group in (facts.calls, facts.promises) for one in group)
        touched = {nth for at in arrived if (nth := self._placed.at(at)) is not None}
        spent = [(one.since, one.until or facts.as_of) for one in facts.spans]
        spent += [(one.began_at, one.wrapped_up_at or one.ended_at or facts.as_of) for one in facts.talks]
        touched.update(nth for since, until in spent for nth in self._placed.touched(since, until))
        some = sorted(touched)
        return dict(zip(some, by_interval(facts, [self._intervals[nth] for nth in some], counting), strict=True))

    def _change_turns(self, came: Sequence[Turn], gone: Sequence[Turn]) -> None:
        for queue in sorted({turn.queue for turn in (*came, *gone)}):
            turns = self._turns.setdefault(queue, QueueTurns(self._placed))
            turns.change([one for one in came if one.queue == queue], [one for one in gone if one.queue == queue])


def _share(facts: Facts, name: str) -> Facts:
    return facts if name == ALL else facts.of_queue(name)
