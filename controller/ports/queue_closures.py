"""Queues that a person closed by hand, whatever their hours say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """One queue that is closed. Times are aware UTC."""

    queue: str
    by: str
    """Who closed it: a person's login name, or a key's id."""
    at: datetime
    until: datetime | None = None
    """When its hours count again; None: once it is opened by hand."""

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the queue is still closed."""
        return self.until is None or now < self.until


class QueueClosures(Protocol):
    """Keeps which queues are closed. Every method is one transaction and raises StoreUnavailableError."""

    async def close(self, closure: Closure) -> None:
        """Close a queue; another closure of it is replaced. Every office hears of it."""
        ...

    async def open(self, queue: str) -> bool:
        """End the closure of a queue; False when there was none."""
        ...

    async def all(self) -> list[Closure]:
        """Return every closure that was not ended, whether or not its time is over, by queue."""
        ...
