"""The agents: one table, walked as a whole, and the rule that nobody is free without a phone that can ring."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import TABLE, Agent, AgentEvent, AgentState, RefusedAgentEventError

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

phone_reports = st.tuples(st.booleans(), st.booleans())
happenings = st.lists(st.sampled_from(AgentEvent) | phone_reports, max_size=40)


def agent(state: AgentState, *, registered: bool = True, idle: bool = True) -> Agent:
    """Return an agent in a state, by default with a phone that can ring."""
    return Agent("alice", "agent-1", frozenset({"cards"}), state, NOON, phone_registered=registered, phone_idle=idle)


@pytest.mark.parametrize("event", AgentEvent)
@pytest.mark.parametrize("state", AgentState)
def test_every_pair_of_state_and_event_is_in_the_table_or_refused(state: AgentState, event: AgentEvent) -> None:
    """There is no third way, and the time of the change is kept."""
    if (state, event) in TABLE:
        moved = agent(state).after(event, LATER)
        assert (moved.state, moved.state_since) == (TABLE[state, event], LATER)
        return
    with pytest.raises(RefusedAgentEventError, match=f"agent alice is {state}; {event} does not apply"):
        agent(state).after(event, LATER)


def test_every_state_is_reached_and_left_by_the_table() -> None:
    """Nobody can be stuck for ever, and no state is a dead letter."""
    assert {state for state, _ in TABLE} == set(AgentState)
    assert set(TABLE.values()) == set(AgentState)


@pytest.mark.parametrize("state", AgentState)
@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize("idle", [True, False])
def test_only_an_available_agent_with_a_registered_idle_phone_is_free(
    state: AgentState, *, registered: bool, idle: bool
) -> None:
    """Two things must agree."""
    assert agent(state, registered=registered, idle=idle).is_free is (
        state is AgentState.AVAILABLE and registered and idle
    )


@given(st.sampled_from(AgentState), happenings)
def test_whatever_happens_nobody_is_available_without_a_registered_phone(
    start: AgentState, story: list[AgentEvent | tuple[bool, bool]]
) -> None:
    """Phone reports and events in any order; what does not fit is refused and changes nothing."""
    one = agent(start, registered=start is not AgentState.SIGNED_OUT)
    for happening in story:
        if isinstance(happening, tuple):
            registered, idle = happening
            one = one.with_phone(registered=registered, idle=idle, now=LATER)
            assert (one.phone_registered, one.phone_idle) == happening
        elif happening not in {AgentEvent.SIGN_IN, AgentEvent.SIGN_OUT} and (one.state, happening) in TABLE:
            one = one.after(happening, LATER)
        assert one.phone_registered or one.state is not AgentState.AVAILABLE


def test_a_phone_that_registers_signs_its_agent_in_and_one_that_goes_signs_them_out() -> None:
    """Nothing else does."""
    signed_in = agent(AgentState.SIGNED_OUT, registered=False).with_phone(registered=True, idle=True, now=LATER)
    assert signed_in.is_free
    assert signed_in.with_phone(registered=False, idle=False, now=LATER).state is AgentState.SIGNED_OUT


@pytest.mark.parametrize("state", [AgentState.RESERVED, AgentState.RINGING, AgentState.ON_CALL])
def test_a_phone_that_goes_during_a_call_does_not_end_it(state: AgentState) -> None:
    """Its state stays; the loss is found out when the agent would be available again."""
    gone = agent(state).with_phone(registered=False, idle=False, now=LATER)
    assert (gone.state, gone.state_since) == (state, NOON)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (AgentState.RESERVED, AgentEvent.RELEASE),
        (AgentState.RINGING, AgentEvent.RELEASE),
        (AgentState.WRAP_UP, AgentEvent.REST_OVER),
        (AgentState.PAUSED, AgentEvent.REST_OVER),
    ],
)
def test_an_agent_whose_phone_went_meanwhile_is_signed_out_when_they_would_be_free(
    state: AgentState, event: AgentEvent
) -> None:
    """Not available with a phone that is not there."""
    assert agent(state, registered=False).after(event, LATER).state is AgentState.SIGNED_OUT


def test_a_phone_that_reports_itself_again_does_not_shorten_how_long_its_agent_has_been_free() -> None:
    """Who has been free longest is rung first: `state_since` is part of that."""
    assert agent(AgentState.AVAILABLE).with_phone(registered=True, idle=False, now=LATER).state_since == NOON
