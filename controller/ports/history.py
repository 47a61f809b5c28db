"""What was written down about promises, for whoever looks back. Nothing is changed by looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from controller.domain.history import History
    from controller.domain.promise import Promise


@dataclass(frozen=True, slots=True)
class Found:
    """Promises that a search came upon, the newest first, and whether there are more."""

    promises: tuple[Promise, ...]
    is_all: bool


class HistoryBook(Protocol):
    """Every method raises StoreUnavailableError when the database cannot be read, also when there is none yet."""

    async def of_number(self, number: str, limit: int) -> Found:
        """Return the promises of a number (E.164), over or not, the last to be made first."""
        ...

    async def with_id(self, beginning: str, limit: int) -> Found:
        """Return the promises whose id begins so: first the one whose whole id it is, then the last to be made."""
        ...

    async def history(self, promise_id: str) -> History:
        """Return all that is known of one promise. Raises LookupError when there is none."""
        ...
