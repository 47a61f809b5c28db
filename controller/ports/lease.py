"""The lease: of all controllers on one database, one may place calls. It has a term, and runs out by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may place calls. `expires_at` is aware UTC."""

    holder: str
    term: int
    """Counts up each time that the lease changes hands; a stale holder is known by it."""
    expires_at: datetime


class LeaseBook(Protocol):
    """The lease, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def take(self, holder: str, lease_s: float) -> Lease:
        """Take the lease if nobody holds it, or it has run out; return it as it then is, whoever holds it.

        A holder who takes it again, after a restart under the same name, gets a new term too.
        """
        ...

    async def renew(self, lease: Lease, lease_s: float) -> Lease | None:
        """Hold on to the lease for `lease_s` more; None when it has another term by now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it still has this term, so that the next one need not wait."""
        ...


class Leadership(Protocol):
    """What whoever dials needs to know of the lease."""

    @property
    def term(self) -> int | None:
        """The term under which we may place calls now; None: we may not."""
        ...
