"""What a transition asks the outside world to do. Written to the outbox in the transition's own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SmsTemplate(StrEnum):
    """Every text that a promise can come to owe. The words are in `controller/sms/texts.py`."""

    NOT_REACHED = "not_reached"
    """We called, and will call again."""
    GAVE_UP = "gave_up"
    """We called, and will not call again."""
    EXPIRED = "expired"
    """We did not manage to call in time."""


@dataclass(frozen=True, slots=True)
class SendSms:
    """Send one text. `key` makes it once only: a second effect with the same key is the same SMS."""

    key: str
    template: SmsTemplate
    number: str
    """E.164."""
    language: str
    queue: str


Effect = SendSms
