from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.ports.lease import MAIL, Lease, lease_of_pbx, pbx_of_lease
from tests.contract.store_under_test import NOON, HandClock, everything, store_at

if TYPE_CHECKING:
    from controller.store import Store

PBX = lease_of_pbx("pbx-1")


async def take(store: Store, holder: str, *, lease_s: float = 4, name: str = PBX, wants: bool = False) -> Lease:
    """Take a lease for a life ("one.2", say) of a member ("one")."""
    return await store.leases.take(name, holder, holder.partition(".")[0], lease_s, wants=wants)


def lease_of(holder: str, term: int, clock: HandClock, *, lease_s: float = 4) -> Lease:
    """Return the lease as it is when it was taken or renewed now."""
    expires_at = clock.now() + timedelta(seconds=lease_s)
    return Lease(PBX, holder, holder.partition(".")[0], term, expires_at)


async def test_the_first_who_takes_a_lease_has_it(store: Store, clock: HandClock) -> None:
    """Another one is told who has it, and until when; nothing changes by asking."""
    assert await take(store, "one") == lease_of("one", 1, clock)
    before = await everything(store)
    assert await take(store, "two", lease_s=9) == lease_of("one", 1, clock)
    assert await everything(store) == before


async def test_each_name_is_a_lease_of_its_own(store: Store) -> None:
    """With its own terms; all of them can be read, those that ran out too."""
    other = lease_of_pbx("pbx-2")
    for _ in range(2):
        await store.leases.release(await take(store, "one"))
    held = [await take(store, "one", name=MAIL), await take(store, "two", name=other), await take(store, "three")]
    assert [lease.term for lease in held] == [1, 1, 3]
    await store.leases.release(held[0])
    assert await store.leases.all() == [replace(held[0], expires_at=NOON), held[2], held[1]]


async def test_before_anybody_took_one_there_are_no_leases(store: Store) -> None:
    """An empty database."""
    assert await store.leases.all() == []


async def test_a_lease_that_is_renewed_stays(store: Store, clock: HandClock) -> None:
    """With its term."""
    lease = await take(store, "one")
    for _ in range(5):
        clock.turn(3)
        renewed = await store.leases.renew(lease, 4)
        assert renewed == lease_of("one", 1, clock)
        assert await take(store, "two") == renewed


async def test_a_lease_that_ran_out_goes_to_the_next_with_a_new_term(store: Store, clock: HandClock) -> None:
    """To the instant; whoever had it can neither renew it nor give it back."""
    stale = await take(store, "one")
    clock.turn(3.999)
    assert (await take(store, "two")).holder == "one"
    clock.turn(0.001)
    lease = await take(store, "two")
    assert lease == lease_of("two", 2, clock)
    assert await store.leases.renew(stale, 4) is None
    await store.leases.release(stale)
    assert await take(store, "one") == lease


async def test_a_lease_that_ran_out_untaken_can_be_renewed(store: Store, clock: HandClock) -> None:
    """Nobody else has placed calls meanwhile."""
    lease = await take(store, "one")
    clock.turn(60)
    assert await store.leases.renew(lease, 4) == lease_of("one", 1, clock)


async def test_a_holder_that_takes_its_lease_again_gets_a_new_term_at_once(store: Store, clock: HandClock) -> None:
    """What it did before is told apart; and it knows best that nobody else believes to have it."""
    stale = await take(store, "one")
    assert await take(store, "one") == lease_of("one", 2, clock)
    assert await store.leases.renew(stale, 4) is None


async def test_a_member_that_was_killed_has_its_lease_again_at_once_but_is_quiet_until_the_old_one_is_over(
    store: Store, clock: HandClock
) -> None:
    """Its earlier life may stand still and not know; the lease is longer or shorter than before, as it is set now."""
    for lease_s, quiet_s in ((6, 3), (2, 2)):
        earlier = await take(store, f"one.{lease_s}")
        clock.turn(1)
        lease = await take(store, f"one.after.{lease_s}", lease_s=lease_s)
        quiet_until = clock.now() + timedelta(seconds=quiet_s)
        now = lease_of(f"one.after.{lease_s}", earlier.term + 1, clock, lease_s=lease_s)
        assert lease == replace(now, quiet_until=quiet_until)
        assert await store.leases.renew(earlier, 4) is None
        assert await store.leases.renew(lease, lease_s) == now
        assert await store.leases.all() == [now]
        await store.leases.release(lease)


async def test_a_member_that_gave_its_lease_back_or_let_it_run_out_need_not_be_quiet(
    store: Store, clock: HandClock
) -> None:
    """It knew."""
    await store.leases.release(await take(store, "one.1"))
    assert await take(store, "one.2") == lease_of("one.2", 2, clock)
    clock.turn(4)
    assert await take(store, "one.3") == lease_of("one.3", 3, clock)


async def test_a_lease_that_was_given_back_is_free_at_once_and_terms_only_grow(store: Store) -> None:
    """Also when it comes and goes."""
    terms = []
    for holder in ("one", "two", "one", "three"):
        lease = await take(store, holder)
        assert lease.holder == holder
        terms.append(lease.term)
        await store.leases.release(lease)
    assert terms == [1, 2, 3, 4]


async def test_who_wants_a_lease_that_another_has_is_written_into_it(store: Store, clock: HandClock) -> None:
    """The holder reads it when it renews; it goes when the lease is taken, and nothing else of the lease changes."""
    lease = await take(store, "two")
    wanted = replace(lease, wanted_by="home")
    assert await take(store, "home.1", wants=True) == wanted
    assert await take(store, "three") == wanted
    assert await store.leases.all() == [wanted]
    clock.turn(1)
    renewed = await store.leases.renew(lease, 4)
    assert renewed == replace(lease_of("two", 1, clock), wanted_by="home")
    await store.leases.release(renewed)
    assert await take(store, "home.1", wants=True) == lease_of("home.1", 2, clock)
    assert [one.wanted_by for one in await store.leases.all()] == [""]


async def test_a_wish_for_a_free_lease_is_the_lease(store: Store, clock: HandClock) -> None:
    """Nothing is left to wish for."""
    assert await take(store, "home.1", wants=True) == lease_of("home.1", 1, clock)
    clock.turn(4)
    assert await take(store, "two", wants=True) == lease_of("two", 2, clock)


async def test_a_clock_that_was_set_back_does_not_keep_a_dead_holders_lease_alive(
    store: Store, clock: HandClock
) -> None:
    """It would last for an hour and 4 s. A live holder is found out by its term, and may dial for 4 s more."""
    stale = await take(store, "one")
    clock.turn(-3600)
    taken = lease_of("two", 2, clock)
    assert await take(store, "two") == replace(taken, quiet_until=taken.expires_at)
    assert await store.leases.renew(stale, 4) is None


async def test_of_twenty_who_take_it_at_once_one_has_it(url: str, store: Store) -> None:
    """Over two stores, as two machines would; when it is new, and each time that it ran out."""
    clock = HandClock()
    async with (
        store_at(url, clock, busy_timeout_s=30) as first,
        store_at(url, clock, prefix="other", busy_timeout_s=30) as second,
    ):
        for term in (1, 2, 3):
            found = await asyncio.gather(*(take((first, second)[n % 2], f"h{term}-{n}") for n in range(20)))
            assert len(set(found)) == 1
            assert found[0].term == term
            clock.turn(4)
    assert (await take(store, "after")).term == 4


@pytest.mark.parametrize("pbx", ["asterisk", "pbx-1"])
def test_the_lease_of_an_asterisk_has_its_name(pbx: str) -> None:
    """And the mail is no Asterisk."""
    assert pbx_of_lease(lease_of_pbx(pbx)) == pbx
    assert pbx_of_lease(MAIL) is None
