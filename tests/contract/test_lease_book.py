from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.ports.lease import Lease
from tests.contract.store_under_test import NOON, HandClock, everything, store_at

if TYPE_CHECKING:
    from controller.store import Store


async def test_the_first_who_takes_the_lease_has_it(store: Store) -> None:
    """Another one is told who has it, and until when; nothing changes by asking."""
    assert await store.leases.take("one", 4) == Lease("one", 1, NOON + timedelta(seconds=4))
    before = await everything(store)
    assert await store.leases.take("two", 9) == Lease("one", 1, NOON + timedelta(seconds=4))
    assert await everything(store) == before


async def test_a_lease_that_is_renewed_stays(store: Store, clock: HandClock) -> None:
    """With its term."""
    lease = await store.leases.take("one", 4)
    for _ in range(5):
        clock.turn(3)
        renewed = await store.leases.renew(lease, 4)
        assert renewed == Lease("one", 1, clock.now() + timedelta(seconds=4))
        assert await store.leases.take("two", 4) == renewed


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_new_term(store: Store, clock: HandClock) -> None:
    """To the instant; whoever had it can neither renew it nor give it back."""
    stale = await store.leases.take("one", 4)
    clock.turn(3.999)
    assert (await store.leases.take("two", 4)).holder == "one"
    clock.turn(0.001)
    lease = await store.leases.take("two", 4)
    assert lease == Lease("two", 2, clock.now() + timedelta(seconds=4))
    assert await store.leases.renew(stale, 4) is None
    await store.leases.release(stale)
    assert await store.leases.take("one", 4) == lease


async def test_a_lease_that_ran_out_untaken_can_be_renewed(store: Store, clock: HandClock) -> None:
    """Nobody else has placed calls meanwhile."""
    lease = await store.leases.take("one", 4)
    clock.turn(60)
    assert await store.leases.renew(lease, 4) == Lease("one", 1, clock.now() + timedelta(seconds=4))


async def test_a_holder_that_comes_back_under_its_name_gets_a_new_term_at_once(store: Store) -> None:
    """What it did before its restart is told apart."""
    stale = await store.leases.take("one", 4)
    assert (await store.leases.take("one", 4)).term == 2
    assert await store.leases.renew(stale, 4) is None


async def test_a_lease_that_was_given_back_is_free_at_once_and_terms_only_grow(store: Store) -> None:
    """Also when it comes and goes."""
    terms = []
    for holder in ("one", "two", "one", "three"):
        lease = await store.leases.take(holder, 4)
        assert lease.holder == holder
        terms.append(lease.term)
        await store.leases.release(lease)
    assert terms == [1, 2, 3, 4]


async def test_a_clock_that_was_set_back_does_not_keep_a_dead_holders_lease_alive(
    store: Store, clock: HandClock
) -> None:
    """It would last for an hour and 4 s. Of a live holder, who is found out by its term, the next renewal fails."""
    stale = await store.leases.take("one", 4)
    clock.turn(-3600)
    assert await store.leases.take("two", 4) == Lease("two", 2, clock.now() + timedelta(seconds=4))
    assert await store.leases.renew(stale, 4) is None


async def test_of_twenty_who_take_it_at_once_one_has_it(url: str, store: Store) -> None:
    """Over two stores, as two machines would; when it is new, and each time that it ran out."""
    clock = HandClock()
    async with (
        store_at(url, clock, busy_timeout_s=30) as first,
        store_at(url, clock, prefix="other", busy_timeout_s=30) as second,
    ):
        for term in (1, 2, 3):
            found = await asyncio.gather(
                *((first, second)[n % 2].leases.take(f"holder-{term}-{n}", 4) for n in range(20))
            )
            assert len(set(found)) == 1
            assert found[0].term == term
            clock.turn(4)
    assert (await store.leases.take("after", 4)).term == 4
