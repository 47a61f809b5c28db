from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.signed import Purpose
from controller.ports.links import Ask, BookingLink, Done, LinkSpent, NeverAgain, TooLate, Withdraw
from controller.ports.promises import NumberBlocked, SlotFull
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    dialling,
    everything,
    make,
    rows,
    slot_after,
    store_at,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.promise import Promise
    from controller.ports.links import LinkWish
    from controller.ports.promises import NewPromise
    from controller.store import Store

SLOT = slot_after(2)
BOOK = BookingLink("link-b", Purpose.BOOK, "sales", NUMBER, "en", NOON + timedelta(hours=48))
ASK = Ask(wanted("link-link-b", slot=SLOT, slot_capacity=1, confirm=True))


async def for_promise(store: Store, promise: Promise) -> BookingLink:
    """Issue the link of a promise."""
    link = replace(BOOK, id=f"link-{promise.id}", purpose=Purpose.PROMISE, promise_id=promise.id)
    return await store.links.issue(link)


async def test_a_link_that_is_issued_is_there_for_everybody_until_it_expires(url: str, store: Store) -> None:
    """To the second; and nobody finds what was never issued."""
    made = await make(store, wanted())
    link = await for_promise(store, made.promise)
    async with store_at(url, HandClock()) as other:
        assert await other.links.find(link.id, NOON) == link
        assert await other.links.find(link.id, link.expires_at - timedelta(seconds=1)) == link
        assert await other.links.find(link.id, link.expires_at) is None
        assert await other.links.find("nobody's", NOON) is None


async def test_a_link_that_is_issued_again_stays_as_it_is(store: Store) -> None:
    """The same SMS has the same link; a second try neither renews nor frees it."""
    await store.links.issue(BOOK)
    assert isinstance(await store.links.redeem(BOOK.id, ASK, NOON), Done)
    again = await store.links.issue(replace(BOOK, language="ja", expires_at=NOON + timedelta(days=9)))
    assert again == replace(BOOK, used_at=NOON)


async def test_asking_spends_the_link_and_makes_the_promise_with_its_confirmation(store: Store) -> None:
    """In one transaction; each listener is told once it is committed."""
    heard: list[object] = []
    store.changed.append(heard.append)
    store.sms_queued.append(lambda: heard.append("sms"))
    await store.links.issue(BOOK)
    answer = await store.links.redeem(BOOK.id, ASK, NOON)
    assert isinstance(answer, Done)
    (promise,) = answer.promises
    assert heard == [promise, "sms"]
    assert (promise.number, promise.slot) == (NUMBER, SLOT)
    assert await store.promises.waiting() == [promise]
    assert await store.promises.made_on_call("link-link-b") == promise
    assert await store.links.find(BOOK.id, NOON) == replace(BOOK, used_at=NOON)
    owed = await rows(store, "SELECT template, promise_id, number FROM sms_outbox")
    assert owed == [{"template": "confirmed", "promise_id": promise.id, "number": NUMBER}]


@pytest.mark.parametrize("wish", [ASK, Withdraw(), NeverAgain()])
async def test_a_link_that_was_used_or_has_expired_or_is_none_does_nothing(store: Store, wish: LinkWish) -> None:
    """Whatever it is used for the second time."""
    await store.links.issue(BOOK)
    await store.links.issue(replace(BOOK, id="old", expires_at=NOON))
    assert isinstance(await store.links.redeem(BOOK.id, ASK, NOON), Done)
    before = await everything(store)
    for link_id in (BOOK.id, "old", "nobody's"):
        assert await store.links.redeem(link_id, wish, NOON) == LinkSpent()
    assert await everything(store) == before


async def test_asking_moves_the_promise_that_the_number_holds(store: Store) -> None:
    """To the window that was chosen, or to as soon as possible."""
    made = await make(store, wanted(slot=slot_after(5), slot_capacity=1))
    link = await for_promise(store, made.promise)
    answer = await store.links.redeem(link.id, Ask(wanted("link-1", since=NOON)), NOON)
    assert isinstance(answer, Done)
    (moved,) = answer.promises
    assert (moved.id, moved.slot, moved.version) == (made.promise.id, None, 1)


async def test_a_full_window_leaves_the_link_unspent(store: Store) -> None:
    """They choose another; nothing was written, not even who asked."""
    await make(store, wanted(number=OTHER_NUMBER, slot=SLOT, slot_capacity=1))
    await store.links.issue(BOOK)
    before = await everything(store)
    assert await store.links.redeem(BOOK.id, ASK, NOON) == SlotFull()
    assert await everything(store) == before
    later = Ask(replace(ASK.wanted, slot=slot_after(3)))
    assert isinstance(await store.links.redeem(BOOK.id, later, NOON), Done)


async def test_a_window_without_a_limit_is_never_full(store: Store) -> None:
    """Queues that book no places: each gets the time that they chose."""
    for n in range(30):
        number = f"+8190123456{n:02}"
        await make(store, wanted(f"call-{n}", number=number, slot=SLOT, slot_capacity=None))
    booked = await store.promises.booked("sales", start=NOON, end=NOON + timedelta(days=1))
    assert booked == {SLOT.starts_at: 30}


async def test_a_number_on_the_list_is_promised_nothing_and_the_link_stays(store: Store) -> None:
    """It is told so."""
    await store.links.issue(BOOK)
    await store.do_not_call.block(NUMBER, reason="STOP")
    before = await everything(store)
    assert await store.links.redeem(BOOK.id, ASK, NOON) == NumberBlocked()
    assert await everything(store) == before


async def test_withdrawing_cancels_the_promise_of_the_link_and_no_other(store: Store) -> None:
    """Nor the next one that the number has with the queue."""
    first = (await make(store, wanted("call-1"))).promise
    link = await for_promise(store, first)
    answer = await store.links.redeem(link.id, Withdraw(), NOON)
    assert isinstance(answer, Done)
    assert [(each.id, each.state) for each in answer.promises] == [(first.id, PromiseState.CANCELLED)]
    second = (await make(store, wanted("call-2"))).promise
    late = await store.links.issue(replace(link, id="another link", used_at=None))
    assert await store.links.redeem(late.id, Withdraw(), NOON) == TooLate()
    assert await store.promises.get(second.id) == second
    assert await store.links.find(late.id, NOON) == late


async def test_a_link_without_a_promise_withdraws_what_the_number_holds_with_its_queue(store: Store) -> None:
    """If it holds one."""
    await store.links.issue(BOOK)
    other = (await make(store, wanted("call-1", queue="support"))).promise
    assert await store.links.redeem(BOOK.id, Withdraw(), NOON) == TooLate()
    held = (await make(store, wanted("call-2"))).promise
    answer = await store.links.redeem(BOOK.id, Withdraw(), NOON)
    assert isinstance(answer, Done)
    assert [each.id for each in answer.promises] == [held.id]
    assert await store.promises.waiting() == [other]


async def test_a_dial_that_is_on_its_way_is_taken_back_and_a_talk_is_not(store: Store) -> None:
    """They are being rung; or they talk, and it is too late."""
    rung = await dialling(store, "call-1", "attempt-1")
    link = await for_promise(store, rung)
    answer = await store.links.redeem(link.id, Withdraw(), NOON)
    assert isinstance(answer, Done)
    await store.promises.advance(rung.id, AttemptEnded(Outcome.WITHDRAWN))
    talks = await dialling(store, "call-2", "attempt-2")
    talks = await store.promises.advance(talks.id, CustomerConnected())
    link = await for_promise(store, talks)
    before = await everything(store)
    assert await store.links.redeem(link.id, Withdraw(), NOON) == TooLate()
    assert await everything(store) == before


async def test_this_was_not_me_puts_the_number_on_the_list_with_all_that_it_holds(store: Store) -> None:
    """As STOP does; with every queue."""
    held = [(await make(store, wanted(f"call-{queue}", queue=queue))).promise for queue in ("sales", "support")]
    heard: list[Promise] = []
    store.changed.append(heard.append)
    link = await for_promise(store, held[0])
    answer = await store.links.redeem(link.id, NeverAgain(), NOON)
    assert isinstance(answer, Done)
    assert heard == list(answer.promises)
    assert [(each.id, each.state) for each in heard] == [(each.id, PromiseState.CANCELLED) for each in held]
    assert await store.do_not_call.is_blocked(NUMBER)
    assert await store.links.redeem(link.id, NeverAgain(), NOON) == LinkSpent()


@pytest.mark.parametrize("other", [wanted(number=OTHER_NUMBER), wanted(queue="support")])
async def test_a_link_asks_for_its_own_number_and_queue_alone(store: Store, other: NewPromise) -> None:
    """Anything else would be a mistake of ours, and changes nothing."""
    await store.links.issue(BOOK)
    before = await everything(store)
    with pytest.raises(ValueError, match="not for the number and queue of link link-b"):
        await store.links.redeem(BOOK.id, Ask(other), NOON)
    assert await everything(store) == before


async def test_a_thousand_who_use_one_link_at_once_have_one_booking(url: str, store: Store) -> None:
    """Over four stores, whatever they wish; one is carried out, the others hear that it is spent."""
    await store.links.issue(BOOK)
    wishes: list[Callable[[int], LinkWish]] = [
        lambda n: Ask(replace(ASK.wanted, slot=slot_after(1 + n % 5))),
        lambda _: Ask(replace(ASK.wanted, slot=None)),
    ]
    async with AsyncExitStack() as opened:
        stores = [store] + [
            await opened.enter_async_context(store_at(url, HandClock(), prefix=f"p{n}", busy_timeout_s=60))
            for n in range(3)
        ]
        answers = await asyncio.gather(
            *(stores[n % 4].links.redeem(BOOK.id, wishes[n % 2](n), NOON) for n in range(1000))
        )
    assert Counter(type(answer) for answer in answers) == {Done: 1, LinkSpent: 999}
    assert len(await rows(store, "SELECT id FROM promises")) == 1
    assert len(await rows(store, "SELECT seq FROM promise_events")) == 1


async def test_a_thousand_links_for_ten_places_give_ten_bookings(url: str, store: Store) -> None:
    """Over two stores; the other links stay unspent."""
    numbers = [f"+8190{n:08}" for n in range(1000)]
    for number in numbers:
        await store.links.issue(replace(BOOK, id=number, number=number))
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=60) as other:
        answers = await asyncio.gather(
            *(
                (store, other)[n % 2].links.redeem(
                    number, Ask(wanted(f"link-{number}", number=number, slot=SLOT, slot_capacity=10)), NOON
                )
                for n, number in enumerate(numbers)
            )
        )
    assert Counter(type(answer) for answer in answers) == {Done: 10, SlotFull: 990}
    booked = await store.promises.booked("sales", start=NOON, end=NOON + timedelta(days=1))
    assert booked == {SLOT.starts_at: 10}
    assert len(await rows(store, "SELECT id FROM booking_links WHERE used_at IS NOT NULL")) == 10
