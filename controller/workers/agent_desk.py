"""The agents' desk: who is free, who is not, and for how long. The one writer of the agents' states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import structlog

from controller.domain.agents import TABLE, Agent, AgentEvent, AgentState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.ports.phones import PhoneStatus
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


class AgentDesk:
    """Holds every agent's state; tells `on_free` when somebody may have become free."""

    def __init__(self, agents: Iterable[Agent], clock: Clock, supervisor: Supervisor) -> None:
        self._agents = {agent.name: agent for agent in agents}
        self._by_endpoint = {agent.endpoint: agent.name for agent in self._agents.values()}
        self._clock = clock
        self._supervisor = supervisor
        self.on_free: Callable[[], None] = lambda: None

    @property
    def agents(self) -> list[Agent]:
        """Every agent as of now."""
        return list(self._agents.values())

    def phone_changed(self, status: PhoneStatus) -> None:
        """Take note of what a phone reported. A hint: it makes an agent free or not, and nothing else."""
        name = self._by_endpoint.get(status.endpoint)
        if name is None:
            return
        idle = status.can_ring
        before = self._agents[name]
        self._put(before.with_phone(registered=status.registered, idle=idle, now=self._clock.now()))

    def reserve(self, agent: Agent, queue: Queue) -> DeskReservation:
        """Set the agent aside. Raises RefusedAgentEventError when they are not available."""
        self.move(agent.name, AgentEvent.RESERVE)
        return DeskReservation(self, self._agents[agent.name], queue)

    def resume(self, name: str, queue: Queue) -> DeskReservation | None:
        """Return a reservation for an agent who is found talking after a restart; None for an unknown agent."""
        agent = self._agents.get(name)
        if agent is None:
            return None
        talking = Agent(
            agent.name,
            agent.endpoint,
            agent.queues,
            AgentState.ON_CALL,
            self._clock.now(),
            phone_registered=agent.phone_registered,
            phone_idle=agent.phone_idle,
        )
        self._put(talking)
        return DeskReservation(self, talking, queue)

    def move(self, name: str, event: AgentEvent) -> None:
        """Move one agent by `event`. Raises RefusedAgentEventError."""
        self._put(self._agents[name].after(event, self._clock.now()))

    def state_of(self, name: str) -> AgentState:
        """Return one agent's state."""
        return self._agents[name].state

    def rest(self, name: str, rest_s: float) -> None:
        """Let the agent's wrap-up or pause be over after `rest_s` seconds."""
        self._supervisor.spawn(self._rest(self._agents[name], rest_s), agent=name)

    async def _rest(self, resting: Agent, rest_s: float) -> None:
        await self._clock.sleep(rest_s)
        agent = self._agents[resting.name]
        # Still the same rest: a later state has a later `state_since`.
        if agent.state is resting.state and agent.state_since == resting.state_since:
            self.move(agent.name, AgentEvent.REST_OVER)

    def _put(self, agent: Agent) -> None:
        before = self._agents[agent.name]
        self._agents[agent.name] = agent
        if before.state is not agent.state:
            log.info("agent state", agent=agent.name, state=agent.state.value, was=before.state.value)
        if agent.is_free and not before.is_free:
            self.on_free()


class DeskReservation:
    """An agent set aside for one waiter. Leaving the context ends it, whichever way the call went."""

    def __init__(self, desk: AgentDesk, agent: Agent, queue: Queue) -> None:
        self._desk = desk
        self._agent = agent
        self._queue = queue
        self.taken = False
        """Entered: from then on its holder gives it back, not the line."""

    @property
    def agent(self) -> Agent:
        """The agent as reserved."""
        return self._agent

    def __enter__(self) -> Self:
        self.taken = True
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()

    def rings(self) -> None:
        """Tell that the phone is about to ring."""
        self._desk.move(self._agent.name, AgentEvent.RING)

    def missed(self) -> None:
        """Tell that nobody took it: the agent is left in peace for a while."""
        self._desk.move(self._agent.name, AgentEvent.MISS)
        self._desk.rest(self._agent.name, self._queue.missed_pause_s)

    def answered(self) -> None:
        """Tell that the agent took the call."""
        self._desk.move(self._agent.name, AgentEvent.ANSWER)

    def give_back(self) -> None:
        """End the reservation: back to available if nothing rang out, into wrap-up after a call."""
        state = self._desk.state_of(self._agent.name)
        if (state, AgentEvent.RELEASE) in TABLE:
            self._desk.move(self._agent.name, AgentEvent.RELEASE)
        elif state is AgentState.ON_CALL:
            self._desk.move(self._agent.name, AgentEvent.HANG_UP)
            self._desk.rest(self._agent.name, self._queue.wrap_up_s)
