"""What a supervisor changes of a promise, on each database: written like every other change, and bound by the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import Cancelled, RefusedTransitionError
from controller.domain.supervising import Assigned, Moved, Prioritised
from controller.ports.promises import NotMovedError, NotMovedReason
from tests.contract.store_under_test import NUMBER, OTHER_NUMBER, dialling, make, rows, slot_after, wanted

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.store import Store

WINDOW = slot_after(2)


async def test_what_a_supervisor_wants_is_kept_and_told(store: Store) -> None:
    """Whoever reads the promise next finds it, and those who listen hear of it."""
    heard: list[Promise] = []
    store.changed.append(heard.append)
    made = (await make(store, wanted())).promise
    for event in (Prioritised(urgent=True), Assigned("hanako")):
        await store.promises.advance(made.id, event)
    wants = replace(made, urgent=True, assigned_to="hanako", version=2)
    assert await store.promises.get(made.id) == wants
    assert await store.promises.waiting() == [wants]
    assert heard == [made, replace(wants, assigned_to="", version=1), wants]
    moved = await store.promises.advance(made.id, Moved("support"))
    assert (moved.queue, moved.assigned_to, moved.urgent) == ("support", "", True)
    assert await store.promises.open_for("support", NUMBER) == moved
    assert await store.promises.open_for("sales", NUMBER) is None


async def test_the_history_says_what_was_done(store: Store) -> None:
    """In words that the story of a promise is told from."""
    made = (await make(store, wanted(slot=WINDOW, slot_capacity=1))).promise
    for event in (Prioritised(urgent=True), Prioritised(urgent=False), Assigned("hanako"), Assigned("")):
        await store.promises.advance(made.id, event)
    await store.promises.advance(made.id, Moved("support", slot_capacity=0))
    found = await rows(store, "SELECT event, detail FROM promise_events WHERE seq > 0 ORDER BY seq")
    assert [(row["event"], row["detail"]) for row in found] == [
        ("Prioritised", "urgent"),
        ("Prioritised", ""),
        ("Assigned", "hanako"),
        ("Assigned", ""),
        ("Moved", f"sales support {WINDOW.starts_at.isoformat()}"),
    ]


async def test_a_promise_that_does_not_wait_is_left_alone(store: Store) -> None:
    """While it is dialled, and when it is over."""
    dialled = await dialling(store)
    gone = (await make(store, wanted("call-2", number=OTHER_NUMBER))).promise
    await store.promises.advance(gone.id, Cancelled())
    for promise in (dialled, gone):
        for event in (Prioritised(urgent=True), Assigned("hanako"), Moved("support")):
            with pytest.raises(RefusedTransitionError):
                await store.promises.advance(promise.id, event)


async def test_a_number_keeps_one_promise_with_a_queue(store: Store) -> None:
    """Who has one with the other queue is not moved there; nothing is changed."""
    first = (await make(store, wanted())).promise
    other = (await make(store, wanted("call-2", queue="support"))).promise
    with pytest.raises(NotMovedError) as refused:
        await store.promises.advance(first.id, Moved("support"))
    assert refused.value.reason is NotMovedReason.NUMBER_HELD
    assert [await store.promises.get(each.id) for each in (first, other)] == [first, other]
    await store.promises.advance(other.id, Cancelled())
    assert (await store.promises.advance(first.id, Moved("support"))).queue == "support"


async def test_a_window_that_is_full_there_takes_nobody_more(store: Store) -> None:
    """Capacity is of a queue and a window; where it has no windows, the promise goes without its own."""
    await make(store, wanted("call-1", queue="support", slot=WINDOW, slot_capacity=1))
    moving = (await make(store, wanted("call-2", number=OTHER_NUMBER, slot=WINDOW, slot_capacity=1))).promise
    with pytest.raises(NotMovedError) as refused:
        await store.promises.advance(moving.id, Moved("support", slot_capacity=1))
    assert refused.value.reason is NotMovedReason.SLOT_FULL
    assert await store.promises.get(moving.id) == moving
    moved = await store.promises.advance(moving.id, Moved("support", slot_capacity=2))
    assert (moved.queue, moved.slot) == ("support", WINDOW)


async def test_a_move_frees_the_window_that_was_left(store: Store) -> None:
    """Others can have it at once."""
    made = (await make(store, wanted(slot=WINDOW, slot_capacity=1))).promise
    await store.promises.advance(made.id, Moved("support", slot_capacity=None))
    again = await make(store, wanted("call-2", number=OTHER_NUMBER, slot=WINDOW, slot_capacity=1))
    assert (again.is_new, again.promise.queue) == (True, "sales")


async def test_of_a_move_and_a_new_promise_at_once_the_number_has_one_with_that_queue(store: Store) -> None:
    """Whichever was first."""
    made = (await make(store, wanted())).promise
    moved, _ = await asyncio.gather(
        store.promises.advance(made.id, Moved("support")),
        store.promises.make(wanted("call-2", queue="support")),
        return_exceptions=True,
    )
    assert not isinstance(moved, BaseException) or isinstance(moved, NotMovedError)
    found = await rows(store, "SELECT queue FROM promises WHERE state = 'waiting' ORDER BY queue")
    assert [row["queue"] for row in found].count("support") == 1


async def test_ten_moves_into_a_window_for_three_leave_three_in_it(store: Store) -> None:
    """Capacity is never passed."""
    numbers = [f"+8190123400{nth:02}" for nth in range(10)]
    made = [
        (await make(store, wanted(f"call-{nth}", number=number, slot=WINDOW, slot_capacity=None))).promise
        for nth, number in enumerate(numbers)
    ]
    await asyncio.gather(
        *(store.promises.advance(each.id, Moved("support", slot_capacity=3)) for each in made), return_exceptions=True
    )
    found = await rows(store, "SELECT count(*) AS held FROM promises WHERE queue = 'support'")
    assert found == [{"held": 3}]
