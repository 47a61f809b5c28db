"""What the suite of the call ports asks of an exchange, be it scripted or real."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from controller.domain.agents import Agent, AgentState
from controller.domain.promise import Attempt

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from controller.ports.calls import Call, OutboundCall
    from controller.ports.survey import FoundCall

SINCE = datetime(2026, 4, 1, 3, tzinfo=UTC)


class FarEnd(Protocol):
    """The person on the other side of a call."""

    async def press(self, keys: str) -> None:
        """Press keys."""

    async def hang_up(self) -> None:
        """Hang up."""

    async def over(self) -> None:
        """Return when the call has ended, as this person sees it."""

    async def hears_music(self) -> bool:
        """Tell whether hold music is heard from now on."""


class Exchange(Protocol):
    """What the suite asks of an exchange."""

    async def call_in(self, *, withheld: bool = False) -> tuple[Call, FarEnd]:
        """Somebody calls the service number; return both ends of the call, which is not answered yet."""

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to an agent, who "answers", is "busy" or lets it ring ("ignores")."""

    def customer_leg(
        self, when_rung: str, *, attempt_id: str, number: str | None = None, ring_timeout_s: float = 10
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a customer."""

    async def rung(self) -> FarEnd:
        """Return the far end of the leg whose phone rings, or was rung, next."""

    async def successor(self) -> list[FoundCall]:
        """Have another controller take over without a goodbye, and return what it finds."""

    async def clear(self) -> None:
        """Hang everybody up."""


def an_agent() -> Agent:
    """Return the agent whose phone is rung."""
    return Agent("agent-1", "agent-1", frozenset({"main"}), AgentState.RINGING, SINCE)


def an_attempt(attempt_id: str, number: str) -> Attempt:
    """Return an attempt at a number."""
    return Attempt(attempt_id, "promise-1", number, "agent-1", SINCE)
