"""The do-not-call list: numbers that asked never to be called or texted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Blocked:
    """One number on the list. `blocked_at` is aware UTC."""

    number: str
    """E.164; where the list is hashed: what is left of it to be shown, without the last four digits."""
    reason: str
    """How it came: a word for people, as "STOP by SMS" or "asked agent-2"."""
    blocked_at: datetime


class DoNotCallBook(Protocol):
    """The list, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def block(self, number: str, *, reason: str) -> list[Promise]:
        """Put a number on the list and cancel its open promises, in one transaction; return those.

        Once it returns, no attempt for the number can be opened and no SMS to it leaves. A talk is not cut. Twice is
        the same as once.
        """
        ...

    async def unblock(self, number: str) -> bool:
        """Take a number off the list; False when it was not on it."""
        ...

    async def is_blocked(self, number: str) -> bool:
        """Tell whether a number is on the list."""
        ...

    async def listed(self) -> list[Blocked]:
        """Return the list, newest first."""
        ...
