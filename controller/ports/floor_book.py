"""What whoever looks at the floor wants to know and only the database can tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class FloorLook:
    """One look into the database. Times are aware UTC."""

    talks: Mapping[str, int] = field(default_factory=dict)
    """How many talks each agent, by name, has had since the beginning of the day; who had none is left out."""
    due_by: Mapping[str, datetime] = field(default_factory=dict)
    """The end of what was promised, of each promise that is open and named a time."""
    replies: int = 0
    """SMS that customers wrote since the beginning of the day, and that a person has to read."""
    first_reply_at: datetime | None = None
    """When the first of them came."""
    codes_stopped_at: datetime | None = None
    """When the breaker held back a code last; None: not since the time that was asked for."""
    hooks_failed_at: Mapping[str, datetime] = field(default_factory=dict)
    """When an event was given up that was meant for a webhook, by its name: the last one since the day began."""


class FloorBook(Protocol):
    """Looks into the database for the floor."""

    async def look(self, *, day: datetime, codes_since: datetime) -> FloorLook:
        """Return what is so now. `day`: its beginning. Raises StoreUnavailableError."""
        ...
