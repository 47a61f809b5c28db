from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import DeadlinePassed
from controller.domain.sms import Delivery, SmsStatus
from controller.ports.sms import Accepted, IncomingSms, Receipt, Refused
from controller.ports.sms_listing import ReplyLine, SmsLine
from controller.store.history import StoredHistory
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    make,
    store_at,
    take_sms,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store

PAGE = SendSms("page:1", SmsTemplate.WEB_PAGE, OTHER_NUMBER, "ja", "sales")
TEXT = IncomingSms("p", "1", NUMBER, "+815011112222", "明日は？")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of an empty database."""
    return f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Open it, with a promise whose SMS was not delivered, and a page that was refused."""
    clock = HandClock()
    async with store_at(url, clock) as opened:
        made = await make(opened, wanted())
        await opened.promises.advance(made.promise.id, DeadlinePassed())
        sms = await take_sms(opened, NOON)
        assert sms is not None
        await opened.outbox.record(sms, Accepted("ref-1"), NOON)
        clock.turn(60)
        await opened.inbox.note_receipt(Receipt("p", "e", "ref-1", Delivery.UNDELIVERED, error="off"), clock.now())
        await opened.inbox.note_reply(TEXT, clock.now())
        await opened.texts.owe(PAGE)
        page = await take_sms(opened, clock.now())
        assert page is not None
        await opened.outbox.record(page, Refused("no such number", None), clock.now())
        yield opened


async def test_sms_are_listed_by_where_they_stand_the_newest_first_with_what_speaks_against_them(store: Store) -> None:
    """Of all numbers or of one; as many as are asked for."""
    dead = [SmsStatus.FAILED, SmsStatus.UNDELIVERED]
    page, expired = await store.sms_listing.listed(dead, 10)
    minute_later = HandClock()
    minute_later.turn(60)
    at = minute_later.now()
    assert expired == SmsLine(
        "promise-1:expired", NUMBER, "expired", "sales", SmsStatus.UNDELIVERED, NOON, at, 1, "off", "promise-1"
    )
    assert page == SmsLine(
        "page:1", OTHER_NUMBER, "web_page", "sales", SmsStatus.FAILED, at, at, 1, "no such number", None
    )
    assert await store.sms_listing.listed(dead, 1) == [page]
    assert await store.sms_listing.listed(dead, 10, NUMBER) == [expired]
    assert await store.sms_listing.listed([SmsStatus.SENT], 10) == []
    assert await store.sms_listing.listed([], 10) == []


async def test_replies_are_listed_the_newest_first_and_those_for_a_person_alone(store: Store) -> None:
    """Also those on which nobody has acted yet."""
    (first,) = await store.inbox.unhandled()
    await store.inbox.note_reply(replace(TEXT, event_id="2", text="1"), NOON)
    await store.inbox.settle(first.id, "not_understood", needs_person=True, now=NOON)
    asks = ReplyLine(first.received_at, NUMBER, "明日は？", "not_understood", needs_person=True, handled_at=NOON)
    fresh = ReplyLine(NOON, NUMBER, "1", None, needs_person=False, handled_at=None)
    assert await store.sms_listing.replies(needs_person_only=False, limit=9) == [fresh, asks]
    assert await store.sms_listing.replies(needs_person_only=False, limit=1) == [fresh]
    assert await store.sms_listing.replies(needs_person_only=True, limit=9) == [asks]


async def test_a_promises_history_has_its_sms_with_their_receipts_and_the_replies_to_them(
    url: str, store: Store
) -> None:
    """Not those of others, and not what was written."""
    (reply,) = await store.inbox.unhandled()
    await store.inbox.settle(reply.id, "not_understood", needs_person=True, now=NOON)
    history = await StoredHistory(url).history("promise-1")
    (written,) = history.written
    assert (written.template, written.status, written.settled_at) == ("expired", "undelivered", NOON)
    assert (written.receipt_at, written.receipt_error) == (reply.received_at, "off")
    (replied,) = history.replied
    assert (replied.at, replied.meaning) == (reply.received_at, "not_understood")
    assert (replied.handled_at, replied.needs_person) == (NOON, True)
