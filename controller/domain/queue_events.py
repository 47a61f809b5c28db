"""What happens to callers and agents of a queue, for Asterisk's queue_log: the log that call centres' reports read.

Names and fields are those of Asterisk's own app_queue (Asterisk documentation, "Queue Logs"). Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState

if TYPE_CHECKING:
    from controller.domain.agents import Agent

MISSED_CALL = "Auto-Pause"
"""The reason that app_queue writes when it pauses an agent who did not answer (apps/app_queue.c, `autopause`)."""


@dataclass(frozen=True, slots=True)
class Entered:
    """ENTERQUEUE: a caller joined the line."""

    call_id: str
    queue: str
    number: str | None
    place: int


@dataclass(frozen=True, slots=True)
class RangOut:
    """RINGNOANSWER: an agent's phone rang for the caller and nobody took it."""

    call_id: str
    queue: str
    agent: str
    ring_s: float


@dataclass(frozen=True, slots=True)
class Connected:
    """CONNECT: caller and agent hear each other."""

    call_id: str
    queue: str
    agent: str
    hold_s: float
    """From joining the line to the agent."""
    agent_call_id: str
    ring_s: float


@dataclass(frozen=True, slots=True)
class Completed:
    """COMPLETEAGENT or COMPLETECALLER: the talk is over; named after who hung up."""

    call_id: str
    queue: str
    agent: str
    hold_s: float
    talk_s: float
    first_place: int
    by_agent: bool


@dataclass(frozen=True, slots=True)
class Abandoned:
    """ABANDON (放棄呼): the caller hung up in line."""

    call_id: str
    queue: str
    place: int
    first_place: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class LeftWithKey:
    """EXITWITHKEY: the caller pressed a key and left the line, for a promise."""

    call_id: str
    queue: str
    key: str
    place: int
    first_place: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class LeftAfterMaxWait:
    """EXITWITHTIMEOUT: the queue's longest wait was over."""

    call_id: str
    queue: str
    place: int
    first_place: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class LeftEmptyQueue:
    """EXITEMPTY: the last agent left while the caller waited."""

    call_id: str
    queue: str
    place: int
    first_place: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class AgentAdded:
    """ADDMEMBER: an agent signed in."""

    queue: str
    agent: str


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """REMOVEMEMBER: an agent signed out."""

    queue: str
    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    """PAUSE: an agent takes no calls for a while."""

    queue: str
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentUnpaused:
    """UNPAUSE: an agent takes calls again."""

    queue: str
    agent: str


QueueEvent = (
    Entered
    | RangOut
    | Connected
    | Completed
    | Abandoned
    | LeftWithKey
    | LeftAfterMaxWait
    | LeftEmptyQueue
    | AgentAdded
    | AgentRemoved
    | AgentPaused
    | AgentUnpaused
)


def agent_events(before: Agent, after: Agent) -> list[QueueEvent]:
    """Return what an agent's change means for the reports: for each of the agent's queues, by name."""
    return [event for queue in sorted(after.queues) for event in _agent_events(before, after, queue)]


def _agent_events(before: Agent, after: Agent, queue: str) -> list[QueueEvent]:
    if not _is_member(after):
        return [AgentRemoved(queue, after.name)] if _is_member(before) else []
    added: list[QueueEvent] = [] if _is_member(before) else [AgentAdded(queue, after.name)]
    # Who was removed while paused is not paused when they come back.
    was, reason = (None if added else _pause(before)), _pause(after)
    if reason == was:
        return added
    return [*added, AgentUnpaused(queue, after.name) if reason is None else AgentPaused(queue, after.name, reason)]


def _is_member(agent: Agent) -> bool:
    # By hand it counts at once, as it does in app_queue: an agent who signs out during a call is a member no more.
    return agent.signed_in and agent.state is not AgentState.SIGNED_OUT


def _pause(agent: Agent) -> str | None:
    if agent.pause_reason is not None:
        return agent.pause_reason
    return MISSED_CALL if agent.state is AgentState.PAUSED else None
