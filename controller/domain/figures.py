"""The figures of a call centre, all of them, for a time, a queue or an agent: the one place that everybody asks.

What counts where: a call, and the promise that it made, belong to the interval in which the caller ARRIVED, whatever
came of it later and whenever; a talk's length to the one in which the talk began; time (occupancy, carried traffic) to
where it was spent; a turn of the line to when it was given. So figures of a past interval still change while its
callbacks are open. `docs/figures.md` has every figure with its Japanese name, formula and source.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, TypeVar

from controller.domain.call_figures import CallFigures, WaitFigures, call_figures, joined, quoted_waits, wait_figures
from controller.domain.callback_figures import CallbackFigures, callback_figures
from controller.domain.fairness import FairnessFigures, against_arrival_order, tally
from controller.domain.handling_figures import (
    HandlingFigures,
    TimeFigures,
    carried,
    erlangs,
    handling_figures,
    time_figures,
)
from controller.domain.intervals import NO_TIME, Placed
from controller.domain.quote_coverage import Coverage, coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from controller.domain.fairness import Moved
    from controller.domain.figure_facts import Counting, Facts, PromiseFact
    from controller.domain.intervals import Interval

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one interval: of a queue, or of all together."""

    interval: Interval
    elapsed_s: float
    """What of the interval is over."""
    calls: CallFigures
    waits: WaitFigures
    handling: HandlingFigures
    time: TimeFigures
    carried: timedelta
    """Talk and wrap-up within the interval, together."""
    callbacks: CallbackFigures
    ranges: Coverage
    """How often the announced range held."""
    fairness: FairnessFigures

    @property
    def carried_s(self) -> float:
        """`carried`, in seconds."""
        return self.carried.total_seconds()

    @property
    def offered_erlangs(self) -> float | None:
        """呼量 (offered traffic): calls offered x AHT / length of the interval.

        The work that came in with the callers of the interval, whoever did it and when: what Erlang's formulas want.
        None where no talk shows how long one is.
        """
        aht_s = self.handling.aht_s
        return None if aht_s is None else erlangs(self.calls.offered * aht_s, self.elapsed_s)

    @property
    def carried_erlangs(self) -> float | None:
        """運ばれた呼量 (carried traffic): seconds of talk and wrap-up in the interval / its length.

        How many agents were handling at once, on average, callbacks included.
        """
        return erlangs(self.carried_s, self.elapsed_s)


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The figures of one agent."""

    agent: str
    handling: HandlingFigures
    time: TimeFigures


def figures(facts: Facts, interval: Interval, counting: Counting) -> Figures:
    """Return the figures of one interval. Facts from outside it do no harm."""
    return by_interval(facts, [interval], counting)[0]


def by_interval(facts: Facts, intervals: Sequence[Interval], counting: Counting) -> list[Figures]:
    """Return the figures of each interval; they have to be in order and must not overlap.

    `facts` holds whatever touches the whole time: the promises of its calls also when they were made or kept later, and
    all turns of the line, since a turn is judged by those before and after it.
    """
    promises = {one.id: one for one in facts.promises}
    moves = against_arrival_order(facts.turns)
    shares = _shared_out(facts, moves, Placed.of(intervals))
    return [
        _figures(share, moved, promises, interval, counting)
        for (share, moved), interval in zip(shares, intervals, strict=True)
    ]


def together(parts: Sequence[Figures], interval: Interval, as_of: datetime) -> Figures:
    """Return the figures of an interval from those of its parts, or of parts of its facts: to the digit the same.

    `parts` is not empty. Each fact was in one of them, and what is judged together with it was there too: a call with
    its promise, a promise with its calls out and its SMS; the turns of a queue were judged by all others of the day.
    Times are added as whole microseconds, so that their order makes no difference.
    """
    return Figures(
        interval=interval,
        elapsed_s=interval.before(as_of).length_s,
        calls=reduce(add, (one.calls for one in parts)),
        waits=joined(one.waits for one in parts),
        handling=reduce(add, (one.handling for one in parts)),
        time=reduce(add, (one.time for one in parts)),
        carried=sum((one.carried for one in parts), NO_TIME),
        callbacks=reduce(add, (one.callbacks for one in parts)),
        ranges=reduce(add, (one.ranges for one in parts)),
        fairness=reduce(add, (one.fairness for one in parts)),
    )


def by_queue(facts: Facts, interval: Interval, counting: Counting) -> dict[str, Figures]:
    """Return the figures of each queue, by name in order."""
    return {queue: figures(facts.of_queue(queue), interval, counting) for queue in facts.queues}


def by_agent(facts: Facts, interval: Interval) -> list[AgentFigures]:
    """Return the figures of each agent, by name in order. Talks count where they began, time where it was spent."""
    names = facts.agents
    talks = {name: [one for one in facts.talks if one.agent == name and interval.holds(one.began_at)] for name in names}
    spans = {name: [one for one in facts.spans if one.agent == name] for name in names}
    return [
        AgentFigures(name, handling_figures(talks[name]), time_figures(spans[name], interval, facts.as_of))
        for name in names
    ]


def _figures(
    facts: Facts, moves: Iterable[Moved], promises: Mapping[str, PromiseFact], interval: Interval, counting: Counting
) -> Figures:
    """Return the figures of facts that touch the interval; `promises` are all that there are."""
    began = (one for one in facts.talks if interval.holds(one.began_at))
    return Figures(
        interval=interval,
        elapsed_s=interval.before(facts.as_of).length_s,
        calls=call_figures(facts.calls, counting, promises),
        waits=wait_figures(facts.calls, counting, promises),
        handling=handling_figures(began),
        time=time_figures(facts.spans, interval, facts.as_of),
        carried=carried(facts.talks, interval, facts.as_of),
        callbacks=callback_figures(facts.calls, facts.promises, facts.attempts, facts.texts, counting, facts.as_of),
        ranges=coverage(quoted_waits(facts.calls)),
        fairness=tally(moves),
    )


def _shared_out(facts: Facts, moves: Iterable[Moved], placed: Placed) -> list[tuple[Facts, list[Moved]]]:
    """Return for each interval the facts that belong to it or touch it, in one pass over each kind."""
    as_of = facts.as_of
    calls = _each_at(((one.arrived_at, one) for one in facts.calls), placed)
    promises = _each_at(((one.arrived_at, one) for one in facts.promises), placed)
    moved = _each_at(((one.turn.at, one) for one in moves), placed)
    talks = _each_touching(
        ((one.began_at, one.wrapped_up_at or one.ended_at or as_of, one) for one in facts.talks), placed
    )
    spans = _each_touching(((one.since, one.until or as_of, one) for one in facts.spans), placed)
    home = {one.id: nth for nth, group in enumerate(promises) for one in group}
    attempts = _each_in(((home.get(one.promise_id), one) for one in facts.attempts), placed)
    texts = _each_in(((home.get(one.promise_id), one) for one in facts.texts), placed)
    return [
        (
            replace(
                facts,
                calls=tuple(calls[nth]),
                promises=tuple(promises[nth]),
                talks=tuple(talks[nth]),
                spans=tuple(spans[nth]),
                attempts=tuple(attempts[nth]),
                texts=tuple(texts[nth]),
                turns=(),
            ),
            moved[nth],
        )
        for nth in range(len(placed.intervals))
    ]


def _each_in(found: Iterable[tuple[int | None, T]], placed: Placed) -> list[list[T]]:
    groups: list[list[T]] = [[] for _ in placed.intervals]
    for nth, one in found:
        if nth is not None:
            groups[nth].append(one)
    return groups


def _each_at(found: Iterable[tuple[datetime, T]], placed: Placed) -> list[list[T]]:
    return _each_in(((placed.at(at), one) for at, one in found), placed)


def _each_touching(found: Iterable[tuple[datetime, datetime, T]], placed: Placed) -> list[list[T]]:
    return _each_in(((nth, one) for since, until, one in found for nth in placed.touched(since, until)), placed)
