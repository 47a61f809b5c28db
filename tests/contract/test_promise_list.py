from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import Cancelled
from controller.domain.promise import PromiseState
from controller.ports.promise_list import Place, Wanted
from tests.contract.store_under_test import NOON, POLICIES, make, slot_after, wanted

if TYPE_CHECKING:
    from controller.ports.promise_list import Kept
    from controller.store import Store
    from tests.contract.store_under_test import HandClock

ALL = Wanted()


async def some(store: Store, clock: HandClock, count: int, *, every_s: float = 60.0, first: int = 0) -> list[str]:
    """Make promises of different numbers; return their ids, the last to be made first."""
    made = []
    for nth in range(first, first + count):
        made.append((await make(store, wanted(f"call-{nth}", number=f"+8190111{nth:05d}"))).promise.id)
        clock.turn(every_s)
    return made[::-1]


async def pages(store: Store, which: Wanted, limit: int) -> list[list[str]]:
    """Return the ids of every page."""
    found, after = [], None
    while True:
        page = await store.promise_list.page(which, after=after, limit=limit)
        found.append(ids(page.found))
        after = page.ends_at
        if after is None:
            return found


def ids(found: object) -> list[str]:
    """Return the ids of what was found."""
    assert isinstance(found, list)
    return [one.promise.id for one in found]


async def test_pages_have_every_promise_once_and_the_last_to_be_made_first(store: Store, clock: HandClock) -> None:
    """The last page is as long as what is left, and says that there is no more."""
    made = await some(store, clock, 7)
    assert await pages(store, ALL, 3) == [made[:3], made[3:6], made[6:]]
    assert await pages(store, ALL, 7) == [made]
    assert await pages(store, ALL, 200) == [made]


async def test_promises_of_one_instant_are_parted_by_their_ids(store: Store, clock: HandClock) -> None:
    """A page may end between them: none is left out or comes twice."""
    made = await some(store, clock, 5, every_s=0)
    found = await pages(store, ALL, 2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(one for page in found for one in page) == sorted(made)


async def test_promises_that_are_made_meanwhile_do_not_move_the_pages(store: Store, clock: HandClock) -> None:
    """They come before the first page, which who reads on has had."""
    made = await some(store, clock, 4)
    first = await store.promise_list.page(ALL, after=None, limit=2)
    await some(store, clock, 3, first=10)
    second = await store.promise_list.page(ALL, after=first.ends_at, limit=2)
    assert [*ids(first.found), *ids(second.found)] == made
    assert second.ends_at is None


async def test_a_promise_that_is_asked_for_again_keeps_its_place_in_the_list(store: Store, clock: HandClock) -> None:
    """Its place in line may become another; when it was made does not."""
    made = await some(store, clock, 3)
    first = await store.promise_list.page(ALL, after=None, limit=1)
    earlier = NOON - timedelta(hours=3)
    again = await make(store, wanted("call-99", number="+819011100000", since=earlier))
    assert not again.is_new
    rest = await store.promise_list.page(ALL, after=first.ends_at, limit=5)
    assert ids(rest.found) == made[1:]


async def test_filters_leave_out_what_does_not_fit(store: Store, clock: HandClock) -> None:
    """State, queue, number, and when it was made; all of them together."""
    old, new = [(await some(store, clock, 1, first=nth, every_s=600))[0] for nth in range(2)]
    other = (await make(store, wanted("call-9", queue="support", number="+819011100001"))).promise.id
    await store.promises.advance(old, Cancelled())

    async def found(**fields: object) -> set[str]:
        page = await store.promise_list.page(Wanted(**fields), after=None, limit=9)  # type: ignore[arg-type]
        return set(ids(page.found))

    assert await found() == {old, new, other}
    assert await found(states=frozenset({PromiseState.CANCELLED})) == {old}
    assert await found(states=frozenset()) == set()
    assert await found(queue="support") == {other}
    assert await found(number="+819011100001") == {new, other}
    assert await found(number="+819011100001", queue="sales") == {new}
    assert await found(made_since=NOON + timedelta(seconds=600)) == {new, other}
    assert await found(made_until=NOON + timedelta(seconds=600)) == {old}


async def test_one_promise_is_told_with_all_that_is_kept_of_it(store: Store) -> None:
    """As it is in the book, and when it was made."""
    made = (await make(store, wanted(slot=slot_after(2), slot_capacity=1))).promise
    kept: Kept = await store.promise_list.one(made.id)
    assert kept.promise == made
    assert kept.made_at == NOON
    with pytest.raises(LookupError):
        await store.promise_list.one("nobody")


async def test_its_history_is_that_of_explain(store: Store) -> None:
    """With every step; of a promise that is not there it is told so."""
    made = (await make(store, wanted())).promise
    await store.promises.advance(made.id, Cancelled())
    history = await store.promise_list.history(made.id)
    assert [step.event for step in history.steps] == ["Made", "Cancelled"]
    with pytest.raises(LookupError):
        await store.promise_list.history("nobody")


async def test_a_queue_that_was_taken_out_of_the_settings_has_a_policy_too(store: Store) -> None:
    """Its promises are retried by it, and explained by it."""
    assert store.promise_list.policy("sales") == POLICIES["sales"]
    assert store.promise_list.policy("gone").max_attempts > 0


async def test_a_place_may_be_one_of_a_promise_that_is_gone(store: Store, clock: HandClock) -> None:
    """Old promises are deleted after a while; who was reading on gets what is behind it."""
    made = await some(store, clock, 3)
    between = Place(NOON + timedelta(seconds=90), "gone")
    page = await store.promise_list.page(ALL, after=between, limit=5)
    assert ids(page.found) == made[1:]
