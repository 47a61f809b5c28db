"""What an agent's change means for the reports that people already use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentEvent, AgentState, RefusedAgentEventError
from controller.domain.queue_events import AgentAdded, AgentPaused, AgentRemoved, AgentUnpaused, agent_events

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
NOBODY_YET = Agent("alice", "agent-1", frozenset({"cards", "loans"}), AgentState.SIGNED_OUT, NOON)
HERE = NOBODY_YET.with_phone(registered=True, idle=True, now=NOON)
A_CALL = (AgentEvent.RESERVE, AgentEvent.RING, AgentEvent.ANSWER)


def story(one: Agent, *events: AgentEvent | str) -> Agent:
    """Return an agent after some events; a text is the reason of a pause."""
    for event in events:
        if isinstance(event, AgentEvent):
            one = one.after(event, NOON)
        else:
            one = one.after(AgentEvent.PAUSE, NOON, reason=event)
    return one


def test_an_agent_who_comes_and_goes_is_added_and_removed_in_each_queue() -> None:
    """In an order that does not change from run to run."""
    assert agent_events(NOBODY_YET, HERE) == [AgentAdded("cards", "alice"), AgentAdded("loans", "alice")]
    assert agent_events(HERE, NOBODY_YET) == [AgentRemoved("cards", "alice"), AgentRemoved("loans", "alice")]


def test_a_pause_is_told_with_its_reason_and_so_is_its_end() -> None:
    """Another reason is another pause."""
    lunch, meeting = story(HERE, "lunch"), story(HERE, "meeting")
    assert agent_events(HERE, lunch)[0] == AgentPaused("cards", "alice", "lunch")
    assert agent_events(lunch, meeting)[0] == AgentPaused("cards", "alice", "meeting")
    assert agent_events(lunch, HERE)[0] == AgentUnpaused("cards", "alice")


def test_a_pause_during_a_call_is_told_at_once_and_once() -> None:
    """As app_queue does: its members are paused whatever they do at the moment."""
    talking = story(HERE, *A_CALL)
    paused = story(talking, "lunch")
    assert agent_events(talking, paused)[0] == AgentPaused("cards", "alice", "lunch")
    assert agent_events(paused, story(paused, AgentEvent.HANG_UP)) == []


def test_a_missed_call_pauses_with_the_reason_that_app_queue_writes() -> None:
    """Reports know it."""
    ringing = story(HERE, AgentEvent.RESERVE, AgentEvent.RING)
    missed = story(ringing, AgentEvent.MISS)
    assert agent_events(ringing, missed)[0] == AgentPaused("cards", "alice", "Auto-Pause")
    assert agent_events(missed, story(missed, AgentEvent.REST_OVER))[0] == AgentUnpaused("cards", "alice")


def test_an_agent_who_signs_out_during_a_call_is_removed_then_and_not_again_after_it() -> None:
    """One line for one wish."""
    talking = story(HERE, *A_CALL)
    leaving = story(talking, AgentEvent.SIGN_OUT)
    assert agent_events(talking, leaving)[0] == AgentRemoved("cards", "alice")
    assert agent_events(leaving, story(leaving, AgentEvent.HANG_UP)) == []


def test_somebody_whose_phone_comes_back_during_a_pause_is_added_paused() -> None:
    """Their queues forgot the pause when they were removed."""
    at_lunch = story(HERE, "lunch")
    away = at_lunch.with_phone(registered=False, idle=False, now=NOON)
    assert agent_events(at_lunch, away)[0] == AgentRemoved("cards", "alice")
    back = away.with_phone(registered=True, idle=True, now=NOON)
    assert agent_events(away, back)[:2] == [AgentAdded("cards", "alice"), AgentPaused("cards", "alice", "lunch")]


def moved(one: Agent, happening: bool | tuple[AgentEvent, str | None], now: datetime) -> Agent:
    """Return the agent after a phone's report (registered or not) or an event; what is refused changes nothing."""
    if isinstance(happening, bool):
        return one.with_phone(registered=happening, idle=happening, now=now)
    event, reason = happening
    try:
        return one.after(event, now, reason=reason)
    except RefusedAgentEventError:
        return one


@given(st.lists(st.booleans() | st.tuples(st.sampled_from(AgentEvent), st.sampled_from(["lunch", "meeting"]))))
def test_whoever_reads_the_events_alone_knows_who_is_there_and_who_is_paused(
    happenings: list[bool | tuple[AgentEvent, str | None]],
) -> None:
    """Whatever happens: no agent is added twice, removed twice, or paused while not there."""
    one, there, paused_for = NOBODY_YET, False, None
    for step, happening in enumerate(happenings):
        before, one = one, moved(one, happening, NOON + timedelta(seconds=step))
        for told in [each for each in agent_events(before, one) if each.queue == "cards"]:
            match told:
                case AgentAdded() | AgentRemoved():
                    assert there is isinstance(told, AgentRemoved)
                    there, paused_for = not there, None
                case AgentPaused(reason=reason):
                    assert there
                    paused_for = reason
                case _:
                    assert (there, paused_for is None, type(told)) == (True, False, AgentUnpaused)
                    paused_for = None
        assert there is (one.signed_in and one.state is not AgentState.SIGNED_OUT)
        assert paused_for == (expected_pause(one) if there else None)


def expected_pause(one: Agent) -> str | None:
    """Return why an agent who is there gets no calls."""
    return one.pause_reason or ("Auto-Pause" if one.state is AgentState.PAUSED else None)
