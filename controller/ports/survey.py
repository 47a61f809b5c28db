"""What is found on the PBX after the controller was away: live channels, and how far each had come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from controller.ports.calls import OutboundCall, Stage


class Role(StrEnum):
    """Whose channel it is."""

    CALLER = "caller"
    AGENT = "agent"
    CUSTOMER = "customer"
    EXTERNAL = "external"
    """A number outside that a caller was sent to, as an answering service."""


@dataclass(frozen=True, slots=True)
class FoundCall:
    """One live channel of ours. Its call is already followed: no event from here on is missed."""

    call: OutboundCall
    role: Role
    stage: Stage | None
    queue: str | None
    urgent: bool
    """For a caller: stands ahead of the others."""
    agent: str | None
    """For an agent's leg: the agent's name. For a caller: the only one who is to serve them."""
    for_call: str | None
    """For an agent's leg: the id of the caller's call, or of the attempt, that it was rung for."""
    attempt_id: str | None
    joined_with: frozenset[str]
    """The channel ids in the same talk; empty when the channel is alone or on hold."""


class Surveyor(Protocol):
    """Looks at the PBX and takes up what is there."""

    async def survey(self) -> list[FoundCall]:
        """Return every live channel of ours that no journey follows yet."""
        ...

    @property
    def talked(self) -> frozenset[str]:
        """The ids of the calls whose talk was begun and never ended in order, as the last survey found.

        Their parties may be gone: whoever died between joining two people and writing it down left this behind.
        """
        ...

    async def tidy(self) -> None:
        """Take down what is left of talks that are over, once they are written down. Never raises."""
        ...
