"""Fairness as a figure: what the order in which people were served gave to some and took from others, in seconds.

The measure is a line in which whoever came first is served first. It gets the very same agents at the very same
instants; only who goes to them differs. So what one gains another loses, and over a queue it adds up to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from controller.domain.intervals import NO_TIME
from controller.domain.line import WaiterKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta


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
    gained: timedelta
    """How much sooner they were served than in the order of arrival; negative: so much later."""

    @property
    def gained_s(self) -> float:
        """The same in seconds."""
        return self.gained.total_seconds()


@dataclass(frozen=True, slots=True)
class FairnessFigures:
    """The tally of a set of turns."""

    turns: int = 0
    moved: int = 0
    """Turns that came at another time than in the order of arrival."""
    gained: timedelta = NO_TIME
    """By all who were served sooner, together."""
    lost: timedelta = NO_TIME
    """By all who were served later, together; 0 or more."""
    most_lost: timedelta = NO_TIME
    live_gained: timedelta = NO_TIME
    """By all callers on the phone, losses taken off."""
    promises_gained: timedelta = NO_TIME
    """Likewise by all promises: what callbacks gain at the cost of those who hold, or the other way round."""
    live: int = 0

    def __add__(self, other: FairnessFigures) -> FairnessFigures:
        """Return the tally of the turns of both."""
        return FairnessFigures(
            turns=self.turns + other.turns,
            moved=self.moved + other.moved,
            gained=self.gained + other.gained,
            lost=self.lost + other.lost,
            most_lost=max(self.most_lost, other.most_lost),
            live_gained=self.live_gained + other.live_gained,
            promises_gained=self.promises_gained + other.promises_gained,
            live=self.live + other.live,
        )

    @property
    def gained_s(self) -> float:
        """`gained`, in seconds."""
        return self.gained.total_seconds()

    @property
    def lost_s(self) -> float:
        """`lost`, in seconds."""
        return self.lost.total_seconds()

    @property
    def most_lost_s(self) -> float:
        """`most_lost`, in seconds."""
        return self.most_lost.total_seconds()

    @property
    def live_gained_s(self) -> float:
        """`live_gained`, in seconds."""
        return self.live_gained.total_seconds()

    @property
    def promises_gained_s(self) -> float:
        """`promises_gained`, in seconds."""
        return self.promises_gained.total_seconds()

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
    """Return what each turn gained or lost against its queue's order of arrival; by queue.

    At each instant at which an agent of the queue took somebody, the line in order of arrival gives that agent to
    whoever came first of those who were due by then. Only those who were served are looked at: who hung up meanwhile
    took nobody's turn. A promise that was called several times has as many turns.
    """
    by_queue: defaultdict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        by_queue[turn.queue].append(turn)
    return [
        moved
        for queue in sorted(by_queue)
        for moved in FairLine().serve(sorted(by_queue[queue], key=by_time), sorted(by_queue[queue], key=by_due))
    ]


def tally(moves: Iterable[Moved]) -> FairnessFigures:
    """Return the sums of a set of turns."""
    turns = moved = live = 0
    gained = lost = most_lost = live_gained = promises_gained = NO_TIME
    for one in moves:
        turns += 1
        moved += one.gained != NO_TIME
        if one.gained > NO_TIME:
            gained += one.gained
        else:
            lost -= one.gained
            most_lost = max(most_lost, -one.gained)
        if one.turn.kind is WaiterKind.LIVE:
            live += 1
            live_gained += one.gained
        else:
            promises_gained += one.gained
    return FairnessFigures(turns, moved, gained, lost, most_lost, live_gained, promises_gained, live)


def by_time(turn: Turn) -> tuple[datetime, datetime, str, datetime, WaiterKind]:
    """Return what turns are ordered by as they were given; no two that differ are alike in it."""
    return turn.at, turn.since, turn.waiter_id, turn.due_at, turn.kind


def by_due(turn: Turn) -> tuple[datetime, datetime, datetime, str, WaiterKind]:
    """Return what turns are ordered by as their waiters could be served."""
    return turn.due_at, turn.at, turn.since, turn.waiter_id, turn.kind


@dataclass(slots=True)
class FairLine:
    """The waiters of one queue who are due and not served yet, where whoever came first is served first."""

    waiting: list[tuple[datetime, str, datetime, datetime, WaiterKind, int, Turn]] = field(default_factory=list)
    """A heap."""
    entered: int = 0
    """So many have ever been in it."""

    def copy(self) -> FairLine:
        """Return the same line, which goes its own way from here."""
        return FairLine(self.waiting.copy(), self.entered)

    def serve(self, given: Iterable[Turn], coming: Sequence[Turn]) -> Iterator[Moved]:
        """Yield whom the agents go to that were `given`, in that order (`by_time`), and what those gained or lost.

        `coming` are all turns of the queue that there are, ordered `by_due`.
        """
        for turn in given:
            while self.entered < len(coming) and (comer := coming[self.entered]).due_at <= turn.at:
                rank = comer.since, comer.waiter_id, comer.at, comer.due_at, comer.kind
                heappush(self.waiting, (*rank, self.entered, comer))
                self.entered += 1
            first = heappop(self.waiting)[-1]
            yield Moved(first, turn.at - first.at)
