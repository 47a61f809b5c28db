"""The line as a journey sees it: a place, and an agent whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.wait_estimate import WaitRange


class Reservation(Protocol):
    """An agent set aside for one caller or promise, until the context is left."""

    @property
    def agent(self) -> Agent:
        """The agent as reserved."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def rings(self) -> None:
        """Tell that the agent's phone is about to ring."""
        ...

    def missed(self) -> None:
        """Tell that the phone rang and nobody took it: the agent is paused for a while."""
        ...

    def answered(self) -> None:
        """Tell that the agent took the call; wrap-up begins when the context is left."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What a supervisor wants of somebody who holds, as it is from now on."""

    queue: str
    urgent: bool
    only_for: str
    """The only agent, by name, who is to serve them; "" for everybody."""
    say: tuple[str, ...] = ()
    """Prompts that they are to hear now, each told once."""


class Place(Protocol):
    """A place in line, held for as long as the context is open."""

    def take_orders(self) -> None:
        """Say that this waiter's journey heeds what a supervisor wants, from now on: see `ordered`."""
        ...

    async def ordered(self) -> Order:
        """Return when a supervisor wants something of this waiter. An event to race against, ahead of all others."""
        ...

    async def turn(self) -> Reservation:
        """Return the agent when it is this waiter's turn. Cancelled, or not entered, the reservation goes back."""
        ...

    @property
    def has_agent(self) -> bool:
        """Whether an agent is set aside for this waiter already."""
        ...

    def step_aside(self) -> AbstractContextManager[None]:
        """Keep the place but get no agent meanwhile (the caller is busy leaving a number)."""
        ...

    def depart(self) -> None:
        """Get no agent from here on, until the place is left: the caller is on their way elsewhere."""
        ...

    def position(self) -> int:
        """Return the place among all who wait for the queue, promises included; 1 for the next to be served."""
        ...

    def expected_wait(self) -> WaitRange | None:
        """Return how long it will probably take from now; None when nobody is on duty and nothing can be said."""
        ...

    def quote(self) -> WaitRange | None:
        """Return the expected wait to tell now, and take note that it is told; None when nothing can be said.

        Never below what was told before without a cause.
        """
        ...

    async def no_agents(self) -> None:
        """Return once no agent is on duty for the queue. An event to race against."""
        ...


class Line(Protocol):
    """The one line in which all callers and promises stand."""

    def join(
        self,
        call_id: str,
        queue: str,
        since: datetime,
        *,
        urgent: bool = False,
        in_place_of: str | None = None,
        number: str | None = None,
        only_for: str = "",
    ) -> AbstractContextManager[Place]:
        """Take a place, ordered by `since`, until the context is left.

        `in_place_of` is an open promise of the same customer, who rings back: for as long as they stand in line it is
        not dialled, and a dial that is on its way is withdrawn. `number` is for whoever looks at the line; `only_for`
        the only agent who is to serve them.
        """
        ...

    def length(self, queue: str) -> int:
        """Return how many live callers wait for a queue."""
        ...

    def agents_on_duty(self, queue: str) -> int:
        """Return how many agents serve a queue now: signed in, and not paused; on a call or not."""
        ...

    def expected_wait(self, queue: str) -> WaitRange | None:
        """Return how long somebody who joins now will probably wait; None when nothing can be said."""
        ...

    async def withdrawn(self, promise_id: str) -> None:
        """Return when the customer of a promise rings in while its dial is on the way. An event to race against."""
        ...

    def is_withdrawn(self, promise_id: str) -> bool:
        """Tell the same of this moment: asked before the customer's phone rings."""
        ...
