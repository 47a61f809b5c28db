"""What agents write of their talks, and what is known of whom they talk with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.card import About, Arrival, Note


@dataclass(frozen=True, slots=True)
class NoteWanted:
    """What an agent wants to have written down."""

    waiter_id: str
    agent: str
    disposition: str
    text: str
    seen: datetime | None = None
    """The version that they changed (`Note.changed_at`); None: they saw none."""
    serving: Arrival | None = None
    """What the floor knows of the waiter, whom the agent has now; None: they do not."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The note was changed in another window since it was seen; nothing was written. `note` is what stands there."""

    note: Note


@dataclass(frozen=True, slots=True)
class NotTheirs:
    """The agent has not served that waiter, or too long ago; nothing was written."""


class NoteBook(Protocol):
    """Every method raises StoreUnavailableError when the database fails."""

    async def about(self, waiter_id: str, agent: str, *, home: str, limit: int) -> About | None:
        """Return what is known of a caller or a promise, with the `limit` newest lines of their number's history.

        `agent`: whose note of it is wanted. `home` (ISO 3166): where a number without + belongs. None: there is no such
        caller or promise.
        """
        ...

    async def has_served(self, waiter_id: str, agent: str, *, since: datetime) -> bool:
        """Tell whether an agent was given a caller or a promise at `since` (aware) or later."""
        ...

    async def write(self, wanted: NoteWanted, *, at: datetime, served_since: datetime) -> Note | Overtaken | NotTheirs:
        """Write a note, or change it; durable on return. The same again changes nothing.

        The agent has to have the waiter now (`wanted.serving`), or to have served them at `served_since` or later, or
        to have a note of them that is no older.
        """
        ...
