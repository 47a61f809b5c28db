"""What other processes changed in the database that we share with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Kind(StrEnum):
    """What it is about."""

    PROMISE = "promise"
    """A promise was made, moved or let go."""
    SMS = "sms"
    """An SMS is owed."""
    REPLY = "reply"
    """Somebody wrote to us."""
    LEASE = "lease"
    """A lease was taken, given back, or is wanted."""
    HOOK = "hook"
    """A webhook is owed something."""
    CLOSURE = "closure"
    """A queue was closed by hand, or opened again."""
    MISSED = "missed"
    """Nobody could tell us for a while: look at everything again."""


@dataclass(frozen=True, slots=True)
class News:
    """A hint and no more: whoever hears it reads the database.

    `what`: a promise's id, the name of a lease or a queue, or nothing.
    """

    kind: Kind
    what: str = ""


class NewsSource(Protocol):
    """Where news come from. What our own process changed is not told: its own hooks are quicker."""

    async def run(self, on_news: Callable[[News], None]) -> None:
        """Call `on_news`, which has to be quick, with each until cancelled; what it raises is logged.

        Returns early, with a warning, only where there can be no news at all.
        """
        ...
