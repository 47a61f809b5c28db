"""What an agent sets by phone, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.agents import Duty
    from controller.domain.pin import Guesses


class SignIn(StrEnum):
    """What came of a wish to sign in."""

    DONE = "done"
    PIN_WANTED = "pin_wanted"
    PIN_WRONG = "pin_wrong"
    LOCKED = "locked"
    """Too many wrong PINs: for a while none is looked at."""
    NOT_POSSIBLE = "not_possible"
    """The database is away, or a PIN is due and the agent has none; an admin is told in the log."""


class AgentDuty(Protocol):
    """What an agent can set by phone. What returns False changed nothing: it does not fit, or could not be kept."""

    def name_of(self, endpoint: str | None) -> str | None:
        """Return the agent whose phone this PJSIP endpoint is; None for a phone of nobody."""
        ...

    async def sign_in(self, name: str, pin: str | None = None) -> SignIn:
        """Sign an agent in; ends a pause too. Without `pin` it says whether one is wanted. Counts wrong PINs."""
        ...

    async def sign_out(self, name: str) -> bool:
        """Sign an agent out, after the call that they may be on."""
        ...

    async def pause(self, name: str, reason: str) -> bool:
        """Pause an agent, after the call that they may be on."""
        ...

    async def unpause(self, name: str) -> bool:
        """End an agent's pause, also one that a missed call began."""
        ...

    async def end_wrap_up(self, name: str) -> bool:
        """End an agent's wrap-up before its time; False when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class KeptAgent:
    """What is kept of one agent."""

    name: str
    duty: Duty
    pin_hash: str | None
    guesses: Guesses
    changed_at: datetime
    """When the duty or the PIN was last set; aware UTC."""


class AgentBook(Protocol):
    """Durable duties and PINs. Every method raises StoreUnavailableError; nothing was changed then."""

    async def kept(self) -> list[KeptAgent]:
        """Return every agent of whom something is kept, by name."""
        ...

    async def find(self, name: str) -> KeptAgent | None:
        """Return what is kept of one agent."""
        ...

    async def keep_duty(self, name: str, duty: Duty, *, at: datetime) -> None:
        """Keep an agent's duty."""
        ...

    async def keep_guesses(self, name: str, guesses: Guesses) -> None:
        """Keep how many wrong PINs there were; nothing for an agent of whom nothing is kept."""
        ...

    async def set_pin(self, name: str, pin_hash: str | None, *, duty_if_new: Duty, at: datetime) -> None:
        """Give an agent another PIN, or none, and forget wrong ones."""
        ...
