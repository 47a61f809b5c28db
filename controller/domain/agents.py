"""The agents (オペレーター): one state each, moved by a table.

Two things must agree before an agent is rung: our own state (available) and the phone's (registered, not in use).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class AgentState(StrEnum):
    """What an agent is doing, in the words of the field."""

    SIGNED_OUT = "signed_out"
    AVAILABLE = "available"
    RESERVED = "reserved"
    """Chosen for a caller or a promise; the phone does not ring yet."""
    RINGING = "ringing"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    """後処理: after a call, before the next."""
    PAUSED = "paused"
    """Not rung for a while, because the phone rang and nobody took it."""


class AgentEvent(StrEnum):
    """What can happen to an agent."""

    SIGN_IN = "sign_in"
    """The phone registered."""
    SIGN_OUT = "sign_out"
    """The phone is gone."""
    RESERVE = "reserve"
    RELEASE = "release"
    """The reservation was not needed after all."""
    RING = "ring"
    MISS = "miss"
    """Rung, and not answered."""
    ANSWER = "answer"
    HANG_UP = "hang_up"
    REST_OVER = "rest_over"
    """The wrap-up or the pause is over."""


TABLE: dict[tuple[AgentState, AgentEvent], AgentState] = {
    (AgentState.SIGNED_OUT, AgentEvent.SIGN_IN): AgentState.AVAILABLE,
    (AgentState.AVAILABLE, AgentEvent.SIGN_OUT): AgentState.SIGNED_OUT,
    (AgentState.AVAILABLE, AgentEvent.RESERVE): AgentState.RESERVED,
    (AgentState.RESERVED, AgentEvent.RELEASE): AgentState.AVAILABLE,
    (AgentState.RESERVED, AgentEvent.RING): AgentState.RINGING,
    (AgentState.RINGING, AgentEvent.RELEASE): AgentState.AVAILABLE,
    (AgentState.RINGING, AgentEvent.MISS): AgentState.PAUSED,
    (AgentState.RINGING, AgentEvent.ANSWER): AgentState.ON_CALL,
    (AgentState.ON_CALL, AgentEvent.HANG_UP): AgentState.WRAP_UP,
    (AgentState.WRAP_UP, AgentEvent.REST_OVER): AgentState.AVAILABLE,
    (AgentState.PAUSED, AgentEvent.REST_OVER): AgentState.AVAILABLE,
    (AgentState.WRAP_UP, AgentEvent.SIGN_OUT): AgentState.SIGNED_OUT,
    (AgentState.PAUSED, AgentEvent.SIGN_OUT): AgentState.SIGNED_OUT,
}

_PHONE_EVENTS = frozenset({AgentEvent.SIGN_IN, AgentEvent.SIGN_OUT})


class RefusedAgentEventError(Exception):
    """The event does not fit the agent's state; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. `state_since` is aware UTC."""

    name: str
    endpoint: str
    """The PJSIP endpoint of the phone."""
    queues: frozenset[str]
    state: AgentState
    state_since: datetime
    phone_registered: bool = False
    phone_idle: bool = False

    @property
    def is_free(self) -> bool:
        """Tell whether the agent can be reserved: our state and the phone's agree."""
        return self.state is AgentState.AVAILABLE and self.phone_registered and self.phone_idle

    def with_phone(self, *, registered: bool, idle: bool, now: datetime) -> Agent:
        """Return the agent after the phone reported itself; signs in or out where that follows."""
        seen = replace(self, phone_registered=registered, phone_idle=idle)
        event = AgentEvent.SIGN_IN if registered else AgentEvent.SIGN_OUT
        return seen.after(event, now) if (seen.state, event) in TABLE else seen

    def after(self, event: AgentEvent, now: datetime) -> Agent:
        """Return the agent after `event`. Raises RefusedAgentEventError when it does not fit the state."""
        state = TABLE.get((self.state, event))
        if state is None:
            raise RefusedAgentEventError(f"agent {self.name} is {self.state}; {event} does not apply")
        # A phone that vanished during the call is found out here: nobody is available without a phone.
        if state is AgentState.AVAILABLE and event not in _PHONE_EVENTS and not self.phone_registered:
            state = AgentState.SIGNED_OUT
        return replace(self, state=state, state_since=now)
