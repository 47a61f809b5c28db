from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.sms import Delivery, SmsStatus
from controller.ports.sms import Accepted, IncomingSms, Receipt, Refused, Unclear
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    everything,
    rows,
    store_at,
    take_sms,
)

if TYPE_CHECKING:
    from datetime import datetime

    from controller.ports.sms import QueuedSms, SendResult
    from controller.store import Store

PAGE = SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales", {"page": "x"})
TEXT = IncomingSms("twilio", "SM1", NUMBER, "+815011112222", "１６時にお願いします 🙏")
_events = itertools.count(1)


def receipt(delivery: Delivery, *, reference: str = "ref-1", key: str | None = None, error: str = "") -> Receipt:
    """Return a receipt that was not there before."""
    return Receipt("twilio", f"event-{next(_events)}", reference, delivery, key, error)


async def sending(store: Store, key: str = "page:1", number: str = NUMBER, at: datetime = NOON) -> QueuedSms:
    """Owe an SMS and claim it."""
    assert await store.texts.owe(replace(PAGE, key=key, number=number))
    sms = await take_sms(store, at)
    assert sms is not None
    assert sms.key == key
    return sms


async def stands(store: Store, key: str = "page:1") -> str:
    """Return where an SMS stands."""
    (row,) = await rows(store, f"SELECT status FROM sms_outbox WHERE key = '{key}'")  # noqa: S608 - a key of ours
    return str(row["status"])


async def test_a_receipt_settles_the_sms_that_it_names_and_is_taken_once(url: str, store: Store) -> None:
    """Durably; told again by another process it changes nothing."""
    sms = await sending(store)
    await store.outbox.record(sms, Accepted("ref-1"), NOON)
    told = receipt(Delivery.UNDELIVERED, error="no such number")
    assert await store.inbox.note_receipt(told, NOON + timedelta(seconds=5))
    found = await rows(store, "SELECT status, error, receipt_error, reference FROM sms_outbox")
    assert found == [{"status": "undelivered", "error": None, "receipt_error": "no such number", "reference": "ref-1"}]
    before = await everything(store)
    async with store_at(url, HandClock()) as other:
        assert not await other.inbox.note_receipt(told, NOON + timedelta(seconds=9))
        assert await everything(other) == before


async def test_the_same_event_of_another_provider_is_another_receipt(store: Store) -> None:
    """Their ids have nothing to do with each other."""
    told = receipt(Delivery.DELIVERED)
    assert await store.inbox.note_receipt(told, NOON)
    assert await store.inbox.note_receipt(replace(told, provider="vonage"), NOON)


async def test_a_receipt_that_comes_before_the_answer_is_kept_for_it(store: Store) -> None:
    """The gateway's answer names the reference that the receipt had."""
    sms = await sending(store)
    assert await store.inbox.note_receipt(receipt(Delivery.DELIVERED), NOON)
    assert await stands(store) == "sending"
    assert await store.outbox.record(sms, Accepted("ref-1"), NOON) is SmsStatus.DELIVERED
    assert await rows(store, "SELECT o.reference, applied FROM sms_outbox o, sms_receipts") == [
        {"reference": "ref-1", "applied": 1}
    ]


@pytest.mark.parametrize("result", [Unclear("timeout"), Refused("too fast", 5), Refused("no", None), Accepted("ref-1")])
@pytest.mark.parametrize("delivery", Delivery)
async def test_a_receipt_by_our_key_settles_what_is_being_sent_and_no_answer_takes_it_back(
    store: Store, result: SendResult, delivery: Delivery
) -> None:
    """The network has it: then it was sent, whatever we heard. It is never sent again, and its reference is learnt."""
    sms = await sending(store)
    assert await store.inbox.note_receipt(receipt(delivery, key="page:1"), NOON)
    said = {Delivery.ON_ITS_WAY: "sent", Delivery.DELIVERED: "delivered", Delivery.UNDELIVERED: "undelivered"}[delivery]
    assert await store.outbox.record(sms, result, NOON) == said
    assert await stands(store) == said
    assert await store.outbox.due(NOON + timedelta(minutes=30)) is None
    assert await rows(store, "SELECT reference FROM sms_outbox") == [{"reference": "ref-1"}]


async def test_an_answer_after_a_receipt_still_tells_the_reference(store: Store) -> None:
    """The receipt named only our key; the next one names only the reference."""
    sms = await sending(store)
    await store.inbox.note_receipt(receipt(Delivery.ON_ITS_WAY, reference="", key="page:1"), NOON)
    assert await store.outbox.record(sms, Accepted("ref-1"), NOON) is SmsStatus.SENT
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED), NOON)
    assert await stands(store) == "delivered"


async def test_an_unclear_sms_is_settled_by_its_receipt(store: Store) -> None:
    """By our key, which tells whose the others are: the one that came before, and those that follow."""
    sms = await sending(store)
    assert await store.outbox.record(sms, Unclear("timeout"), NOON) is SmsStatus.UNKNOWN
    await store.inbox.note_receipt(receipt(Delivery.UNDELIVERED), NOON)
    assert await stands(store) == "unknown"
    await store.inbox.note_receipt(receipt(Delivery.ON_ITS_WAY, key="page:1"), NOON)
    assert await stands(store) == "undelivered"
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED), NOON)
    assert await stands(store) == "delivered"


async def test_what_a_dead_process_was_sending_is_settled_by_its_receipt(store: Store) -> None:
    """It was unknown until then."""
    await sending(store)
    await store.outbox.settle_interrupted()
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, key="page:1"), NOON)
    assert await stands(store) == "delivered"


async def test_an_sms_that_was_put_off_but_is_there_is_not_sent_again(store: Store) -> None:
    """Refused, as it said; and delivered, as the network says. It counts towards the caps again."""
    sms = await sending(store)
    await store.outbox.record(sms, Refused("500", 5), NOON)
    again = await store.outbox.due(NOON + timedelta(seconds=5))
    assert again is not None
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, key="page:1"), NOON)
    assert await store.outbox.due(NOON + timedelta(seconds=5)) is None
    assert len(await rows(store, "SELECT id FROM sms_outbox WHERE sent_at IS NOT NULL")) == 1


async def test_a_reference_that_comes_again_means_the_newest_sms(store: Store, clock: HandClock) -> None:
    """Some providers begin at 1 again; an early receipt of the last round is not the next one's."""
    await store.inbox.note_receipt(receipt(Delivery.UNDELIVERED, reference="1"), clock.now())
    clock.turn(1)
    for key in ("old", "new"):
        sms = await sending(store, key, at=clock.now())
        assert await store.outbox.record(sms, Accepted("1"), clock.now()) is SmsStatus.SENT
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, reference="1"), clock.now())
    assert (await stands(store, "old"), await stands(store, "new")) == ("sent", "delivered")


async def test_a_receipt_without_a_reference_is_about_nothing_but_its_key(store: Store) -> None:
    """An empty one is shared by all who have none."""
    sms = await sending(store)
    await store.outbox.record(sms, Accepted(""), NOON)
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, reference=""), NOON)
    assert await stands(store) == "sent"
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, reference="", key="page:1"), NOON)
    assert await stands(store) == "delivered"


async def test_what_never_left_us_is_not_said_to_be_delivered(store: Store) -> None:
    """Blocked is blocked, whoever claims otherwise."""
    await store.texts.owe(PAGE)
    await store.do_not_call.block(NUMBER, reason="STOP")
    assert await take_sms(store, NOON) is None
    await store.inbox.note_receipt(receipt(Delivery.DELIVERED, key="page:1"), NOON)
    assert await stands(store) == "blocked"


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_in_whatever_order_and_however_often_receipts_come_the_end_is_the_same(
    store: Store, data: st.DataObject
) -> None:
    """Also before and after the answer, with our key or without, each as often as the provider likes."""
    name = f"order-{next(_events)}"
    told = [
        receipt(delivery, reference=name, key=name if by_key else None)
        for delivery, by_key in data.draw(st.lists(st.tuples(st.sampled_from(Delivery), st.booleans()), max_size=4))
    ]
    results: list[SendResult] = [Accepted(name), Unclear("timeout")]
    result = data.draw(st.sampled_from(results))
    sms = await sending(store, name)
    repeated = data.draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
    steps: list[Receipt | SendResult] = [*told, *repeated, result]
    for step in data.draw(st.permutations(steps)):
        if isinstance(step, Receipt):
            await store.inbox.note_receipt(step, NOON)
        else:
            await store.outbox.record(sms, step, NOON)
    # Whoever names the reference, the gateway's answer or one receipt with our key, makes all of them ours.
    is_named = isinstance(result, Accepted) or any(each.key for each in told)
    heard = [each.delivery for each in told] if is_named else []
    expected = SmsStatus.SENT if isinstance(result, Accepted) or heard else SmsStatus.UNKNOWN
    if Delivery.UNDELIVERED in heard:
        expected = SmsStatus.UNDELIVERED
    if Delivery.DELIVERED in heard:
        expected = SmsStatus.DELIVERED
    assert await stands(store, name) == expected
    assert await store.outbox.due(NOON + timedelta(minutes=30)) is None


async def test_a_reply_is_written_once_and_waits_until_it_is_settled(url: str, store: Store) -> None:
    """Whoever asked is woken once; another process that is told again wakes nobody."""
    woken: list[str] = []
    store.replied.append(lambda: woken.append("here"))
    assert await store.inbox.note_reply(TEXT, NOON)
    async with store_at(url, HandClock()) as other:
        other.replied.append(lambda: woken.append("there"))
        assert not await other.inbox.note_reply(replace(TEXT, text="changed"), NOON + timedelta(seconds=9))
        (reply,) = await other.inbox.unhandled()
    assert woken == ["here"]
    assert (reply.incoming, reply.received_at, reply.about) == (TEXT, NOON, None)
    await store.inbox.settle(reply.id, "call_at", needs_person=False, now=NOON)
    assert await store.inbox.unhandled() == []
    await store.inbox.settle(reply.id, "said again", needs_person=True, now=NOON)
    assert await rows(store, "SELECT meaning, needs_person FROM sms_replies") == [
        {"meaning": "call_at", "needs_person": 0}
    ]
    assert not await store.inbox.note_reply(TEXT, NOON)


async def test_a_reply_is_about_the_last_sms_that_was_sent_to_them_before_it(store: Store, clock: HandClock) -> None:
    """Not about one that still waits, or was refused, or goes to somebody else, or came later."""
    for key in ("first", "second"):
        sms = await sending(store, key, at=clock.now())
        await store.outbox.record(sms, Accepted(key), clock.now())
        clock.turn(60)
    refused = await sending(store, "refused", at=clock.now())
    await store.outbox.record(refused, Refused("no", None), clock.now())
    other = await sending(store, "another's", OTHER_NUMBER, at=clock.now())
    await store.outbox.record(other, Accepted("x"), clock.now())
    await store.texts.owe(replace(PAGE, key="waits"))
    await store.inbox.note_reply(TEXT, clock.now())
    waiting = await take_sms(store, clock.now())
    assert waiting is not None
    (reply,) = await store.inbox.unhandled()
    assert reply.about is not None
    assert (reply.about.key, reply.about.tries, reply.about.details) == ("second", 1, {"page": "x"})


async def test_a_reply_is_about_nothing_that_was_never_sent(store: Store) -> None:
    """What only waits cannot be answered."""
    await store.texts.owe(PAGE)
    await store.inbox.note_reply(TEXT, NOON)
    (reply,) = await store.inbox.unhandled()
    assert reply.about is None


async def test_replies_are_handled_in_the_order_in_which_they_came(store: Store) -> None:
    """Also those of one instant."""
    for n in range(5):
        await store.inbox.note_reply(replace(TEXT, event_id=str(n), text=f"text {n}"), NOON)
    assert [reply.incoming.text for reply in await store.inbox.unhandled()] == [f"text {n}" for n in range(5)]


async def test_whoever_was_not_understood_is_known_to_have_been_helped(store: Store) -> None:
    """Since a moment, and by number."""
    await store.inbox.note_reply(TEXT, NOON)
    (reply,) = await store.inbox.unhandled()
    assert not await store.inbox.was_helped(NUMBER, NOON - timedelta(days=1))
    await store.inbox.settle(reply.id, "not_understood", needs_person=False, now=NOON)
    assert await store.inbox.was_helped(NUMBER, NOON - timedelta(days=1))
    assert await store.inbox.was_helped(NUMBER, NOON)
    assert not await store.inbox.was_helped(NUMBER, NOON + timedelta(seconds=1))
    assert not await store.inbox.was_helped(OTHER_NUMBER, NOON - timedelta(days=1))


async def test_a_reply_that_was_understood_is_no_help(store: Store) -> None:
    """The next one that is not gets its answer."""
    await store.inbox.note_reply(TEXT, NOON)
    (reply,) = await store.inbox.unhandled()
    await store.inbox.settle(reply.id, "call_now", needs_person=False, now=NOON)
    assert not await store.inbox.was_helped(NUMBER, NOON - timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "kept"),
    [("あ" * 2000, "あ" * 1600), ("zero\0byte", "zerobyte"), ("half \ud83d a face", "half ? a face"), ("", "")],
)
async def test_a_strangers_text_is_kept_as_far_as_a_database_can(store: Store, text: str, kept: str) -> None:
    """Cut, and without what some databases refuse: a webhook that fails for ever is repeated for ever."""
    hostile = IncomingSms("p", text or "id", "\ud83d" + text, text, text)
    assert await store.inbox.note_reply(hostile, NOON)
    assert not await store.inbox.note_reply(hostile, NOON)
    told = Receipt("p", text or "id", text or "ref", Delivery.DELIVERED, key=text, error=text)
    assert await store.inbox.note_receipt(told, NOON)
    assert not await store.inbox.note_receipt(told, NOON)
    (reply,) = await store.inbox.unhandled()
    assert reply.incoming.text == kept
