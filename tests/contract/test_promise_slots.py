from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerRangIn
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.ports.promises import Made, SlotFull
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    dialling,
    everything,
    make,
    slot_after,
    store_at,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.lifecycle import Event
    from controller.store import Store

SLOT, LATER_SLOT = slot_after(2), slot_after(3)
BOOKING_OFFICE = """
import asyncio, sys
from tests.contract.store_under_test import HandClock, slot_after, store_at, wanted

async def book(store, n):
    number = f"+81{sys.argv[2]}{n:07}"
    answer = await store.promises.make(wanted(number, number=number, slot=slot_after(2), slot_capacity=10))
    print(type(answer).__name__)

async def main():
    async with store_at(sys.argv[1], HandClock(), prefix=sys.argv[2], busy_timeout_s=60) as store:
        sys.stdin.read()  # until everybody is ready
        await asyncio.gather(*(book(store, n) for n in range(250)))

asyncio.run(main())
"""
"""A process that books one window for 250 numbers at once, when its standard input is closed."""


async def booked(store: Store, queue: str = "sales") -> Mapping[datetime, int]:
    """Return what is booked today."""
    return await store.promises.booked(queue, start=NOON, end=NOON + timedelta(days=1))


async def test_who_chooses_a_time_stands_in_line_as_if_they_arrived_then(store: Store) -> None:
    """Not before the window, and for a whole lifetime after it; read back as it was written."""
    made = await make(store, wanted(slot=SLOT, slot_capacity=3, not_before=NOON))
    assert made.is_new
    promise = made.promise
    assert (promise.slot, promise.since, promise.not_before) == (SLOT, SLOT.starts_at, SLOT.starts_at)
    assert promise.expires_at == SLOT.starts_at + timedelta(hours=1)
    assert await store.promises.get(promise.id) == promise
    assert await store.promises.waiting() == [promise]


async def test_a_full_slot_is_refused_and_nothing_is_written(store: Store) -> None:
    """Neither a promise nor a request: the caller can choose another time on the same call."""
    for n in range(2):
        await make(store, wanted(f"call-{n}", number=f"+8190123456{n:02}", slot=SLOT, slot_capacity=2))
    before = await everything(store)
    full = wanted("late", slot=SLOT, slot_capacity=2)
    assert await store.promises.make(full) == SlotFull()
    assert await everything(store) == before
    assert await store.promises.made_on_call("late") is None
    other = await make(store, wanted("late", slot=LATER_SLOT, slot_capacity=2))
    assert other.promise.slot == LATER_SLOT


async def test_each_queue_and_each_start_has_places_of_its_own(store: Store) -> None:
    """And one that has no places at all is always full."""
    for n, (queue, slot) in enumerate((("sales", SLOT), ("sales", LATER_SLOT), ("support", SLOT))):
        await make(store, wanted(f"call-{n}", number=f"+8190123456{n:02}", queue=queue, slot=slot, slot_capacity=1))
    assert await booked(store) == {SLOT.starts_at: 1, LATER_SLOT.starts_at: 1}
    assert await booked(store, "support") == {SLOT.starts_at: 1}
    assert await store.promises.make(wanted("none", slot=slot_after(4))) == SlotFull()


async def test_what_is_booked_is_asked_for_from_a_start_up_to_before_an_end(store: Store) -> None:
    """A window belongs to the span in which it starts."""
    for n, slot in enumerate((SLOT, LATER_SLOT)):
        await make(store, wanted(f"call-{n}", number=f"+8190123456{n:02}", slot=slot, slot_capacity=1))
    in_span = await store.promises.booked("sales", start=SLOT.starts_at, end=LATER_SLOT.starts_at)
    assert in_span == {SLOT.starts_at: 1}


@pytest.mark.parametrize("event", [Cancelled(), CustomerRangIn()], ids=["cancelled", "rang in"])
async def test_a_place_is_free_again_when_its_promise_is_withdrawn(store: Store, event: Event) -> None:
    """Or when its customer rang in and was served before."""
    made = await make(store, wanted("call-1", slot=SLOT, slot_capacity=1))
    await store.promises.advance(made.promise.id, event)
    assert await booked(store) == {}
    assert isinstance(await store.promises.make(wanted("call-2", slot=SLOT, slot_capacity=1)), Made)


async def test_who_books_another_time_gives_the_first_one_back(store: Store) -> None:
    """One promise, one place; also when the new wish is "as soon as possible"."""
    first = (await make(store, wanted("call-1", slot=SLOT, slot_capacity=1))).promise
    moved = await make(store, wanted("call-2", slot=LATER_SLOT, slot_capacity=1))
    assert (moved.is_new, moved.promise.id, moved.promise.slot) == (False, first.id, LATER_SLOT)
    assert moved.promise.since == LATER_SLOT.starts_at
    assert await booked(store) == {LATER_SLOT.starts_at: 1}
    at_once = (await make(store, wanted("call-3"))).promise
    assert (at_once.slot, at_once.since, at_once.not_before) == (None, NOON - timedelta(minutes=5), NOON)
    assert at_once.expires_at == NOON + timedelta(hours=1)
    assert await booked(store) == {}


async def test_who_wants_a_full_slot_keeps_what_they_have(store: Store) -> None:
    """Their old place is not given up before there is a new one."""
    await make(store, wanted("other", number=OTHER_NUMBER, slot=LATER_SLOT, slot_capacity=1))
    held = (await make(store, wanted("call-1", slot=SLOT, slot_capacity=1))).promise
    before = await everything(store)
    assert await store.promises.make(wanted("call-2", slot=LATER_SLOT, slot_capacity=1)) == SlotFull()
    assert await everything(store) == before
    assert await store.promises.open_for("sales", NUMBER) == held


async def test_who_asks_for_the_full_slot_that_they_hold_gets_it_again(store: Store) -> None:
    """Their own place does not stand in their way."""
    await make(store, wanted("call-1", slot=SLOT, slot_capacity=1))
    again = await make(store, wanted("call-2", slot=SLOT, slot_capacity=1))
    assert again.promise.slot == SLOT
    assert await booked(store) == {SLOT.starts_at: 1}


async def test_a_dial_that_ends_after_a_later_time_was_chosen_waits_for_that_time(store: Store) -> None:
    """And if it was the last one after all, the place is free for somebody else."""
    promise = await dialling(store, "call-1")
    await make(store, wanted("call-2", slot=SLOT, slot_capacity=1))
    waits = await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    assert (waits.state, waits.not_before) == (PromiseState.WAITING, SLOT.starts_at)
    other = await dialling(store, "call-3", "attempt-2", number=OTHER_NUMBER)
    await make(store, wanted("call-4", number=OTHER_NUMBER, slot=LATER_SLOT, slot_capacity=1))
    assert (await store.promises.advance(other.id, AttemptEnded(Outcome.TALKED))).slot is None
    assert await booked(store) == {SLOT.starts_at: 1}


async def test_a_thousand_bookings_at_once_for_ten_places_give_ten(url: str) -> None:
    """Over four stores with connections of their own, which know nothing of each other."""
    async with (
        store_at(url, HandClock(), prefix="a", busy_timeout_s=120) as first,
        store_at(url, HandClock(), prefix="b", busy_timeout_s=120) as second,
        store_at(url, HandClock(), prefix="c", busy_timeout_s=120) as third,
        store_at(url, HandClock(), prefix="d", busy_timeout_s=120) as fourth,
    ):
        stores = (first, second, third, fourth)
        answers = await asyncio.gather(
            *(
                stores[n % 4].promises.make(wanted(f"call-{n}", number=f"+8190{n:08}", slot=SLOT, slot_capacity=10))
                for n in range(1000)
            )
        )
        assert Counter(type(answer) for answer in answers) == {Made: 10, SlotFull: 990}
        assert await booked(first) == {SLOT.starts_at: 10}
        assert {promise.id for promise in await first.promises.waiting()} == {
            answer.promise.id for answer in answers if isinstance(answer, Made)
        }


async def test_four_processes_with_a_thousand_bookings_for_ten_places_give_ten(url: str) -> None:
    """Each of them as fast as it can."""
    async with store_at(url, HandClock()) as store:
        offices = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                *("-c", BOOKING_OFFICE, url, str(name)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            for name in range(70, 74)
        ]
        said = await asyncio.gather(*(office.communicate(b"") for office in offices))
        answers = Counter(word for out, _ in said for word in out.decode().split())
        assert answers == {"Made": 10, "SlotFull": 990}
        assert await booked(store) == {SLOT.starts_at: 10}
