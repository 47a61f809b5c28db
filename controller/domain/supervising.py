"""What a supervisor changes of a promise that waits: who goes first, who is to have it, which queue keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Prioritised:
    """It goes ahead of those who are not urgent, or no longer does. Its place by arrival stays."""

    urgent: bool


@dataclass(frozen=True, slots=True)
class Assigned:
    """One agent alone is to have it, for as long as they are on duty."""

    agent: str
    """By name; "" for everybody again."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Another queue keeps it, in the place that it had."""

    queue: str
    slot_capacity: int | None = 0
    """How many promises fit into one window there; None: any number; 0: that queue has no windows."""


Supervised = Prioritised | Assigned | Moved


def supervised(promise: Promise, event: Supervised) -> Promise:
    """Return a promise that waits as a supervisor wants it.

    A move ends an assignment: the agent need not serve the other queue. A window goes along where the other queue has
    windows; where it has none the customer is still not called before it begins, and nobody else could have had it.
    """
    match event:
        case Prioritised(urgent=urgent):
            return replace(promise, urgent=urgent)
        case Assigned(agent=agent):
            return replace(promise, assigned_to=agent)
        case Moved(queue=queue, slot_capacity=capacity):
            slot = None if capacity == 0 else promise.slot
            return replace(promise, queue=queue, assigned_to="", slot=slot)
