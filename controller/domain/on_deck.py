"""Customer first: when to dial a customer so that an agent is free by the time they have answered and confirmed.

A customer who confirmed and finds nobody is the worst of all calls. So a dial starts only when it is as good as
certain that an agent comes for it, after everybody who has an older claim to one. Whoever is being dialled keeps their
place in line: an agent who becomes free for it is kept for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import IntEnum
from math import ceil, erf, fsum, log, log1p, sqrt
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.handle_times import ENOUGH, HandleTimes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from controller.domain.agents import Agent

SURE = 0.95
"""The chance of an agent in time with which a customer is dialled."""
GRACE_S = 8.0
"""An agent who comes so long after the customer has confirmed comes in time: about a ring and two sentences."""
PRIOR_REACH_S = 20.0
"""How long a customer takes to answer, hear who calls and press the key, until that was measured."""
CAUTIOUS_SHARE, FALLBACK_SHARE = 0.01, 0.03
"""Abandoned, of those who confirmed. Above the first only an agent who is free counts, above the second agents are
rung first. The second is that of 16 CFR 310.4, taken as an alarm."""
JUDGED = 200
"""How many customers who confirmed are looked back on."""
AT_LEAST = 100
"""Counted as so many where there were fewer: one bad call at nine in the morning is no share."""
KEPT_DIALS = 50
PRIOR_DIALS = 4
LOOK_AHEAD_S = (1, 2, 3, 5, 8, 13, 21, 34, 60)
"""How far ahead the next moment to dial is looked for. In between and beyond, whatever changes makes it looked for
again."""
PRECISION_S = 0.5
NEVER = 1e-9
"""A chance that is none: below it arithmetic has no digits left."""


class Pace(IntEnum):
    """How bold a queue dials."""

    AHEAD = 0
    """Before an agent is free."""
    WHEN_FREE = 1
    """When an agent is free, who is kept for the customer."""
    AGENT_FIRST = 2
    """The agent is rung first, as in other queues."""


@dataclass(frozen=True, slots=True)
class DeckRecord:
    """What was measured of one queue's dials, customer first or not; oldest first."""

    reach: HandleTimes = field(default_factory=lambda: HandleTimes(prior_mean_s=PRIOR_REACH_S))
    """From the call to the key, of those who pressed it."""
    confirmed: tuple[bool, ...] = ()
    """Of the last dials: whether the customer pressed the key."""
    abandoned: tuple[bool, ...] = ()
    """Of the last customers who confirmed: whether they found nobody."""

    def note(self, *, reach_s: float | None, abandoned: bool = False) -> DeckRecord:
        """Return the record after one more dial; `reach_s` None: the customer did not confirm."""
        confirmed = (*self.confirmed, reach_s is not None)[-KEPT_DIALS:]
        if reach_s is None:
            return DeckRecord(self.reach, confirmed, self.abandoned)
        return DeckRecord(self.reach.note(max(0.0, reach_s)), confirmed, (*self.abandoned, abandoned)[-JUDGED:])

    @property
    def abandoned_share(self) -> float:
        """How many of those who confirmed found nobody, from 0 to 1."""
        return sum(self.abandoned) / max(AT_LEAST, len(self.abandoned))

    @property
    def confirmed_share(self) -> float:
        """How many of the dials reach somebody who confirms. Taken for 1 until it was measured: too few are dialled."""
        return (sum(self.confirmed) + PRIOR_DIALS) / (len(self.confirmed) + PRIOR_DIALS)

    @property
    def pace(self) -> Pace:
        """How bold the next dials are to be."""
        if self.abandoned_share > FALLBACK_SHARE:
            return Pace.AGENT_FIRST
        return Pace.WHEN_FREE if self.abandoned_share > CAUTIOUS_SHARE else Pace.AHEAD


@dataclass(frozen=True, slots=True)
class Deck:
    """Who waits for an agent of a queue before the customer who would be dialled next, and who the agents are."""

    agents: Sequence[Agent]
    """All that serve the queue, whatever they are doing."""
    ahead: float
    """Whoever gets an agent before that customer: callers, customers who have confirmed already, promises of queues
    where the agent is first. Who waits for another queue counts by the share of its agents who serve this one."""
    on_the_way: int
    """Customers of the queue who are being dialled and have no agent yet."""
    wrap_up_s: float


def chance(deck: Deck, record: DeckRecord, handle: HandleTimes, now: datetime) -> float:
    """Return how likely it is that one more customer, dialled at `now` (aware), finds an agent in time: from 0 to 1.

    0 until enough calls were measured, as nobody is dialled ahead on an assumption; and where it is unlikely anyhow.
    """
    if len(handle.recent_s) < ENOUGH:
        return 0.0
    wanted = ceil(deck.ahead - NEVER) + 1
    by_then_s = record.reach.mean_s + GRACE_S
    lengths = Lengths.of(handle)
    by_then = [free_within(agent, by_then_s, deck.wrap_up_s, lengths, now) for agent in deck.agents]
    if fsum(by_then) < wanted + deck.on_the_way * record.confirmed_share - 1:
        return 0.0  # Far from it; a long line need not be counted through.
    there = _at_least(by_then, wanted + deck.on_the_way)
    others = _counts([record.confirmed_share] * deck.on_the_way, deck.on_the_way)
    return sum(share * there[wanted + confirmed] for confirmed, share in enumerate(others))


def is_time(deck: Deck, record: DeckRecord, handle: HandleTimes, now: datetime) -> bool:
    """Tell whether one more customer may be dialled before an agent is free."""
    return record.pace is Pace.AHEAD and chance(deck, record, handle, now) >= SURE


def dials_now(deck: Deck, record: DeckRecord, handle: HandleTimes, now: datetime, *, at_most: int) -> int:
    """Return how many customers to dial at `now`, one behind the other in line, `at_most` so many."""
    for more in range(at_most):
        further = replace(deck, on_the_way=deck.on_the_way + more)
        if not is_time(further, record, handle, now):
            return more
    return at_most


def next_time(deck: Deck, record: DeckRecord, handle: HandleTimes, now: datetime) -> datetime | None:
    """Return when it will be time to dial one more customer if nothing happens until then; None: not within a minute.

    Not sooner than now: calls in progress come nearer to their end by themselves.
    """
    if record.pace is not Pace.AHEAD:
        return None
    too_soon_s = 0.0
    for after_s in LOOK_AHEAD_S:
        if chance(deck, record, handle, now + timedelta(seconds=after_s)) >= SURE:
            soon_enough_s = float(after_s)
            while soon_enough_s - too_soon_s > PRECISION_S:
                middle_s = (soon_enough_s + too_soon_s) / 2
                if chance(deck, record, handle, now + timedelta(seconds=middle_s)) >= SURE:
                    soon_enough_s = middle_s
                else:
                    too_soon_s = middle_s
            return now + timedelta(seconds=soon_enough_s)
        too_soon_s = after_s
    return None


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long calls are, wrap-up included: log-normal, with the mean and the spread that were measured."""

    middle: float
    spread: float

    @classmethod
    def of(cls, handle: HandleTimes) -> Lengths:
        """Return the distribution that fits."""
        spread2 = log1p(handle.cv**2)
        return cls(log(max(handle.mean_s, NEVER)) - spread2 / 2, sqrt(max(spread2, NEVER)))

    def shorter(self, than_s: float) -> float:
        """Return the share of calls that are shorter."""
        return (1 + erf((log(than_s) - self.middle) / (self.spread * sqrt(2)))) / 2 if than_s > 0 else 0.0

    def end_between(self, longer_s: float, until_s: float) -> float:
        """Return how likely a call that takes longer than `longer_s` takes `until_s` at most."""
        rest = 1 - self.shorter(longer_s)
        return 0.0 if until_s <= longer_s or rest < NEVER else 1 - (1 - self.shorter(until_s)) / rest


def free_within(agent: Agent, within_s: float, wrap_up_s: float, lengths: Lengths, now: datetime) -> float:
    """Return how likely an agent is free for a next call within so many seconds from `now` on."""
    if not agent.is_on_duty:
        return 0.0
    since_s = max(0.0, (now - agent.state_since).total_seconds())
    match agent.state:
        case AgentState.AVAILABLE:
            return float(agent.is_free)
        case AgentState.WRAP_UP:
            return float(since_s + within_s >= wrap_up_s)
        case AgentState.ON_CALL:
            # Still talking, so the whole will have taken the wrap-up more than this.
            return lengths.end_between(since_s + wrap_up_s, since_s + within_s)
        case _:
            return 0.0


def _at_least(chances: Iterable[float], most: int) -> list[float]:
    """Return the chance that at least 0, 1, ... `most` of these come true."""
    exactly = _counts(chances, most)
    return [1.0, *(max(0.0, 1 - sum(exactly[:count])) for count in range(1, most + 1))]


def _counts(chances: Iterable[float], most: int) -> list[float]:
    """Return the chance that exactly 0, 1, ... `most` of these come true (Poisson binomial)."""
    counts = [1.0] + [0.0] * most
    for each in chances:
        if each > 0:
            for count in range(most, 0, -1):
                counts[count] += each * (counts[count - 1] - counts[count])
            counts[0] *= 1 - each
    return counts
