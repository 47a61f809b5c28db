from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.sms import SmsStatus
from controller.ports.do_not_call import Blocked
from controller.ports.promises import Made, NotClaimed, NotClaimedReason, NumberBlocked
from controller.ports.sms import QueuedSms, Refused
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    everything,
    make,
    rows,
    slot_after,
    store_at,
    take_all_sms,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store

SMS = SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales", {})


async def test_blocking_a_number_cancels_what_waits_and_what_is_dialled_and_tells_of_each(store: Store) -> None:
    """With every queue; each with its history; another number's promise stays."""
    dialled = await dialling(store, "call-1", queue="sales")
    waits = (await make(store, wanted("call-2", queue="support", slot=slot_after(2), slot_capacity=1))).promise
    other = (await make(store, wanted("call-3", number=OTHER_NUMBER))).promise
    heard: list[Promise] = []
    store.changed.append(heard.append)
    cancelled = await store.do_not_call.block(NUMBER, reason="STOP by SMS")
    assert [promise.id for promise in cancelled] == [dialled.id, waits.id]
    assert heard == cancelled
    for promise in cancelled:
        assert promise.state is PromiseState.CANCELLED
        assert await store.promises.get(promise.id) == promise
    assert await store.promises.waiting() == [other]
    history = await rows(store, "SELECT promise_id, detail FROM promise_events WHERE event = 'Cancelled' ORDER BY 1")
    slot = slot_after(2).starts_at.isoformat()
    assert history == [
        {"promise_id": dialled.id, "detail": "stop"},
        {"promise_id": waits.id, "detail": f"stop {slot}"},
    ]
    # The call that rings is taken back by whoever placed it.
    ended = await store.promises.advance(dialled.id, AttemptEnded(Outcome.WITHDRAWN))
    assert ended.state is PromiseState.CANCELLED


async def test_a_talk_is_not_cut_and_is_the_last_one(store: Store) -> None:
    """It ends as it would have."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, CustomerConnected())
    assert await store.do_not_call.block(NUMBER, reason="asked agent-2") == []
    ended = await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED))
    assert ended.state is PromiseState.FULFILLED


async def test_blocking_twice_is_the_same_as_once(store: Store, clock: HandClock) -> None:
    """The first entry stays; what was open is cancelled once."""
    promise = (await make(store, wanted())).promise
    (cancelled,) = await store.do_not_call.block(NUMBER, reason="first")
    assert cancelled.id == promise.id
    clock.turn(60)
    before = await everything(store)
    assert await store.do_not_call.block(NUMBER, reason="third") == []
    assert await everything(store) == before
    assert await store.do_not_call.listed() == [Blocked(NUMBER, "first", NOON)]


async def test_the_list_is_told_newest_first_and_numbers_come_off_it(store: Store, clock: HandClock) -> None:
    """Off it, a number is as any other."""
    assert await store.do_not_call.listed() == []
    await store.do_not_call.block(NUMBER, reason="one")
    clock.turn(1)
    await store.do_not_call.block(OTHER_NUMBER, reason="two")
    assert await store.do_not_call.listed() == [
        Blocked(OTHER_NUMBER, "two", NOON + timedelta(seconds=1)),
        Blocked(NUMBER, "one", NOON),
    ]
    assert await store.do_not_call.is_blocked(NUMBER)
    assert await store.do_not_call.unblock(NUMBER)
    assert not await store.do_not_call.unblock(NUMBER)
    assert not await store.do_not_call.is_blocked(NUMBER)
    assert await store.do_not_call.is_blocked(OTHER_NUMBER)


@pytest.mark.parametrize(
    "number", ["09012345678", "+", "+0123456789", "+81 90", "", "+819012345678\n", "+１２３４５６７"]
)
async def test_what_is_no_e164_number_is_refused(store: Store, number: str) -> None:
    """An entry that is spelled otherwise would protect nobody; the text does not repeat it."""
    with pytest.raises(ValueError, match=r"^not an E\.164 number$"):
        await store.do_not_call.block(number, reason="a mistake")
    assert await store.do_not_call.listed() == []


async def taken(store: Store, clock: HandClock) -> list[QueuedSms]:
    """Claim what is due now."""
    return await take_all_sms(store, clock.now())


async def test_an_sms_to_a_number_on_the_list_is_never_handed_over(store: Store, clock: HandClock) -> None:
    """Owed before or after, it is settled as blocked, and nobody wakes up for it again."""
    await store.texts.owe(SMS)
    await store.do_not_call.block(NUMBER, reason="STOP")
    assert await taken(store, clock) == []
    await store.texts.owe(SendSms("page:2", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales", {}))
    await store.texts.owe(SendSms("page:3", SmsTemplate.WEB_PAGE, OTHER_NUMBER, "ja", "sales", {}))
    assert [sms.key for sms in await taken(store, clock)] == ["page:3"]
    assert await store.outbox.next_due_at() is None
    found = await rows(store, "SELECT key, status, tries, error FROM sms_outbox ORDER BY key")
    why = "the number is on the do-not-call list"
    assert found == [
        {"key": "page:1", "status": "blocked", "tries": 0, "error": why},
        {"key": "page:2", "status": "blocked", "tries": 0, "error": why},
        {"key": "page:3", "status": "sending", "tries": 1, "error": None},
    ]
    await store.do_not_call.unblock(NUMBER)
    assert await taken(store, clock) == []


async def test_an_sms_that_the_gateway_put_off_is_not_tried_again(store: Store, clock: HandClock) -> None:
    """STOP came between two tries."""
    await store.texts.owe(SMS)
    (sms,) = await taken(store, clock)
    assert await store.outbox.record(sms, Refused("too fast", 30), clock.now()) is SmsStatus.QUEUED
    await store.do_not_call.block(NUMBER, reason="STOP")
    clock.turn(60)
    assert await taken(store, clock) == []


async def test_blocking_and_claiming_at_once_have_one_winner(url: str, store: Store) -> None:
    """Over two stores: a claim that was first is cancelled with the promise; one that came later is refused."""
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:
        for n in range(20):
            number = f"+8190000000{n:02}"
            promise = (await make(store, wanted(f"call-{n}", number=number))).promise
            claim = other.promises.open_attempt(promise, attempt_for(promise, f"a{n}"))
            block = store.do_not_call.block(number, reason="STOP")
            works = (claim, block) if n % 2 else (block, claim)
            opened, cancelled = sorted(await asyncio.gather(*works), key=lambda one: isinstance(one, list))
            assert [one.id for one in cancelled] == [promise.id]
            if not isinstance(opened, Promise):
                assert opened == NotClaimed(NotClaimedReason.MOVED)
            assert len(await store.promises.open_attempts()) == isinstance(opened, Promise)
            if isinstance(opened, Promise):
                await store.promises.advance(promise.id, AttemptEnded(Outcome.WITHDRAWN))
            assert (await store.promises.get(promise.id)).state is PromiseState.CANCELLED


async def test_a_number_on_the_list_is_promised_nothing(store: Store) -> None:
    """Not even what nobody would dial: it is told so instead of waiting. Off the list, it can ask again."""
    await store.do_not_call.block(NUMBER, reason="STOP by SMS")
    assert await store.promises.make(wanted()) == NumberBlocked()
    assert await store.promises.waiting() == []
    await store.do_not_call.unblock(NUMBER)
    assert isinstance(await store.promises.make(wanted()), Made)
