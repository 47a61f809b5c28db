"""The line under the eyes of a supervisor: who waits for one agent alone, and a whole day of meddling."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from controller.domain.agents import Agent, AgentState
from controller.domain.line import Match, Waiter, as_assigned, match, next_match
from controller.domain.wait_estimate import Crowding, crowd_before
from tests.domain.test_line import NOON, caller, desks, free, waiters
from tests.domain.test_line_fairness import QUEUES, Day

NAMES = ("", "a0", "a1", "a2", "somebody at another Asterisk")


def everybody(_name: str) -> bool:
    """Employ whoever is named."""
    return True


assigned_lines = st.tuples(waiters(), st.lists(st.sampled_from(NAMES), min_size=8, max_size=8)).map(
    lambda drawn: [replace(waiter, only_for=name) for waiter, name in zip(drawn[0], drawn[1], strict=False)]
)


@given(assigned_lines, desks())
def test_who_waits_for_one_agent_goes_to_nobody_else(line: list[Waiter], agents: list[Agent]) -> None:
    """And who waits for none of those who are there goes to nobody."""
    for pair in match(line, agents, NOON):
        assert pair.waiter.only_for in {"", pair.agent.name}


@given(assigned_lines, desks())
def test_who_cannot_be_had_is_not_passed(line: list[Waiter], agents: list[Agent]) -> None:
    """An agent who may not have somebody passes nobody by taking the next one."""
    by_id = {waiter.id: waiter for waiter in line}
    for pair in match(line, agents, NOON):
        assert all(by_id[one].only_for in {"", pair.agent.name} for one in pair.passed)


@given(assigned_lines, desks())
def test_without_assignments_the_line_is_as_it_ever_was(line: list[Waiter], agents: list[Agent]) -> None:
    """Taken away, they leave nothing behind."""
    plain = [replace(waiter, only_for="") for waiter in line]
    assert as_assigned(plain, agents, everybody) == plain
    bound = [waiter for waiter in as_assigned(line, agents, everybody) if waiter.only_for]
    assert all(waiter in line for waiter in bound)


@given(assigned_lines, desks())
def test_nobody_waits_for_an_agent_who_is_not_there(line: list[Waiter], agents: list[Agent]) -> None:
    """Signed out, in a pause, or of other queues: then everybody may have them. Others' agents are others' matter."""
    staff = {agent.name: agent for agent in agents}
    for before, after in zip(line, as_assigned(line, agents, everybody), strict=True):
        agent = staff.get(before.only_for)
        is_there = agent is None or (agent.is_on_duty and before.queue in agent.queues)
        assert after == (before if is_there else replace(before, only_for=""))


def test_an_agent_whom_nobody_employs_any_more_keeps_nobody_waiting() -> None:
    """They were taken out of the settings."""
    line = [replace(caller("first", 0), only_for="gone")]
    assert as_assigned(line, [free("alice")], lambda _name: False) == [caller("first", 0)]


def test_who_waits_for_an_agent_is_passed_by_the_others_and_first_for_that_agent() -> None:
    """The others go on serving whoever comes next."""
    line = [replace(caller("first", 0), only_for="bob"), caller("second", 1), caller("third", 2)]
    pairs = match(line, [free("alice", since_min=0), free("bob", since_min=1)], NOON)
    assert {pair.waiter.id: pair.agent.name for pair in pairs} == {"first": "bob", "second": "alice"}


@given(waiters(), desks(), st.sampled_from(QUEUES))
def test_those_who_wait_can_be_counted_one_by_one(line: list[Waiter], agents: list[Agent], queue: str) -> None:
    """What the wait depends on is the same, whether all are counted at once or several like them together."""
    crowding = Crowding(queue, agents)
    for nth, waiter in enumerate(line):
        assert crowding.crowd == crowd_before(line[:nth], queue, agents)
        crowding.add(waiter)
    alike = {(waiter.queue, waiter.kind): waiter for waiter in line}
    counts = Counter((waiter.queue, waiter.kind) for waiter in line)
    together = Crowding(queue, agents)
    for kind, waiter in alike.items():
        together.add(waiter, counts[kind])
    assert abs(together.crowd.ahead - crowding.crowd.ahead) < 1e-9
    assert abs(together.crowd.live_share - crowding.crowd.live_share) < 1e-9


class SupervisedDay(Day):
    """A day on which somebody makes callers urgent, gives them to an agent, and sends them to another queue."""

    @rule(data=st.data(), urgent=st.booleans())
    def somebody_is_made_urgent_or_not(self, data: Any, urgent: bool) -> None:
        """Whatever they were."""
        self._order(data, urgent=urgent)

    @rule(data=st.data(), name=st.sampled_from(NAMES))
    def somebody_is_assigned(self, data: Any, name: str) -> None:
        """To an agent who may be busy, or of other queues; or to everybody."""
        self._order(data, only_for=name)

    @rule(data=st.data(), queue=st.sampled_from(QUEUES))
    def somebody_is_moved(self, data: Any, queue: str) -> None:
        """With the place that they had."""
        self._order(data, queue=queue, only_for="")

    @rule(data=st.data(), there=st.booleans())
    def an_agent_goes_or_comes(self, data: Any, there: bool) -> None:
        """Who is on a call ends it by that, for once."""
        name = data.draw(st.sampled_from(sorted(self.agents)))
        state = AgentState.AVAILABLE if there else AgentState.SIGNED_OUT
        self.agents[name] = replace(self.agents[name], signed_in=there, state=state, state_since=self.now)
        self._serve()

    @invariant()
    def nobody_waits_for_an_agent_who_is_free(self) -> None:
        """Nor for one who may have them."""
        free_now = [agent for agent in self.agents.values() if agent.is_free]
        assert not [
            (one.id, agent.name)
            for one in self._servable()
            for agent in free_now
            if one.queue in agent.queues and one.only_for in {"", agent.name}
        ]

    def _order(self, data: Any, **changes: Any) -> None:
        if self.line:
            name = data.draw(st.sampled_from(sorted(self.line)))
            self.line[name] = replace(self.line[name], **changes)
        self._serve()

    def _servable(self) -> list[Waiter]:
        return as_assigned(super()._servable(), self.agents.values(), everybody)

    def _serve(self) -> None:
        while pair := next_match(self._servable(), self.agents.values(), self.now, self.max_passes):
            self._begin(pair)

    def _begin(self, pair: Match) -> None:
        served = self.line.pop(pair.waiter.id)
        names = {"", pair.agent.name}
        could = [each for each in self._servable() if each.queue in pair.agent.queues and each.only_for in names]
        passed = [each.id for each in could if (each.since, each.id) < (served.since, served.id)]
        assert sorted(pair.passed) == sorted(passed)
        for each in passed:
            self.passed[each] = self.passed.get(each, 0) + 1
            self.line[each] = replace(self.line[each], passed=self.passed[each])
        self.agents[pair.agent.name] = replace(pair.agent, state=AgentState.ON_CALL, state_since=self.now)


TestNobodyIsPassedTooOftenWhateverASupervisorDoes = SupervisedDay.TestCase
TestNobodyIsPassedTooOftenWhateverASupervisorDoes.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)
