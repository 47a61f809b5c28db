"""The book of promises: the database, as journeys and workers see it. Every method is one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from controller.domain.caps import NO_CAPS
from controller.domain.promise import DEFAULT_PBX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt, Promise, Wish
    from controller.domain.slots import Slot


class StoreUnavailableError(Exception):
    """The database cannot be read or written now (locked, read-only, full, away). Says which, for a person."""


class NotMovedReason(StrEnum):
    """Why a promise cannot go to another queue."""

    NUMBER_HELD = "number_held"
    """Its number has a promise with that queue already."""
    SLOT_FULL = "slot_full"
    """As many promises as may be hold its window there."""


class NotMovedError(Exception):
    """A promise cannot go to the other queue; nothing was changed."""

    def __init__(self, reason: NotMovedReason) -> None:
        super().__init__(f"the promise cannot go to that queue: {reason}")
        self.reason = reason


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
    """The first moment to call; None: at once. Of no meaning with a slot."""
    slot: Slot | None = None
    """The window that was chosen; None: as soon as possible."""
    slot_capacity: int | None = 0
    """How many promises fit into one slot of the queue; None: any number."""
    due_by: datetime | None = None
    """The end of the wait that they were told; None: no time was named. Of a window that was chosen, its end counts."""
    confirm: bool = False
    """What was promised is confirmed by SMS, owed in the transaction that promises it."""


@dataclass(frozen=True, slots=True)
class Made:
    """The promise as it now stands; `is_new` is False when the number already held one for this queue."""

    promise: Promise
    is_new: bool


@dataclass(frozen=True, slots=True)
class SlotFull:
    """Somebody else took the last place in the slot; nothing was written."""


@dataclass(frozen=True, slots=True)
class NumberBlocked:
    """The number is on the do-not-call list: nobody may promise it a call; nothing was written."""


class NotClaimedReason(StrEnum):
    """Why an attempt was not written."""

    MOVED = "moved"
    """Somebody else moved the promise."""
    NUMBER_BUSY = "number_busy"
    """Another call to the same number is open, for whichever promise."""
    BLOCKED = "blocked"
    """The number is on the do-not-call list."""
    OVER_CAP = "over_cap"
    NO_LEASE = "no_lease"
    """Another controller works for the Asterisk now."""
    HELD = "held"
    """The office of another Asterisk has the promise in hand."""


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """An attempt was not written; nobody may be dialled."""

    reason: NotClaimedReason
    until: datetime | None = None
    """With `OVER_CAP`: when the caps allow the next call. Aware UTC."""


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """A promise with the attempt that is still open for it."""

    promise: Promise
    attempt: Attempt
    wish: Wish | None = None
    """What the customer has asked for on it, if they have."""


class PromiseBook(Protocol):
    """Promises and their attempts. Every method raises StoreUnavailableError when the database fails."""

    async def make(self, wanted: NewPromise) -> Made | SlotFull | NumberBlocked:
        """Write a promise; once this returns it is durable.

        A promise that is open for the same number and queue takes the new request in instead (`Merged`) and keeps the
        better place. The slot's capacity is checked in the same transaction.
        """
        ...

    async def made_on_call(self, call_id: str) -> Promise | None:
        """Return the promise that was made on this call, or that took its request in, if any."""
        ...

    async def open_for(self, queue: str, number: str) -> Promise | None:
        """Return the open promise that a number (E.164) holds with a queue, if any."""
        ...

    async def booked(self, queue: str, *, start: datetime, end: datetime) -> Mapping[datetime, int]:
        """Return how many promises hold each slot that starts in [start, end), by the slot's start (aware UTC)."""
        ...

    async def get(self, promise_id: str) -> Promise:
        """Return one promise. Raises LookupError when there is none."""
        ...

    async def waiting(self) -> list[Promise]:
        """Return every promise in state waiting, oldest place first."""
        ...

    async def open_attempts(self, pbx: str = DEFAULT_PBX) -> list[OpenAttempt]:
        """Return every attempt through an Asterisk that has no outcome yet."""
        ...

    async def open_attempt(self, promise: Promise, attempt: Attempt, caps: Caps = NO_CAPS) -> Promise | NotClaimed:
        """Commit the attempt and return the promise, moved to dialling; or why not, and nothing is written.

        In this one transaction: the promise still is as given, no other office holds it (an attempt by hand does not
        ask), no other call to its number is open anywhere, the number is not on the do-not-call list, the caps have
        room, and `attempt.term` is that of the lease of `attempt.pbx`. A hold on it has done its work, and goes.
        """
        ...

    async def hold(self, promise: Promise, pbx: str, term: int, caps: Caps = NO_CAPS) -> NotClaimed | None:
        """Keep the offices of other Asterisks away from a promise, before an agent is rung for it; None: it is held.

        What `open_attempt` asks is asked, and nothing is written when anything speaks against it. The hold counts while
        the lease of `pbx` has this term and has not run out. To hold again, in the same term, is to hold. Raises
        LookupError when there is no such promise.
        """
        ...

    async def let_go(self, promise_id: str, pbx: str, term: int) -> None:
        """Give up the hold of this Asterisk and term, if it is there; the other offices hear of the promise again."""
        ...

    async def note_wish(self, attempt_id: str, wish: Wish) -> None:
        """Write what the customer asked for on an open attempt, before it is acknowledged; durable on return.

        Whoever settles the attempt after a crash goes by it. Nothing happens to an attempt that has ended.
        """
        ...

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event` to the promise as it stands in the database; its effects go to the outbox with it.

        An `AttemptEnded` closes the open attempt too. Raises RefusedTransitionError, LookupError; for `Moved`
        NotMovedError.
        """
        ...
