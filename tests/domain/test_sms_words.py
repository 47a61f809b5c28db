"""SMS and replies as a timeline tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.domain.effects import SmsTemplate
from controller.domain.history import History, Replied, Written
from controller.domain.promise import Promise
from controller.domain.retry_policy import RetryPolicy
from controller.domain.sms import SmsStatus
from controller.domain.sms_words import MEANS, SAYS, told_reply, told_sms
from controller.domain.timeline import timeline
from controller.journeys.sms_reply import Taken
from controller.workers.reply_desk import FAILED

NOON = datetime(2030, 5, 6, 3, tzinfo=UTC)
"""In Tokyo."""
TOKYO = ZoneInfo("Asia/Tokyo")


def at(minutes: float) -> datetime:
    """Return so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def test_a_receipt_is_told_with_its_time_and_its_reason() -> None:
    """Beside when it was handed over."""
    delivered = Written("not_reached", SmsStatus.DELIVERED, NOON, at(1), 1, "", at(2))
    assert told_sms(delivered, TOKYO) == (
        "SMS not_reached: delivered 05-06 12:01:00, receipt 05-06 12:02:00",
        "says that we called, and will call again",
    )
    failed = Written("confirmed", SmsStatus.UNDELIVERED, NOON, at(1), 2, "", at(2), "unknown number")
    assert told_sms(failed, TOKYO) == (
        "SMS confirmed: undelivered 05-06 12:01:00, tries: 2, receipt 05-06 12:02:00 (unknown number)",
        "says what was promised; the network did not deliver it",
    )


@pytest.mark.parametrize(
    "status", [SmsStatus.UNKNOWN, SmsStatus.FAILED, SmsStatus.BLOCKED, SmsStatus.LAPSED, SmsStatus.UNDELIVERED]
)
def test_whatever_did_not_arrive_says_why_in_words(status: SmsStatus) -> None:
    """None of these is for the customer to have read."""
    _, why = told_sms(Written("expired", status, NOON), TOKYO)
    assert why.count(";") >= 1


def test_every_text_and_every_meaning_has_words() -> None:
    """None is told as a word of the program; none is told that does not exist."""
    assert set(SAYS) == set(SmsTemplate)
    assert set(MEANS) == {*Taken, FAILED}


def test_a_reply_stands_in_the_timeline_where_it_came_in_without_its_words() -> None:
    """With what it was taken for, and whether a person has to look."""
    promise = Promise("p1", "support", "+819012345678", "ja", NOON, NOON, at(99))
    history = History(
        promise,
        (),
        written=(Written("not_reached", SmsStatus.SENT, at(5)),),
        replied=(Replied(at(6), "time", at(7)), Replied(at(8))),
    )
    lines = timeline(history, RetryPolicy(zone=TOKYO))
    assert [(line.at, line.what) for line in lines] == [
        (at(5), "SMS not_reached: sent"),
        (at(6), "they replied by SMS: time"),
        (at(8), "they replied by SMS"),
    ]
    assert lines[1].why == "they named a time, which was free; acted on 05-06 12:07:00"
    assert lines[2].why == "it waits to be acted on"
    assert told_reply(Replied(NOON, "not_understood", at(1), needs_person=True), TOKYO)[1].endswith(
        "; a person has to read it"
    )
