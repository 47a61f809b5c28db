"""The line: who is next, and who gets whom. Lines and agents are drawn by Hypothesis."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.line import Match, Waiter, WaiterKind, match, next_due_at, order, place_of

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
QUEUES = ("cards", "loans", "support")

instants = st.integers(-5, 5).map(lambda minutes: NOON + timedelta(minutes=minutes))


def waiters(*, min_size: int = 0) -> st.SearchStrategy[list[Waiter]]:
    """Lines of up to eight, with many equal arrivals; live callers are always due."""

    def named(drawn: list[tuple[str, datetime, datetime | None]]) -> list[Waiter]:
        return [
            Waiter(f"w{index}", WaiterKind.LIVE if due is None else WaiterKind.PROMISE, queue, since, due)
            for index, (queue, since, due) in enumerate(drawn)
        ]

    one = st.tuples(st.sampled_from(QUEUES), instants, st.none() | instants)
    return st.lists(one, min_size=min_size, max_size=8).map(named)


def desks() -> st.SearchStrategy[list[Agent]]:
    """Up to five agents in every state, with and without a phone that could ring."""

    def named(drawn: list[tuple[frozenset[str], AgentState, datetime, bool, bool]]) -> list[Agent]:
        return [
            Agent(f"a{index}", f"agent-{index}", queues, state, since, phone_registered=registered, phone_idle=idle)
            for index, (queues, state, since, registered, idle) in enumerate(drawn)
        ]

    one = st.tuples(
        st.frozensets(st.sampled_from(QUEUES)),
        st.sampled_from([AgentState.AVAILABLE, AgentState.AVAILABLE, *AgentState]),
        instants,
        st.sampled_from([True, True, False]),
        st.sampled_from([True, True, False]),
    )
    return st.lists(one, max_size=5).map(named)


def caller(name: str, minute: int, queue: str = "cards") -> Waiter:
    """Return a live caller who came `minute` minutes after noon."""
    return Waiter(name, WaiterKind.LIVE, queue, NOON + timedelta(minutes=minute))


def free(name: str, *, since_min: int = 0, queues: frozenset[str] = frozenset(QUEUES)) -> Agent:
    """Return an agent who has been free since `since_min` minutes after noon."""
    since = NOON + timedelta(minutes=since_min)
    return Agent(name, name, queues, AgentState.AVAILABLE, since, phone_registered=True, phone_idle=True)


@given(waiters(), st.randoms(use_true_random=False))
def test_the_order_is_the_same_however_the_line_was_handed_over(line: list[Waiter], dice: random.Random) -> None:
    """Total: two who arrived at the same instant never change places."""
    shuffled = list(line)
    dice.shuffle(shuffled)
    assert order(shuffled) == order(line)
    assert all(a.since <= b.since for a, b in zip(order(line), order(line)[1:], strict=False))


@given(waiters(min_size=1), waiters())
def test_whoever_joins_later_moves_nobody(line: list[Waiter], more: list[Waiter]) -> None:
    """Stable: those who were in line keep their order among each other when others come."""
    others = [Waiter(f"x{each.id}", each.kind, each.queue, each.since, each.not_before) for each in more]
    names = {each.id for each in line}
    assert [each for each in order([*others, *line]) if each.id in names] == order(line)


@given(waiters(min_size=1))
def test_places_count_from_one_without_a_gap(line: list[Waiter]) -> None:
    """The next to be served is 1."""
    assert [place_of(each.id, line) for each in order(line)] == list(range(1, len(line) + 1))


def test_a_stranger_has_no_place() -> None:
    """And is named."""
    with pytest.raises(LookupError, match="nobody is not in line"):
        place_of("nobody", [caller("w1", 0)])


@given(waiters(), desks())
def test_nobody_is_matched_twice_and_only_free_agents_of_the_right_queue_are_used(
    line: list[Waiter], agents: list[Agent]
) -> None:
    """Each waiter and each agent is in at most one pair."""
    pairs = match(line, agents, NOON)
    assert max(Counter(pair.waiter.id for pair in pairs).values(), default=1) == 1
    assert max(Counter(pair.agent.name for pair in pairs).values(), default=1) == 1
    for pair in pairs:
        assert pair.agent.is_free
        assert pair.waiter.queue in pair.agent.queues
        assert pair.waiter.not_before is None or pair.waiter.not_before <= NOON


@given(waiters(), desks())
def test_nobody_who_can_be_served_is_left_while_an_agent_of_their_queue_is_free(
    line: list[Waiter], agents: list[Agent]
) -> None:
    """No pair is forgotten."""
    pairs = match(line, agents, NOON)
    served = {pair.waiter.id for pair in pairs}
    busy = {pair.agent.name for pair in pairs}
    left = [each for each in line if each.id not in served and (each.not_before is None or each.not_before <= NOON)]
    idle = [agent for agent in agents if agent.is_free and agent.name not in busy]
    assert not [(one.id, agent.name) for one in left for agent in idle if one.queue in agent.queues]


@given(waiters(), desks())
def test_of_two_who_are_due_in_one_queue_the_first_is_served_first(line: list[Waiter], agents: list[Agent]) -> None:
    """Live or promised makes no difference."""
    served = {pair.waiter.id for pair in match(line, agents, NOON)}
    due = [each for each in order(line) if each.not_before is None or each.not_before <= NOON]
    for index, first in enumerate(due):
        for later in due[index + 1 :]:
            assert not (later.queue == first.queue and later.id in served and first.id not in served)


def test_of_the_free_agents_the_one_who_was_free_longest_is_rung_then_by_name() -> None:
    """Fair to those who just had a call."""
    agents = [free("carol", since_min=-1), free("bob", since_min=-9), free("alice", since_min=-1)]
    line = [caller(f"w{index}", index) for index in range(3)]
    assert [(pair.waiter.id, pair.agent.name) for pair in match(line, agents, NOON)] == [
        ("w0", "bob"),
        ("w1", "alice"),
        ("w2", "carol"),
    ]


def test_a_promise_that_is_not_due_is_passed_over_and_is_first_again_when_it_is() -> None:
    """It keeps its place."""
    promise = Waiter("p", WaiterKind.PROMISE, "cards", NOON - timedelta(hours=1), NOON + timedelta(minutes=2))
    line, agents = [promise, caller("w1", 0)], [free("alice")]
    assert match(line, agents, NOON) == [Match(line[1], agents[0])]
    assert place_of("p", line) == 1
    assert match(line, agents, NOON + timedelta(minutes=2)) == [Match(promise, agents[0])]


def test_an_agent_of_another_queue_does_not_hold_up_the_line() -> None:
    """The first in line waits for somebody who serves the queue; the second is served meanwhile."""
    line = [caller("w1", 0, "loans"), caller("w2", 1, "cards")]
    agents = [free("alice", queues=frozenset({"cards"}))]
    assert match(line, agents, NOON) == [Match(line[1], agents[0])]


@given(waiters())
def test_the_next_due_time_is_the_earliest_of_those_that_are_still_to_come(line: list[Waiter]) -> None:
    """None when nobody is waited for."""
    ahead = sorted(each.not_before for each in line if each.not_before is not None and each.not_before > NOON)
    assert next_due_at(line, NOON) == (ahead[0] if ahead else None)
