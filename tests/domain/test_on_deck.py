"""When customers are dialled ahead of their agents: sure enough, in time, and slower when it went wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.handle_times import HandleTimes
from controller.domain.on_deck import (
    AT_LEAST,
    GRACE_S,
    JUDGED,
    PRIOR_REACH_S,
    SURE,
    Deck,
    DeckRecord,
    Lengths,
    Pace,
    chance,
    dials_now,
    free_within,
    is_time,
    next_time,
)

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
MEASURED = HandleTimes(tuple(60.0 + 10 * n for n in range(40)))
WRAP_UP_S = 10.0
IN_TIME_S = PRIOR_REACH_S + GRACE_S


def agent(state: AgentState, since_s: float = 0.0, name: str = "alice") -> Agent:
    """Return an agent who has been in a state for so long."""
    since = NOW - timedelta(seconds=since_s)
    idle = state in {AgentState.AVAILABLE, AgentState.WRAP_UP}
    return Agent(name, name, frozenset({"cards"}), state, since, phone_registered=True, phone_idle=idle)


def deck(*agents: Agent, ahead: float = 0, on_the_way: int = 0, wrap_up_s: float = WRAP_UP_S) -> Deck:
    """Return a deck."""
    return Deck(agents, ahead, on_the_way, wrap_up_s)


STATES = st.sampled_from(list(AgentState))
AGENTS = st.lists(st.builds(agent, STATES, st.floats(0, 900)), max_size=6).map(tuple)
RECORDS = st.lists(st.tuples(st.none() | st.floats(0, 60), st.booleans()), max_size=60).map(
    lambda dials: recorded(*[(reach_s, abandoned) for reach_s, abandoned in dials])
)


def recorded(*dials: tuple[float | None, bool]) -> DeckRecord:
    """Return the record after these dials."""
    record = DeckRecord()
    for reach_s, abandoned in dials:
        record = record.note(reach_s=reach_s, abandoned=abandoned)
    return record


def test_a_wrap_up_that_ends_in_time_is_as_good_as_a_free_agent() -> None:
    """And one that does not is none."""
    assert is_time(deck(agent(AgentState.WRAP_UP)), DeckRecord(), MEASURED, NOW)
    assert not is_time(deck(agent(AgentState.WRAP_UP), wrap_up_s=IN_TIME_S + 1), DeckRecord(), MEASURED, NOW)


@pytest.mark.parametrize("state", [AgentState.PAUSED, AgentState.SIGNED_OUT, AgentState.RESERVED, AgentState.RINGING])
def test_nobody_is_dialled_for_an_agent_who_is_away_or_set_aside(state: AgentState) -> None:
    """Their next call is somebody else's, or nobody's."""
    assert dials_now(deck(agent(state)), DeckRecord(), MEASURED, NOW, at_most=5) == 0


def test_as_many_are_dialled_as_there_are_agents_less_those_who_come_first() -> None:
    """Callers ahead, customers on deck, and those on the way."""
    three = [agent(AgentState.WRAP_UP, name=name) for name in "abc"]
    assert dials_now(deck(*three), DeckRecord(), MEASURED, NOW, at_most=5) == 3
    assert dials_now(deck(*three, ahead=1), DeckRecord(), MEASURED, NOW, at_most=5) == 2
    assert dials_now(deck(*three, ahead=0.4), DeckRecord(), MEASURED, NOW, at_most=5) == 2
    assert dials_now(deck(*three, ahead=2, on_the_way=1), DeckRecord(), MEASURED, NOW, at_most=5) == 0
    assert dials_now(deck(*three), DeckRecord(), MEASURED, NOW, at_most=2) == 2


def test_nobody_is_dialled_ahead_on_an_assumption() -> None:
    """Until enough calls were measured, a free agent is waited for."""
    assert not is_time(deck(agent(AgentState.WRAP_UP)), DeckRecord(), HandleTimes((100.0,) * 19), NOW)
    assert is_time(deck(agent(AgentState.WRAP_UP)), DeckRecord(), HandleTimes((100.0,) * 20), NOW)


def test_even_calls_are_dialled_into_before_they_end_and_not_at_their_beginning() -> None:
    """All calls take about a hundred seconds: at ninety it is time, at ten it is not."""
    even = HandleTimes(tuple(99.0 + n % 3 for n in range(50)))
    assert is_time(deck(agent(AgentState.ON_CALL, 85)), DeckRecord(), even, NOW)
    assert not is_time(deck(agent(AgentState.ON_CALL, 10)), DeckRecord(), even, NOW)
    at = next_time(deck(agent(AgentState.ON_CALL, 55)), DeckRecord(), even, NOW)
    assert at is not None
    assert NOW + timedelta(seconds=10) < at < NOW + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("abandoned", "confirmed", "pace"),
    [
        (1, 1, Pace.AHEAD),
        (1, AT_LEAST, Pace.AHEAD),
        (2, AT_LEAST, Pace.WHEN_FREE),
        (3, AT_LEAST, Pace.WHEN_FREE),
        (4, AT_LEAST, Pace.AGENT_FIRST),
        (2, JUDGED, Pace.AHEAD),
        (7, JUDGED, Pace.AGENT_FIRST),
    ],
)
def test_customers_who_were_left_alone_slow_the_pace(abandoned: int, confirmed: int, pace: Pace) -> None:
    """Above one in a hundred only free agents count, above three the agent is rung first."""
    record = recorded(*[(20.0, n < abandoned) for n in range(confirmed)])
    assert record.pace is pace
    assert is_time(deck(agent(AgentState.WRAP_UP)), record, MEASURED, NOW) == (pace is Pace.AHEAD)
    assert (next_time(deck(agent(AgentState.WRAP_UP)), record, MEASURED, NOW) is None) == (pace is not Pace.AHEAD)


def test_the_pace_comes_back_when_it_has_gone_well_for_long_enough() -> None:
    """Bad calls leave the record after two hundred good ones."""
    record = recorded(*[(20.0, True)] * 10, *[(20.0, False)] * (JUDGED - 1))
    assert record.pace is Pace.AHEAD
    assert recorded(*[(20.0, True)] * 10, *[(20.0, False)] * (JUDGED - 10)).pace is Pace.AGENT_FIRST


def test_who_was_not_reached_says_nothing_about_those_who_were_left_alone() -> None:
    """Only confirmed customers can be abandoned."""
    record = recorded((None, True), (None, True), (10.0, False))
    assert (record.abandoned, record.confirmed) == ((False,), (False, False, True))
    assert record.confirmed_share == pytest.approx(5 / 7)


@given(AGENTS, st.floats(0, 4), st.integers(0, 3), RECORDS)
def test_the_chance_is_that_of_all_that_may_happen(
    agents: tuple[Agent, ...], ahead: float, on_the_way: int, record: DeckRecord
) -> None:
    """Against going through every combination of who becomes free and who confirms; 0 where it is unlikely."""
    lengths = Lengths.of(MEASURED)
    by_then_s = record.reach.mean_s + GRACE_S
    odds = [free_within(each, by_then_s, WRAP_UP_S, lengths, NOW) for each in agents]
    odds += [record.confirmed_share] * on_the_way
    expected = 0.0
    for came in product((0, 1), repeat=len(odds)):
        weight = 1.0
        for each, true in zip(odds, came, strict=True):
            weight *= each if true else 1 - each
        free, confirmed = sum(came[: len(agents)]), sum(came[len(agents) :])
        expected += weight * (free >= ahead - 1e-9 + confirmed + 1)
    told = chance(deck(*agents, ahead=ahead, on_the_way=on_the_way), record, MEASURED, NOW)
    assert told == pytest.approx(expected, abs=1e-6) or (told == 0 and expected < SURE)


@given(AGENTS, st.floats(0, 4), st.integers(0, 3), RECORDS)
def test_more_before_them_never_makes_it_likelier(
    agents: tuple[Agent, ...], ahead: float, on_the_way: int, record: DeckRecord
) -> None:
    """Nor does an agent less."""
    fewer = chance(deck(*agents, ahead=ahead, on_the_way=on_the_way), record, MEASURED, NOW)
    assert chance(deck(*agents, ahead=ahead + 1, on_the_way=on_the_way), record, MEASURED, NOW) <= fewer + 1e-9
    assert chance(deck(*agents, ahead=ahead, on_the_way=on_the_way + 1), record, MEASURED, NOW) <= fewer + 1e-9
    assert chance(deck(*agents[1:], ahead=ahead, on_the_way=on_the_way), record, MEASURED, NOW) <= fewer + 1e-9


@given(AGENTS, st.floats(0, 2), st.integers(0, 2))
def test_the_next_moment_to_look_is_one_at_which_it_is_time(
    agents: tuple[Agent, ...], ahead: float, on_the_way: int
) -> None:
    """And it lies ahead, so that nobody looks again and again at once."""
    there = deck(*agents, ahead=ahead, on_the_way=on_the_way)
    at = next_time(there, DeckRecord(), MEASURED, NOW)
    if at is not None:
        assert at > NOW
        assert is_time(there, DeckRecord(), MEASURED, at)


@given(st.floats(1, 1000), st.floats(0.01, 1000), st.floats(0.01, 1000))
def test_a_call_is_the_likelier_over_the_longer_is_waited(longer_s: float, first_s: float, more_s: float) -> None:
    """A chance between 0 and 1 that only grows."""
    lengths = Lengths.of(MEASURED)
    sooner, later = (lengths.end_between(longer_s, longer_s + s) for s in (first_s, first_s + more_s))
    assert 0 <= sooner <= later <= 1 + 1e-9


def test_a_phone_that_is_not_idle_is_no_free_agent() -> None:
    """Available, but talking on their own account."""
    busy = replace(agent(AgentState.AVAILABLE), phone_idle=False)
    assert not is_time(deck(busy), DeckRecord(), MEASURED, NOW)
    assert is_time(deck(agent(AgentState.AVAILABLE)), DeckRecord(), MEASURED, NOW)
