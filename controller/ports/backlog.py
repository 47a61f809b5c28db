"""What waits in the database to be sent or read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and since when the oldest is due; None: nothing waits. Aware UTC."""

    sms: int = 0
    sms_due_since: datetime | None = None
    webhooks: int = 0
    webhooks_since: datetime | None = None
    """When the oldest that is not delivered yet was made."""
    replies: int = 0
    """Replies that nobody has acted on."""


class BacklogBook(Protocol):
    """Reads it."""

    async def backlog(self) -> Backlog:
        """Return what waits. Raises StoreUnavailableError."""
        ...
