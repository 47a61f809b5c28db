from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from controller.domain.lifecycle import (
    ALLOWED,
    Advance,
    AttemptEnded,
    AttemptStarted,
    Cancelled,
    CancelReason,
    CustomerConnected,
    CustomerRangIn,
    DeadlinePassed,
    Event,
    Merged,
    Postponed,
    PostponeReason,
    RefusedTransitionError,
    RunningLate,
    advance,
)
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import (
    DEFAULT_RULES,
    RetryPolicy,
    SameTimeTomorrow,
    Wait,
    next_try,
)
from controller.domain.slots import Slot
from controller.domain.supervising import Assigned, Moved, Prioritised

NOW = datetime(2030, 5, 6, 3, tzinfo=UTC)
PROMISE = Promise(
    id="p1",
    queue="sales",
    number="+819012345678",
    language="ja",
    since=NOW - timedelta(minutes=5),
    not_before=NOW,
    expires_at=NOW + timedelta(days=1),
)
W, D, C = PromiseState.WAITING, PromiseState.DIALLING, PromiseState.CONNECTED
FULFILLED, EXHAUSTED, CANCELLED, EXPIRED = (
    PromiseState.FULFILLED,
    PromiseState.EXHAUSTED,
    PromiseState.CANCELLED,
    PromiseState.EXPIRED,
)

LATER = NOW + timedelta(minutes=40)
TWO = Slot(NOW + timedelta(hours=2), NOW + timedelta(hours=2, minutes=30))
LATE = RunningLate(TWO.ends_at + timedelta(minutes=40))
LATER_ON = Postponed(LATER, PostponeReason.AGENT)
CHOSE_LATER = AttemptEnded(Outcome.POSTPONED, later_s=5400)
BY_STOP = Cancelled(CancelReason.STOP)
AT_ONCE = Merged(since=LATER, not_before=LATER, slot=None, expires_at=LATER + timedelta(days=1))


def merged_into(slot: Slot) -> Merged:
    """Return a request for a window."""
    return Merged(slot.starts_at, slot.starts_at, slot, slot.starts_at + timedelta(days=1))


AT_TWO = merged_into(TWO)
URGENT, FOR_ALICE, TO_SUPPORT = Prioritised(urgent=True), Assigned("alice"), Moved("support", slot_capacity=None)

TABLE: dict[tuple[PromiseState, Event], PromiseState] = {
    (W, AttemptStarted()): D,
    (W, Cancelled()): CANCELLED,
    (W, BY_STOP): CANCELLED,
    (W, LATER_ON): W,
    (W, LATE): W,
    (W, DeadlinePassed()): EXPIRED,
    (W, CustomerRangIn("call-2")): FULFILLED,
    (W, AT_ONCE): W,
    (W, AT_TWO): W,
    (W, URGENT): W,
    (W, FOR_ALICE): W,
    (W, TO_SUPPORT): W,
    (D, AT_ONCE): D,
    (D, AT_TWO): D,
    (D, CustomerConnected()): C,
    (D, Cancelled()): CANCELLED,
    (D, BY_STOP): CANCELLED,
    (D, AttemptEnded(Outcome.TALKED)): FULFILLED,
    (D, AttemptEnded(Outcome.DECLINED)): CANCELLED,
    (D, AttemptEnded(Outcome.NOT_CONFIRMED)): W,
    (D, AttemptEnded(Outcome.MACHINE)): W,
    (D, AttemptEnded(Outcome.POSTPONED)): W,
    (D, CHOSE_LATER): W,
    (D, AttemptEnded(Outcome.DROPPED)): W,
    (D, AttemptEnded(Outcome.ABANDONED)): W,
    (D, AttemptEnded(Outcome.BUSY)): W,
    (D, AttemptEnded(Outcome.NO_ANSWER)): W,
    (D, AttemptEnded(Outcome.REJECTED)): W,
    (D, AttemptEnded(Outcome.INVALID_NUMBER)): EXHAUSTED,
    (D, AttemptEnded(Outcome.UNREACHABLE)): W,
    (D, AttemptEnded(Outcome.CONGESTION)): W,
    (D, AttemptEnded(Outcome.AGENT_LOST)): W,
    (D, AttemptEnded(Outcome.WITHDRAWN)): W,
    (D, AttemptEnded(Outcome.NOT_ALLOWED)): EXHAUSTED,
    (D, AttemptEnded(Outcome.OUTSIDE_HOURS)): W,
    (D, AttemptEnded(Outcome.BLOCKED)): EXHAUSTED,
    (D, AttemptEnded(Outcome.OVER_CAP)): W,
    (D, AttemptEnded(Outcome.DRY_RUN)): W,
    (D, AttemptEnded(Outcome.NOT_PLACED)): W,
    (D, AttemptEnded(Outcome.UNKNOWN)): W,
    **{(C, AttemptEnded(outcome)): FULFILLED for outcome in Outcome},
    (C, CHOSE_LATER): FULFILLED,
    (CANCELLED, CHOSE_LATER): CANCELLED,
    **{(CANCELLED, AttemptEnded(outcome)): CANCELLED for outcome in Outcome},
}
"""Written out once more, by hand: where a promise with attempts left goes. What is not here is refused."""

EVENTS: list[Event] = [
    AttemptStarted(),
    CustomerConnected(),
    Cancelled(),
    BY_STOP,
    LATER_ON,
    LATE,
    DeadlinePassed(),
    CustomerRangIn("call-2"),
    AT_ONCE,
    AT_TWO,
    URGENT,
    FOR_ALICE,
    TO_SUPPORT,
    CHOSE_LATER,
    *(AttemptEnded(outcome) for outcome in Outcome),
]


@pytest.mark.parametrize(("state", "event"), list(product(PromiseState, EVENTS)), ids=str)
def test_each_pair_of_state_and_event_is_in_the_table_or_refused(state: PromiseState, event: Event) -> None:
    """Nothing happens by accident."""
    promise = replace(PROMISE, state=state, slot=TWO if event is LATE else None)
    if (state, event) not in TABLE:
        with pytest.raises(RefusedTransitionError, match=f"p1 is {state.value}; {type(event).__name__}"):
            advance(promise, event, NOW, RetryPolicy())
        return
    after = advance(promise, event, NOW, RetryPolicy()).promise
    assert after.state is TABLE[state, event]
    assert after.version == promise.version + 1


def test_the_table_of_the_code_has_the_same_pairs() -> None:
    """No more, no fewer."""
    assert {(state, type(event)) for state, event in TABLE} == ALLOWED


def test_a_refusal_does_not_show_the_customers_number() -> None:
    """Its text goes to a log."""
    with pytest.raises(RefusedTransitionError) as refused:
        advance(PROMISE, CustomerConnected(), NOW, RetryPolicy())
    assert PROMISE.number not in str(refused.value)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.TALKED}))
def test_a_retry_waits_for_the_gap_of_its_outcome(outcome: Outcome) -> None:
    """Counted from the end of the attempt; an ending has no next time."""
    after = advance(replace(PROMISE, state=D, dials=1), AttemptEnded(outcome), NOW, RetryPolicy()).promise
    rule = DEFAULT_RULES[outcome]
    due_at = next_try(rule.gap, NOW, promise_id="p1", call=1, zone=UTC)
    assert after.not_before == (PROMISE.not_before if after.state.is_final else due_at)
    assert after.last_outcome is outcome
    assert after.attempts_used == (1 if rule.uses_attempt else 0)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_promise_whose_customer_was_connected_is_kept_whatever_was_seen_of_the_end(outcome: Outcome) -> None:
    """They talked: nobody calls them again, and no SMS says that they were not reached."""
    after = advance(replace(PROMISE, state=C, dials=1), AttemptEnded(outcome), NOW, RetryPolicy())
    kept = replace(PROMISE, state=FULFILLED, last_outcome=Outcome.TALKED, attempts_used=1, version=1)
    assert after == Advance(replace(kept, dials=0 if outcome in NEVER_SENT else 1), ())


def test_the_last_attempt_exhausts_the_promise() -> None:
    """Two of three were used."""
    promise = replace(PROMISE, state=D, attempts_used=2)
    assert advance(promise, AttemptEnded(Outcome.BUSY), NOW, RetryPolicy()).promise.state is EXHAUSTED
    assert advance(promise, AttemptEnded(Outcome.AGENT_LOST), NOW, RetryPolicy()).promise.state is W


def test_the_text_after_the_last_attempt_does_not_say_that_we_call_again() -> None:
    """Nor does the text after an earlier one say that we do not."""
    first, last = (replace(PROMISE, state=D, attempts_used=used) for used in (0, 2))
    texts = [advance(p, AttemptEnded(Outcome.NO_ANSWER), NOW, RetryPolicy()).effects for p in (first, last)]
    assert [effect.template for effects in texts for effect in effects] == ["not_reached", "gave_up"]


def test_a_promise_that_could_not_be_kept_owes_an_apology() -> None:
    """By SMS, in the customer's language."""
    (effect,) = advance(PROMISE, DeadlinePassed(), NOW, RetryPolicy()).effects
    assert (effect.key, effect.template, effect.number, effect.language, effect.queue) == (
        "p1:expired",
        "expired",
        PROMISE.number,
        "ja",
        "sales",
    )


def test_a_cancelling_wins_over_the_dial_that_is_on_its_way() -> None:
    """Whatever came of it: nobody is called again, no SMS is sent, no attempt counts; how it ended is kept."""
    cancelled = advance(replace(PROMISE, state=D, dials=1), BY_STOP, NOW, RetryPolicy()).promise
    for outcome in Outcome:
        after = advance(cancelled, AttemptEnded(outcome), LATER, RetryPolicy())
        closed = replace(cancelled, version=2, last_outcome=outcome, dials=0 if outcome in NEVER_SENT else 1)
        assert after == Advance(closed, ())


def test_a_talk_that_has_begun_wins_over_a_cancelling() -> None:
    """Whoever cancels is refused, and told."""
    with pytest.raises(RefusedTransitionError):
        advance(replace(PROMISE, state=C, dials=1), Cancelled(CancelReason.ADMIN), NOW, RetryPolicy())


@pytest.mark.parametrize("reason", PostponeReason)
def test_what_is_postponed_keeps_its_place_and_its_tries(reason: PostponeReason) -> None:
    """It is due then, or when it would have been anyway, if that is later."""
    for due, found in ((NOW, LATER), (LATER + timedelta(hours=1), LATER + timedelta(hours=1))):
        promise = replace(PROMISE, not_before=due, attempts_used=1, dials=2)
        after = advance(promise, Postponed(LATER, reason), NOW, RetryPolicy())
        assert after == Advance(replace(promise, not_before=found, version=1), ())


def test_a_customer_who_says_later_is_called_then_and_the_promise_lives_until_then() -> None:
    """Its lifetime counts anew from the time that they chose, as for a window; no attempt is used up."""
    promise = replace(PROMISE, state=D, dials=1, attempts_used=2, expires_at=NOW + timedelta(minutes=30))
    after = advance(promise, CHOSE_LATER, NOW, RetryPolicy(lifetime_s=7200)).promise
    due_at = NOW + timedelta(seconds=5400)
    assert (after.state, after.not_before, after.attempts_used) == (W, due_at, 2)
    assert after.expires_at == due_at + timedelta(seconds=7200)
    long = replace(promise, expires_at=NOW + timedelta(days=9))
    after = advance(long, CHOSE_LATER, NOW, RetryPolicy()).promise
    assert after.expires_at == long.expires_at


def test_another_way_to_try_is_tried_at_once() -> None:
    """A second trunk does not wait for the gap of the first; a window that was chosen meanwhile still does."""
    promise = replace(PROMISE, state=D, dials=1)
    ended = AttemptEnded(Outcome.CONGESTION, at_once=True)
    assert advance(promise, ended, LATER, RetryPolicy()).promise.not_before == LATER
    chosen = advance(promise, AT_TWO, NOW, RetryPolicy()).promise
    assert advance(chosen, ended, LATER, RetryPolicy()).promise.not_before == TWO.starts_at


def test_calls_that_use_up_no_attempt_come_to_an_end_too() -> None:
    """The last of those that may leave ends the promise, and says so; one that did not leave does not count."""
    policy = RetryPolicy(max_dials=4)
    last = replace(PROMISE, state=D, dials=4)
    for outcome in (Outcome.CONGESTION, Outcome.POSTPONED, Outcome.AGENT_LOST):
        after = advance(last, AttemptEnded(outcome), NOW, policy)
        assert after.promise.state is EXHAUSTED
        assert [effect.template for effect in after.effects] == ["gave_up"]
    assert advance(last, AttemptEnded(Outcome.NOT_PLACED), NOW, policy).promise == replace(
        last, state=W, dials=3, last_outcome=Outcome.NOT_PLACED, not_before=NOW + timedelta(seconds=30), version=1
    )


def test_a_growing_wait_grows_from_call_to_call() -> None:
    """By the calls of this promise that left, whatever came of each."""
    rule = replace(DEFAULT_RULES[Outcome.BUSY], gap=Wait(60, growth=2, max_s=150))
    policy = RetryPolicy(max_attempts=9, rules={Outcome.BUSY: rule})
    waited = [
        advance(replace(PROMISE, state=D, dials=dials), AttemptEnded(Outcome.BUSY), NOW, policy).promise.not_before
        for dials in (1, 2, 3, 4)
    ]
    assert waited == [NOW + timedelta(seconds=wait_s) for wait_s in (60, 120, 150, 150)]


def test_the_same_time_tomorrow_is_on_the_clock_of_the_queue() -> None:
    """The night in which London puts its clocks forward has 23 hours."""
    rule = replace(DEFAULT_RULES[Outcome.NO_ANSWER], gap=SameTimeTomorrow())
    policy = RetryPolicy(rules={Outcome.NO_ANSWER: rule}, zone=ZoneInfo("Europe/London"))
    noon = datetime(2030, 3, 30, 12, tzinfo=UTC)
    after = advance(
        replace(PROMISE, state=D, dials=1, not_before=noon), AttemptEnded(Outcome.NO_ANSWER), noon, policy
    ).promise
    assert after.not_before == noon + timedelta(hours=23)
