"""SMS and replies as they stand in the database, for a person who looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.sms import SmsStatus


@dataclass(frozen=True, slots=True)
class SmsLine:
    """One SMS of the outbox. Times are aware UTC, `number` is E.164."""

    key: str
    number: str
    template: str
    queue: str
    status: SmsStatus
    queued_at: datetime
    settled_at: datetime | None
    """When it came to stand where it stands; None: it is queued, or being sent."""
    tries: int
    error: str
    """Why it was not sent or delivered; "" where nothing speaks against it."""
    promise_id: str | None


@dataclass(frozen=True, slots=True)
class ReplyLine:
    """One SMS that somebody sent to us. Times are aware UTC, `number` is E.164, `text` is a stranger's."""

    received_at: datetime
    number: str
    text: str
    meaning: str | None
    """What it was taken for; None: nobody has acted on it yet."""
    needs_person: bool
    handled_at: datetime | None


class SmsListing(Protocol):
    """Reads only. Every method is one transaction and raises StoreUnavailableError."""

    async def listed(self, statuses: Sequence[SmsStatus], limit: int, number: str | None = None) -> list[SmsLine]:
        """Return the `limit` newest SMS that stand so, newest first; with a number (E.164), only those to it."""
        ...

    async def replies(self, *, needs_person_only: bool, limit: int) -> list[ReplyLine]:
        """Return the `limit` newest replies, newest first: all, or those that a person has to look at."""
        ...
