"""Who did what: written when it was done, and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

COMMAND = "command"
"""The kind of what was done at the command line; those of the console are the words of `domain.access.Kind`."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done, or refused. Phone numbers in it are masked."""

    at: datetime
    kind: str
    """`person`, `key`, `nobody` or `command`."""
    who: str
    """A login name, a key's id; at the command line the name of the account there."""
    action: str
    """`POST /api/v1/agents/{agent}/pause`, `sign-in`, `person add`."""
    outcome: str
    """An HTTP status, or a word as `ok`, `wrong`, `locked`."""
    subject: str = ""
    """To whom or what: an agent, a promise, a person."""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry as it was written; a later one has a higher `id`."""

    id: int
    entry: AuditEntry


class AuditBook(Protocol):
    """The entries. Every method raises StoreUnavailableError."""

    async def note(self, entry: AuditEntry) -> None:
        """Write one down. What is too long for its column is cut."""
        ...

    async def listed(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        who: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditLine]:
        """Return the `limit` newest, newest first.

        Of those before one; by one person or key; of one action; in [since, until).
        """
        ...
