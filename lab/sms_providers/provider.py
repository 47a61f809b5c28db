"""What a provider has to be able to do so that `ProviderServer` can be it, and the ways in which it can fail."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Fault(StrEnum):
    """What goes wrong with one request to send."""

    NONE = "none"
    THROTTLED = "throttled"
    """429 with Retry-After; not taken."""
    UNAVAILABLE = "unavailable"
    """503 with Retry-After; not taken."""
    BROKEN = "broken"
    """500; not taken."""
    REFUSED = "refused"
    """Refused for good, as for a number that has opted out."""
    HANG = "hang"
    """Read, not taken, and never answered."""
    CUT = "cut"
    """Read, not taken, and the connection cut."""
    TAKEN_THEN_SILENT = "taken_then_silent"
    """Taken; the answer never comes, the receipts do."""
    TAKEN_THEN_CUT = "taken_then_cut"
    TAKEN_THEN_BROKEN = "taken_then_broken"
    """Taken, and answered with 500."""
    HALF_ANSWERED = "half_answered"
    """Taken; the connection is cut in the middle of the answer."""


TAKING = frozenset(
    {Fault.NONE, Fault.TAKEN_THEN_SILENT, Fault.TAKEN_THEN_CUT, Fault.TAKEN_THEN_BROKEN, Fault.HALF_ANSWERED}
)
"""With these the SMS goes out."""
SILENT = frozenset({Fault.HANG, Fault.TAKEN_THEN_SILENT})
"""With these no answer comes, and no end either."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request to send. `path` has the query; `headers` by name in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakenSms:
    """An SMS that went out. `number` is E.164; `receipts_to` is where its receipts were asked for, if anywhere."""

    reference: str
    key: str
    sender: str
    number: str
    text: str
    receipts_to: str | None


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    """One POST that a provider makes. `url` is the address as it was signed."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Provider(Protocol):
    """One provider's wire format, from its side."""

    name: str
    delivered: tuple[str, ...]
    """The statuses that its receipts go through when a phone gets the SMS."""
    undelivered: tuple[str, ...]

    def take(self, asked: Asked) -> TakenSms | Told:
        """Return the SMS that a request asks for, or the answer to one that is not in order."""
        ...

    def accepted(self, sms: TakenSms) -> Told:
        """Return the answer to an SMS that was taken."""
        ...

    def failed(self, fault: Fault, retry_after_s: int) -> Told:
        """Return the answer to one that was not: THROTTLED, UNAVAILABLE, BROKEN or REFUSED."""
        ...

    def receipt(self, sms: TakenSms, status: str, now: datetime) -> SignedWebhook | None:
        """Return a receipt; None when nobody asked for any."""
        ...

    def reply(self, number: str, to: str, text: str, now: datetime) -> SignedWebhook:
        """Return an SMS that came in."""
        ...

    def forged(self, genuine: SignedWebhook) -> SignedWebhook:
        """Return the same, signed by somebody who does not know the secret."""
        ...
