"""What a customer asked for on a call is on disk before they hear it acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.lifecycle import AttemptEnded
from controller.domain.outcome import Outcome
from controller.domain.promise import Wish
from tests.contract.store_under_test import dialling

if TYPE_CHECKING:
    from controller.store import Store

LATER = Wish(Outcome.POSTPONED, 2400)


async def test_a_wish_is_found_with_its_open_attempt_and_nowhere_before(store: Store) -> None:
    """Whoever settles the attempt after a crash goes by it."""
    await dialling(store)
    assert [opened.wish for opened in await store.promises.open_attempts()] == [None]
    await store.promises.note_wish("attempt-1", LATER)
    assert [opened.wish for opened in await store.promises.open_attempts()] == [LATER]


async def test_the_wish_of_an_attempt_that_has_ended_is_not_written(store: Store) -> None:
    """Nor that of an attempt that nobody knows; neither is an error."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    await store.promises.note_wish("attempt-1", LATER)
    await store.promises.note_wish("attempt-9", LATER)
    assert await store.promises.open_attempts() == []


async def test_a_wish_changes_nothing_but_its_own_attempt(store: Store) -> None:
    """Two are open, for two numbers."""
    await dialling(store)
    await dialling(store, "call-2", "attempt-2", number="+819087654321")
    await store.promises.note_wish("attempt-2", Wish(Outcome.DECLINED))
    found = {opened.attempt.id: opened.wish for opened in await store.promises.open_attempts()}
    assert found == {"attempt-1": None, "attempt-2": Wish(Outcome.DECLINED)}
