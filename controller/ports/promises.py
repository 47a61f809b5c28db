"""The book of promises: the database, as journeys and workers see it. Every method is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt, Promise


class StoreUnavailableError(Exception):
    """The database cannot be read or written now (locked, read-only, full, away). Says which, for a person."""


@dataclass(frozen=True, slots=True)
class NewPromise:
    """What a caller asked for. Times are aware UTC; `number` is E.164."""

    queue: str
    number: str
    language: str
    since: datetime
    call_id: str
    """The channel on which it was asked for: makes `make` repeatable."""
    not_before: datetime | None = None
    """The first moment to call; None: at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """The promise as it now stands; `is_new` is False when the number already held one for this queue."""

    promise: Promise
    is_new: bool


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """A promise with the attempt that is still open for it."""

    promise: Promise
    attempt: Attempt


class PromiseBook(Protocol):
    """Promises and their attempts. Every method raises StoreUnavailableError when the database fails."""

    async def make(self, wanted: NewPromise) -> Made:
        """Write a promise; once this returns it is durable. An open one for the number keeps its place instead."""
        ...

    async def made_on_call(self, call_id: str) -> Promise | None:
        """Return the promise that was made on this call, if any."""
        ...

    async def get(self, promise_id: str) -> Promise:
        """Return one promise. Raises LookupError when there is none."""
        ...

    async def waiting(self) -> list[Promise]:
        """Return every promise in state waiting, oldest place first."""
        ...

    async def open_attempts(self) -> list[OpenAttempt]:
        """Return every attempt that has no outcome yet."""
        ...

    async def open_attempt(self, promise: Promise, attempt: Attempt) -> Promise | None:
        """Commit the attempt and move the promise to dialling, if it still is as given.

        None when somebody else moved it, or when another call to the same number is open anywhere.
        """
        ...

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event` to the promise as it stands in the database; its effects go to the outbox with it.

        An `AttemptEnded` closes the open attempt too. Raises RefusedTransitionError, LookupError.
        """
        ...
