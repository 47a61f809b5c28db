"""Promises for whoever looks through them: page by page, the last to be made first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.history import History
    from controller.domain.promise import Promise, PromiseState
    from controller.domain.retry_policy import RetryPolicy


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise as it is kept: what it is, and what only screens want to know of it. Times are aware UTC."""

    promise: Promise
    made_at: datetime
    due_by: datetime | None
    """The end of what was promised first; None: no time was named."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which promises: those that fit everything. Times are aware UTC."""

    states: frozenset[PromiseState] | None = None
    """None: all."""
    queue: str | None = None
    number: str | None = None
    """E.164."""
    made_since: datetime | None = None
    made_until: datetime | None = None
    """Not included."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the promise that is last in it."""

    made_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some promises, and where the next page begins; None: there is no more."""

    found: Sequence[Kept]
    ends_at: Place | None


class PromiseList(Protocol):
    """Reads only. Every method that waits raises StoreUnavailableError."""

    async def page(self, wanted: Wanted, *, after: Place | None, limit: int) -> Page:
        """Return up to `limit` promises, the last to be made first, behind a place.

        Promises that are made meanwhile come before it, so that no page has one twice or leaves one out; what changes
        its state between two pages is shown as it then is.
        """
        ...

    async def one(self, promise_id: str) -> Kept:
        """Return one promise. Raises LookupError when there is none."""
        ...

    async def history(self, promise_id: str) -> History:
        """Return all that is known of one promise. Raises LookupError when there is none."""
        ...

    def policy(self, queue: str) -> RetryPolicy:
        """Return by which policy the promises of a queue are retried."""
        ...
