"""What a transition asks the outside world to do. Written to the outbox in the transition's own transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SmsTemplate(StrEnum):
    """Every text that we can come to owe. The words are in `controller/sms/templates.py`."""

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
    CONFIRMED = "confirmed"
    """What was promised; `details` has `starts_at` and `ends_at` (ISO 8601) of a window, or else `not_before`."""
    RUNNING_LATE = "running_late"
    """The window cannot be kept; `details` has `expected_at` (ISO 8601)."""
    CANCELLED = "cancelled"
    """As asked by SMS, nobody will call."""
    BOOKING_LINK = "booking_link"
    """The page on which a callback is booked, as asked for on the phone."""
    CODE = "code"
    """Proves that a number is theirs, on the page without a link; `details` has `challenge`."""
    REPLY_HELP = "reply_help"
    """We did not understand a reply: what can be replied."""
    TIME_TAKEN = "time_taken"
    """The time that was asked for is not free; `details` has `starts_at` and `ends_at` of the nearest, if any."""


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
    promise_id: str | None = None
    """The promise that it is about, if any."""
    valid_s: float | None = None
    """After so long it is of no use, and is not sent any more; None: `VALID_S` of its template."""


VALID_S: Mapping[SmsTemplate, float] = {
    **dict.fromkeys(SmsTemplate, 12 * 3600.0),
    SmsTemplate.NOT_REACHED: 2 * 3600.0,
    SmsTemplate.RUNNING_LATE: 3600.0,
    SmsTemplate.WEB_PAGE: 3600.0,
    SmsTemplate.BOOKING_LINK: 3600.0,
    SmsTemplate.MISSED_YOU: 2 * 3600.0,
    SmsTemplate.CODE: 600.0,
    SmsTemplate.REPLY_HELP: 3600.0,
    SmsTemplate.TIME_TAKEN: 3600.0,
}
"""How long a text is of use: a day-old "we will call again" only confuses."""

Effect = SendSms
