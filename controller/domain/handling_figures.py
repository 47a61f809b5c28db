"""What agents did with their time: 平均通話時間, 後処理, 平均処理時間, 占有率, 稼働率, 呼量.

A mean counts a talk where it began. Time itself (occupancy, carried traffic) is counted where it was spent: a talk from
9:14 to 9:17 is one minute of the first quarter and two of the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.call_figures import percent
from controller.domain.line import WaiterKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from controller.domain.figure_facts import AgentSpan, TalkFact
    from controller.domain.intervals import Interval

HANDLING = frozenset({AgentState.ON_CALL, AgentState.WRAP_UP})
WAITING = frozenset({AgentState.AVAILABLE, AgentState.RESERVED, AgentState.RINGING})
"""待機: ready, or about to be joined with somebody. Ringing is waiting: nobody is being handled yet."""


@dataclass(frozen=True, slots=True)
class HandlingFigures:
    """The talks that began in a time and are over. Seconds."""

    talks: int
    callbacks: int
    """Of the talks, those that we called for."""
    talk_s: float
    wrap_ups: int
    """Of the talks, those whose wrap-up is known and over."""
    wrap_up_s: float

    @property
    def att_s(self) -> float | None:
        """平均通話時間 (ATT): time talked / talks."""
        return self.talk_s / self.talks if self.talks else None

    @property
    def acw_s(self) -> float | None:
        """平均後処理時間 (ACW): time in wrap-up / talks whose wrap-up is known and over."""
        return self.wrap_up_s / self.wrap_ups if self.wrap_ups else None

    @property
    def aht_s(self) -> float | None:
        """平均処理時間 (AHT): ATT + ACW. None where either is not known: talk alone is no AHT."""
        if self.att_s is None or self.acw_s is None:
            return None
        return self.att_s + self.acw_s


def handling_figures(talks: Iterable[TalkFact]) -> HandlingFigures:
    """Return the figures of talks; one that goes on is not among them."""
    over = [(one, (one.ended_at - one.began_at).total_seconds()) for one in talks if one.ended_at is not None]
    wrap_ups_s = [
        (one.wrapped_up_at - one.ended_at).total_seconds()
        for one, _ in over
        if one.wrapped_up_at is not None and one.ended_at is not None
    ]
    return HandlingFigures(
        talks=len(over),
        callbacks=sum(one.kind is WaiterKind.PROMISE for one, _ in over),
        talk_s=sum(talk_s for _, talk_s in over),
        wrap_ups=len(wrap_ups_s),
        wrap_up_s=sum(wrap_ups_s),
    )


def carried_s(talks: Iterable[TalkFact], interval: Interval, as_of: datetime) -> float:
    """Return the seconds of an interval that talks and known wrap-ups filled; what goes on, up to `as_of`."""
    return sum(interval.shared_s(one.began_at, one.wrapped_up_at or one.ended_at or as_of) for one in talks)


def erlangs(seconds: float, length_s: float) -> float | None:
    """呼量: seconds of work / seconds in which it was done; None of no time."""
    return seconds / length_s if length_s > 0 else None


@dataclass(frozen=True, slots=True)
class TimeFigures:
    """The seconds that agents spent in each state, all agents together."""

    by_state: Mapping[AgentState, float]

    @property
    def handling_s(self) -> float:
        """On a call or in wrap-up."""
        return sum(self.by_state[state] for state in HANDLING)

    @property
    def ready_s(self) -> float:
        """稼働時間: handling or waiting for it."""
        return self.handling_s + sum(self.by_state[state] for state in WAITING)

    @property
    def signed_in_s(self) -> float:
        """All but signed out: pauses included."""
        return self.ready_s + self.by_state[AgentState.PAUSED]

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
    seconds = dict.fromkeys(AgentState, 0.0)
    for span in spans:
        seconds[span.state] += interval.shared_s(span.since, span.until or as_of)
    return TimeFigures(seconds)
