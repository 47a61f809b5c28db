from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.lifecycle import (
    AttemptEnded,
    AttemptStarted,
    Cancelled,
    CustomerRangIn,
    DeadlinePassed,
    Event,
    Merged,
    advance,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import Slot
from tests.domain.test_lifecycle import AT_ONCE, AT_TWO, LATER, NOW, PROMISE, TABLE, TWO, D, W, merged_into

if TYPE_CHECKING:
    from controller.domain.promise import Promise

BUSY = AttemptEnded(Outcome.BUSY)
ENDINGS = [pair for pair, after in TABLE.items() if after.is_final and not pair[0].is_final]
AT_THREE = merged_into(Slot(NOW + timedelta(hours=3), NOW + timedelta(hours=3, minutes=30)))


def after_asking_again(promise: Promise, again: Merged) -> Promise:
    """Return the promise with what may change set back, after it was checked that the rest did not."""
    after = advance(promise, again, NOW, RetryPolicy()).promise
    assert replace(
        after, since=promise.since, not_before=promise.not_before, expires_at=promise.expires_at, slot=promise.slot
    ) == replace(promise, version=promise.version + 1)
    return after


@pytest.mark.parametrize("state", [W, D])
def test_asking_again_keeps_the_earlier_place_the_earlier_time_and_the_later_deadline(state: PromiseState) -> None:
    """Whichever of the two requests has it; attempts that were used stay used."""
    promise = replace(PROMISE, state=state, attempts_used=1, last_outcome=Outcome.BUSY)
    after = after_asking_again(promise, AT_ONCE)
    assert (after.since, after.not_before, after.expires_at) == (promise.since, NOW, AT_ONCE.expires_at)
    resting = replace(promise, not_before=LATER + timedelta(hours=1), expires_at=LATER + timedelta(days=9))
    after = after_asking_again(resting, replace(AT_ONCE, since=NOW - timedelta(hours=1)))
    assert (after.since, after.not_before, after.expires_at) == (NOW - timedelta(hours=1), LATER, resting.expires_at)


def test_a_window_that_is_chosen_replaces_whatever_was_wished_before() -> None:
    """The place and the lifetime count from its start; of two windows the later choice holds, earlier or later."""
    for first, second in ((AT_TWO, AT_THREE), (AT_THREE, AT_TWO), (AT_ONCE, AT_TWO)):
        once = after_asking_again(PROMISE, first)
        twice = after_asking_again(once, second)
        assert (twice.slot, twice.since, twice.not_before, twice.expires_at) == (
            second.slot,
            second.since,
            second.not_before,
            second.expires_at,
        )


def test_who_wants_to_be_called_at_once_after_all_gives_the_window_back() -> None:
    """And stands where they would stand if they called now for the first time, which is better than the window."""
    after = after_asking_again(after_asking_again(PROMISE, AT_TWO), AT_ONCE)
    assert (after.slot, after.since, after.not_before, after.expires_at) == (None, LATER, LATER, AT_ONCE.expires_at)


@pytest.mark.parametrize(("state", "event"), ENDINGS, ids=str)
def test_a_promise_that_is_over_holds_no_window_that_has_not_begun(state: PromiseState, event: Event) -> None:
    """Somebody else can have it. One that has begun is used up, unless the promise was withdrawn."""
    promise = replace(PROMISE, state=state, slot=TWO)
    assert advance(promise, event, NOW, RetryPolicy()).promise.slot is None or isinstance(event, DeadlinePassed)
    after = advance(promise, event, TWO.starts_at, RetryPolicy()).promise
    assert after.slot == (None if isinstance(event, Cancelled | CustomerRangIn) else TWO)


def test_a_retry_waits_for_the_window_that_was_chosen_meanwhile() -> None:
    """Or for its gap, if that is later."""
    dialled = replace(PROMISE, state=D)
    chosen = advance(dialled, AT_TWO, NOW, RetryPolicy()).promise
    assert advance(chosen, AttemptEnded(Outcome.BUSY), NOW, RetryPolicy()).promise.not_before == TWO.starts_at
    after = advance(chosen, AttemptEnded(Outcome.BUSY), TWO.starts_at, RetryPolicy()).promise
    assert after.not_before == TWO.starts_at + timedelta(seconds=120)


@pytest.mark.parametrize("again", [AT_ONCE, AT_TWO], ids=["at once", "in a window"])
@pytest.mark.parametrize("max_attempts", [1, 2, 3])
def test_who_asks_anew_while_the_last_call_is_on_its_way_gets_another(max_attempts: int, again: Merged) -> None:
    """At least one, and exactly one if that fails as well; however often they ask meanwhile."""
    policy = RetryPolicy(max_attempts=max_attempts)
    promise = replace(PROMISE, state=D, attempts_used=max_attempts - 1, dials=max_attempts)
    for _ in range(3):
        promise = advance(promise, again, NOW, policy).promise
    ends = []
    for event in (BUSY, AttemptStarted(), BUSY):
        promise = advance(promise, event, NOW, policy).promise
        ends.append(promise.state)
    assert ends == [W, D, PromiseState.EXHAUSTED]
    assert promise.attempts_used == max_attempts


def test_asking_anew_does_not_take_tries_away_nor_give_any_back_that_are_not_needed() -> None:
    """Of the three, one was used, and the second is on its way: the third is left anyway."""
    for state, used in ((D, 0), (D, 1), (W, 2)):
        promise = replace(PROMISE, state=state, attempts_used=used, dials=used)
        assert advance(promise, AT_ONCE, NOW, RetryPolicy()).promise.attempts_used == used


def test_asking_anew_again_and_again_is_bounded_by_the_calls_that_may_leave() -> None:
    """Somebody who asks during each call is called `max_dials` times, and no more."""
    policy, promise, calls = RetryPolicy(max_attempts=2, max_dials=5), PROMISE, 0
    while not promise.state.is_final:
        for event in (AttemptStarted(), AT_ONCE, BUSY):
            promise = advance(promise, event, NOW, policy).promise
        calls += 1
    assert (calls, promise.state) == (5, PromiseState.EXHAUSTED)
