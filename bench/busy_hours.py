"""Busy hours of a call centre that calls its customers back: a small simulation around the real rules of on deck."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from controller.domain.agents import Agent, AgentState
from controller.domain.handle_times import HandleTimes
from controller.domain.on_deck import Deck, DeckRecord, Pace, is_time, next_time

if TYPE_CHECKING:
    from collections.abc import Callable

OPENED = datetime(2026, 4, 1, tzinfo=UTC)
QUEUE = "cards"
AGENT_RING_S = 4.0
WHISPER_S = 6.0
WRAP_UP_S = 20.0
UNREACHED_S = 30.0
REACHED_SHARE = 0.75
PATIENT_S, PATIENCE_S = 10.0, 60.0
"""Who has pressed the key and is told that they are being connected hangs up no sooner; from then on by chance, with
this mean."""
ALWAYS_WAITING = 8


@dataclass(frozen=True)
class Scenario:
    """One call centre. `mean_s` is the talk; `callers` the share of the agents' time that callers take."""

    agents: int
    mean_s: float = 240.0
    cv: float = 0.8
    callers: float = 0.3
    reached_share: float = REACHED_SHARE
    patient_s: float = PATIENT_S


@dataclass
class Waiting:
    """Somebody in line: a caller, a promise, or a customer who has confirmed."""

    since_s: float
    is_promise: bool
    is_confirmed: bool = False
    confirmed_s: float = 0.0
    is_dialled: bool = False
    """On the way, with no agent kept."""
    kept: str | None = None
    is_gone: bool = False


@dataclass
class Figures:
    """What is counted."""

    idle_s: float = 0.0
    talked: int = 0
    kept: int = 0
    confirmed: int = 0
    abandoned: int = 0
    waits_s: list[float] = field(default_factory=list)
    dials: int = 0
    ahead: int = 0
    at_pace: dict[Pace, int] = field(default_factory=dict)


class BusyHours:
    """One run. `boldest`: how far the queue may go."""

    def __init__(self, scenario: Scenario, boldest: Pace, hours: float, seed: int) -> None:
        self.scenario, self.boldest, self.ends_s = scenario, boldest, hours * 3600
        self.dice = random.Random(seed)  # noqa: S311 - draws customers, guards nothing
        self.now_s = 0.0
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = itertools.count()
        self.line: list[Waiting] = []
        self.record, self.handle = DeckRecord(), HandleTimes()
        self.figures = Figures()
        self.look_at_s = math.inf
        self.agents = {
            f"a{n:03}": Agent(f"a{n:03}", "phone", frozenset({QUEUE}), AgentState.AVAILABLE, OPENED, True, True)
            for n in range(scenario.agents)
        }

    def run(self) -> Figures:
        """Live through all the hours."""
        self._later(0.0, self._caller)
        self._serve()
        while self.events and self.events[0][0] < self.ends_s:
            self.now_s, _, act = heapq.heappop(self.events)
            act()
        agents_s = self.ends_s * self.scenario.agents
        self.figures.idle_s = agents_s - self.figures.idle_s
        return self.figures

    @property
    def pace(self) -> Pace:
        """How bold the queue dials now."""
        return max(self.boldest, self.record.pace)

    @property
    def now(self) -> datetime:
        """The virtual time of day."""
        return OPENED + timedelta(seconds=self.now_s)

    def _later(self, after_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now_s + after_s, next(self.numbers), act))

    def _caller(self) -> None:
        handle_s = self.scenario.mean_s + WRAP_UP_S + AGENT_RING_S
        self._later(self.dice.expovariate(self.scenario.callers * self.scenario.agents / handle_s), self._caller)
        self.line.append(Waiting(self.now_s, is_promise=False))
        self._serve()

    # -- the line

    def _order(self) -> list[Waiting]:
        return sorted(self.line, key=lambda each: (not each.is_confirmed, each.since_s))

    def _serve(self) -> None:
        while sum(each.is_promise for each in self.line) < ALWAYS_WAITING + self.scenario.agents:
            self.line.append(Waiting(self.now_s + 1e-6 * next(self.numbers), is_promise=True))
        for waiting in self._order():
            free = [agent for agent in self.agents.values() if agent.state is AgentState.AVAILABLE]
            if not free:
                break
            if waiting.kept is None:
                self._join(waiting, min(free, key=lambda agent: (agent.state_since, agent.name)).name)
        if self.pace is Pace.AHEAD:
            self._look()

    def _join(self, waiting: Waiting, agent: str) -> None:
        self._move(agent, AgentState.RESERVED)
        if not waiting.is_promise:
            self.line.remove(waiting)
            self._later(AGENT_RING_S, lambda: self._talk(agent))
        elif waiting.is_confirmed:
            waiting.kept = agent
            self._later(AGENT_RING_S + WHISPER_S / 2, lambda: self._answered(waiting, agent))
        elif self.pace is Pace.AGENT_FIRST:
            self.line.remove(waiting)
            self._agent_first(agent)
        else:
            waiting.kept = agent
            if not waiting.is_dialled:
                self._dial(waiting)

    def _look(self) -> None:
        before = 0.0
        on_the_way = 0
        self.look_at_s = math.inf
        for waiting in self._order():
            if waiting.kept is not None:
                continue
            if waiting.is_dialled:
                on_the_way += 1
                continue
            if not waiting.is_promise or waiting.is_confirmed:
                before += 1
                continue
            deck = Deck(list(self.agents.values()), before, on_the_way, WRAP_UP_S)
            if not is_time(deck, self.record, self.handle, self.now):
                again_at = next_time(deck, self.record, self.handle, self.now)
                if again_at is not None:
                    self.look_at_s = (again_at - OPENED).total_seconds()
                    self._later(self.look_at_s - self.now_s, partial(self._look_again, self.look_at_s))
                return
            on_the_way += 1
            self.figures.ahead += 1
            self._dial(waiting)

    def _look_again(self, at_s: float) -> None:
        if self.look_at_s == at_s:
            self._serve()

    # -- the calls

    def _dial(self, waiting: Waiting) -> None:
        waiting.is_dialled = True
        self.figures.dials += 1
        if self.dice.random() < self.scenario.reached_share:
            reach_s = self._reach_s()
            self._later(reach_s, lambda: self._confirms(waiting, reach_s))
        else:
            self._later(UNREACHED_S, lambda: self._not_reached(waiting))

    def _reach_s(self) -> float:
        return self.dice.uniform(4, 24) + self.dice.uniform(6, 12)

    def _not_reached(self, waiting: Waiting) -> None:
        self.line.remove(waiting)
        self.record = self.record.note(reach_s=None)
        if waiting.kept is not None:
            self._move(waiting.kept, AgentState.AVAILABLE)
        self._serve()

    def _confirms(self, waiting: Waiting, reach_s: float) -> None:
        waiting.is_confirmed, waiting.confirmed_s = True, self.now_s
        self.record = replace(self.record, reach=self.record.reach.note(reach_s))
        self.figures.confirmed += 1
        patience_s = self.scenario.patient_s + self.dice.expovariate(1 / PATIENCE_S)
        self._later(patience_s, lambda: self._loses_patience(waiting))
        if waiting.kept is not None:
            kept, waiting.kept = waiting.kept, None
            self._move(kept, AgentState.AVAILABLE)
        self._serve()

    def _loses_patience(self, waiting: Waiting) -> None:
        if waiting not in self.line:
            return
        waiting.is_gone = True
        self.line.remove(waiting)
        self.figures.abandoned += 1
        self._judge(abandoned=True)
        if waiting.kept is not None:
            self._move(waiting.kept, AgentState.AVAILABLE)
        self._serve()

    def _answered(self, waiting: Waiting, agent: str) -> None:
        if waiting.is_gone:
            return
        self.line.remove(waiting)
        self.figures.waits_s.append(self.now_s - waiting.confirmed_s)
        self._judge(abandoned=False)
        self.figures.kept += 1
        self._talk(agent)

    def _judge(self, *, abandoned: bool) -> None:
        reach = self.record.reach
        noted = self.record.note(reach_s=reach.mean_s, abandoned=abandoned)
        self.record = replace(noted, reach=reach)
        self.figures.at_pace[self.pace] = self.figures.at_pace.get(self.pace, 0) + 1

    def _agent_first(self, agent: str) -> None:
        self.figures.dials += 1
        if self.dice.random() < self.scenario.reached_share:

            def talks() -> None:
                self.figures.kept += 1
                self.figures.confirmed += 1
                self._judge(abandoned=False)
                self._talk(agent)

            self._later(AGENT_RING_S + WHISPER_S + self._reach_s(), talks)
        else:
            self._later(AGENT_RING_S + WHISPER_S + UNREACHED_S, lambda: self._free(agent))

    def _talk(self, agent: str) -> None:
        sigma2 = math.log1p(self.scenario.cv**2)
        talk_s = self.dice.lognormvariate(math.log(self.scenario.mean_s) - sigma2 / 2, math.sqrt(sigma2))
        self.figures.talked += 1
        self._move(agent, AgentState.ON_CALL)
        self._later(talk_s, lambda: self._move(agent, AgentState.WRAP_UP, look=True))
        self._later(talk_s + WRAP_UP_S, lambda: self._ends(agent, talk_s + WRAP_UP_S))

    def _ends(self, agent: str, handle_s: float) -> None:
        self.figures.idle_s += handle_s
        self.handle = self.handle.note(handle_s)
        self._free(agent)

    def _free(self, agent: str) -> None:
        self._move(agent, AgentState.AVAILABLE)
        self._serve()

    def _move(self, agent: str, state: AgentState, *, look: bool = False) -> None:
        self.agents[agent] = replace(self.agents[agent], state=state, state_since=self.now)
        if look:
            self._serve()
