"""SMS both ways: the outbox it waits in, the gateway that takes it, and the inbox for receipts and replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from controller.domain.effects import SendSms
    from controller.domain.sms import Delivery, SmsStatus
    from controller.domain.sms_limits import SmsBill, SmsLimits


@dataclass(frozen=True, slots=True)
class QueuedSms:
    """One row of the outbox. `key` is the idempotency key; times are aware UTC."""

    id: int
    key: str
    number: str
    template: str
    language: str
    queue: str
    tries: int
    queued_at: datetime
    valid_until: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    """What the text needs to know beside the queue: `page`, ..."""
    promise_id: str | None = None


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

    @property
    def name(self) -> str:
        """Names it in the log."""
        ...

    async def run(self) -> None:
        """Keep up whatever connection it needs until cancelled, then close it; returns at once if it needs none."""
        ...

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Hand over one text. `key` is repeated unchanged if the same SMS is ever handed over again."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a provider tells of one SMS that it took, once or several times, in any order."""

    provider: str
    event_id: str
    """Names this message from the provider: the same twice is the same receipt."""
    reference: str
    """The provider's id of the SMS; "" where it only names our key."""
    delivery: Delivery
    key: str | None = None
    """Our own key, where the provider hands it back: it settles an SMS whose sending got no answer."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class IncomingSms:
    """What somebody sent to us. `number` is E.164; `text` is a stranger's."""

    provider: str
    event_id: str
    """The provider's id: the same twice is the same SMS."""
    number: str
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """One HTTP request of a provider, as it came. `url` is the exact public address, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    now: datetime


class ForgedWebhookError(Exception):
    """The signature is missing, wrong or too old: nothing in the request is to be believed."""


class MalformedWebhookError(Exception):
    """Signed, but not in the provider's format; says what is wrong, without personal data."""


class Webhook(Protocol):
    """How one provider's requests are read. Pure: no I/O."""

    @property
    def name(self) -> str:
        """The provider's; in the path, `/sms/{name}`."""
        ...

    def read(self, request: WebhookRequest) -> Sequence[Receipt | IncomingSms]:
        """Return what a request tells. Raises ForgedWebhookError, MalformedWebhookError."""
        ...


class SmsRequests(Protocol):
    """Where a journey asks for an SMS that no promise owes."""

    async def owe(self, sms: SendSms) -> bool:
        """Write it to the outbox; durable on return. False when its key is there already: it is the same SMS.

        Raises StoreUnavailableError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether an SMS may be handed over now."""

    status: SmsStatus
    """`SENDING`: it may, and is marked so, for this one caller. Otherwise where it stands; nobody may send it.

    `QUEUED`: somebody else was quicker, or it was put off; `due` says what to do next.
    """
    reason: str = ""


class SmsOutbox(Protocol):
    """SMS that are owed, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def due(self, now: datetime) -> QueuedSms | None:
        """Return the SMS that is due the longest; None: none is. `tries` counts the one that is about to be made."""
        ...

    async def claim(self, sms: QueuedSms, bill: SmsBill, limits: SmsLimits, now: datetime) -> Claim:
        """Mark an SMS as being sent if nothing speaks against it; committed before this returns.

        Asked in this one transaction: still as `due` returned it, not past `valid_until` and still true of its promise
        (else `LAPSED`; `domain/owed_texts.py`), not on the do-not-call list, within the limits, and the breaker closed
        (else `BLOCKED`). With the reason.
        """
        ...

    async def block(self, sms: QueuedSms, reason: str, now: datetime) -> SmsStatus:
        """Settle one that is queued as `BLOCKED`, because the settings do not allow its number."""
        ...

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """Write what became of one that was claimed; a receipt that came earlier counts."""
        ...

    async def next_due_at(self) -> datetime | None:
        """Return when the next queued row is due; None when none is queued."""
        ...

    async def settle_interrupted(self) -> int:
        """Mark rows that a dead process left in sending as unknown; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """One incoming SMS as it was written down. `about` is the last SMS that we had sent to that number, if any."""

    id: int
    incoming: IncomingSms
    received_at: datetime
    about: QueuedSms | None


class SmsInbox(Protocol):
    """Receipts and replies, in the database. Every method is one transaction and raises StoreUnavailableError."""

    async def note_receipt(self, receipt: Receipt, now: datetime) -> bool:
        """Write a receipt down and apply it to its SMS; durable on return. False: it had been taken before.

        One that comes before we know the reference is kept, and applied when `SmsOutbox.record` names it.
        """
        ...

    async def note_reply(self, incoming: IncomingSms, now: datetime) -> bool:
        """Write a reply down; durable on return. False: it had been taken before."""
        ...

    async def unhandled(self) -> list[Reply]:
        """Return the replies that nobody has acted on, oldest first."""
        ...

    async def settle(self, reply_id: int, meaning: str, *, needs_person: bool, now: datetime) -> None:
        """Write what a reply was taken for; it is not unhandled any more."""
        ...

    async def was_helped(self, number: str, since: datetime) -> bool:
        """Tell whether a reply from this number was settled as `not_understood` since then."""
        ...
