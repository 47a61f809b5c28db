"""What a transition asks the outside world to do. Written to the outbox in the transition's own transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SmsTemplate(StrEnum):
    """Every text that we can come to owe. The words are in `controller/sms/texts.py`."""

    NOT_REACHED = "not_reached"
    """We called, and will call again."""
    GAVE_UP = "gave_up"
    """We called, and will not call again."""
    EXPIRED = "expired"
    """We did not manage to call in time."""
    WEB_PAGE = "web_page"
    """Web誘導: the address of a page; `details` has `page` and `url`."""
    MISSED_YOU = "missed_you"
    """To a caller who hung up in line: how to be called back."""


@dataclass(frozen=True, slots=True)
class SendSms:
    """Send one text. `key` makes it once only: a second effect with the same key is the same SMS."""

    key: str
    template: SmsTemplate
    number: str
    """E.164."""
    language: str
    queue: str
    details: Mapping[str, str] = field(default_factory=dict)
    """What the text needs to know beside the queue."""


Effect = SendSms
