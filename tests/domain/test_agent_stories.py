"""What must hold whatever happens to an agent in which order: phones, calls, wishes, rests, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.domain.agents import (
    BUSY,
    PAUSE_REASONS,
    Agent,
    AgentEvent,
    AgentState,
    Duty,
    RefusedAgentEventError,
)

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
NOBODY_YET = Agent("alice", "agent-1", frozenset({"cards"}), AgentState.SIGNED_OUT, NOON)


class OneAgent(RuleBasedStateMachine):
    """One agent through phones, calls and wishes in any order, beside a plain account of what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.one = NOBODY_YET
        self.signed_in = True
        self.paused_for: str | None = None
        self.owes_wrap_up = False

    def apply(self, event: AgentEvent, reason: str | None = None) -> bool:
        """Let an event happen; False when it was refused."""
        self.now += timedelta(seconds=1)
        try:
            self.one = self.one.after(event, self.now, reason=reason)
        except RefusedAgentEventError:
            return False
        return True

    @rule(registered=st.booleans(), idle=st.booleans())
    def phone_reports(self, registered: bool, idle: bool) -> None:
        """Let the phone say how it is."""
        self.now += timedelta(seconds=1)
        self.one = self.one.with_phone(registered=registered, idle=idle, now=self.now)
        assert self.one.phone_registered is registered

    @rule(event=st.sampled_from([AgentEvent.RESERVE, AgentEvent.RELEASE, AgentEvent.RING, AgentEvent.ANSWER]))
    def a_call_goes_on(self, event: AgentEvent) -> None:
        """Take a step of a call that ends no rest."""
        free = self.one.state is AgentState.AVAILABLE
        assert not (self.apply(event) and event is AgentEvent.RESERVE and not free)

    @rule()
    def somebody_hangs_up(self) -> None:
        """Owe a wrap-up from here on, whatever else the agent wants."""
        self.owes_wrap_up = self.apply(AgentEvent.HANG_UP) or self.owes_wrap_up

    @rule()
    def the_call_is_missed(self) -> None:
        """Paused for a while."""
        if self.apply(AgentEvent.MISS):
            assert self.one.state in {AgentState.PAUSED, AgentState.SIGNED_OUT}

    @rule()
    def the_rest_is_over(self) -> None:
        """Run out the timer of the rest that is on; without one there is none."""
        if self.one.rest is not None and self.apply(AgentEvent.REST_OVER):
            self.owes_wrap_up = False

    @rule()
    def the_agent_ends_the_wrap_up(self) -> None:
        """Allow it only while they are in one."""
        was = self.one.state
        if self.apply(AgentEvent.END_WRAP_UP):
            assert was is AgentState.WRAP_UP
            self.owes_wrap_up = False

    @rule()
    def the_agent_signs_in(self) -> None:
        """Never refused; afterwards no pause is left."""
        assert self.apply(AgentEvent.SIGN_IN)
        self.signed_in, self.paused_for = True, None

    @rule()
    def the_agent_signs_out(self) -> None:
        """Never refused."""
        assert self.apply(AgentEvent.SIGN_OUT)
        self.signed_in, self.paused_for = False, None

    @rule(reason=st.sampled_from(list(PAUSE_REASONS.values())))
    def the_agent_pauses(self, reason: str) -> None:
        """Refused to somebody who is signed out, and to nobody else."""
        assert self.apply(AgentEvent.PAUSE, reason) is self.signed_in
        self.paused_for = reason if self.signed_in else None

    @rule()
    def the_agent_ends_the_pause(self) -> None:
        """Refused, too, to somebody who is signed out, and to nobody else."""
        assert self.apply(AgentEvent.UNPAUSE) is self.signed_in
        self.paused_for = None

    @precondition(lambda self: self.one.state not in BUSY)
    @rule()
    def the_controller_restarts(self) -> None:
        """Keep the duty and nothing else; the phone reports itself later."""
        self.one = NOBODY_YET.with_duty(self.one.duty, self.now)
        self.owes_wrap_up = False

    @invariant()
    def available_means_wanting_calls_with_a_phone_and_nothing_left_to_do(self) -> None:
        """Never without duty, without a phone, while paused, or before the wrap-up is over or ended by hand."""
        if self.one.state is AgentState.AVAILABLE:
            assert self.one.phone_registered
            assert self.signed_in
            assert self.paused_for is None
            assert not self.owes_wrap_up

    @invariant()
    def the_duty_is_what_was_said_last(self) -> None:
        """Whatever calls and phones did meanwhile."""
        assert self.one.duty == Duty(self.signed_in, self.paused_for)
        assert self.one.is_on_duty is (
            self.signed_in and self.paused_for is None and self.one.state is not AgentState.SIGNED_OUT
        )

    @invariant()
    def who_is_not_busy_is_where_duty_phone_and_rest_put_them(self) -> None:
        """Keep state and facts together."""
        if self.one.state in BUSY:
            return
        if not (self.signed_in and self.one.phone_registered):
            assert self.one.state is AgentState.SIGNED_OUT
        elif self.paused_for is not None:
            assert self.one.state is AgentState.PAUSED
        elif self.owes_wrap_up:
            assert self.one.state is AgentState.WRAP_UP
        else:
            assert self.one.state in {AgentState.AVAILABLE, AgentState.PAUSED}


test_whatever_happens_nobody_is_available_who_should_not_be = OneAgent.TestCase
