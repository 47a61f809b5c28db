"""Whose claims are good: of whoever has the lease of the Asterisk, in the term that it has now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.domain.promise import Promise
from controller.ports.lease import lease_of_pbx
from controller.ports.promises import NotClaimed, NotClaimedReason
from tests.contract.store_under_test import HandClock, attempt_for, everything, make, wanted

if TYPE_CHECKING:
    from controller.store import Store

NO_LEASE = NotClaimed(NotClaimedReason.NO_LEASE)


async def waiting(store: Store, call_id: str = "call-1", **request: Any) -> Promise:
    """Make a promise."""
    return (await make(store, wanted(call_id, **request))).promise


async def test_without_a_lease_in_the_database_any_term_may_call(store: Store) -> None:
    """One controller, as before."""
    promise = await waiting(store)
    assert isinstance(await store.promises.open_attempt(promise, attempt_for(promise, term=7)), Promise)


async def test_only_the_term_of_the_lease_opens_an_attempt(store: Store) -> None:
    """Neither an older one, nor none; and the attempt keeps its term."""
    for holder in ("one", "two"):
        await store.leases.release(await store.leases.take(lease_of_pbx(), holder, holder, 4))
    lease = await store.leases.take(lease_of_pbx(), "three", "three", 4)
    promise = await waiting(store)
    before = await everything(store)
    for term in (0, lease.term - 1, lease.term + 1):
        assert await store.promises.open_attempt(promise, attempt_for(promise, term=term)) == NO_LEASE
    assert await everything(store) == before
    attempt = attempt_for(promise, term=lease.term, by_hand=True, agent="")
    assert isinstance(await store.promises.open_attempt(promise, attempt), Promise)
    assert [opened.attempt for opened in await store.promises.open_attempts()] == [attempt]


async def test_an_attempt_goes_by_the_lease_of_the_asterisk_that_places_it(store: Store) -> None:
    """Whoever has that of another one may do nothing here; and each Asterisk finds its own attempts again."""
    terms = {}
    for pbx, times in (("pbx-1", 1), ("pbx-2", 2)):
        for _ in range(times):
            terms[pbx] = (await store.leases.take(lease_of_pbx(pbx), pbx, pbx, 4)).term
    opened = {}
    for n, (pbx, term) in enumerate(terms.items()):
        promise = await waiting(store, pbx, number=f"+81901111000{n}")
        other = attempt_for(promise, f"{pbx}-other", pbx=pbx, term=3 - term)
        assert await store.promises.open_attempt(promise, other) == NO_LEASE
        opened[pbx] = attempt_for(promise, pbx, pbx=pbx, term=term)
        assert isinstance(await store.promises.open_attempt(promise, opened[pbx]), Promise)
    for pbx, attempt in opened.items():
        assert [one.attempt for one in await store.promises.open_attempts(pbx)] == [attempt]
    assert await store.promises.open_attempts("pbx-3") == []


async def test_a_lease_that_ran_out_or_was_given_back_opens_nothing(store: Store, clock: HandClock) -> None:
    """Even when nobody else has taken it yet."""
    promise = await waiting(store)
    lease = await store.leases.take(lease_of_pbx(), "one", "one", 4)
    clock.turn(4)
    assert await store.promises.open_attempt(promise, attempt_for(promise, term=lease.term)) == NO_LEASE
    renewed = await store.leases.renew(lease, 4)
    assert renewed is not None
    await store.leases.release(renewed)
    assert await store.promises.open_attempt(promise, attempt_for(promise, term=lease.term)) == NO_LEASE
