from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.ports.answered_requests import KEPT_S, STUCK_S, Begun, OtherRequest, Told, Underway
from controller.ports.promises import StoreUnavailableError
from tests.contract.store_under_test import NOON, refuse_writes

if TYPE_CHECKING:
    from datetime import datetime

    from controller.store import Store

KEY, WHAT = "k" * 64, "f" * 64


def after(seconds: float) -> datetime:
    """Return noon and so many seconds."""
    return NOON + timedelta(seconds=seconds)


async def test_of_many_that_ask_at_once_exactly_one_is_to_answer(store: Store) -> None:
    """The others are told that it is being answered."""
    answers = await asyncio.gather(*(store.answered.begin(KEY, WHAT, NOON) for _ in range(8)))
    assert sum(isinstance(answer, Begun) for answer in answers) == 1
    assert sum(isinstance(answer, Underway) for answer in answers) == 7


async def test_the_same_request_again_gets_the_same_answer(store: Store) -> None:
    """Word for word, also when it is asked a third time."""
    await store.answered.begin(KEY, WHAT, NOON)
    await store.answered.settle(KEY, 201, '{"号":1}')
    assert await store.answered.begin(KEY, WHAT, after(1)) == Told(201, '{"号":1}')
    assert await store.answered.begin(KEY, WHAT, after(KEPT_S - 1)) == Told(201, '{"号":1}')


async def test_another_request_under_the_same_key_is_told_so(store: Store) -> None:
    """While the first is being answered, and afterwards; a request with another key is its own."""
    await store.answered.begin(KEY, WHAT, NOON)
    assert await store.answered.begin(KEY, "another", after(1)) == OtherRequest()
    await store.answered.settle(KEY, 200, "")
    assert await store.answered.begin(KEY, "another", after(2)) == OtherRequest()
    assert await store.answered.begin("another key", "another", after(3)) == Begun(after(3))


async def test_a_key_is_free_again_after_a_day(store: Store) -> None:
    """For any request: what was answered so long ago is nobody's retry."""
    await store.answered.begin(KEY, WHAT, NOON)
    await store.answered.settle(KEY, 200, "old")
    assert await store.answered.begin(KEY, "another", after(KEPT_S)) == Begun(after(KEPT_S))
    await store.answered.settle(KEY, 200, "new")
    assert await store.answered.begin(KEY, "another", after(KEPT_S + 1)) == Told(200, "new")


async def test_a_request_whose_process_died_is_answered_by_the_next_one_who_asks(store: Store) -> None:
    """Not at once: it may still be on its way; and by one of them, who is told when it was begun first."""
    await store.answered.begin(KEY, WHAT, NOON)
    assert await store.answered.begin(KEY, WHAT, after(STUCK_S - 1)) == Underway()
    answers = await asyncio.gather(*(store.answered.begin(KEY, WHAT, after(STUCK_S)) for _ in range(4)))
    assert [answer for answer in answers if isinstance(answer, Begun)] == [Begun(NOON)]
    assert await store.answered.begin(KEY, WHAT, after(2 * STUCK_S - 1)) == Underway()
    assert await store.answered.begin(KEY, WHAT, after(2 * STUCK_S)) == Begun(NOON)


async def test_a_request_that_nobody_ever_answered_is_another_one_after_a_day(store: Store) -> None:
    """What it may have made then is not what is asked for now."""
    await store.answered.begin(KEY, WHAT, NOON)
    assert await store.answered.begin(KEY, WHAT, after(KEPT_S)) == Begun(after(KEPT_S))


async def test_what_was_not_answered_after_all_can_be_asked_again(store: Store) -> None:
    """What was answered cannot be forgotten so."""
    await store.answered.begin(KEY, WHAT, NOON)
    await store.answered.forget(KEY)
    assert await store.answered.begin(KEY, WHAT, after(1)) == Begun(after(1))
    await store.answered.settle(KEY, 200, "done")
    await store.answered.forget(KEY)
    assert await store.answered.begin(KEY, WHAT, after(2)) == Told(200, "done")


async def test_an_answer_is_not_written_over(store: Store) -> None:
    """One who was taken for dead and comes back too late changes nothing, nor does one whose request was forgotten."""
    await store.answered.begin(KEY, WHAT, NOON)
    await store.answered.settle(KEY, 201, "first")
    await store.answered.settle(KEY, 409, "second")
    assert await store.answered.begin(KEY, WHAT, after(1)) == Told(201, "first")
    await store.answered.settle("never asked", 200, "")
    assert await store.answered.begin("never asked", WHAT, after(1)) == Begun(after(1))


async def test_old_ones_go_and_are_counted(store: Store) -> None:
    """Those that were asked before an instant; one that was asked just then stays."""
    for nth in range(3):
        await store.answered.begin(f"key {nth}", WHAT, after(nth))
        await store.answered.settle(f"key {nth}", 200, "")
    assert await store.answered.forget_before(after(2)) == 2
    assert await store.answered.begin("key 2", WHAT, after(3)) == Told(200, "")
    assert await store.answered.begin("key 1", WHAT, after(3)) == Begun(after(3))


async def test_a_database_that_takes_nothing_says_so(store: Store) -> None:
    """Nobody may believe that their request is being answered once."""
    await refuse_writes(store)
    with pytest.raises(StoreUnavailableError):
        await store.answered.begin(KEY, WHAT, NOON)
