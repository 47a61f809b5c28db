from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CustomerConnected,
    CustomerRangIn,
    RefusedTransitionError,
    RunningLate,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.ports.promises import Made, NotClaimed, NotClaimedReason, NumberBlocked, SlotFull
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
    wanted,
)

if TYPE_CHECKING:
    from typing import Any

    from controller.store import Store


async def history(store: Store) -> list[tuple[Any, ...]]:
    """Return the event, the state that followed and the detail of each entry, in order."""
    found = await rows(store, "SELECT event, to_state, detail FROM promise_events ORDER BY promise_id, seq")
    return [tuple(row.values()) for row in found]


async def test_a_number_that_asks_again_keeps_its_better_place(store: Store, clock: HandClock) -> None:
    """Whoever calls again loses nothing, there is still one promise, and it is good for a whole lifetime again."""
    first = (await make(store, wanted("call-1"))).promise
    clock.turn(600)
    again = await make(store, wanted("call-2", since=clock.now()))
    until = clock.now() + timedelta(hours=1)
    assert again == Made(replace(first, version=1, expires_at=until), is_new=False)
    assert await store.promises.waiting() == [again.promise]


async def test_a_promise_that_waits_for_its_next_try_is_due_again_when_it_is_asked_for_again(
    store: Store, clock: HandClock
) -> None:
    """The customer has just shown that they can be reached."""
    promise = await dialling(store, "call-1")
    waits = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    assert waits.not_before == NOON + timedelta(seconds=90)
    clock.turn(5)
    again = await make(store, wanted("call-2", since=clock.now()))
    assert again.promise.not_before == NOON + timedelta(seconds=5)
    assert again.promise.attempts_used == 1


async def test_both_calls_find_the_promise_that_they_share(store: Store) -> None:
    """Also after a restart, when recovery asks what became of a call."""
    await make(store, wanted("call-1"))
    again = await make(store, wanted("call-2"))
    for call_id in ("call-1", "call-2"):
        assert await store.promises.made_on_call(call_id) == again.promise


async def test_the_second_call_said_twice_changes_nothing(url: str, store: Store) -> None:
    """Told again by another process, after the promise went on: it gets the promise as it now is."""
    made = await make(store, wanted("call-1"))
    await make(store, wanted("call-2"))
    cancelled = await store.promises.advance(made.promise.id, Cancelled())
    before = await everything(store)
    heard: list[Promise] = []
    async with store_at(url, HandClock(NOON + timedelta(hours=5)), prefix="other") as other:
        other.changed.append(heard.append)
        again = await other.promises.make(wanted("call-2", since=NOON + timedelta(hours=5)))
        assert again == Made(cancelled, is_new=False)
        assert await everything(other) == before
    assert heard == []


async def test_a_promise_that_is_being_dialled_takes_a_request_in_and_stays_with_its_attempt(store: Store) -> None:
    """No second call to the same number is opened by it."""
    promise = await dialling(store, "call-1")
    again = await make(store, wanted("call-2", since=NOON - timedelta(hours=1)))
    assert (again.promise.state, again.promise.since) == (PromiseState.DIALLING, NOON - timedelta(hours=1))
    (opened,) = await store.promises.open_attempts()
    assert opened.promise == again.promise
    assert (await store.promises.advance(promise.id, CustomerConnected())).state is PromiseState.CONNECTED


async def test_whoever_is_talking_on_their_promise_gets_it_as_it_is(store: Store) -> None:
    """They are being served; there is no place to better."""
    promise = await dialling(store, "call-1")
    connected = await store.promises.advance(promise.id, CustomerConnected())
    heard: list[Promise] = []
    store.changed.append(heard.append)
    again = await store.promises.make(wanted("call-2", slot=slot_after(2), slot_capacity=1))
    assert again == Made(connected, is_new=False)
    assert await store.promises.made_on_call("call-2") == connected
    assert heard == []
    assert await store.promises.booked("sales", start=NOON, end=NOON + timedelta(days=1)) == {}


async def test_a_listener_hears_of_the_promise_that_took_a_request_in(store: Store) -> None:
    """The line has its place and its time from there."""
    await make(store, wanted("call-1"))
    heard: list[Promise] = []
    store.changed.append(heard.append)
    again = await make(store, wanted("call-2", since=NOON - timedelta(hours=1)))
    assert heard == [again.promise]


async def test_the_history_names_each_call_and_each_window(store: Store) -> None:
    """Who asked for what, and when they rang in."""
    slot = slot_after(2)
    made = await make(store, wanted("call-1"))
    await make(store, wanted("call-2", slot=slot, slot_capacity=1))
    await store.promises.advance(made.promise.id, CustomerRangIn("call-3"))
    other = await make(store, wanted("call-4", slot=slot, slot_capacity=1, number=OTHER_NUMBER))
    await store.promises.advance(other.promise.id, Cancelled())
    assert await history(store) == [
        ("Made", "waiting", "call-1"),
        ("Merged", "waiting", "call-2 2030-05-06T05:00:00+00:00"),
        ("CustomerRangIn", "fulfilled", "call-3 2030-05-06T05:00:00+00:00"),
        ("Made", "waiting", "call-4 2030-05-06T05:00:00+00:00"),
        ("Cancelled", "cancelled", "customer 2030-05-06T05:00:00+00:00"),
    ]


async def test_the_open_promise_of_a_number_is_found_by_queue_and_number(store: Store) -> None:
    """While it is open, in whatever state, and in its own queue alone."""
    assert await store.promises.open_for("sales", NUMBER) is None
    promise = await dialling(store, "call-1")
    assert await store.promises.open_for("sales", NUMBER) == promise
    assert await store.promises.open_for("support", NUMBER) is None
    assert await store.promises.open_for("sales", OTHER_NUMBER) is None
    waits = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    assert await store.promises.open_for("sales", NUMBER) == waits
    await store.promises.advance(promise.id, CustomerRangIn())
    assert await store.promises.open_for("sales", NUMBER) is None


async def test_an_attempt_on_a_promise_as_it_was_before_it_took_a_request_in_is_not_opened(store: Store) -> None:
    """The line hears of the change, and decides again."""
    stale = (await make(store, wanted("call-1"))).promise
    fresh = (await make(store, wanted("call-2", slot=slot_after(20), slot_capacity=1))).promise
    assert await store.promises.open_attempt(stale, attempt_for(stale)) == NotClaimed(NotClaimedReason.MOVED)
    assert await store.promises.get(stale.id) == fresh


async def test_fifty_calls_from_one_number_at_once_are_fifty_requests_for_one_promise(url: str, store: Store) -> None:
    """Over two stores, as two processes would; each call finds it."""
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:
        requests = [wanted(f"call-{n}", since=NOON - timedelta(seconds=n)) for n in range(50)]
        made = await asyncio.gather(*(make((store, other)[n % 2], one) for n, one in enumerate(requests)))
    assert sum(one.is_new for one in made) == 1
    (promise,) = await store.promises.waiting()
    assert promise.since == NOON - timedelta(seconds=49)
    assert promise.version == 49
    for n in range(50):
        assert await store.promises.made_on_call(f"call-{n}") == promise


async def texts(store: Store) -> list[tuple[str, str, str]]:
    """Return the key, the promise and the details of each SMS that is owed, in order."""
    found = await rows(store, "SELECT key, promise_id, details FROM sms_outbox ORDER BY id")
    return [tuple(row.values()) for row in found]


async def test_what_was_promised_is_confirmed_when_it_is_asked_for_and_again_when_it_is_changed(store: Store) -> None:
    """Each version of it once, with the window that was chosen; the sender is woken by each."""
    woken: list[int] = []
    store.sms_queued.append(lambda: woken.append(1))
    slot = slot_after(2)
    await make(store, wanted("call-1", confirm=True))
    for _ in range(2):  # said twice, it is the same request
        await make(store, wanted("call-2", slot=slot, slot_capacity=1, confirm=True))
    await make(store, wanted("call-3", slot=slot_after(3), slot_capacity=1))
    window = '{"starts_at": "2030-05-06T05:00:00+00:00", "ends_at": "2030-05-06T05:30:00+00:00"}'
    assert await texts(store) == [
        ("promise-1:confirmed:0", "promise-1", '{"not_before": "2030-05-06T03:00:00.123456+00:00"}'),
        ("promise-1:confirmed:1", "promise-1", window),
    ]
    assert woken == [1, 1]


async def test_nothing_is_confirmed_that_was_not_promised(store: Store) -> None:
    """A full window; a number on the list; and whoever is talking on their promise right now."""
    promise = await dialling(store, "call-1")
    await store.promises.advance(promise.id, CustomerConnected())
    await make(store, wanted("call-2", confirm=True))
    full = wanted("call-3", number=OTHER_NUMBER, slot=slot_after(2), slot_capacity=0, confirm=True)
    assert await store.promises.make(full) == SlotFull()
    await store.do_not_call.block(OTHER_NUMBER, reason="STOP")
    assert await store.promises.make(wanted("call-4", number=OTHER_NUMBER, confirm=True)) == NumberBlocked()
    assert await texts(store) == []


async def test_that_a_window_cannot_be_kept_is_told_once_and_anew_of_a_new_window(store: Store) -> None:
    """Read back as it was written, with its history and the SMS, which is of no use once the window is over."""
    slot, later = slot_after(2), slot_after(3)
    promise = (await make(store, wanted("call-1", slot=slot, slot_capacity=1))).promise
    expected_at = slot.ends_at + timedelta(minutes=20)
    told = await store.promises.advance(promise.id, RunningLate(expected_at))
    assert told.told_late
    assert await store.promises.get(promise.id) == told
    with pytest.raises(RefusedTransitionError):
        await store.promises.advance(promise.id, RunningLate(expected_at))
    assert (await history(store))[-1] == ("RunningLate", "waiting", "2030-05-06T05:50:00+00:00")
    sms = await store.outbox.due(NOON)
    assert sms is not None
    assert (sms.template, sms.promise_id, sms.valid_until) == ("running_late", promise.id, slot.ends_at)
    moved = await make(store, wanted("call-2", slot=later, slot_capacity=1))
    assert not moved.promise.told_late
    assert (await store.promises.advance(promise.id, RunningLate(expected_at))).told_late


async def test_a_cancellation_by_sms_is_confirmed_by_sms_and_another_is_not(store: Store) -> None:
    """Whoever presses a key hears it."""
    by_sms = (await make(store, wanted("call-1"))).promise
    await store.promises.advance(by_sms.id, Cancelled(confirm=True))
    by_phone = (await make(store, wanted("call-2"))).promise
    await store.promises.advance(by_phone.id, Cancelled())
    assert await texts(store) == [("promise-1:cancelled", "promise-1", "{}")]
