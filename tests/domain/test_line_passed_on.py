"""Promises that agents pass on to each other: who is asked, who is not, and what the record says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.line import ASK_AGAIN_S, PassedOn, Waiter, WaiterKind, next_match, not_asked

NOW = datetime(2026, 4, 1, 3, tzinfo=UTC)
PAUSE_S = 600.0
NAMES = ("alice", "bob", "carol")


def passed_on(ago_s: float, pause_s: float = PAUSE_S) -> PassedOn:
    """Return that somebody passed a promise on so long ago."""
    at = NOW - timedelta(seconds=ago_s)
    return PassedOn(at, at + timedelta(seconds=pause_s))


def agent(name: str) -> Agent:
    """Return a free agent."""
    return Agent(name, name, frozenset({"cards"}), AgentState.AVAILABLE, NOW, phone_registered=True, phone_idle=True)


def promise(name: str, minute: float, *not_for: str) -> Waiter:
    """Return a promise in line."""
    since = NOW + timedelta(minutes=minute)
    return Waiter(name, WaiterKind.PROMISE, "cards", since, not_for=frozenset(not_for))


def test_a_promise_goes_past_an_agent_who_passed_it_on_to_the_next() -> None:
    """Who has been free longest but passed it gets the one behind it."""
    line = [promise("first", 0, "alice"), promise("second", 1)]
    pair = next_match(line, [agent("alice"), agent("bob")], NOW)
    assert pair is not None
    assert (pair.waiter.id, pair.agent.name) == ("first", "bob")


def test_a_promise_is_not_passed_over_by_an_agent_who_could_not_have_had_it() -> None:
    """The record says of nobody that they were passed when their agent was not there."""
    pair = next_match([promise("first", 0, "alice"), promise("second", 1)], [agent("alice")], NOW)
    assert pair is not None
    assert (pair.waiter.id, pair.passed) == ("second", ())


def test_who_passed_it_on_is_left_in_peace_until_the_pause_is_over() -> None:
    """As long as somebody else is on duty."""
    assert not_asked({"alice": passed_on(PAUSE_S - 1)}, NAMES, NOW) == {"alice"}
    assert not_asked({"alice": passed_on(PAUSE_S)}, NAMES, NOW) == frozenset()


def test_when_all_on_duty_have_passed_it_on_the_first_of_them_is_asked_again() -> None:
    """Whoever else passed it and went home does not count."""
    passed = {"alice": passed_on(90), "bob": passed_on(120), "carol": passed_on(300)}
    assert not_asked(passed, ["alice", "bob"], NOW) == {"alice", "carol"}


def test_nobody_is_asked_again_at_once() -> None:
    """A phone that is put down does not ring with the same promise."""
    assert not_asked({"alice": passed_on(ASK_AGAIN_S - 1)}, ["alice"], NOW) == {"alice"}
    assert not_asked({"alice": passed_on(ASK_AGAIN_S)}, ["alice"], NOW) == frozenset()


@given(
    st.dictionaries(st.sampled_from(NAMES), st.floats(0, 900).map(passed_on)),
    st.sets(st.sampled_from(NAMES), min_size=1),
)
def test_after_a_while_somebody_on_duty_can_always_be_asked(passed: dict[str, PassedOn], on_duty: set[str]) -> None:
    """And at most one of them earlier than the pause says."""
    later = NOW + timedelta(seconds=ASK_AGAIN_S)
    kept_from = not_asked(passed, on_duty, later)
    assert on_duty - kept_from
    resting = {name for name, each in passed.items() if each.until > later}
    assert kept_from <= resting
    assert len(resting - kept_from) <= 1
