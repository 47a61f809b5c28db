"""What a transition asks the outside world to do. Written to the outbox in the transition's own transaction."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SendSms:
    """Send one text. `key` makes it once only: a second effect with the same key is the same SMS."""

    key: str
    template: str
    number: str
    """E.164."""
    language: str
    queue: str


Effect = SendSms
