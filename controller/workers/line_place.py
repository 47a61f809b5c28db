"""One live caller's place in line."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.wait_estimate import heard
from controller.ports.line import Order

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.line import Waiter
    from controller.domain.wait_estimate import Announced, WaitRange
    from controller.workers.agent_desk import DeskReservation
    from controller.workers.line_keeper import LineKeeper


class LinePlace:
    """A place that is held until its context is left. What it is among the others, only the keeper knows."""

    def __init__(
        self,
        waiter: Waiter,
        keeper: LineKeeper,
        *,
        in_place_of: str | None,
        joined_at: datetime,
        number: str | None = None,
    ) -> None:
        self.waiter = waiter
        self.number = number
        """Of the caller, as far as it is known."""
        self.in_place_of = in_place_of
        """The id of the promise that is not served meanwhile."""
        self.joined_at = joined_at
        self.offered_at = joined_at
        """When an agent was offered last."""
        self._keeper = keeper
        self._aside = False
        self._departing = False
        self._offered: DeskReservation | None = None
        self._turn = asyncio.Event()
        self._announced: Announced | None = None
        self._ordered = asyncio.Event()
        self._to_say: list[str] = []
        self._takes_orders = False

    @property
    def wants_agent(self) -> bool:
        """Whether an agent could be used now."""
        return not (self._aside or self._departing) and self._offered is None

    @property
    def has_agent(self) -> bool:
        """Whether an agent is reserved for this caller, taken or not."""
        return self._offered is not None

    @property
    def is_served(self) -> bool:
        """Whether an agent was taken: they talk, or the agent's phone rings."""
        return self._offered is not None and self._offered.taken

    @property
    def agent(self) -> Agent | None:
        """The agent who was taken for this caller, as they were then."""
        return self._offered.agent if self._offered is not None and self._offered.taken else None

    @property
    def announced(self) -> Announced | None:
        """What the caller was told last of the wait."""
        return self._announced

    def take_orders(self) -> None:
        """Say that the caller's journey heeds what a supervisor wants."""
        self._takes_orders = True

    async def ordered(self) -> Order:
        """Return when a supervisor wants something of this caller."""
        await self._ordered.wait()
        self._ordered.clear()
        said, self._to_say = tuple(self._to_say), []
        return Order(self.waiter.queue, self.waiter.urgent, self.waiter.only_for, said)

    def prioritise(self, *, urgent: bool) -> bool:
        """Put the caller ahead of those who are not urgent, or back. False: it does not fit what they are doing."""
        return self._order(replace(self.waiter, urgent=urgent))

    def assign(self, agent: str) -> bool:
        """Let the caller wait for one agent alone; "" for everybody. False: it does not fit what they are doing."""
        return self._order(replace(self.waiter, only_for=agent))

    def move(self, queue: str) -> bool:
        """Let the caller wait for another queue, whoever serves it. False: it does not fit what they are doing.

        What they were told of the wait was said of the other queue, and binds nobody any more.
        """
        if not self._order(replace(self.waiter, queue=queue, only_for="")):
            return False
        self._announced = None
        return True

    def say(self, prompt: str) -> bool:
        """Let the caller hear a prompt over the music. False: they do not hold."""
        if self.is_served or self._departing or not self._takes_orders:
            return False
        self._to_say.append(prompt)
        self._ordered.set()
        return True

    def _order(self, waiter: Waiter) -> bool:
        # An agent who is on the way to them was chosen for who they were; and who leaves a number does so for a queue.
        if not (self.wants_agent and self._takes_orders):
            return False
        self.waiter = waiter
        self._ordered.set()
        self._keeper.serve()
        return True

    async def turn(self) -> DeskReservation:
        """Return the agent when it is this caller's turn. What is not entered goes back to the line."""
        if self._offered is not None and self._offered.taken:
            self._offered = None
            self._turn.clear()
            self._keeper.serve()
        await self._turn.wait()
        if self._offered is None:
            raise RuntimeError("a turn without an agent")
        return self._offered

    def position(self) -> int:
        """Return the place among all who wait for the queue, due promises included; 1 for the next to be served."""
        return self._keeper.position_of(self)

    def expected_wait(self) -> WaitRange | None:
        """Return how long it will probably take from now; None when nobody is on duty."""
        return self._keeper.outlook.expected_wait(self.waiter.queue, self._keeper.ahead_of(self))

    def quote(self) -> WaitRange | None:
        """Return the expected wait to tell now, as it is spoken, and take note that it is told; None: nobody on duty.

        Without a cause its far end is never sooner than the one that was told before.
        """
        announced = self._keeper.outlook.announce(
            self.waiter.queue, self._keeper.ahead_of(self), previous=self._announced
        )
        if announced is None:
            return None
        self._announced = announced
        return heard(announced.range)

    async def no_agents(self) -> None:
        """Return once no agent is on duty for the queue."""
        await self._keeper.no_agents(self.waiter.queue)

    def offer(self, reservation: DeskReservation, now: datetime) -> None:
        """Hand the caller an agent."""
        self._offered = reservation
        self.offered_at = now
        self._turn.set()

    def give_back(self) -> None:
        """Return an agent that was offered and never taken."""
        offered, self._offered = self._offered, None
        self._turn.clear()
        if offered is not None and not offered.taken:
            offered.give_back()

    def step_aside(self) -> _Aside:
        """Keep the place and get no agent meanwhile."""
        return _Aside(self, self._keeper)

    def depart(self) -> None:
        """Get no agent any more: the caller is on their way out of the line."""
        self._departing = True
        self.give_back()

    def set_aside(self, *, aside: bool) -> None:
        """Start or end being busy with something else."""
        self._aside = aside
        if aside:
            self.give_back()


class _Aside:
    def __init__(self, place: LinePlace, keeper: LineKeeper) -> None:
        self._place = place
        self._keeper = keeper

    def __enter__(self) -> None:
        self._place.set_aside(aside=True)

    def __exit__(self, *_: object) -> None:
        self._place.set_aside(aside=False)
        self._keeper.serve()
