"""The agents: one table, walked as a whole, and the rules for what crosses: pauses, calls, phones, rests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.domain.agents import (
    BUSY,
    TABLE,
    Agent,
    AgentEvent,
    AgentState,
    Duty,
    RefusedAgentEventError,
    Rest,
    RestKind,
)

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)

RESTS = {AgentState.WRAP_UP: Rest(RestKind.WRAP_UP, NOON), AgentState.PAUSED: Rest(RestKind.MISSED, NOON)}


def agent(state: AgentState, *, registered: bool = True, idle: bool = True) -> Agent:
    """Return an agent in a state, by default with a phone that can ring; one who is paused has missed a call."""
    return Agent(
        "alice",
        "agent-1",
        frozenset({"cards"}),
        state,
        NOON,
        phone_registered=registered,
        phone_idle=idle,
        rest=RESTS.get(state),
    )


@pytest.mark.parametrize("event", AgentEvent)
@pytest.mark.parametrize("state", AgentState)
def test_every_pair_of_state_and_event_is_in_the_table_or_refused(state: AgentState, event: AgentEvent) -> None:
    """There is no third way. Who is signed out here is so for want of a phone, so only its coming changes that."""
    before = agent(state, registered=state is not AgentState.SIGNED_OUT)
    if (state, event) in TABLE:
        moved = before.after(event, LATER)
        here = moved.phone_registered or moved.state in BUSY
        assert moved.state is (TABLE[state, event] if here else AgentState.SIGNED_OUT)
        assert moved.state_since == (NOON if (moved.state, moved.pause_reason) == (state, None) else LATER)
        return
    with pytest.raises(RefusedAgentEventError, match=f"agent alice is {state}; {event} does not apply"):
        before.after(event, LATER)


def test_every_state_is_reached_and_left_by_the_table() -> None:
    """Nobody can be stuck for ever, and no state is a dead letter."""
    moves = {(before, after) for (before, _), after in TABLE.items() if before is not after}
    assert {before for before, _ in moves} == set(AgentState)
    assert {after for _, after in moves} == set(AgentState)


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


@pytest.mark.parametrize("state", sorted(BUSY))
def test_a_pause_during_a_call_takes_effect_after_it(state: AgentState) -> None:
    """Not before, and there is no moment between call and pause in which the agent could be rung."""
    paused = agent(state).after(AgentEvent.PAUSE, LATER, reason="lunch")
    assert (paused.state, paused.pause_reason, paused.is_on_duty) == (state, "lunch", False)
    ends = {AgentState.RESERVED: AgentEvent.RELEASE, AgentState.RINGING: AgentEvent.MISS}
    assert paused.after(ends.get(state, AgentEvent.HANG_UP), LATER).state is AgentState.PAUSED


@pytest.mark.parametrize("state", sorted(BUSY))
def test_signing_out_during_a_call_takes_effect_after_it(state: AgentState) -> None:
    """The call is not cut, and nobody else is sent to the agent."""
    leaving = agent(state).after(AgentEvent.SIGN_OUT, LATER)
    assert (leaving.state, leaving.is_on_duty) == (state, False)
    ends = {AgentState.RESERVED: AgentEvent.RELEASE, AgentState.RINGING: AgentEvent.MISS}
    assert leaving.after(ends.get(state, AgentEvent.HANG_UP), LATER).state is AgentState.SIGNED_OUT


@pytest.mark.parametrize(
    ("away", "back"),
    [(AgentEvent.PAUSE, AgentEvent.UNPAUSE), (AgentEvent.SIGN_OUT, AgentEvent.SIGN_IN)],
)
def test_a_wrap_up_is_not_shortened_by_a_pause_or_by_signing_out_and_in_again(
    away: AgentEvent, back: AgentEvent
) -> None:
    """It goes on where it was, until its time is over."""
    wrapping_up = agent(AgentState.ON_CALL).after(AgentEvent.HANG_UP, NOON)
    returned = wrapping_up.after(away, LATER, reason="break").after(back, LATER)
    assert returned.state is AgentState.WRAP_UP
    assert returned.rest == wrapping_up.rest
    assert returned.after(AgentEvent.REST_OVER, LATER).state is AgentState.AVAILABLE


def test_a_wrap_up_is_not_shortened_by_a_phone_that_is_lost_and_found() -> None:
    """A phone that loses its network for a second must not be rung a second after the call."""
    wrapping_up = agent(AgentState.ON_CALL).after(AgentEvent.HANG_UP, NOON)
    lost = wrapping_up.with_phone(registered=False, idle=False, now=LATER)
    assert lost.state is AgentState.SIGNED_OUT
    assert lost.with_phone(registered=True, idle=True, now=LATER).state is AgentState.WRAP_UP
    rested = lost.after(AgentEvent.REST_OVER, LATER)
    assert rested.with_phone(registered=True, idle=True, now=LATER).is_free


@pytest.mark.parametrize("event", [AgentEvent.UNPAUSE, AgentEvent.SIGN_IN])
def test_whoever_missed_a_call_and_reports_back_is_rung_again_at_once(event: AgentEvent) -> None:
    """The pause after a missed call is for somebody who is not there."""
    assert agent(AgentState.PAUSED).after(event, LATER).is_free


def test_the_end_of_a_missed_calls_pause_does_not_end_a_pause_by_hand() -> None:
    """Lunch is not over because half a minute is."""
    at_lunch = agent(AgentState.PAUSED).after(AgentEvent.PAUSE, LATER, reason="lunch")
    assert (at_lunch.rest, at_lunch.state_since) == (None, LATER)
    assert at_lunch.after(AgentEvent.REST_OVER, LATER).state is AgentState.PAUSED


def test_a_phone_that_registers_brings_its_agent_and_one_that_goes_takes_them_away() -> None:
    """With the duty that they have: one who signed out by hand stays out."""
    here = agent(AgentState.SIGNED_OUT, registered=False).with_phone(registered=True, idle=True, now=LATER)
    assert here.is_free
    assert here.with_phone(registered=False, idle=False, now=LATER).state is AgentState.SIGNED_OUT
    out = here.after(AgentEvent.SIGN_OUT, LATER).with_phone(registered=False, idle=False, now=LATER)
    assert out.with_phone(registered=True, idle=True, now=LATER).state is AgentState.SIGNED_OUT
    lunch = here.after(AgentEvent.PAUSE, LATER, reason="lunch").with_phone(registered=False, idle=False, now=LATER)
    assert lunch.with_phone(registered=True, idle=True, now=LATER).state is AgentState.PAUSED


@pytest.mark.parametrize("state", sorted(BUSY))
def test_a_phone_that_goes_during_a_call_does_not_end_it(state: AgentState) -> None:
    """Its state stays; the loss is found out when the agent would be available again."""
    gone = agent(state).with_phone(registered=False, idle=False, now=LATER)
    assert (gone.state, gone.state_since) == (state, NOON)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (AgentState.RESERVED, AgentEvent.RELEASE),
        (AgentState.RINGING, AgentEvent.RELEASE),
        (AgentState.RINGING, AgentEvent.MISS),
        (AgentState.ON_CALL, AgentEvent.HANG_UP),
    ],
)
def test_an_agent_whose_phone_went_meanwhile_is_signed_out_when_the_call_is_over(
    state: AgentState, event: AgentEvent
) -> None:
    """Not available with a phone that is not there."""
    assert agent(state, registered=False).after(event, LATER).state is AgentState.SIGNED_OUT


def test_a_phone_that_reports_itself_again_does_not_shorten_how_long_its_agent_has_been_free() -> None:
    """Who has been free longest is rung first: `state_since` is part of that. Nor does saying again what holds."""
    one = agent(AgentState.AVAILABLE)
    assert one.with_phone(registered=True, idle=False, now=LATER).state_since == NOON
    assert one.after(AgentEvent.SIGN_IN, LATER).state_since == NOON
    assert one.after(AgentEvent.UNPAUSE, LATER).state_since == NOON


def test_the_duty_of_an_agent_who_was_taken_over_is_in_force_at_once() -> None:
    """With a phone that is there already, and with one that is not."""
    one = agent(AgentState.AVAILABLE)
    assert one.with_duty(Duty(signed_in=False), LATER).state is AgentState.SIGNED_OUT
    assert one.with_duty(Duty(signed_in=True, pause_reason="lunch"), LATER).state is AgentState.PAUSED
    assert one.with_duty(Duty(signed_in=True), LATER) == one
    talking = replace(one, state=AgentState.ON_CALL)
    assert talking.with_duty(Duty(signed_in=False), LATER).state is AgentState.ON_CALL
