"""What the suite of the call ports asks of an exchange, be it scripted or real."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from controller.domain.agents import Agent, AgentState
from controller.domain.promise import Attempt

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from controller.ports.calls import Call, OutboundCall
    from controller.ports.recordings import RecordingShelf
    from controller.ports.survey import FoundCall

DEFAULT_MUSIC = "default"
OWN_MUSIC = "contract"
SINCE = datetime(2026, 4, 1, 3, tzinfo=UTC)


class FarEnd(Protocol):
    """The person on the other side of a call."""

    async def press(self, keys: str) -> None:
        """Press keys."""

    async def hang_up(self) -> None:
        """Hang up."""

    async def over(self) -> None:
        """Return when the call has ended, as this person sees it."""

    @property
    def shown_number(self) -> str:
        """The number that the phone shows of whoever rings it."""

    async def hears_music(self, music: str = DEFAULT_MUSIC) -> bool:
        """Tell whether this hold music is heard from now on."""

    async def hears(self, prompt: str, language: str) -> bool:
        """Tell whether a prompt is heard, or was, in this language."""


class Exchange(Protocol):
    """What the suite asks of an exchange.

    The queue "main" has no music of its own, "other" has OWN_MUSIC, and "lost" has one that the PBX does not know.
    """

    trunk: str
    """The endpoint through which customers' calls come in."""
    service_number: str

    @property
    def shelf(self) -> RecordingShelf:
        """Where the sound of recorded talks is."""

    async def call_in(self, *, withheld: bool = False, from_agent: bool = False) -> tuple[Call, FarEnd]:
        """Somebody calls the service number; return both ends of the call, which is not answered yet."""

    async def agent_dials(self, code: str) -> tuple[Call, str, FarEnd]:
        """Have an agent's phone dial a code for agents; return both ends of the call, and the code as it was told."""

    async def told_of_a_code(self) -> tuple[Call, str]:
        """Return the next agent's call that is told of, with its code."""

    def agent_leg(self, when_rung: str, *, ring_timeout_s: float = 10) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to an agent, who "answers", is "busy" or lets it ring ("ignores")."""

    def customer_leg(
        self,
        when_rung: str,
        *,
        attempt_id: str,
        number: str | None = None,
        language: str = "ja",
        ring_timeout_s: float = 10,
        listens: bool = False,
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a customer. With `listens` the PBX listens for an answering machine first."""

    def external_leg(
        self, when_rung: str, *, for_call: str, named: bool = True, shown_number: str | None = None
    ) -> AbstractAsyncContextManager[OutboundCall]:
        """Prepare a call to a number outside, one that the settings name or another."""

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
