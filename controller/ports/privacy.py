"""What is known of people, as a whole: told, forgotten, and thrown away when its time is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.domain.retention import Period

Known = dict[str, list[dict[str, Any]]]
"""Rows by what they are, as JSON has them: texts, numbers, booleans, null; instants in ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done for a number that is to be forgotten."""

    cancelled: tuple[Promise, ...] = ()
    """Its promises that were open, as they are now."""
    erased: Mapping[str, int] = field(default_factory=dict)
    """How many rows lost the number, or are gone, by what they were."""
    left: Mapping[str, int] = field(default_factory=dict)
    """How many rows still have it because something goes on: a call, a talk, an SMS that is on its way."""


class PrivacyBook(Protocol):
    """All that the database holds of people. Every method raises StoreUnavailableError."""

    async def known(self, spelled: Sequence[str]) -> Known:
        """Return everything under a number, in whichever way it was written down; E.164 first."""
        ...

    async def forget(self, spelled: Sequence[str], now: datetime) -> Forgotten:
        """Cancel what the number (E.164 first) was promised, without a word, and erase it everywhere; one transaction.

        Its entry on the do-not-call list stays: it is how we know that they are never to be called.
        """
        ...

    async def sweep(self, before: Mapping[Period, datetime], limit: int) -> Mapping[str, int]:
        """Erase what is older than its period, `limit` rows of each kind at most; return how many, where any.

        What is not over (an open promise, a call that goes on, an SMS that waits) is not touched, however old.
        """
        ...
