"""Leases: of all controllers on one database, one works for each Asterisk. A lease has a term, and runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.domain.promise import DEFAULT_PBX

if TYPE_CHECKING:
    from datetime import datetime

MAIL = "mail"
"""The lease of whoever sends SMS, acts on replies and watches late windows."""
_OF_PBX = "pbx:"


def lease_of_pbx(pbx: str = DEFAULT_PBX) -> str:
    """Return the name of the lease of whoever works for an Asterisk; `pbx` is its name in the settings."""
    return f"{_OF_PBX}{pbx}"


def pbx_of_lease(name: str) -> str | None:
    """Return the Asterisk whose lease has this name; None when it is another lease."""
    return name.removeprefix(_OF_PBX) if name.startswith(_OF_PBX) else None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who does one thing that only one may do. Times are aware UTC.

    A member is a controller, by a name that stays over its restarts; a holder is one life of it, named like no other.
    """

    name: str
    holder: str
    member: str
    term: int
    """Counts up each time that the lease is taken; a stale holder is known by it."""
    expires_at: datetime
    wanted_by: str = ""
    """The member whose home it is and that waits for it; "" for none."""
    quiet_until: datetime | None = None
    """Set by `take` alone: an earlier holder did not give it back, and may believe until then that it still has it.

    Until then nobody may be dialled under the new term.
    """


class LeaseBook(Protocol):
    """The leases, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def take(self, name: str, holder: str, member: str, lease_s: float, *, wants: bool = False) -> Lease:
        """Take a lease that is free, has run out or is our own member's, and return it with a new term.

        Another member's that has not run out is returned as it is; `wants` then writes our member into its `wanted_by`,
        which is cleared when it is taken.
        """
        ...

    async def renew(self, lease: Lease, lease_s: float) -> Lease | None:
        """Hold on to the lease for `lease_s` more, with `wanted_by` as it now is; None: it has another term by now."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it still has this term, so that the next one need not wait."""
        ...

    async def all(self) -> list[Lease]:
        """Return every lease that was ever taken, by name, whether or not it has run out."""
        ...


class Leadership(Protocol):
    """What whoever dials needs to know of the lease."""

    @property
    def name(self) -> str:
        """The lease's name."""
        ...

    @property
    def term(self) -> int | None:
        """The term under which we may place calls now; None: we may not."""
        ...
