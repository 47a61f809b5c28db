"""What the database knows of a call, an SMS or an agent of whom other systems are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the record says of an incoming call, after the step that is told. Times are aware UTC."""

    id: str
    dialled: str
    number: str | None
    arrived_at: datetime
    pbx: str
    queue: str | None = None
    was_closed: bool = False
    joined_at: datetime | None = None
    agent: str | None = None
    answered_at: datetime | None = None
    ending: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SmsFacts:
    """What the outbox says of an SMS that does not change."""

    id: int
    queue: str
    template: str
    number: str
    promise_id: str | None
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """A state that an agent has begun to be in."""

    agent: str
    state: str
    since: datetime
    pbx: str
    reason: str = ""
    queue: str = ""
    waiter_id: str = ""
