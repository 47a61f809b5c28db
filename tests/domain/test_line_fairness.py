"""The line over a whole day, drawn by Hypothesis: whatever happens, nobody is passed more often than is allowed.

The machine counts by itself who passes whom, from who came, who could be served and who was; it does not ask the line.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controller.domain.agents import Agent, AgentState
from controller.domain.line import Match, Waiter, WaiterKind, match, next_match

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
QUEUES = ("cards", "loans", "support")
skills = st.frozensets(st.sampled_from(QUEUES), min_size=1)


class Day(RuleBasedStateMachine):
    """Callers, promises and agents of three queues. Whoever can be served is served after each step."""

    urgent_calls = True

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.line: dict[str, Waiter] = {}
        self.aside: set[str] = set()
        self.agents: dict[str, Agent] = {}
        self.passed: dict[str, int] = {}
        self.came = 0

    @initialize(teams=st.lists(skills, min_size=1, max_size=4), max_passes=st.integers(0, 3))
    def opens(self, teams: list[frozenset[str]], max_passes: int) -> None:
        """Begin with nobody in line and nobody free."""
        self.max_passes = max_passes
        for index, queues in enumerate(teams):
            agent = Agent(f"a{index}", f"phone-{index}", queues, AgentState.ON_CALL, NOON)
            self.agents[agent.name] = replace(agent, phone_registered=True, phone_idle=True)

    @rule(queue=st.sampled_from(QUEUES), urgent=st.booleans())
    def somebody_calls(self, queue: str, urgent: bool) -> None:
        """Have a live caller join."""
        self._join(WaiterKind.LIVE, queue, urgent=urgent and self.urgent_calls)

    @rule(queue=st.sampled_from(QUEUES), since_min=st.integers(-9, 0), due_min=st.integers(-1, 9))
    def a_promise_comes_back(self, queue: str, since_min: int, due_min: int) -> None:
        """Have a promise join that is older than most who wait, and may fall due only later."""
        since, due = (self.now + timedelta(minutes=minutes) for minutes in (since_min, due_min))
        self._join(WaiterKind.PROMISE, queue, since=since, not_before=due)

    @rule(minutes=st.integers(1, 6))
    def time_passes(self, minutes: int) -> None:
        """Let promises fall due."""
        self.now += timedelta(minutes=minutes)
        self._serve()

    @rule(data=st.data())
    def agents_become_free(self, data: Any) -> None:
        """Free one or several at once."""
        busy = sorted(name for name, agent in self.agents.items() if not agent.is_free)
        for name in data.draw(st.lists(st.sampled_from(busy), unique=True) if busy else st.just([])):
            self.agents[name] = replace(self.agents[name], state=AgentState.AVAILABLE, state_since=self.now)
        self._serve()

    @rule(data=st.data())
    def somebody_hangs_up(self, data: Any) -> None:
        """Have the line close up."""
        if self.line:
            del self.line[data.draw(st.sampled_from(sorted(self.line)))]
        self._serve()

    @rule(data=st.data())
    def somebody_steps_aside_or_comes_back(self, data: Any) -> None:
        """Have somebody leave a number: meanwhile they cannot be served, and nobody passes them."""
        if self.line:
            self.aside ^= {data.draw(st.sampled_from(sorted(self.line)))}
        self._serve()

    @invariant()
    def nobody_was_passed_too_often(self) -> None:
        """Check the bound itself."""
        assert max(self.passed.values(), default=0) <= getattr(self, "max_passes", 0)

    @invariant()
    def nobody_waits_for_an_agent_who_is_free(self) -> None:
        """Check that fairness keeps no agent idle."""
        free = [agent for agent in self.agents.values() if agent.is_free]
        assert not [(one.id, agent.name) for one in self._servable() for agent in free if one.queue in agent.queues]

    def _join(self, kind: WaiterKind, queue: str, *, since: datetime | None = None, **more: Any) -> None:
        self.came += 1
        waiter = Waiter(f"w{self.came * 7 % 100:02}-{self.came}", kind, queue, since or self.now, **more)
        self.line[waiter.id] = waiter
        self._serve()

    def _servable(self) -> list[Waiter]:
        due = [each for each in self.line.values() if each.not_before is None or each.not_before <= self.now]
        return [each for each in due if each.id not in self.aside]

    def _serve(self) -> None:
        at_once = match(self._servable(), self.agents.values(), self.now, self.max_passes)
        one_by_one = []
        while pair := next_match(self._servable(), self.agents.values(), self.now, self.max_passes):
            one_by_one.append(pair)
            self._begin(pair)
        assert [(pair.waiter.id, pair.agent.name) for pair in at_once] == [
            (pair.waiter.id, pair.agent.name) for pair in one_by_one
        ]

    def _begin(self, pair: Match) -> None:
        served = self.line.pop(pair.waiter.id)
        could = [each for each in self._servable() if each.queue in pair.agent.queues]
        passed = [each.id for each in could if (each.since, each.id) < (served.since, served.id)]
        assert self.urgent_calls or not passed, "first come is not first served"
        assert sorted(pair.passed) == sorted(passed)
        for each in passed:
            self.passed[each] = self.passed.get(each, 0) + 1
            self.line[each] = replace(self.line[each], passed=self.passed[each])
        self.agents[pair.agent.name] = replace(pair.agent, state=AgentState.ON_CALL, state_since=self.now)


class DayWithoutUrgentCalls(Day):
    """Then each agent gets, of those whom they can serve, the one who came first, always."""

    urgent_calls = False


TestNobodyIsPassedTooOften = Day.TestCase
TestNobodyIsPassedTooOften.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestFirstComeIsFirstServed = DayWithoutUrgentCalls.TestCase
TestFirstComeIsFirstServed.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
