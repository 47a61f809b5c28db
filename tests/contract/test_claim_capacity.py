from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from controller.domain.caps import Caps, Tariff
from controller.domain.evidence import Evidence
from controller.domain.lifecycle import AttemptEnded, Cancelled, CancelReason
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import Promise
from controller.ports.lease import Lease, lease_of_pbx
from controller.ports.promises import NotClaimed, NotClaimedReason
from controller.store.claims import wait_for_other_claims
from controller.store.dialect import for_writing
from tests.contract.store_under_test import HandClock, attempt_for, make, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.store import Store

T = TypeVar("T")

DAY = timedelta(hours=24)
PER_MINUTE_MILLI = 10_000
CAPS = Caps(
    per_number=3, per_prefix={"+8190": 5}, max_cost_milli=170_000, tariff=Tariff(0, PER_MINUTE_MILLI), reserve_s=60
)
QUEUES = ("sales", "support")
NUMBERS = [f"+81901234567{n}" for n in range(3)]
ENDS = st.sampled_from([Outcome.BUSY, Outcome.CONGESTION, Outcome.TALKED, Outcome.NOT_PLACED, Outcome.UNKNOWN])


@dataclass
class Placed:
    """One call, as the model saw it leave."""

    number: str
    promise_id: str
    placed_at: datetime
    ended_at: datetime | None = None
    cost_milli: int = PER_MINUTE_MILLI

    def counts_at(self, now: datetime) -> bool:
        """Tell whether it lies in the 24 hours before `now`."""
        return self.placed_at > now - DAY


class Claims(RuleBasedStateMachine):
    """Two controllers that dial, in any order and several at once, beside a model that counts what left."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._clock = HandClock()
        self._stores = [
            self._run(self._open.enter_async_context(store_at(url, self._clock, prefix=prefix, busy_timeout_s=30)))
            for prefix in ("one", "two")
        ]
        self._ids = itertools.count()
        self._placed: list[Placed] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run(work)

    def live(self) -> list[Placed]:
        """Return the calls that go on."""
        return [call for call in self._placed if call.ended_at is None]

    def _has_room(self, number: str) -> bool:
        now = self._clock.now()
        counted = [call for call in self._placed if call.counts_at(now)]
        of_number = [call for call in counted if call.number == number]
        spent_milli = sum(call.cost_milli for call in counted)
        assert CAPS.per_number is not None
        assert CAPS.max_cost_milli is not None
        return (
            len(of_number) < CAPS.per_number
            and len(counted) < CAPS.per_prefix["+8190"]
            and spent_milli + PER_MINUTE_MILLI <= CAPS.max_cost_milli
        )

    @rule(number=st.sampled_from(NUMBERS), queue=st.sampled_from(QUEUES))
    def asks(self, number: str, queue: str) -> None:
        """Ask for a call."""
        request = wanted(f"call-{next(self._ids)}", number=number, queue=queue, since=self._clock.now())
        self._run(make(self._stores[0], request))

    @rule()
    def all_that_wait_are_claimed_at_once(self) -> None:
        """By both controllers; each that is opened leaves at once, and each that is not has a reason that is true."""

        async def claim_all() -> list[tuple[Promise, Promise | NotClaimed]]:
            found = await self._stores[0].promises.waiting()
            tries = [(promise, store) for promise in found for store in self._stores]
            attempts = [
                attempt_for(promise, f"attempt-{next(self._ids)}", started_at=self._clock.now()) for promise, _ in tries
            ]
            answers = await asyncio.gather(
                *(
                    store.promises.open_attempt(promise, attempt, CAPS)
                    for (promise, store), attempt in zip(tries, attempts, strict=True)
                )
            )
            return [(promise, answer) for (promise, _), answer in zip(tries, answers, strict=True)]

        for promise, answer in self._run(claim_all()):
            if isinstance(answer, Promise):
                self._placed.append(Placed(promise.number, promise.id, self._clock.now()))
            elif answer.reason is NotClaimedReason.OVER_CAP:
                assert not self._has_room(promise.number)
                assert answer.until is not None
                assert self._clock.now() < answer.until <= self._clock.now() + DAY

    @precondition(lambda self: self.live())
    @rule(data=st.data(), outcome=ENDS, is_cancelled=st.booleans())
    def a_call_ends(self, data: st.DataObject, outcome: Outcome, *, is_cancelled: bool) -> None:
        """Seen by the other controller, say; whether or not somebody cancelled it meanwhile."""
        call = data.draw(st.sampled_from(self.live()))
        book = self._stores[1].promises
        if is_cancelled:
            self._run(book.advance(call.promise_id, Cancelled(CancelReason.ADMIN)))
        was_answered = outcome is Outcome.TALKED
        seen = Evidence(placed_at=call.placed_at, answered_at=call.placed_at if was_answered else None)
        self._run(book.advance(call.promise_id, AttemptEnded(outcome, evidence=seen)))
        call.ended_at = self._clock.now()
        if outcome in NEVER_SENT:
            self._placed.remove(call)
        elif was_answered:
            call.cost_milli = CAPS.tariff.cost_milli((call.ended_at - call.placed_at).total_seconds())
        elif outcome is not Outcome.UNKNOWN:
            call.cost_milli = 0

    @rule(seconds=st.sampled_from([1, 50, 3600, 6 * 3600, 13 * 3600]))
    def time_passes(self, seconds: int) -> None:
        """Let calls leave the 24 hours; but nobody talks for hours here."""
        self._clock.turn(seconds if not self.live() else min(seconds, 50))

    @invariant()
    def no_cap_was_ever_passed(self) -> None:
        """In the 24 hours up to each call's own moment."""
        for last in self._placed:
            before = [
                call for call in self._placed if call.placed_at <= last.placed_at and call.counts_at(last.placed_at)
            ]
            assert len(before) <= CAPS.per_prefix["+8190"]
            assert sum(call.number == last.number for call in before) <= 3
        live_numbers = [call.number for call in self.live()]
        assert len(live_numbers) == len(set(live_numbers))

    def teardown(self) -> None:
        """Close the databases."""
        self._run(self._open.aclose())
        self._loop.close()


def test_whoever_dials_in_whatever_order_no_cap_is_passed(fresh_url: Callable[[], str]) -> None:
    """By number, by prefix and by money; and whoever is refused is refused with reason."""
    run_state_machine_as_test(
        lambda: Claims(fresh_url()),  # type: ignore[arg-type]  # any function that makes a machine will do
        settings=settings(
            max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize(
    "caps", [Caps(per_prefix={"+8190": 3}), Caps(max_cost_milli=99_999, tariff=Tariff(0, PER_MINUTE_MILLI))]
)
async def test_of_twenty_claims_at_once_a_cap_of_three_lets_three_through(url: str, store: Store, caps: Caps) -> None:
    """Twenty numbers, over two stores."""
    waits = [(await make(store, wanted(f"call-{n}", number=f"+8190000000{n:02}"))).promise for n in range(20)]
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:
        answers = await asyncio.gather(
            *(
                (store, other)[n % 2].promises.open_attempt(promise, attempt_for(promise, f"a{n}"), caps)
                for n, promise in enumerate(waits)
            )
        )
    assert sum(isinstance(answer, Promise) for answer in answers) == 3
    refused = [answer.reason for answer in answers if isinstance(answer, NotClaimed)]
    assert refused == [NotClaimedReason.OVER_CAP] * 17


async def test_of_ten_promises_of_one_number_that_are_claimed_at_once_one_is_called_and_the_others_hear_why(
    url: str, store: Store
) -> None:
    """Each is with another queue; over two stores, without any cap."""
    waits = [(await make(store, wanted(f"call-{n}", queue=f"queue-{n}"))).promise for n in range(10)]
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:
        answers = await asyncio.gather(
            *(
                (store, other)[n % 2].promises.open_attempt(promise, attempt_for(promise, f"a{n}"))
                for n, promise in enumerate(waits)
            )
        )
    assert sum(isinstance(answer, Promise) for answer in answers) == 1
    assert answers.count(NotClaimed(NotClaimedReason.NUMBER_BUSY)) == 9


async def test_who_takes_a_lease_sees_every_attempt_that_was_made_under_it_before(url: str, store: Store) -> None:
    """Claims that are under way are waited for: what came later would be found by nobody until the next start."""
    lease = await store.leases.take(lease_of_pbx(), "one.0", "one", 4)
    async with store_at(url, HandClock(), prefix="other", busy_timeout_s=30) as other:

        async def take_over(nth: int) -> tuple[Lease, set[str]]:
            taken = await other.leases.take(lease_of_pbx(), f"one.{nth}", "one", 4)
            return taken, {one.attempt.id for one in await other.promises.open_attempts()}

        for nth in range(1, 9):
            waits = [
                (await make(store, wanted(f"{nth}-{n}", number=f"+8190000{nth:03}{n:02}"))).promise for n in range(8)
            ]
            claims = (
                store.promises.open_attempt(one, attempt_for(one, f"{nth}-{n}", term=lease.term))
                for n, one in enumerate(waits)
            )
            taking = asyncio.ensure_future(take_over(nth))
            answers = await asyncio.gather(*claims)
            lease, seen = await taking
            opened = {f"{nth}-{n}" for n, answer in enumerate(answers) if isinstance(answer, Promise)}
            assert opened <= seen


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_claim_that_shares_no_cap_with_another_does_not_wait_for_it(url: str, store: Store) -> None:
    """One that is under way, for as long as the test; SQLite lets only one write at a time."""
    promise = (await make(store, wanted("call-1", number="+819000000001"))).promise
    async with (
        store_at(url, HandClock(), prefix="other") as other,
        for_writing(other.database.engine).begin() as under_way,
    ):
        await wait_for_other_claims(under_way, "+819000000002", Caps(per_number=3))
        claimed = await store.promises.open_attempt(promise, attempt_for(promise), Caps(per_number=3))
    assert isinstance(claimed, Promise)
