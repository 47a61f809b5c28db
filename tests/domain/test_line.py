"""The line: who is next, and who gets whom. Lines and agents are drawn by Hypothesis."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.line import (
    DEFAULT_MAX_PASSES,
    Decision,
    DecisionReason,
    Match,
    Waiter,
    WaiterKind,
    ahead_of,
    match,
    next_match,
    order,
    place_of,
)

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
QUEUES = ("cards", "loans", "support")

instants = st.integers(-5, 5).map(lambda minutes: NOON + timedelta(minutes=minutes))


def waiters(*, min_size: int = 0) -> st.SearchStrategy[list[Waiter]]:
    """Lines of up to eight, with many equal arrivals, urgent and passed ones; live callers are always due."""

    def named(drawn: list[tuple[str, datetime, datetime | None, bool, int]]) -> list[Waiter]:
        return [
            Waiter(f"w{n}", WaiterKind.LIVE if due is None else WaiterKind.PROMISE, queue, since, due, urgent, passed)
            for n, (queue, since, due, urgent, passed) in enumerate(drawn)
        ]

    one = st.tuples(
        st.sampled_from(QUEUES),
        instants,
        st.none() | instants,
        st.booleans(),
        st.integers(0, DEFAULT_MAX_PASSES),
    )
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


@given(waiters())
def test_the_starving_come_first_by_arrival_then_the_urgent_then_the_others(line: list[Waiter]) -> None:
    """Whoever was passed as often as anybody may be counts as urgent no more: nobody may be passed by them either."""
    starving = [each for each in line if each.passed >= DEFAULT_MAX_PASSES]
    urgent = [each for each in line if each.passed < DEFAULT_MAX_PASSES and each.urgent]
    others = [each for each in line if each.passed < DEFAULT_MAX_PASSES and not each.urgent]
    expected = [sorted(group, key=lambda one: (one.since, one.id)) for group in (starving, urgent, others)]
    assert order(line) == [*expected[0], *expected[1], *expected[2]]


@given(waiters(min_size=1), waiters())
def test_whoever_joins_later_moves_nobody(line: list[Waiter], more: list[Waiter]) -> None:
    """Stable: those who were in line keep their order among each other when others come."""
    others = [replace(each, id=f"x{each.id}") for each in more]
    names = {each.id for each in line}
    assert [each for each in order([*others, *line]) if each.id in names] == order(line)


@given(waiters(min_size=1))
def test_in_each_queue_places_of_those_who_are_due_count_from_one_without_a_gap(line: list[Waiter]) -> None:
    """The next to be served is 1, whoever else waits for other queues."""
    for queue in QUEUES:
        due = [each for each in order(line) if each.queue == queue and each.is_due(NOON)]
        assert [place_of(each.id, line, NOON) for each in due] == list(range(1, len(due) + 1))


@given(waiters(min_size=1))
def test_ahead_of_somebody_is_everybody_who_is_due_before_them_in_the_order(line: list[Waiter]) -> None:
    """Of every queue; and last themselves, due or not."""
    for index, each in enumerate(order(line)):
        before = [other for other in order(line)[:index] if other.is_due(NOON)]
        assert ahead_of(each.id, line, NOON) == [*before, each]


def test_a_stranger_has_no_place() -> None:
    """And is named."""
    with pytest.raises(LookupError, match="nobody is not in line"):
        place_of("nobody", [caller("w1", 0)], NOON)


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
    """Live or promised makes no difference, where nobody is urgent."""
    line = [replace(each, urgent=False, passed=0) for each in line]
    pairs = match(line, agents, NOON)
    assert [pair.passed for pair in pairs] == [()] * len(pairs)
    served = {pair.waiter.id for pair in pairs}
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
    assert place_of("p", line, NOON) == place_of("w1", line, NOON) == 1
    due = NOON + timedelta(minutes=2)
    assert match(line, agents, due) == [Match(promise, agents[0])]
    assert place_of("w1", line, due) == 2


def test_an_agent_of_another_queue_does_not_hold_up_the_line() -> None:
    """The first in line waits for somebody who serves the queue; the second is served meanwhile."""
    line = [caller("w1", 0, "loans"), caller("w2", 1, "cards")]
    agents = [free("alice", queues=frozenset({"cards"}))]
    assert match(line, agents, NOON) == [Match(line[1], agents[0])]


@given(waiters(), desks())
def test_the_first_pair_is_the_one_that_is_made_alone(line: list[Waiter], agents: list[Agent]) -> None:
    """Whoever makes one pair at a time comes to the same ones."""
    pairs = match(line, agents, NOON)
    assert next_match(line, agents, NOON) == (pairs[0] if pairs else None)


@given(waiters(), desks())
def test_each_pair_names_those_whom_it_passes(line: list[Waiter], agents: list[Agent]) -> None:
    """Came before, could be served, by this agent, and still wait; in the order in which they came."""
    waiting = {each.id: each for each in line}
    for pair in match(line, agents, NOON):
        del waiting[pair.waiter.id]
        passed = [
            each.id
            for each in sorted(waiting.values(), key=lambda one: (one.since, one.id))
            if each.is_due(NOON)
            and each.queue in pair.agent.queues
            and (each.since, each.id) < (pair.waiter.since, pair.waiter.id)
        ]
        assert list(pair.passed) == passed


def test_an_urgent_caller_is_served_before_those_who_came_earlier_until_one_was_passed_too_often() -> None:
    """Then it is that one's turn, and the next urgent caller goes on waiting."""
    waiting, agents = caller("w1", 0), [free("alice")]
    served = []
    for minute in range(1, 5):
        line = [waiting, replace(caller(f"u{minute}", minute), urgent=True)]
        pair = match(line, agents, NOON, max_passes=3)[0]
        served.append((pair.waiter.id, pair.passed))
        waiting = replace(waiting, passed=waiting.passed + len(pair.passed))
    assert served == [("u1", ("w1",)), ("u2", ("w1",)), ("u3", ("w1",)), ("w1", ())]


def test_a_pair_counts_for_those_whom_it_passes_before_the_next_pair_is_made() -> None:
    """Two agents who become free at once do not pass somebody twice who may be passed once."""
    line = [caller("w1", 0), *(replace(caller(f"u{minute}", minute), urgent=True) for minute in (1, 2))]
    pairs = match(line, [free("alice"), free("bob")], NOON, max_passes=1)
    assert [(pair.waiter.id, pair.passed) for pair in pairs] == [("u1", ("w1",)), ("w1", ())]


@pytest.mark.parametrize(
    ("urgent", "starving", "passed", "reason"),
    [
        (True, True, (), DecisionReason.ARRIVAL),
        (True, False, ("w1",), DecisionReason.URGENT),
        (False, True, ("w1",), DecisionReason.STARVING),
        (True, True, ("w1",), DecisionReason.STARVING),
    ],
)
def test_a_decision_says_why(urgent: bool, starving: bool, passed: tuple[str, ...], reason: DecisionReason) -> None:
    """Whoever passes nobody simply came first, urgent or not."""
    decision = Decision(NOON, "cards", "w2", WaiterKind.LIVE, "alice", NOON, 1, urgent, starving, passed)
    assert decision.reason is reason
