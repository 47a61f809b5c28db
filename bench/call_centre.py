"""A call centre in virtual time: agents, callers, promises; served by the real line, quoted by the real estimator."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from controller.domain.agents import Agent, AgentState
from controller.domain.handle_times import HandleTimes
from controller.domain.line import Waiter, WaiterKind, ahead_of, next_match, place_of
from controller.domain.patience import Patience
from controller.domain.wait_estimate import Announced, WaitRange, announce, cause_of, crowd_before, heard, wait_behind

if TYPE_CHECKING:
    from collections.abc import Callable

OPENED = datetime(2026, 4, 1, tzinfo=UTC)
QUEUE = "cards"
OTHER = "loans"
REPEAT_S = 60.0
"""Somebody who waits is told again after so long."""
WARM_UP_S = 3600.0
RING_S = 6.0
DIAL_S = 25.0
UNREACHED_S = 40.0
RETRY_S = 600.0
MAX_TRIES = 3
REACHED_SHARE = 0.75
"""Of the customers who are called back."""
RUSH_EVERY_S = 7200.0
RUSH_S = 1800.0
ENDLESS_SHARE = 0.15
TOLD_AGAIN_SHARE = 0.2
"""Of those who wait: a sample, for speed."""


def always(_now_s: float) -> float:
    """Return 1: nothing changes."""
    return 1.0


@dataclass(frozen=True)
class Scenario:
    """One kind of day. Times are seconds; `load` is erlangs by agents."""

    name: str
    agents: int
    load: float = 0.9
    cv: float = 1.0
    shape: str = "lognormal"
    mean_s: float = 240.0
    drift: Callable[[float], float] = always
    """What the mean handle time is multiplied by at an instant."""
    rush: float = 1.0
    """What the load is multiplied by in the first half hour of every second hour."""
    patience_s: float | None = None
    promise_share: float = 0.0
    urgent_share: float = 0.0
    other_share: float = 0.0
    """Calls for the other queue, which half of the agents serve as well."""
    staff: Callable[[float], float] = always
    """The share of the agents who are there at an instant."""
    hours: float = 200.0


@dataclass
class Quote:
    """What one caller was told, and what others would have told."""

    at_s: float
    told: WaitRange
    hold_time_s: float
    place_by_agents_s: float
    is_first: bool


@dataclass
class Caller:
    """Somebody who called, until they are served."""

    waiter: Waiter
    came_s: float
    endless: bool
    """Never hangs up: only their waits are counted, as nobody knows how long the others would have waited."""
    quotes: list[Quote] = field(default_factory=list)
    announced: Announced | None = None
    is_told_again: bool = False
    tries: int = 0


@dataclass(frozen=True)
class Waited:
    """A quote with the truth beside it."""

    quote: Quote
    true_s: float


class CallCentre:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.dice = random.Random(seed)  # noqa: S311 - draws callers, guards nothing
        self.now_s = 0.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = itertools.count()
        self.callers: dict[str, Caller] = {}
        self.handle = HandleTimes(prior_mean_s=180.0)
        self.patience = Patience()
        self.hold_time_s = 0.0
        self.waited: list[Waited] = []
        self.agents = {f"a{n:02}": self._agent(n) for n in range(scenario.agents)}

    def run(self) -> list[Waited]:
        """Live through all the hours and return every quote with its truth."""
        self._later(0.0, self._arrivals)
        for hour in range(int(self.scenario.hours)):
            self._later(hour * 3600.0, self._change_staff)
        while self.events and self.events[0][0] < self.scenario.hours * 3600:
            self.now_s, _, act = heapq.heappop(self.events)
            act()
        return self.waited

    @property
    def now(self) -> datetime:
        """The virtual time of day."""
        return OPENED + timedelta(seconds=self.now_s)

    @property
    def line(self) -> list[Waiter]:
        """Everybody who waits."""
        return [caller.waiter for caller in self.callers.values()]

    def _later(self, after_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now_s + after_s, next(self.numbers), act))

    def _agent(self, number: int) -> Agent:
        both = self.scenario.other_share > 0 and number % 2
        queues = frozenset({QUEUE, OTHER} if both else {QUEUE})
        return Agent(
            f"a{number:02}", "phone", queues, AgentState.AVAILABLE, OPENED, phone_registered=True, phone_idle=True
        )

    # -- who comes

    def _arrivals(self) -> None:
        scenario = self.scenario
        highest = max(1.0, scenario.rush) * scenario.load * scenario.agents / scenario.mean_s
        self._later(self.dice.expovariate(highest), self._arrivals)
        in_rush = self.now_s % RUSH_EVERY_S < RUSH_S
        if self.dice.random() * max(1.0, scenario.rush) < (scenario.rush if in_rush else 1.0):
            self._arrive()

    def _arrive(self) -> None:
        scenario, dice = self.scenario, self.dice
        queue = OTHER if dice.random() < scenario.other_share else QUEUE
        urgent = dice.random() < scenario.urgent_share
        name = f"c{next(self.numbers):08}"
        waiter = Waiter(name, WaiterKind.LIVE, queue, self.now, urgent=urgent)
        caller = Caller(waiter, self.now_s, endless=scenario.patience_s is None or dice.random() < ENDLESS_SHARE)
        caller.is_told_again = dice.random() < TOLD_AGAIN_SHARE
        self.callers[name] = caller
        self._serve()
        if name not in self.callers:
            return
        if dice.random() < scenario.promise_share:
            self._later(20.0, lambda: self._promise(name))
            return
        if not caller.endless:
            self._later(dice.expovariate(1 / (scenario.patience_s or math.inf)), lambda: self._leave(name))
        if queue == QUEUE and not urgent:
            self._tell(name)

    def _promise(self, name: str) -> None:
        if name in self.callers:
            caller = self.callers[name]
            caller.waiter = replace(caller.waiter, kind=WaiterKind.PROMISE)

    def _leave(self, name: str) -> None:
        caller = self.callers.pop(name, None)
        if caller is not None and caller.waiter.queue == QUEUE:
            self.patience = self.patience.note(self.now_s - caller.came_s, left=True)

    # -- who is served

    def _serve(self) -> None:
        while pair := next_match(self.line, self.agents.values(), self.now):
            for passed in pair.passed:
                other = self.callers[passed]
                other.waiter = replace(other.waiter, passed=other.waiter.passed + 1)
            self._begin(self.callers.pop(pair.waiter.id), pair.agent)

    def _begin(self, caller: Caller, agent: Agent) -> None:
        waited_s = self.now_s - caller.came_s
        if caller.waiter.kind is WaiterKind.LIVE and caller.waiter.queue == QUEUE:
            self.hold_time_s = (3 * self.hold_time_s + waited_s) / 4
            self.patience = self.patience.note(waited_s, left=False)
        if caller.endless:
            self.waited += [Waited(quote, self.now_s - quote.at_s) for quote in caller.quotes]
        handle_s = self._handle_s(caller)
        self.agents[agent.name] = replace(agent, state=AgentState.ON_CALL, state_since=self.now)
        self._later(handle_s, lambda: self._end(agent.name, handle_s, caller.waiter.queue))

    def _handle_s(self, caller: Caller) -> float:
        talk_s = self._drawn_s()
        if caller.waiter.kind is WaiterKind.LIVE:
            return RING_S + talk_s
        if self.dice.random() < REACHED_SHARE:
            return DIAL_S + talk_s
        caller.tries += 1
        if caller.tries < MAX_TRIES:
            due = self.now + timedelta(seconds=RETRY_S)
            caller.waiter = replace(caller.waiter, not_before=due)
            self.callers[caller.waiter.id] = caller
            self._later(RETRY_S + 0.001, self._serve)
        return UNREACHED_S

    def _drawn_s(self) -> float:
        scenario = self.scenario
        mean_s = scenario.mean_s * scenario.drift(self.now_s)
        match scenario.shape:
            case "exponential":
                return self.dice.expovariate(1 / mean_s)
            case "constant":
                return self.dice.uniform(0.9, 1.1) * mean_s
        sigma2 = math.log1p(scenario.cv**2)
        return self.dice.lognormvariate(math.log(mean_s) - sigma2 / 2, math.sqrt(sigma2))

    def _end(self, name: str, handle_s: float, queue: str) -> None:
        if queue == QUEUE:
            self.handle = self.handle.note(handle_s)
        agent = self.agents[name]
        self.agents[name] = replace(agent, state=self._after_call(agent), state_since=self.now)
        self._serve()

    def _after_call(self, agent: Agent) -> AgentState:
        return AgentState.AVAILABLE if self._is_there(agent) else AgentState.SIGNED_OUT

    def _is_there(self, agent: Agent) -> bool:
        return int(agent.name[1:]) < math.ceil(self.scenario.staff(self.now_s) * self.scenario.agents)

    def _change_staff(self) -> None:
        for name, agent in self.agents.items():
            if agent.state is not AgentState.ON_CALL:
                self.agents[name] = replace(agent, state=self._after_call(agent), state_since=self.now)
        self._serve()

    # -- what they are told

    def _tell(self, name: str) -> None:
        caller = self.callers.get(name)
        if caller is None:
            return
        if caller.is_told_again:
            self._later(REPEAT_S, lambda: self._tell(name))
        crowd = crowd_before(ahead_of(name, self.line, self.now)[:-1], QUEUE, self.agents.values())
        fresh = wait_behind(crowd, self.handle, self.patience)
        if fresh is None:
            return
        before = caller.announced
        cause = cause_of(before, self.now, crowd, self.handle) if before else None
        told = announce(before, self.now, fresh, cause)
        caller.announced = Announced(self.now, told, crowd)
        if self.now_s < WARM_UP_S:
            return
        place = place_of(name, self.line, self.now)
        waited_s = self.now_s - caller.came_s
        hold_time_s = max(0.0, self.hold_time_s - waited_s)
        caller.quotes.append(
            Quote(self.now_s, heard(told), hold_time_s, place * self.handle.mean_s / crowd.agents, before is None)
        )
