"""SMS and replies in plain English, for whoever reads a timeline: what it was, and why. Without what people wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.plain_words import moment
from controller.domain.sms import SmsStatus

if TYPE_CHECKING:
    from datetime import tzinfo

    from controller.domain.history import Replied, Written


def told_sms(written: Written, zone: tzinfo) -> tuple[str, str]:
    """Return what became of an SMS, and what it says."""
    settled = f" {moment(written.settled_at, zone)}" if written.settled_at else ""
    tries = f", tries: {written.tries}" if written.tries > 1 else ""
    error = f" ({written.error})" if written.error else ""
    receipt = f", receipt {moment(written.receipt_at, zone)}" if written.receipt_at else ""
    failure = f" ({written.receipt_error})" if written.receipt_error else ""
    reasons = (SAYS.get(written.template, ""), STANDS.get(written.status, ""))
    what = f"SMS {written.template}: {written.status}{settled}{tries}{error}{receipt}{failure}"
    return what, "; ".join(each for each in reasons if each)


def told_reply(replied: Replied, zone: tzinfo) -> tuple[str, str]:
    """Return what the customer's reply was taken for, and what was done about it."""
    if replied.handled_at is None:
        return "they replied by SMS", "it waits to be acted on"
    taken = MEANS.get(replied.meaning, replied.meaning)
    person = "; a person has to read it" if replied.needs_person else ""
    return f"they replied by SMS: {replied.meaning}", f"{taken}; acted on {moment(replied.handled_at, zone)}{person}"


SAYS = {
    "not_reached": "says that we called, and will call again",
    "gave_up": "says that we called, and will not call again",
    "expired": "says that we did not manage to call in time",
    "web_page": "names a page",
    "missed_you": "offers a call to somebody who hung up in line",
    "confirmed": "says what was promised",
    "running_late": "says that the window cannot be kept, and when to expect the call",
    "cancelled": "says that nobody will call, as they asked",
    "booking_link": "names the page on which a call is booked",
    "code": "carries the code that proves the number",
    "reply_help": "says what can be replied",
    "time_taken": "says that the time they wished for is not free",
}
"""By template."""
STANDS: dict[str, str] = {
    SmsStatus.UNKNOWN: "it may have been sent, and is not sent again; only a receipt can tell",
    SmsStatus.UNDELIVERED: "the network did not deliver it",
    SmsStatus.FAILED: "the provider refused it for good",
    SmsStatus.BLOCKED: "it was not handed over",
    SmsStatus.LAPSED: "it was not handed over while it was of use",
}
"""By status, where that needs words."""
MEANS = {
    "now": "they want to be called as soon as possible",
    "time": "they named a time, which was free",
    "time_taken": "they named a time that is not free, and were told which is",
    "cancel": "they no longer want the call",
    "stop": "they never want to be called or texted again",
    "not_understood": "nobody could tell what they mean",
    "blocked": "they want to be called, and had asked never to be",
    "stranger": "nobody owed them anything",
    "failed": "acting on it failed, several times",
}
"""By the meaning under which a reply was settled."""
