"""The agents (オペレーター): one state each, moved by a table.

Two things must agree before an agent is rung: our own state (available) and the phone's (registered, not in use).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

PAUSE_REASONS = {"1": "break", "2": "lunch", "3": "meeting", "4": "training"}
"""Why an agent takes a pause by hand, by the key that says so: the words of the reports."""


class AgentState(StrEnum):
    """What an agent is doing, in the words of the field."""

    SIGNED_OUT = "signed_out"
    """By hand, or because the phone is not there."""
    AVAILABLE = "available"
    RESERVED = "reserved"
    """Chosen for a caller or a promise; the phone does not ring yet."""
    RINGING = "ringing"
    ON_CALL = "on_call"
    WRAP_UP = "wrap_up"
    """後処理: after a call, before the next."""
    PAUSED = "paused"
    """離席: not rung, by hand (with a reason), or for a while because the phone rang and nobody took it."""


BUSY = frozenset({AgentState.RESERVED, AgentState.RINGING, AgentState.ON_CALL})
"""Set aside for somebody: what the agent asks for meanwhile takes effect afterwards."""


class AgentEvent(StrEnum):
    """What can happen to an agent."""

    PHONE_CAME = "phone_came"
    """The phone registered."""
    PHONE_WENT = "phone_went"
    SIGN_IN = "sign_in"
    """By hand; ends a pause too."""
    SIGN_OUT = "sign_out"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    """Ends a pause, also one that a missed call began."""
    END_WRAP_UP = "end_wrap_up"
    """By hand: ready before the wrap-up is over."""
    RESERVE = "reserve"
    RELEASE = "release"
    """The reservation was not needed after all."""
    RING = "ring"
    MISS = "miss"
    """Rung, and not answered."""
    ANSWER = "answer"
    HANG_UP = "hang_up"
    REST_OVER = "rest_over"
    """The time of the wrap-up, or of the pause after a missed call, is over."""


_Table = dict[tuple[AgentState, AgentEvent], AgentState]

_WHATEVER_THE_STATE: _Table = {
    **{(state, AgentEvent.SIGN_OUT): AgentState.SIGNED_OUT for state in AgentState},
    **{(state, AgentEvent.PAUSE): AgentState.PAUSED for state in AgentState},
    **{(state, event): state for state in AgentState for event in (AgentEvent.SIGN_IN, AgentEvent.UNPAUSE)},
    # Who is busy stays so: the call, or the ringing, comes to its end first.
    **{(state, event): state for state in BUSY for event in (AgentEvent.SIGN_OUT, AgentEvent.PAUSE)},
    # A pause is kept for later while the phone is not there.
    (AgentState.SIGNED_OUT, AgentEvent.PAUSE): AgentState.SIGNED_OUT,
    (AgentState.SIGNED_OUT, AgentEvent.SIGN_IN): AgentState.AVAILABLE,
    (AgentState.PAUSED, AgentEvent.SIGN_IN): AgentState.AVAILABLE,
    (AgentState.PAUSED, AgentEvent.UNPAUSE): AgentState.AVAILABLE,
}

TABLE: _Table = {
    **_WHATEVER_THE_STATE,
    (AgentState.SIGNED_OUT, AgentEvent.PHONE_CAME): AgentState.AVAILABLE,
    (AgentState.AVAILABLE, AgentEvent.PHONE_WENT): AgentState.SIGNED_OUT,
    (AgentState.WRAP_UP, AgentEvent.PHONE_WENT): AgentState.SIGNED_OUT,
    (AgentState.PAUSED, AgentEvent.PHONE_WENT): AgentState.SIGNED_OUT,
    (AgentState.AVAILABLE, AgentEvent.RESERVE): AgentState.RESERVED,
    (AgentState.RESERVED, AgentEvent.RELEASE): AgentState.AVAILABLE,
    (AgentState.RESERVED, AgentEvent.RING): AgentState.RINGING,
    (AgentState.RINGING, AgentEvent.RELEASE): AgentState.AVAILABLE,
    (AgentState.RINGING, AgentEvent.MISS): AgentState.PAUSED,
    (AgentState.RINGING, AgentEvent.ANSWER): AgentState.ON_CALL,
    (AgentState.ON_CALL, AgentEvent.HANG_UP): AgentState.WRAP_UP,
    (AgentState.WRAP_UP, AgentEvent.END_WRAP_UP): AgentState.AVAILABLE,
    (AgentState.WRAP_UP, AgentEvent.REST_OVER): AgentState.AVAILABLE,
    (AgentState.PAUSED, AgentEvent.REST_OVER): AgentState.AVAILABLE,
    (AgentState.SIGNED_OUT, AgentEvent.REST_OVER): AgentState.SIGNED_OUT,
}
"""Where an event leads an agent who is signed in, takes no pause, and has a phone that is there. For others a state
that is not busy gives way to what their duty, phone and rest allow: see `Agent.after`."""

_ONLY_SIGNED_IN = frozenset({AgentEvent.PAUSE, AgentEvent.UNPAUSE})
_EXPLAIN_A_MISSED_CALL = frozenset(
    {AgentEvent.SIGN_IN, AgentEvent.SIGN_OUT, AgentEvent.PAUSE, AgentEvent.UNPAUSE, AgentEvent.PHONE_WENT}
)
"""The agent is at the desk after all, or the phone was not there: the pause after a missed call has no more use."""


class RefusedAgentEventError(Exception):
    """The event does not fit the agent's state; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Duty:
    """What an agent has said of themselves. It outlives calls, phones and processes."""

    signed_in: bool
    pause_reason: str | None = None


class RestKind(StrEnum):
    """What an agent rests from, until a time is over."""

    WRAP_UP = "wrap_up"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Rest:
    """A rest that has begun. Equal to itself alone, so that the end of an earlier one does not end it."""

    kind: RestKind
    since: datetime
    """Aware UTC."""


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
    pause_reason: str | None = None
    """Why the agent took a pause by hand; None when they did not."""
    signed_in: bool = True
    """Whether the agent wants calls; False after signing out by hand, and before the first sign-in where one is due."""
    rest: Rest | None = None
    """A wrap-up or a missed call's pause whose time is not over yet; it goes on while the phone is away."""

    @property
    def duty(self) -> Duty:
        """What has to be kept of the agent."""
        return Duty(self.signed_in, self.pause_reason)

    @property
    def is_on_duty(self) -> bool:
        """Tell whether the agent serves callers, now or after what keeps them busy: signed in, no pause by hand."""
        return self.signed_in and self.state is not AgentState.SIGNED_OUT and self.pause_reason is None

    @property
    def is_free(self) -> bool:
        """Tell whether the agent can be reserved: our state and the phone's agree."""
        return self.state is AgentState.AVAILABLE and self.phone_registered and self.phone_idle

    def with_phone(self, *, registered: bool, idle: bool, now: datetime) -> Agent:
        """Return the agent after the phone reported itself: with it they come, or go."""
        seen = replace(self, phone_registered=registered, phone_idle=idle)
        event = AgentEvent.PHONE_CAME if registered else AgentEvent.PHONE_WENT
        return seen.after(event, now) if (seen.state, event) in TABLE else seen

    def with_duty(self, duty: Duty, now: datetime) -> Agent:
        """Return the agent with a duty that was kept from before."""
        changed = replace(self, signed_in=duty.signed_in, pause_reason=duty.pause_reason)
        return _landed(self, changed, self.state, now)

    def after(self, event: AgentEvent, now: datetime, *, reason: str | None = None) -> Agent:
        """Return the agent after `event`; `reason` is that of a pause.

        Raises RefusedAgentEventError when it does not fit the state, or the agent is not signed in and it needs that.
        """
        state = TABLE.get((self.state, event))
        if state is None or (event in _ONLY_SIGNED_IN and not self.signed_in):
            raise RefusedAgentEventError(f"agent {self.name} is {self.state}; {event} does not apply")
        changed = replace(_explained(self, event), **_facts(event, now, reason))
        return _landed(self, changed, state, now)


def _explained(agent: Agent, event: AgentEvent) -> Agent:
    """Return the agent without a missed call's pause, where the event shows why the call was missed."""
    is_missed = agent.rest is not None and agent.rest.kind is RestKind.MISSED
    return replace(agent, rest=None) if is_missed and event in _EXPLAIN_A_MISSED_CALL else agent


def _facts(event: AgentEvent, now: datetime, reason: str | None) -> dict[str, Any]:
    """Return what an event changes beside the state."""
    match event:
        case AgentEvent.PHONE_CAME:
            return {"phone_registered": True}
        case AgentEvent.PHONE_WENT:
            return {"phone_registered": False, "phone_idle": False}
        case AgentEvent.SIGN_IN | AgentEvent.SIGN_OUT:
            return {"signed_in": event is AgentEvent.SIGN_IN, "pause_reason": None}
        case AgentEvent.PAUSE | AgentEvent.UNPAUSE:
            return {"pause_reason": reason or "" if event is AgentEvent.PAUSE else None}
        case AgentEvent.HANG_UP | AgentEvent.MISS:
            return {"rest": Rest(RestKind.WRAP_UP if event is AgentEvent.HANG_UP else RestKind.MISSED, now)}
        case AgentEvent.REST_OVER | AgentEvent.END_WRAP_UP:
            return {"rest": None}
        case _:
            return {}


def _landed(before: Agent, changed: Agent, state: AgentState, now: datetime) -> Agent:
    """Return `changed` in `state` when that is busy, else in the one that duty, phone and rest allow."""
    if state not in BUSY:
        state = _allowed(changed)
    # Who has been free longest is rung first, so time in a state is not lost to news that does not change it.
    is_same = state is before.state and changed.pause_reason == before.pause_reason
    return replace(changed, state=state, state_since=before.state_since if is_same else now)


def _allowed(agent: Agent) -> AgentState:
    """Return the state of an agent who is not busy."""
    if not (agent.signed_in and agent.phone_registered):
        return AgentState.SIGNED_OUT
    if agent.pause_reason is not None:
        return AgentState.PAUSED
    if agent.rest is not None:
        return AgentState.WRAP_UP if agent.rest.kind is RestKind.WRAP_UP else AgentState.PAUSED
    return AgentState.AVAILABLE
