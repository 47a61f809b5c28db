"""What agents did with their time: 平均通話時間, 後処理, 平均処理時間, 占有率, 稼働率, 呼量.

A mean counts a talk where it began. Time itself (occupancy, carried traffic) is counted where it was spent: a talk from
9:14 to 9:17 is one minute of the first quarter and two of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.call_figures import percent
from controller.domain.intervals import NO_TIME
from controller.domain.line import WaiterKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from controller.domain.figure_facts import AgentSpan, TalkFact
    from controller.domain.intervals import Interval

HANDLING = frozenset({AgentState.ON_CALL, AgentState.WRAP_UP})
WAITING = frozenset({AgentState.AVAILABLE, AgentState.RESERVED, AgentState.RINGING})
"""待機: ready, or about to be joined with somebody. Ringing is waiting: nobody is being handled yet."""


@dataclass(frozen=True, slots=True)
class HandlingFigures:
    """The talks that began in a time and are over."""

    talks: int
    callbacks: int
    """Of the talks, those that we called for."""
    talk: timedelta
    wrap_ups: int
    """Of the talks, those whose wrap-up is known and over."""
    wrap_up: timedelta

    def __add__(self, other: HandlingFigures) -> HandlingFigures:
        """Return the figures of the talks of both."""
        return HandlingFigures(
            talks=self.talks + other.talks,
            callbacks=self.callbacks + other.callbacks,
            talk=self.talk + other.talk,
            wrap_ups=self.wrap_ups + other.wrap_ups,
            wrap_up=self.wrap_up + other.wrap_up,
        )

    @property
    def att_s(self) -> float | None:
        """平均通話時間 (ATT): time talked / talks."""
        return self.talk.total_seconds() / self.talks if self.talks else None

    @property
    def acw_s(self) -> float | None:
        """平均後処理時間 (ACW): time in wrap-up / talks whose wrap-up is known and over."""
        return self.wrap_up.total_seconds() / self.wrap_ups if self.wrap_ups else None

    @property
    def aht_s(self) -> float | None:
        """平均処理時間 (AHT): ATT + ACW. None where either is not known: talk alone is no AHT."""
        if self.att_s is None or self.acw_s is None:
            return None
        return self.att_s + self.acw_s


def handling_figures(talks: Iterable[TalkFact]) -> HandlingFigures:
    """Return the figures of talks; one that goes on is not among them."""
    over = [(one, one.ended_at - one.began_at) for one in talks if one.ended_at is not None]
    wrap_ups = [
        one.wrapped_up_at - one.ended_at
        for one, _ in over
        if one.wrapped_up_at is not None and one.ended_at is not None
    ]
    return HandlingFigures(
        talks=len(over),
        callbacks=sum(one.kind is WaiterKind.PROMISE for one, _ in over),
        talk=sum((talk for _, talk in over), NO_TIME),
        wrap_ups=len(wrap_ups),
        wrap_up=sum(wrap_ups, NO_TIME),
    )


def carried(talks: Iterable[TalkFact], interval: Interval, as_of: datetime) -> timedelta:
    """Return how much of an interval talks and known wrap-ups filled; what goes on, up to `as_of`."""
    return sum((interval.shared(one.began_at, one.wrapped_up_at or one.ended_at or as_of) for one in talks), NO_TIME)


def erlangs(seconds: float, length_s: float) -> float | None:
    """呼量: seconds of work / seconds in which it was done; None of no time."""
    return seconds / length_s if length_s > 0 else None


@dataclass(frozen=True, slots=True)
class TimeFigures:
    """The time that agents spent in each state, all agents together."""

    spent: Mapping[AgentState, timedelta]

    def __add__(self, other: TimeFigures) -> TimeFigures:
        """Return the time of both."""
        return TimeFigures({state: self.spent[state] + other.spent[state] for state in AgentState})

    @property
    def by_state(self) -> Mapping[AgentState, float]:
        """The same in seconds."""
        return {state: spent.total_seconds() for state, spent in self.spent.items()}

    @property
    def handling_s(self) -> float:
        """On a call or in wrap-up."""
        return _together_s(self.spent, HANDLING)

    @property
    def ready_s(self) -> float:
        """稼働時間: handling or waiting for it."""
        return _together_s(self.spent, HANDLING | WAITING)

    @property
    def signed_in_s(self) -> float:
        """All but signed out: pauses included."""
        return _together_s(self.spent, HANDLING | WAITING | {AgentState.PAUSED})

    @property
    def occupancy_percent(self) -> float | None:
        """占有率 (occupancy): (talk + wrap-up) / (talk + wrap-up + waiting) x 100; pauses in neither."""
        return percent(self.handling_s, self.ready_s)

    @property
    def utilisation_percent(self) -> float | None:
        """稼働率 (utilisation): (talk + wrap-up + waiting) / time signed in x 100; pauses count against it."""
        return percent(self.ready_s, self.signed_in_s)


def time_figures(spans: Iterable[AgentSpan], interval: Interval, as_of: datetime) -> TimeFigures:
    """Return how long agents were in each state within an interval; what goes on counts up to `as_of`."""
    spent = dict.fromkeys(AgentState, NO_TIME)
    for span in spans:
        spent[span.state] += interval.shared(span.since, span.until or as_of)
    return TimeFigures(spent)


def _together_s(spent: Mapping[AgentState, timedelta], states: Iterable[AgentState]) -> float:
    return sum((spent[state] for state in states), NO_TIME).total_seconds()
