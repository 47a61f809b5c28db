"""The line as a journey sees it: a place, and an agent whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from controller.domain.agents import Agent


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


class Place(Protocol):
    """A place in line, held for as long as the context is open."""

    async def turn(self) -> Reservation:
        """Return the agent when it is this waiter's turn. Cancelled, or not entered, the reservation goes back."""
        ...

    def step_aside(self) -> AbstractContextManager[None]:
        """Keep the place but get no agent meanwhile (the caller is busy leaving a number)."""
        ...


class Line(Protocol):
    """The one line in which all callers and promises stand."""

    def join(self, call_id: str, queue: str, since: datetime) -> AbstractContextManager[Place]:
        """Take a place, ordered by `since`, until the context is left."""
        ...
