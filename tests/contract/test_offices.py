"""Offices that come and go, hold and dial, in any order: no promise is dialled twice, and none is stuck."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from controller.domain.lifecycle import AttemptEnded
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise
from controller.ports.lease import Lease, lease_of_pbx
from controller.ports.promises import NotClaimed, NotClaimedReason
from tests.contract.store_under_test import HandClock, attempt_for, make, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.store import Store

T = TypeVar("T")
LEASE_S = 4.0
PBXS = ("pbx-1", "pbx-2")
MEMBERS = ("one", "two")
NTH = st.integers(0, 10)
"""Which of several. How many there are depends on who was quicker, and what an example draws must not."""


@dataclass(eq=False)
class Life:
    """One life of a member: what it believes to have. It may be dead, or stand still, and not know."""

    member: str
    holder: str
    store: Store
    leases: dict[str, Lease] = field(default_factory=dict)
    held: dict[str, list[Promise]] = field(default_factory=dict)
    """By the Asterisk: the promises that it holds, as it knows them."""


class Offices(RuleBasedStateMachine):
    """Two members and two Asterisks. What each life believes is kept beside what the database says."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._clock = HandClock()
        opened = (store_at(url, self._clock, prefix=name, busy_timeout_s=30) for name in MEMBERS)
        self._stores = dict(
            zip(MEMBERS, [self._run(self._open.enter_async_context(one)) for one in opened], strict=True)
        )
        self._ids = itertools.count()
        self._lives = [self._born(member) for member in MEMBERS]
        """Every life that there ever was; the last of each member is the one that runs."""
        self._terms: dict[str, int] = {}
        self._dialled: dict[str, str] = {}
        """Who has an attempt open, by promise."""

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def _born(self, member: str) -> Life:
        return Life(member, f"{member}.{next(self._ids)}", self._stores[member])

    def _is_in_office(self, life: Life, pbx: str) -> bool:
        """Tell whether a life has the lease, by the rules and not by the database."""
        lease = life.leases.get(pbx)
        return lease is not None and lease.term == self._terms[pbx] and self._clock.now() < lease.expires_at

    def _in_office(self) -> list[tuple[Life, str]]:
        return [(life, pbx) for life in self._lives for pbx in PBXS if self._is_in_office(life, pbx)]

    def _holder_of(self, promise: Promise) -> tuple[Life, str] | None:
        """Return who has a promise in hand."""
        found = [(life, pbx) for life, pbx in self._in_office() if promise.id in _ids_of(life.held.get(pbx, []))]
        assert len(found) <= 1, "two offices have one promise in hand"
        return found[0] if found else None

    @rule(number=st.sampled_from(["+819012340001", "+819012340002", "+819012340003"]))
    def somebody_asks(self, number: str) -> None:
        """Whether or not they hold a promise already."""
        request = wanted(f"call-{next(self._ids)}", number=number, since=self._clock.now())
        self._run(make(self._stores["one"], request))

    @rule(nth=NTH, pbx=st.sampled_from(PBXS), wants=st.booleans())
    def somebody_takes_a_lease(self, nth: int, pbx: str, *, wants: bool) -> None:
        """Whether it runs or was replaced and stood still: it gets the lease when the rules say so, and not else."""
        life = _pick(self._lives, nth)
        has = [one for one in self._lives if self._is_in_office(one, pbx)]
        lease = self._run(life.store.leases.take(lease_of_pbx(pbx), life.holder, life.member, LEASE_S, wants=wants))
        if has and has[0].member != life.member:
            assert (lease.holder, lease.term) == (has[0].holder, self._terms[pbx])
            assert lease.wanted_by == life.member or not wants
            return
        assert lease.holder == life.holder
        assert lease.term == self._terms.get(pbx, 0) + 1
        assert (lease.quiet_until is not None) == bool(has and has[0] is not life)
        if lease.quiet_until is not None:
            assert lease.quiet_until == has[0].leases[pbx].expires_at
        self._terms[pbx] = lease.term
        life.leases[pbx] = lease
        life.held.pop(pbx, None)

    @rule(nth=NTH, pbx=st.sampled_from(PBXS), gives_back=st.booleans())
    def somebody_renews_or_gives_back_what_they_believe_to_have(self, nth: int, pbx: str, *, gives_back: bool) -> None:
        """Only the last who took it can do either."""
        life = _pick(self._lives, nth)
        lease = life.leases.get(pbx)
        if lease is None:
            return
        is_last = lease.term == self._terms[pbx]
        if gives_back:
            self._run(life.store.leases.release(lease))
            del life.leases[pbx]
            return
        renewed = self._run(life.store.leases.renew(lease, LEASE_S))
        assert (renewed is not None) == is_last
        if renewed is None:
            del life.leases[pbx]
            return
        if self._clock.now() >= lease.expires_at:
            # It was over for a while: others may have taken what it held.
            others = {one for other, _ in self._in_office() for ones in other.held.values() for one in _ids_of(ones)}
            life.held[pbx] = [one for one in life.held.get(pbx, []) if one.id not in others]
        life.leases[pbx] = renewed

    @rule(member=st.sampled_from(MEMBERS))
    def a_member_dies_and_starts_again(self, member: str) -> None:
        """Its old life may go on beside it, since it may only have stood still."""
        self._lives.append(self._born(member))

    @rule()
    def all_that_waits_is_held_at_once(self) -> None:
        """By whoever believes to be in office; one gets it, and only while they are."""
        waits = self._run(self._stores["two"].promises.waiting())
        believers = [(life, where) for life in self._lives for where in life.leases]
        before = {promise.id: self._holder_of(promise) for promise in waits}

        async def hold_all() -> list[tuple[Promise, Life, str, NotClaimed | None]]:
            tries = [(promise, *office) for promise in waits for office in believers]
            answers = await asyncio.gather(
                *(life.store.promises.hold(promise, where, life.leases[where].term) for promise, life, where in tries)
            )
            return [(*one, answer) for one, answer in zip(tries, answers, strict=True)]

        in_office = self._in_office()
        for promise, life, where, answer in self._run(hold_all()):
            if answer is None:
                assert (life, where) in in_office
                assert before[promise.id] in (None, (life, where))
                if promise.id not in _ids_of(life.held.setdefault(where, [])):
                    life.held[where].append(promise)
        for promise in waits:
            assert (self._holder_of(promise) is not None) == bool(in_office), "a promise is stuck, or nobody's"

    @rule(nth=NTH, dials=st.booleans())
    def somebody_dials_or_lets_go_what_they_believe_to_hold(self, nth: int, *, dials: bool) -> None:
        """Dead or alive: only who has the promise in hand opens an attempt, and nobody lets go another's."""
        all_held = [(life, pbx, one) for life in self._lives for pbx, ones in life.held.items() for one in ones]
        if not all_held:
            return
        life, pbx, promise = _pick(all_held, nth)
        was_in_hand = self._holder_of(promise) == (life, pbx)
        life.held[pbx].remove(promise)
        term = life.leases[pbx].term if pbx in life.leases else 0
        if not dials:
            self._run(life.store.promises.let_go(promise.id, pbx, term))
            return
        now = self._run(life.store.promises.get(promise.id))
        attempt = attempt_for(promise, f"attempt-{next(self._ids)}", pbx=pbx, term=term, started_at=self._clock.now())
        answer = self._run(life.store.promises.open_attempt(promise, attempt))
        if not was_in_hand:
            assert isinstance(answer, NotClaimed)
        elif now == promise:
            assert isinstance(answer, Promise)
        else:
            assert answer == NotClaimed(NotClaimedReason.MOVED)
        if isinstance(answer, Promise):
            assert promise.id not in self._dialled, "dialled twice"
            self._dialled[promise.id] = pbx

    @rule(nth=NTH)
    def a_call_ends(self, nth: int) -> None:
        """And its promise waits again."""
        if not self._dialled:
            return
        promise_id = _pick(sorted(self._dialled), nth)
        del self._dialled[promise_id]
        self._run(self._stores["two"].promises.advance(promise_id, AttemptEnded(Outcome.CONGESTION)))

    @rule(seconds=st.sampled_from([0.5, 1, 3, 4, 60]))
    def time_passes(self, seconds: float) -> None:
        """Leases run out."""
        self._clock.turn(seconds)

    @invariant()
    def the_database_says_what_the_rules_say(self) -> None:
        """Of every lease: its last term, and who has it."""
        leases = {lease.name: lease for lease in self._run(self._stores["one"].leases.all())}
        assert {name: lease.term for name, lease in leases.items()} == {
            lease_of_pbx(pbx): term for pbx, term in self._terms.items()
        }
        for life, pbx in self._in_office():
            lease = leases[lease_of_pbx(pbx)]
            assert (lease.holder, lease.expires_at) == (life.holder, life.leases[pbx].expires_at)
            assert lease.expires_at <= self._clock.now() + timedelta(seconds=LEASE_S)

    @invariant()
    def each_asterisk_finds_its_own_attempts(self) -> None:
        """So that whoever works for it next can settle them."""
        for pbx in PBXS:
            found = self._run(self._stores["two"].promises.open_attempts(pbx))
            assert sorted(one.promise.id for one in found) == sorted(
                promise_id for promise_id, where in self._dialled.items() if where == pbx
            )

    def teardown(self) -> None:
        """Close the databases."""
        self._run(self._open.aclose())
        self._loop.close()


def _pick(ones: list[T], nth: int) -> T:
    return ones[nth % len(ones)]


def _ids_of(promises: list[Promise]) -> set[str]:
    return {promise.id for promise in promises}


def test_whoever_dies_and_comes_back_no_promise_is_dialled_twice_and_none_is_stuck(
    fresh_url: Callable[[], str],
) -> None:
    """Two members, two Asterisks, and lives that go on although they were replaced."""
    run_state_machine_as_test(
        lambda: Offices(fresh_url()),  # type: ignore[arg-type]  # any function that makes a machine will do
        settings=settings(
            max_examples=8, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
