"""Queues closed by hand, kept on each database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.ports.news import Kind, News
from controller.ports.queue_closures import Closure
from controller.store.news import read_payload
from tests.contract.store_under_test import NOON, HandClock, store_at

if TYPE_CHECKING:
    from controller.store import Store

LATER = NOON + timedelta(hours=2)
CARDS = Closure("cards", "hanako", NOON)
UNTIL_TWO = Closure("cards", "key-1", NOON + timedelta(minutes=1), LATER)
LOANS = Closure("loans", "花子", NOON, LATER)


async def test_nothing_is_closed_by_itself(store: Store) -> None:
    """And what was never closed cannot be opened."""
    assert await store.closures.all() == []
    assert not await store.closures.open("cards")


async def test_a_queue_is_closed_until_it_is_opened(store: Store) -> None:
    """With who did it, when, and until when; the others are left alone."""
    await store.closures.close(LOANS)
    await store.closures.close(CARDS)
    assert await store.closures.all() == [CARDS, LOANS]
    assert await store.closures.open("cards")
    assert await store.closures.all() == [LOANS]


async def test_who_closes_a_queue_again_replaces_what_was(store: Store) -> None:
    """An end can be added, and taken away."""
    for closure in (CARDS, UNTIL_TWO, CARDS):
        await store.closures.close(closure)
        assert await store.closures.all() == [closure]


async def test_a_closure_whose_time_is_over_is_still_told(store: Store, clock: HandClock) -> None:
    """Whoever asks compares it with their clock; `is_in_force` does."""
    await store.closures.close(UNTIL_TWO)
    clock.turn(3 * 3600)
    assert await store.closures.all() == [UNTIL_TWO]
    assert [UNTIL_TWO.is_in_force(at) for at in (NOON, LATER - timedelta.resolution, LATER)] == [True, True, False]
    assert CARDS.is_in_force(LATER + timedelta(days=400))


async def test_those_who_listen_hear_of_each_change_once_it_is_written(store: Store) -> None:
    """And of nothing where nothing changed."""
    heard: list[list[Closure]] = []
    reads: list[asyncio.Task[list[Closure]]] = []
    store.closed.append(lambda: reads.append(asyncio.ensure_future(store.closures.all())))
    await store.closures.close(CARDS)
    await store.closures.open("loans")
    await store.closures.open("cards")
    heard = list(await asyncio.gather(*reads))
    assert len(heard) == 2


async def test_ten_who_close_one_queue_at_once_leave_one_closure(store: Store) -> None:
    """Whosever was last."""
    closures = [Closure("cards", f"p{nth}", NOON) for nth in range(10)]
    await asyncio.gather(*map(store.closures.close, closures))
    (left,) = await store.closures.all()
    assert left in closures


async def test_what_was_closed_is_closed_for_the_next_process(url: str, clock: HandClock) -> None:
    """It outlives a restart, and another controller on the same database sees it."""
    async with store_at(url, clock) as first, store_at(url, clock) as second:
        await first.closures.close(UNTIL_TWO)
        assert await second.closures.all() == [UNTIL_TWO]


def test_other_processes_hear_which_queue_it_is() -> None:
    """On a server, in the transaction that changes it."""
    assert read_payload("closure 0123456789abcdef cards", own="f" * 16) == News(Kind.CLOSURE, "cards")
    assert read_payload("closure 0123456789abcdef cards", own="0123456789abcdef") is None
