"""What a claim asks beside the promise: caps and the do-not-call list; and what it leaves when it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from controller.domain.caps import NO_CAPS, Caps, Tariff
from controller.domain.evidence import Evidence
from controller.domain.lifecycle import AttemptEnded, Cancelled, CancelReason, CustomerConnected, RefusedTransitionError
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import DEFAULT_PBX, Promise, PromiseState
from controller.ports.promises import NotClaimed, NotClaimedReason
from controller.store.tables import do_not_call
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    everything,
    make,
    wanted,
)

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from controller.store import Store

DAY = timedelta(hours=24)
BLOCKED = NotClaimed(NotClaimedReason.BLOCKED)


def over_cap(until: datetime) -> NotClaimed:
    """Return the answer of a cap that has room again at `until`."""
    return NotClaimed(NotClaimedReason.OVER_CAP, until)


async def waiting(store: Store, call_id: str = "call-1", **request: Any) -> Promise:
    """Make a promise."""
    return (await make(store, wanted(call_id, **request))).promise


async def claimed(store: Store, promise: Promise, clock: HandClock, name: str, caps: Caps = NO_CAPS) -> Promise:
    """Open an attempt, which has to go well."""
    opened = await store.promises.open_attempt(promise, attempt_for(promise, name, started_at=clock.now()), caps)
    assert isinstance(opened, Promise)
    return opened


async def called(
    store: Store, promise: Promise, clock: HandClock, name: str, outcome: Outcome = Outcome.CONGESTION, **seen: Any
) -> Promise:
    """Make one call of a second, with what was seen of it; return the promise, which waits again."""
    caps = seen.pop("caps", NO_CAPS)
    await claimed(store, promise, clock, name, caps)
    placed_at = clock.now()
    clock.turn(1)
    return await store.promises.advance(
        promise.id, AttemptEnded(outcome, evidence=Evidence(placed_at=placed_at, **seen))
    )


async def asked(store: Store, promise: Promise, caps: Caps) -> NotClaimed | None:
    """Return what speaks against a call now; both ways of asking say the same, and nothing stays written."""
    before = await everything(store)
    answer = await store.promises.hold(promise, DEFAULT_PBX, 0, caps)
    if answer is None:
        await store.promises.let_go(promise.id, DEFAULT_PBX, 0)
    else:
        assert await store.promises.open_attempt(promise, attempt_for(promise, "never"), caps) == answer
    assert await everything(store) == before
    return answer


async def test_a_number_is_called_so_often_in_any_24_hours_and_no_oftener(store: Store, clock: HandClock) -> None:
    """Across queues; the answer names the instant at which the oldest call leaves the 24 hours, and it is right."""
    caps = Caps(per_number=2)
    first, other = await waiting(store), await waiting(store, "call-2", queue="support")
    first = await called(store, first, clock, "a1", caps=caps)
    clock.turn(3600)
    other = await called(store, other, clock, "a2", caps=caps)
    assert await asked(store, first, caps) == over_cap(NOON + DAY)
    assert await asked(store, first, Caps(per_number=1)) == over_cap(NOON + timedelta(seconds=3601) + DAY)
    clock.turn((NOON + DAY - clock.now()).total_seconds() - 0.001)
    assert await asked(store, first, caps) == over_cap(NOON + DAY)
    clock.turn(0.001)
    first = await called(store, first, clock, "a3", caps=caps)
    assert await asked(store, other, caps) == over_cap(NOON + timedelta(seconds=3601) + DAY)


async def test_the_24_hours_count_from_when_a_call_was_placed_not_from_its_claim(
    store: Store, clock: HandClock
) -> None:
    """A call that waited 40 s for a circuit: else the next could leave 40 s too early."""
    promise = await claimed(store, await waiting(store), clock, "a1")
    clock.turn(40)
    placed_at = clock.now()
    clock.turn(20)
    promise = await store.promises.advance(
        promise.id, AttemptEnded(Outcome.CONGESTION, evidence=Evidence(placed_at=placed_at))
    )
    assert await asked(store, promise, Caps(per_number=1)) == over_cap(placed_at + DAY)


async def test_a_call_that_nobody_saw_leave_counts_from_its_end(store: Store, clock: HandClock) -> None:
    """It was lost sight of, and may have left at any moment."""
    promise = await claimed(store, await waiting(store), clock, "a1")
    clock.turn(600)
    promise = await store.promises.advance(promise.id, AttemptEnded(Outcome.UNKNOWN))
    assert await asked(store, promise, Caps(per_number=1)) == over_cap(clock.now() + DAY)


@pytest.mark.parametrize("outcome", sorted(NEVER_SENT - {Outcome.NOT_ALLOWED, Outcome.BLOCKED}))
async def test_what_never_left_counts_towards_no_cap(store: Store, clock: HandClock, outcome: Outcome) -> None:
    """Neither as a call nor as money; `dials` goes back too."""
    caps = Caps(per_number=1, per_prefix={"+81": 1}, max_cost_milli=30_000, tariff=Tariff(0, 10_000))
    promise = await claimed(store, await waiting(store), clock, "a1", caps)
    promise = await store.promises.advance(promise.id, AttemptEnded(outcome))
    assert promise.dials == 0
    assert await asked(store, promise, caps) is None


async def test_an_open_call_counts(store: Store, clock: HandClock) -> None:
    """Other numbers of the prefix wait for its end; one outside does not."""
    caps = Caps(per_prefix={"+8190": 1})
    await claimed(store, await waiting(store), clock, "a1", caps)
    mobile = await waiting(store, "call-2", number="+819099999999")
    assert await asked(store, mobile, caps) == over_cap(NOON + DAY)
    landline = await waiting(store, "call-3", number=OTHER_NUMBER)
    assert await asked(store, landline, Caps(per_prefix={"+813": 1})) is None


async def test_a_prefix_is_digits_and_not_a_pattern(store: Store, clock: HandClock) -> None:
    """Per cent and underline mean themselves."""
    promise = await called(store, await waiting(store), clock, "a1")
    assert await asked(store, promise, Caps(per_prefix={"+81%": 1, "+819_": 1})) is None


async def test_thirty_days_have_a_cap_of_their_own(store: Store, clock: HandClock) -> None:
    """The later of two instants is told."""
    caps = Caps(per_number=1, per_number_30_days=2)
    promise = await called(store, await waiting(store), clock, "a1", caps=caps)
    clock.turn(2 * 24 * 3600)
    promise = await called(store, promise, clock, "a2", caps=caps)
    assert await asked(store, promise, caps) == over_cap(NOON + timedelta(days=30))
    clock.turn(28 * 24 * 3600)
    assert await asked(store, promise, caps) is None


async def test_a_cap_of_nothing_lets_nothing_through(store: Store) -> None:
    """It is asked again a day later."""
    promise = await waiting(store)
    assert await asked(store, promise, Caps(per_number=0)) == over_cap(NOON + DAY)
    assert await asked(store, promise, Caps(max_cost_milli=10, tariff=Tariff(11))) == over_cap(NOON + DAY)


async def test_money_is_set_aside_for_an_open_call_and_given_back_at_its_end(store: Store, clock: HandClock) -> None:
    """Three minutes at 10 yen are set aside; 61 s of talk are two begun minutes, and 5 yen for the call."""
    caps = Caps(max_cost_milli=60_000, tariff=Tariff(5_000, 10_000))
    promise = await claimed(store, await waiting(store), clock, "a1", caps)
    other = await waiting(store, "call-2", number=OTHER_NUMBER)
    assert await asked(store, other, caps) == over_cap(NOON + DAY)
    clock.turn(10)
    placed_at, answered_at = NOON + timedelta(seconds=4), clock.now()
    clock.turn(61)
    seen = Evidence(placed_at=placed_at, answered_at=answered_at)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, evidence=seen))
    assert await asked(store, other, caps) is None
    assert await asked(store, other, replace(caps, max_cost_milli=59_999)) == over_cap(placed_at + DAY)


async def test_a_call_that_nobody_answered_costs_nothing(store: Store, clock: HandClock) -> None:
    """However long it rang."""
    caps = Caps(max_cost_milli=35_000, tariff=Tariff(5_000, 10_000))
    promise = await claimed(store, await waiting(store), clock, "a1", caps)
    clock.turn(300)
    promise = await store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER))
    assert await asked(store, promise, caps) is None


@pytest.mark.parametrize(("outcome", "cost_milli"), [(Outcome.UNKNOWN, 30_000), (Outcome.DROPPED, 70_000)])
async def test_what_was_not_seen_of_a_call_is_counted_at_its_dearest(
    store: Store, clock: HandClock, outcome: Outcome, cost_milli: int
) -> None:
    """Lost sight of: what was set aside stays. Answered, nobody knows when: from its start, 6.5 minutes here."""
    caps = Caps(max_cost_milli=cost_milli + 30_000, tariff=Tariff(0, 10_000))
    promise = await claimed(store, await waiting(store), clock, "a1", caps)
    clock.turn(390)
    promise = await store.promises.advance(promise.id, AttemptEnded(outcome))
    assert await asked(store, promise, caps) is None
    assert await asked(store, promise, replace(caps, max_cost_milli=cost_milli + 29_999)) is not None


async def test_money_is_free_again_as_calls_leave_the_24_hours_one_by_one(store: Store, clock: HandClock) -> None:
    """The instant that is told is the first at which enough of them are gone."""
    caps = Caps(max_cost_milli=90_000, tariff=Tariff(20_000))
    promise = await waiting(store)
    for n in range(4):
        promise = await called(store, promise, clock, f"a{n}", answered_at=clock.now(), caps=caps)
        clock.turn(99)
    assert await asked(store, promise, caps) == over_cap(NOON + DAY)
    assert await asked(store, promise, replace(caps, max_cost_milli=60_000)) == over_cap(
        NOON + timedelta(seconds=100) + DAY
    )


async def test_a_clock_that_is_set_back_lets_no_call_past_a_cap(store: Store, clock: HandClock) -> None:
    """Calls of the future still count; they leave when the clock says so."""
    promise = await called(store, await waiting(store), clock, "a1")
    clock.turn(-30 * 3600)
    assert await asked(store, promise, Caps(per_number=1)) == over_cap(NOON + DAY)


async def test_a_clock_that_is_set_on_lets_a_call_pass_by_as_much_too_early_and_no_more(
    store: Store, clock: HandClock
) -> None:
    """Set on by 23 hours: an hour is left to wait."""
    promise = await called(store, await waiting(store), clock, "a1")
    clock.turn(23 * 3600 - 1)
    assert await asked(store, promise, Caps(per_number=1)) == over_cap(clock.now() + timedelta(hours=1))


async def test_a_number_that_got_on_the_list_while_its_promise_was_made_is_not_called(store: Store) -> None:
    """Where several write at once, neither need have seen the other."""
    promise = await waiting(store)
    entry = insert(do_not_call).values(number=NUMBER, reason="letter", blocked_at=NOON)
    await store.database.write(lambda connection: connection.execute(entry))
    assert await asked(store, promise, NO_CAPS) == BLOCKED
    await store.do_not_call.unblock(NUMBER)
    assert await asked(store, promise, NO_CAPS) is None


async def test_a_promise_that_was_cancelled_while_it_is_dialled_ends_its_attempt_once(store: Store) -> None:
    """The number stays busy until the call is taken back; then it can be called again for another promise."""
    promise = await dialling(store)
    cancelled = await store.promises.advance(promise.id, Cancelled(CancelReason.ADMIN))
    assert cancelled.state is PromiseState.CANCELLED
    again = await waiting(store, "call-2")
    assert await asked(store, again, NO_CAPS) == NotClaimed(NotClaimedReason.NUMBER_BUSY)
    ended = await store.promises.advance(promise.id, AttemptEnded(Outcome.WITHDRAWN))
    assert (ended.state, ended.last_outcome) == (PromiseState.CANCELLED, Outcome.WITHDRAWN)
    assert await store.promises.open_attempts() == []
    before = await everything(store)
    with pytest.raises(RefusedTransitionError):
        await store.promises.advance(promise.id, AttemptEnded(Outcome.UNKNOWN))
    assert await everything(store) == before
    assert await asked(store, again, NO_CAPS) is None


async def test_a_talk_is_not_cancelled(store: Store) -> None:
    """They come too late."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, CustomerConnected())
    with pytest.raises(RefusedTransitionError):
        await store.promises.advance(promise.id, Cancelled(CancelReason.ADMIN))
