"""Fairness as a figure: what the order in which people were served gave to some and took from others, in seconds.

The measure is a line in which whoever came first is served first. It gets the very same agents at the very same
instants; only who goes to them differs. So what one gains another loses, and over a queue it adds up to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from controller.domain.line import WaiterKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A waiter got an agent. Times are aware UTC. Raises ValueError for one who was served before they could be."""

    waiter_id: str
    queue: str
    kind: WaiterKind
    since: datetime
    """The place in line: when they came."""
    due_at: datetime
    """From when on they could be served: of a caller `since`, of a promise that had to wait for its time, that."""
    at: datetime

    def __post_init__(self) -> None:
        if self.at < self.due_at:
            raise ValueError(f"{self.waiter_id} was served at {self.at}, before {self.due_at}")


@dataclass(frozen=True, slots=True)
class Moved:
    """What the order did to one turn."""

    turn: Turn
    gained_s: float
    """How much sooner they were served than in the order of arrival; negative: so much later."""


@dataclass(frozen=True, slots=True)
class FairnessFigures:
    """The tally of a set of turns. Seconds."""

    turns: int
    moved: int
    """Turns that came at another time than in the order of arrival."""
    gained_s: float
    """By all who were served sooner, together."""
    lost_s: float
    """By all who were served later, together; 0 or more."""
    most_lost_s: float
    live_gained_s: float
    """By all callers on the phone, losses taken off."""
    promises_gained_s: float
    """Likewise by all promises: what callbacks gain at the cost of those who hold, or the other way round."""
    live: int

    @property
    def mean_live_gain_s(self) -> float | None:
        """Seconds by which a caller who held was served sooner than in the order of arrival; negative: later.

        Formula: sum of gains of live callers / turns of live callers.
        """
        return self.live_gained_s / self.live if self.live else None

    @property
    def mean_promise_gain_s(self) -> float | None:
        """As `mean_live_gain_s`, of promises."""
        promises = self.turns - self.live
        return self.promises_gained_s / promises if promises else None

    @property
    def moved_percent(self) -> float | None:
        """How many in a hundred turns came at another time than in the order of arrival."""
        return 100 * self.moved / self.turns if self.turns else None


def against_arrival_order(turns: Iterable[Turn]) -> list[Moved]:
    """Return what each turn gained or lost against its queue's order of arrival; by queue, then by time.

    At each instant at which an agent of the queue took somebody, the line in order of arrival gives that agent to
    whoever came first of those who were due by then. Only those who were served are looked at: who hung up meanwhile
    took nobody's turn. A promise that was called several times has as many turns.
    """
    by_queue: defaultdict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        by_queue[turn.queue].append(turn)
    return [moved for queue in sorted(by_queue) for moved in _in_queue(by_queue[queue])]


def tally(moves: Iterable[Moved]) -> FairnessFigures:
    """Return the sums of a set of turns."""
    found = list(moves)
    gains_s = [one.gained_s for one in found]
    live_s = [one.gained_s for one in found if one.turn.kind is WaiterKind.LIVE]
    return FairnessFigures(
        turns=len(found),
        moved=sum(gain_s != 0 for gain_s in gains_s),
        gained_s=sum(gain_s for gain_s in gains_s if gain_s > 0),
        lost_s=sum(-gain_s for gain_s in gains_s if gain_s < 0),
        most_lost_s=max((-gain_s for gain_s in gains_s if gain_s < 0), default=0.0),
        live_gained_s=sum(live_s),
        promises_gained_s=sum(gains_s) - sum(live_s),
        live=len(live_s),
    )


def _in_queue(turns: list[Turn]) -> list[Moved]:
    by_time = sorted(range(len(turns)), key=lambda nth: (turns[nth].at, turns[nth].since, turns[nth].waiter_id))
    by_due = sorted(by_time, key=lambda nth: turns[nth].due_at)
    fair_at: dict[int, datetime] = {}
    waiting: list[tuple[datetime, str, int]] = []
    entered = 0
    for nth in by_time:
        now = turns[nth].at
        while entered < len(by_due) and turns[by_due[entered]].due_at <= now:
            comer = turns[by_due[entered]]
            heappush(waiting, (comer.since, comer.waiter_id, by_due[entered]))
            entered += 1
        fair_at[heappop(waiting)[2]] = now
    return [Moved(turns[nth], (fair_at[nth] - turns[nth].at).total_seconds()) for nth in by_time]
