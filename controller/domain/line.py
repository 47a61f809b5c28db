"""The line (待ち行列): the one ordered list of all who wait, live callers and promises together.

Whoever came first is served first, on the phone or not: a promise keeps the instant at which its caller arrived. Urgent
callers go ahead of the others, and that has a bound: whoever was passed a number of times goes ahead of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from controller.domain.agents import Agent

DEFAULT_MAX_PASSES = 5
"""How many who came later may be served before somebody. Urgent calls are few: most who wait meet none or one."""

ASK_AGAIN_S = 30.0
"""An agent who has just passed a promise on hears of it no sooner, though nobody else be there."""


class WaiterKind(StrEnum):
    """Who waits: a caller who holds, or a promise to call one back."""

    LIVE = "live"
    PROMISE = "promise"


@dataclass(frozen=True, slots=True)
class Waiter:
    """One place in line. `since` is aware UTC and never changes while the place is held."""

    id: str
    kind: WaiterKind
    queue: str
    since: datetime
    not_before: datetime | None = None
    """A promise is passed over until then; it keeps its place."""
    urgent: bool = False
    passed: int = 0
    """How many times an agent who could have served this waiter, when they could be served, went to a later one."""
    not_for: frozenset[str] = frozenset()
    """The agents, by name, who do not get this waiter now, whatever queues they serve."""
    only_for: str = ""
    """The only agent, by name, who is to have this waiter; "" for everybody. See `as_assigned`."""

    def is_due(self, now: datetime) -> bool:
        """Tell whether this waiter can be served at `now`."""
        return self.not_before is None or self.not_before <= now

    def is_starving(self, max_passes: int = DEFAULT_MAX_PASSES) -> bool:
        """Tell whether nobody who came later may be served before this waiter any more."""
        return self.passed >= max_passes

    def can_go_to(self, agent: Agent) -> bool:
        """Tell whether an agent, free or not, is one for this waiter."""
        is_theirs = not self.only_for or agent.name == self.only_for
        return is_theirs and self.queue in agent.queues and agent.name not in self.not_for

    def came_before(self, other: Waiter) -> bool:
        """Tell who arrived first; of two who came at the same instant one always counts as the first."""
        return (self.since, self.id) < (other.since, other.id)


@dataclass(frozen=True, slots=True)
class PassedOn:
    """An agent left a promise to the others. Times are aware UTC."""

    at: datetime
    until: datetime
    """When they may be asked for it again, whatever the others do."""

    @property
    def asked_again_at(self) -> datetime:
        """When they are asked again if all the others have passed it on too."""
        return min(self.until, self.at + timedelta(seconds=ASK_AGAIN_S))


@dataclass(frozen=True, slots=True)
class Match:
    """This waiter goes to this agent, and these who came earlier are passed by it."""

    waiter: Waiter
    agent: Agent
    passed: tuple[str, ...] = ()
    """The ids of those who came before, could have been served by this agent now, and still wait; in arrival order."""


class DecisionReason(StrEnum):
    """Why this waiter and no other."""

    ARRIVAL = "arrival"
    """Nobody whom the agent could have served came before."""
    URGENT = "urgent"
    STARVING = "starving"
    """Had been passed as often as anybody may be."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One waiter got one agent: what is written down of it. Times are aware UTC."""

    at: datetime
    queue: str
    waiter_id: str
    kind: WaiterKind
    agent: str
    since: datetime
    place: int
    """In the line of the queue, as the waiter would have been told the moment before; 1 is the next."""
    urgent: bool
    starving: bool
    passed: tuple[str, ...]
    due_at: datetime | None = None
    """Not served before then, whatever their place; None: at any time."""

    @classmethod
    def of(cls, pair: Match, now: datetime, *, place: int, max_passes: int) -> Decision:
        """Return what is written down of a pair that is about to be joined."""
        waiter = pair.waiter
        return cls(
            at=now,
            queue=waiter.queue,
            waiter_id=waiter.id,
            kind=waiter.kind,
            agent=pair.agent.name,
            since=waiter.since,
            place=place,
            urgent=waiter.urgent,
            starving=waiter.is_starving(max_passes),
            passed=pair.passed,
            due_at=waiter.not_before,
        )

    @property
    def reason(self) -> DecisionReason:
        """Why this waiter and no other."""
        if not self.passed:
            return DecisionReason.ARRIVAL
        return DecisionReason.STARVING if self.starving else DecisionReason.URGENT


def order(waiters: Iterable[Waiter], max_passes: int = DEFAULT_MAX_PASSES) -> list[Waiter]:
    """Return the line, first to be served first. The order is total: it does not depend on how the line came in.

    First those who were passed `max_passes` times, by arrival; then the urgent ones; then the others by arrival.
    """

    def rank(waiter: Waiter) -> tuple[int, datetime, str]:
        # Among the starving urgency counts no more: an urgent one would pass somebody once too often.
        group = 0 if waiter.is_starving(max_passes) else 1 if waiter.urgent else 2
        return group, waiter.since, waiter.id

    return sorted(waiters, key=rank)


def place_of(waiter_id: str, waiters: Iterable[Waiter], now: datetime, max_passes: int = DEFAULT_MAX_PASSES) -> int:
    """Return the place in the line of the waiter's own queue, 1 for the next. Raises LookupError for a stranger.

    Promises that are not due at `now` are not counted: they are not served before anybody.
    """
    ahead = ahead_of(waiter_id, waiters, now, max_passes)
    mine = ahead.pop().queue
    return 1 + sum(each.queue == mine for each in ahead)


def ahead_of(
    waiter_id: str, waiters: Iterable[Waiter], now: datetime, max_passes: int = DEFAULT_MAX_PASSES
) -> list[Waiter]:
    """Return those of every queue who are due and come before the waiter, in order, and last the waiter themselves.

    Raises LookupError for a stranger.
    """
    ahead: list[Waiter] = []
    for waiter in order(waiters, max_passes):
        if waiter.id == waiter_id:
            return [*ahead, waiter]
        if waiter.is_due(now):
            ahead.append(waiter)
    raise LookupError(f"{waiter_id} is not in line")


def match(
    waiters: Iterable[Waiter], agents: Iterable[Agent], now: datetime, max_passes: int = DEFAULT_MAX_PASSES
) -> list[Match]:
    """Pair waiters with free agents, one after the other: the first in line; of the agents, who has been free longest.

    Each waiter and each agent is in at most one pair; an agent gets only waiters who are for them. Each pair
    counts for those whom it passes before the next is made: nobody who is due is passed more than `max_passes` times.
    """
    free = [agent for agent in agents if agent.is_free]
    waiting = list(waiters)
    matches: list[Match] = []
    while pair := next_match(waiting, free, now, max_passes):
        matches.append(pair)
        free.remove(pair.agent)
        passed = set(pair.passed)
        waiting = [replace(w, passed=w.passed + (w.id in passed)) for w in waiting if w.id != pair.waiter.id]
    return matches


def next_match(
    waiters: Iterable[Waiter], agents: Iterable[Agent], now: datetime, max_passes: int = DEFAULT_MAX_PASSES
) -> Match | None:
    """Return the first pair that `match` would make, or None when there is none."""
    free = sorted((agent for agent in agents if agent.is_free), key=lambda agent: (agent.state_since, agent.name))
    due = [waiter for waiter in waiters if waiter.is_due(now)] if free else []
    for waiter in order(due, max_passes):
        agent = next((candidate for candidate in free if waiter.can_go_to(candidate)), None)
        if agent is not None:
            passed = (each for each in due if each.can_go_to(agent) and each.came_before(waiter))
            return Match(waiter, agent, tuple(each.id for each in sorted(passed, key=lambda w: (w.since, w.id))))
    return None


def as_assigned(waiters: list[Waiter], agents: Iterable[Agent], employs: Callable[[str], bool]) -> list[Waiter]:
    """Return the waiters without the assignments that would have somebody wait for nobody; `agents` are one office's.

    An agent who is not on duty (signed out, in a pause by hand, the phone away) or does not serve the queue keeps
    nobody waiting: everybody may have the waiter then. Back on duty, they alone may again. Of an agent of another
    office nothing is known here but that there is one (`employs`): that office sees to it.
    """
    if not any(waiter.only_for for waiter in waiters):
        return waiters
    staff = {agent.name: agent for agent in agents}

    def counts(waiter: Waiter) -> bool:
        agent = staff.get(waiter.only_for)
        return employs(waiter.only_for) if agent is None else agent.is_on_duty and waiter.queue in agent.queues

    return [replace(each, only_for="") if each.only_for and not counts(each) else each for each in waiters]


def not_asked(passed_on: Mapping[str, PassedOn], on_duty: Iterable[str], now: datetime) -> frozenset[str]:
    """Return the agents who are not asked for a promise that these, by name, left to the others.

    Where everybody on duty has, whoever did so first is asked again after a while: it is not kept from all of them.
    """
    resting = {name: each for name, each in passed_on.items() if each.until > now}
    there = set(on_duty)
    if there and there <= resting.keys():
        first = min(there, key=lambda name: (resting[name].at, name))
        if resting[first].asked_again_at <= now:
            del resting[first]
    return frozenset(resting)
