"""Sending an SMS: the outbox it waits in, and the gateway that takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.effects import SendSms


@dataclass(frozen=True, slots=True)
class QueuedSms:
    """One row of the outbox. `key` is the idempotency key."""

    id: int
    key: str
    number: str
    template: str
    language: str
    queue: str
    tries: int
    details: Mapping[str, str] = field(default_factory=dict)
    """What the text needs to know beside the queue: `page`, ..."""


class SmsStatus(StrEnum):
    """Where an SMS stands. Recorded before it is sent; a timeout is `unknown` and is never sent again blindly."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    BLOCKED = "blocked"
    """The number is on the do-not-call list: never handed over."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The gateway took it. `reference` is the gateway's own id."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The gateway did not take it. `retry_in_s` is None when trying again is of no use."""

    reason: str
    retry_in_s: float | None


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent: it is not sent again without a receipt."""

    reason: str


SendResult = Accepted | Refused | Unclear


class SmsGateway(Protocol):
    """One provider. Adding one is one new file in `controller/sms/`."""

    name: str

    async def send(self, *, key: str, number: str, text: str) -> SendResult:
        """Hand over one text. `key` is repeated unchanged if the same SMS is ever handed over again."""
        ...


class SmsRequests(Protocol):
    """Where a journey asks for an SMS that no promise owes."""

    async def owe(self, sms: SendSms) -> bool:
        """Write it to the outbox; durable on return. False when its key is there already: it is the same SMS.

        Raises StoreUnavailableError.
        """
        ...


class SmsOutbox(Protocol):
    """SMS that are owed, in the database."""

    async def take_due(self, now: datetime, limit: int) -> list[QueuedSms]:
        """Mark up to `limit` due rows as sending, and return them. Committed before this returns.

        Those to numbers on the do-not-call list are marked blocked instead, in the same transaction.
        """
        ...

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was taken."""
        ...

    async def next_due_at(self) -> datetime | None:
        """Return when the next queued row is due; None when none is queued."""
        ...

    async def settle_interrupted(self) -> int:
        """Mark rows that a dead process left in sending as unknown; return how many."""
        ...
