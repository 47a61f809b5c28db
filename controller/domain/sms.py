"""Where an SMS stands, and what a delivery receipt makes of it."""

from __future__ import annotations

from enum import StrEnum


class SmsStatus(StrEnum):
    """Where an SMS stands. Recorded before it is sent; a timeout is `unknown` and is never sent again blindly."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    """The provider took it; no receipt yet."""
    UNKNOWN = "unknown"
    """It may have been sent; only a receipt settles it."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """The provider took it, and the network did not deliver it."""
    FAILED = "failed"
    """The provider refused it for good: a dead letter."""
    BLOCKED = "blocked"
    """Never handed over: the do-not-call list, the allow-list, a cap or the breaker speaks against it."""
    LAPSED = "lapsed"
    """Never handed over: it came to be of no use before it could be."""


class Delivery(StrEnum):
    """What a receipt says."""

    ON_ITS_WAY = "on_its_way"
    """The provider or the network has it."""
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """It will not be delivered: expired, rejected, an unreachable or unknown number."""


_SETTLED_BY_NOTHING = frozenset({SmsStatus.BLOCKED, SmsStatus.LAPSED, SmsStatus.DELIVERED})


def after_receipt(status: SmsStatus, delivery: Delivery) -> SmsStatus:
    """Return where an SMS stands after a receipt, in whatever order receipts come, and however often.

    `DELIVERED` is believed over all else: a phone has it. What never left us has no receipts; one that claims so
    changes nothing.
    """
    if status in _SETTLED_BY_NOTHING:
        return status
    match delivery:
        case Delivery.DELIVERED:
            return SmsStatus.DELIVERED
        case Delivery.UNDELIVERED:
            return SmsStatus.UNDELIVERED
        case Delivery.ON_ITS_WAY:
            return SmsStatus.SENT if status in {SmsStatus.SENDING, SmsStatus.UNKNOWN} else status
