"""The agents' desk: who is free, who is not, and for how long. The one writer of the agents' states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from controller.domain.agents import BUSY, TABLE, Agent, AgentEvent, AgentState, Duty, RestKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from controller.domain.line import Waiter, WaiterKind
    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.ports.phones import PhoneStatus
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """Whom an agent is set aside for, rung for, talks with, or wraps up after."""

    waiter_id: str
    """As it stands in line: a call's id or a promise's. A customer who was dialled ahead has that of their channel."""
    queue: str
    kind: WaiterKind
    since: datetime
    """When they were set aside; aware UTC."""
    goes_on: bool = False
    """They were found talking after a restart."""


class AgentDesk:
    """Holds every agent's state. Its hooks may be set at any time, and have to be quick."""

    def __init__(self, agents: Iterable[Agent], clock: Clock, supervisor: Supervisor) -> None:
        self._agents = {agent.name: agent for agent in agents}
        self._by_endpoint = {agent.endpoint: agent.name for agent in self._agents.values()}
        self._clock = clock
        self._supervisor = supervisor
        self._handling: dict[str, tuple[str, datetime]] = {}
        self._serving: dict[str, Serving] = {}
        self._rest_ends: dict[str, datetime] = {}
        self._more_rest_s: dict[str, float] = {}
        self.on_free: Callable[[], None] = lambda: None
        """Called when somebody may have become free."""
        self.on_changed: Callable[[Agent, Agent], None] = lambda _before, _after: None
        """Called with an agent as they were and as they are: state, phone, duty or rest differs."""
        self.on_handled: Callable[[str, float], None] = lambda _queue, _handle_s: None
        """Called with a queue and how long one of its waiters kept an agent, once the wrap-up is over: talk and wrap-up
        as they really were, in seconds."""

    @property
    def agents(self) -> list[Agent]:
        """Every agent as of now."""
        return list(self._agents.values())

    def names_on_duty(self, queue: str) -> list[str]:
        """Return the agents who serve a queue now, on a call or not."""
        return [agent.name for agent in self._agents.values() if queue in agent.queues and agent.is_on_duty]

    def on_duty(self, queue: str, *, phones_are_known: bool) -> int:
        """Return how many they are. Until it is known whose phone is there, all count who want calls."""
        if phones_are_known:
            return len(self.names_on_duty(queue))
        return sum(queue in each.queues and each.duty == Duty(signed_in=True) for each in self._agents.values())

    def name_of(self, endpoint: str | None) -> str | None:
        """Return the agent whose phone this PJSIP endpoint is."""
        return self._by_endpoint.get(endpoint or "")

    def agent(self, name: str) -> Agent:
        """Return one agent as of now. Raises KeyError."""
        return self._agents[name]

    def serving(self, name: str) -> Serving | None:
        """Return whom an agent is there for, until the wrap-up is over, whatever interrupts that; None: nobody."""
        return self._serving.get(name)

    def take_over(self, duties: Mapping[str, Duty]) -> None:
        """Set the duties that agents, by name, had before this start; a name that is not known is passed over."""
        for name in duties.keys() & self._agents.keys():
            self._put(self._agents[name].with_duty(duties[name], self._clock.now()))

    def phone_changed(self, status: PhoneStatus) -> None:
        """Take note of what a phone reported. A hint: it makes an agent free or not, and nothing else."""
        name = self._by_endpoint.get(status.endpoint)
        if name is None:
            return
        idle = status.can_ring
        before = self._agents[name]
        self._put(before.with_phone(registered=status.registered, idle=idle, now=self._clock.now()))

    def reserve(self, agent: Agent, queue: Queue, waiter: Waiter) -> DeskReservation:
        """Set the agent aside for a waiter. Raises RefusedAgentEventError when they are not available."""
        now = self._clock.now()
        reserved = self._agents[agent.name].after(AgentEvent.RESERVE, now)
        self._serving[agent.name] = Serving(waiter.id, queue.name, waiter.kind, now)
        self._put(reserved)
        return DeskReservation(self, self._agents[agent.name], queue)

    def resume(
        self, name: str, queue: Queue, waiter_id: str, kind: WaiterKind, *, goes_on: bool = True
    ) -> DeskReservation | None:
        """Return a reservation for an agent who is found talking after a restart; None for an unknown agent.

        Not `goes_on`: they have begun by themselves, a moment ago.
        """
        agent = self._agents.get(name)
        if agent is None:
            return None
        self._handling.pop(name, None)
        now = self._clock.now()
        self._serving[name] = Serving(waiter_id, queue.name, kind, now, goes_on=goes_on)
        self._put(replace(agent, state=AgentState.ON_CALL, state_since=now, rest=None))
        return DeskReservation(self, self._agents[name], queue)

    def move(self, name: str, event: AgentEvent, *, reason: str | None = None) -> None:
        """Move one agent by `event`. Raises RefusedAgentEventError."""
        self._put(self._agents[name].after(event, self._clock.now(), reason=reason))

    def state_of(self, name: str) -> AgentState:
        """Return one agent's state."""
        return self._agents[name].state

    def wrap_up(self, name: str, queue: Queue, answered_at: datetime | None) -> None:
        """End an agent's call and let the wrap-up run; `answered_at` is None when nobody saw the call begin."""
        self.move(name, AgentEvent.HANG_UP)
        if answered_at is not None:
            self._handling[name] = (queue.name, answered_at)
        self.rest(name, queue.wrap_up_s)

    def rest(self, name: str, rest_s: float) -> None:
        """Let the rest that the agent is in (a wrap-up, a missed call's pause) be over after `rest_s` seconds."""
        self._more_rest_s.pop(name, None)
        if rest_s <= 0:
            self.move(name, AgentEvent.REST_OVER)
            return
        self._rest_ends[name] = self._clock.now() + timedelta(seconds=rest_s)
        self._supervisor.spawn(self._rest(self._agents[name], rest_s), agent=name)

    def rest_ends_at(self, name: str) -> datetime | None:
        """Return when the rest that an agent is in will be over by itself; None: they are in none."""
        return self._rest_ends.get(name) if self._agents[name].rest is not None else None

    def extend_wrap_up(self, name: str, by_s: float) -> bool:
        """Let a wrap-up be over `by_s` seconds later. False: the agent is in none."""
        if self._agents[name].state is not AgentState.WRAP_UP or name not in self._rest_ends:
            return False
        self._more_rest_s[name] = self._more_rest_s.get(name, 0.0) + by_s
        self._rest_ends[name] += timedelta(seconds=by_s)
        return True

    async def _rest(self, resting: Agent, rest_s: float) -> None:
        await self._clock.sleep(rest_s)
        while self._agents[resting.name].rest == resting.rest and (more_s := self._more_rest_s.pop(resting.name, 0.0)):
            await self._clock.sleep(more_s)
        rest = self._agents[resting.name].rest
        # Ended by hand meanwhile, or another one has begun since: that is not ours to end.
        if rest is not None and rest == resting.rest:
            self.move(resting.name, AgentEvent.REST_OVER)

    def _put(self, agent: Agent) -> None:
        before = self._agents[agent.name]
        self._agents[agent.name] = agent
        is_wrapping_up = agent.rest is not None and agent.rest.kind is RestKind.WRAP_UP
        if agent.state not in BUSY and not is_wrapping_up:
            self._serving.pop(agent.name, None)
        if before == agent:
            return
        if (before.state, before.pause_reason) != (agent.state, agent.pause_reason):
            log.info(
                "agent state",
                agent=agent.name,
                state=agent.state.value,
                was=before.state.value,
                **({"reason": agent.pause_reason} if agent.pause_reason is not None else {}),
            )
        if before.rest is not None and before.rest.kind is RestKind.WRAP_UP and agent.rest is None:
            self._tell_handled(agent.name)
        self.on_changed(before, agent)
        if agent.is_free and not before.is_free:
            self.on_free()

    def _tell_handled(self, name: str) -> None:
        queue, answered_at = self._handling.pop(name, (None, None))
        if queue is not None and answered_at is not None:
            # The wall clock may have been set back meanwhile.
            self.on_handled(queue, max(0.0, (self._clock.now() - answered_at).total_seconds()))


class DeskReservation:
    """An agent set aside for one waiter. Leaving the context ends it, whichever way the call went."""

    def __init__(self, desk: AgentDesk, agent: Agent, queue: Queue) -> None:
        self._desk = desk
        self._agent = agent
        self._queue = queue
        self._answered_at: datetime | None = None
        self.taken = False
        """Entered: from then on its holder gives it back, not the line."""

    @property
    def agent(self) -> Agent:
        """The agent as reserved."""
        return self._agent

    @property
    def is_in_force(self) -> bool:
        """Whether the agent is still set aside: not rung yet, and neither gone nor in a pause meanwhile."""
        now = self._desk.agent(self._agent.name)
        return now.state is AgentState.RESERVED and now.is_on_duty and now.phone_registered and now.phone_idle

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
        self._answered_at = self._desk.agent(self._agent.name).state_since

    def give_back(self) -> None:
        """End the reservation: back to available if nothing rang out, into wrap-up after a call."""
        state = self._desk.state_of(self._agent.name)
        if (state, AgentEvent.RELEASE) in TABLE:
            self._desk.move(self._agent.name, AgentEvent.RELEASE)
        elif state is AgentState.ON_CALL:
            self._desk.wrap_up(self._agent.name, self._queue, self._answered_at)
