"""The line (待ち行列): the one ordered list of all who wait for a queue, live callers and promises together.

Whoever came first is served first, on the phone or not: a promise keeps the instant at which its caller arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.domain.agents import Agent


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

    def is_due(self, now: datetime) -> bool:
        """Tell whether this waiter can be served at `now`."""
        return self.not_before is None or self.not_before <= now


@dataclass(frozen=True, slots=True)
class Match:
    """This waiter goes to this agent."""

    waiter: Waiter
    agent: Agent


def order(waiters: Iterable[Waiter]) -> list[Waiter]:
    """Return the line, first to be served first: by arrival, then by id so that the order is total."""
    return sorted(waiters, key=lambda waiter: (waiter.since, waiter.id))


def place_of(waiter_id: str, waiters: Iterable[Waiter]) -> int:
    """Return the place in line, 1 for the next to be served. Raises LookupError for a stranger."""
    for place, waiter in enumerate(order(waiters), start=1):
        if waiter.id == waiter_id:
            return place
    raise LookupError(f"{waiter_id} is not in line")


def match(waiters: Iterable[Waiter], agents: Iterable[Agent], now: datetime) -> list[Match]:
    """Pair waiters with free agents: first come, first served; of the agents, who has been free longest.

    Each waiter and each agent is in at most one pair; an agent gets only waiters of the queues they serve.
    """
    free = sorted((agent for agent in agents if agent.is_free), key=lambda agent: (agent.state_since, agent.name))
    matches: list[Match] = []
    for waiter in order(waiters):
        if not free:
            break
        if not waiter.is_due(now):
            continue
        agent = next((candidate for candidate in free if waiter.queue in candidate.queues), None)
        if agent is not None:
            free.remove(agent)
            matches.append(Match(waiter, agent))
    return matches


def next_due_at(waiters: Iterable[Waiter], now: datetime) -> datetime | None:
    """Return when the next waiter that is not yet due becomes due, or None when there is none."""
    return min((w.not_before for w in waiters if w.not_before is not None and w.not_before > now), default=None)
