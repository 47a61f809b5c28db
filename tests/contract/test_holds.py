"""Which office has a promise in hand: it rings an agent for it, and the offices of other Asterisks do not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from controller.domain.caps import Caps
from controller.domain.lifecycle import Cancelled, CancelReason
from controller.domain.promise import Promise, PromiseState
from controller.ports.lease import Lease, lease_of_pbx
from controller.ports.promises import NotClaimed, NotClaimedReason
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    HandClock,
    attempt_for,
    dialling,
    everything,
    make,
    rows,
    store_at,
    wanted,
)

if TYPE_CHECKING:
    from typing import Any

    from controller.store import Store

HELD, MOVED, NO_LEASE = (
    NotClaimed(reason) for reason in (NotClaimedReason.HELD, NotClaimedReason.MOVED, NotClaimedReason.NO_LEASE)
)
HERE, THERE = "pbx-1", "pbx-2"


async def lead(store: Store, pbx: str, member: str = "one", lease_s: float = 4) -> Lease:
    """Take the lease of an Asterisk."""
    return await store.leases.take(lease_of_pbx(pbx), f"{member}.1", member, lease_s)


async def both_offices(store: Store) -> tuple[int, int]:
    """Open an office here and one there; return their terms, which differ."""
    await store.leases.release(await lead(store, THERE))
    return (await lead(store, HERE)).term, (await lead(store, THERE)).term


async def waiting(store: Store, call_id: str = "call-1", **request: Any) -> Promise:
    """Make a promise."""
    return (await make(store, wanted(call_id, **request))).promise


async def claim(store: Store, promise: Promise, pbx: str, term: int, **more: Any) -> Promise | NotClaimed:
    """Open an attempt through an Asterisk."""
    return await store.promises.open_attempt(
        promise, attempt_for(promise, f"{promise.id}-{pbx}", pbx=pbx, term=term, **more)
    )


async def test_a_promise_that_is_held_is_kept_from_every_other_office(store: Store) -> None:
    """It may neither hold nor dial it; and nothing changes when it tries."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, here) is None
    before = await everything(store)
    assert await store.promises.hold(promise, THERE, there) == HELD
    assert await claim(store, promise, THERE, there) == HELD
    assert await store.promises.hold(promise, HERE, here) is None
    assert await everything(store) == before


async def test_who_holds_a_promise_dials_it_and_the_hold_is_over(store: Store) -> None:
    """When the promise waits again, whoever is first has it."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, here) is None
    moved = await claim(store, promise, HERE, here)
    assert isinstance(moved, Promise)
    assert moved.state is PromiseState.DIALLING
    assert await rows(store, "SELECT * FROM holds") == []
    assert await store.promises.hold(promise, THERE, there) == MOVED


async def test_a_promise_need_not_be_held_to_be_dialled(store: Store) -> None:
    """The claim alone decides."""
    here, _ = await both_offices(store)
    assert isinstance(await claim(store, await waiting(store), HERE, here), Promise)


async def test_a_promise_that_is_let_go_is_everybodys_again(store: Store) -> None:
    """Those in the same process hear of it, once; it is as it was."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    heard: list[Promise] = []
    store.changed.append(heard.append)
    assert await store.promises.hold(promise, HERE, here) is None
    for _ in range(2):
        await store.promises.let_go(promise.id, HERE, here)
    assert heard == [promise]
    assert await store.promises.hold(promise, THERE, there) is None


async def test_nobody_lets_go_what_another_holds(store: Store) -> None:
    """Nor what they held themselves in an older term; and there is nothing to say of it."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    heard: list[Promise] = []
    store.changed.append(heard.append)
    assert await store.promises.hold(promise, HERE, here) is None
    await store.promises.let_go(promise.id, THERE, there)
    await store.promises.let_go(promise.id, HERE, here - 1)
    await store.promises.let_go("nobody's", HERE, here)
    assert await store.promises.hold(promise, THERE, there) == HELD
    assert heard == []


async def test_a_hold_ends_with_the_lease_under_which_it_was_written(store: Store, clock: HandClock) -> None:
    """To the instant: what an office had in hand that died is another's."""
    here, _ = await both_offices(store)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, here) is None
    clock.turn(3.999)
    there = (await lead(store, THERE)).term
    assert await store.promises.hold(promise, THERE, there) == HELD
    clock.turn(0.001)
    assert await store.promises.hold(promise, THERE, there) is None
    assert await rows(store, "SELECT pbx, term FROM holds") == [{"pbx": THERE, "term": there}]


async def test_a_lease_that_is_taken_anew_frees_what_was_held_under_it(store: Store) -> None:
    """A restart, say: at once, and nothing of it stays behind."""
    here, there = await both_offices(store)
    first, second = await waiting(store), await waiting(store, "call-2", number="+819012340002")
    assert await store.promises.hold(first, HERE, here) is None
    assert await store.promises.hold(second, THERE, there) is None
    anew = await store.leases.take(lease_of_pbx(HERE), "one.2", "one", 4)
    assert await rows(store, "SELECT promise_id FROM holds") == [{"promise_id": second.id}]
    assert await store.promises.hold(first, HERE, here) == NO_LEASE
    assert await store.promises.hold(first, THERE, there) is None
    assert await claim(store, second, HERE, anew.term) == HELD


async def test_a_lease_that_is_given_back_holds_nothing(store: Store) -> None:
    """Before anybody has taken it."""
    await lead(store, THERE)
    lease = await lead(store, HERE)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, lease.term) is None
    await store.leases.release(lease)
    assert await store.promises.hold(promise, HERE, lease.term) == NO_LEASE
    assert isinstance(await claim(store, promise, THERE, 1), Promise)


async def test_an_office_that_lost_its_hold_while_its_lease_was_over_does_not_dial(
    store: Store, clock: HandClock
) -> None:
    """It may renew its lease, since nobody took that; its promise is in other hands."""
    lease = await lead(store, HERE)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, lease.term) is None
    clock.turn(5)
    there = (await lead(store, THERE)).term
    assert await store.promises.hold(promise, THERE, there) is None
    assert await store.leases.renew(lease, 4) is not None
    assert await claim(store, promise, HERE, lease.term) == HELD
    assert isinstance(await claim(store, promise, THERE, there), Promise)


async def test_a_redial_by_hand_goes_past_a_hold(store: Store) -> None:
    """An agent has the number before them; whoever held it finds the promise moved."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, here) is None
    assert isinstance(await claim(store, promise, THERE, there, by_hand=True), Promise)
    assert await claim(store, promise, HERE, here) == MOVED
    assert await rows(store, "SELECT * FROM holds") == []


async def test_a_hold_stands_in_nobodys_way_but_other_offices(store: Store) -> None:
    """The customer may ask again, or cancel; and who holds it finds it moved, until they look at it anew."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    assert await store.promises.hold(promise, HERE, here) is None
    again = (await make(store, wanted("call-2"))).promise
    assert again.version == promise.version + 1
    assert await store.promises.hold(promise, HERE, here) == MOVED
    assert await store.promises.hold(again, THERE, there) == HELD
    assert await store.promises.hold(again, HERE, here) is None
    cancelled = await store.promises.advance(promise.id, Cancelled(CancelReason.ADMIN))
    assert cancelled.state is PromiseState.CANCELLED
    assert await claim(store, again, HERE, here) == MOVED


async def test_what_speaks_against_a_call_is_told_before_an_agent_is_rung(store: Store) -> None:
    """And nothing is held: a promise that moved, a term that is not ours, a busy number, the list, a cap."""
    here, there = await both_offices(store)
    promise = await waiting(store)
    before = await everything(store)
    assert await store.promises.hold(replace(promise, version=7), HERE, here) == MOVED
    assert await store.promises.hold(promise, HERE, there) == NO_LEASE
    full = await store.promises.hold(promise, HERE, here, Caps(per_number=0))
    assert full is not None
    assert full.reason is NotClaimedReason.OVER_CAP
    assert await everything(store) == before
    await dialling(store, "call-2", "a2", queue="support")
    assert await store.promises.hold(promise, HERE, here) == NotClaimed(NotClaimedReason.NUMBER_BUSY)
    other = await waiting(store, "call-3", number="+819012340003", queue="support")
    await store.do_not_call.block(NUMBER, reason="STOP")
    assert (await store.promises.get(promise.id)).state is PromiseState.CANCELLED
    assert await store.promises.hold(other, HERE, here) is None
    assert [row["promise_id"] for row in await rows(store, "SELECT * FROM holds")] == [other.id]


async def test_there_is_nothing_to_hold_where_there_is_no_promise(store: Store) -> None:
    """That is a mistake of ours."""
    here, _ = await both_offices(store)
    with pytest.raises(LookupError):
        await store.promises.hold(replace(await waiting(store), id="nobody's"), HERE, here)


async def test_of_twenty_offices_that_find_the_same_promises_each_goes_to_one(url: str, store: Store) -> None:
    """At once, over two stores, as they fall due; and who has one is the one who may dial it."""
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:
        terms = {f"pbx-{n}": (await lead(store, f"pbx-{n}", f"m{n}")).term for n in range(20)}
        for nth in range(3):
            promise = await waiting(store, f"call-{nth}", number=f"+81901234000{nth}", since=NOON)
            answers = await asyncio.gather(
                *((store, other)[n % 2].promises.hold(promise, *office) for n, office in enumerate(terms.items()))
            )
            assert answers.count(None) == 1
            assert answers.count(HELD) == 19
            holder = list(terms)[answers.index(None)]
            for pbx, term in terms.items():
                if pbx != holder:
                    assert await claim(other, promise, pbx, term) == HELD
            assert isinstance(await claim(other, promise, holder, terms[holder]), Promise)
