"""The texts that a promise comes to owe: running late, cancelled, and what was promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from controller.domain.effects import SmsTemplate
from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CancelReason,
    Postponed,
    PostponeReason,
    RefusedTransitionError,
    RunningLate,
    advance,
)
from controller.domain.outcome import Fault, Outcome
from controller.domain.owed_texts import confirmation, outdated, running_late
from controller.domain.promise import PromiseState
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import Slot
from tests.domain.test_lifecycle import AT_ONCE, AT_TWO, LATE, LATER, NOW, PROMISE, TWO, D, W, merged_into

BOOKED = replace(PROMISE, slot=TWO, since=TWO.starts_at, not_before=TWO.starts_at)
IN_WINDOW = TWO.starts_at + timedelta(minutes=5)
POLICY = RetryPolicy()


def test_a_window_that_cannot_be_kept_is_told_once_with_the_new_estimate() -> None:
    """The promise keeps its place and its window; a second telling is refused."""
    step = advance(BOOKED, LATE, IN_WINDOW, POLICY)
    assert step.promise == replace(BOOKED, told_late=True, version=1)
    (text,) = step.effects
    assert (text.template, text.number, text.language, text.queue, text.promise_id) == (
        "running_late",
        PROMISE.number,
        "ja",
        "sales",
        "p1",
    )
    assert text.details == {"expected_at": LATE.expected_at.isoformat()}
    with pytest.raises(RefusedTransitionError):
        advance(step.promise, LATE, IN_WINDOW, POLICY)


def test_it_is_told_before_the_window_ends_or_never() -> None:
    """One second before, the text is of use for one second; at the end it is refused."""
    (text,) = advance(BOOKED, LATE, TWO.ends_at - timedelta(seconds=1), POLICY).effects
    assert text.valid_s == 1
    with pytest.raises(RefusedTransitionError):
        advance(BOOKED, LATE, TWO.ends_at, POLICY)


def test_a_promise_without_a_window_is_never_late() -> None:
    """As soon as possible is no time; nothing can be rendered of it either."""
    with pytest.raises(RefusedTransitionError):
        advance(PROMISE, LATE, NOW, POLICY)
    with pytest.raises(ValueError, match="p1 has no window"):
        running_late(PROMISE, LATER, NOW)


def test_a_new_window_can_be_told_of_again_with_a_text_of_its_own() -> None:
    """The same window chosen once more cannot; whoever wants to be called at once after all has none."""
    told = advance(BOOKED, LATE, IN_WINDOW, POLICY)
    other = Slot(TWO.ends_at, TWO.ends_at + timedelta(minutes=30))
    moved = advance(told.promise, merged_into(other), IN_WINDOW, POLICY).promise
    again = advance(moved, RunningLate(other.ends_at), other.starts_at, POLICY)
    assert again.effects[0].key != told.effects[0].key
    same = advance(told.promise, AT_TWO, IN_WINDOW, POLICY).promise
    at_once = advance(told.promise, AT_ONCE, IN_WINDOW, POLICY).promise
    assert (same.told_late, at_once.told_late) == (True, False)
    for promise in (same, at_once):
        with pytest.raises(RefusedTransitionError):
            advance(promise, LATE, IN_WINDOW, POLICY)


@pytest.mark.parametrize("outcome", [o for o in Outcome if o.fault is Fault.CUSTOMER] + [Outcome.POSTPONED])
def test_a_customer_who_was_called_in_the_window_is_not_told_that_we_are_late(outcome: Outcome) -> None:
    """They were not there, or chose another time."""
    after = advance(replace(BOOKED, state=D, dials=1), AttemptEnded(outcome), IN_WINDOW, POLICY).promise
    assert after.told_late or after.state.is_final


@pytest.mark.parametrize("outcome", [Outcome.CONGESTION, Outcome.AGENT_LOST, Outcome.NOT_PLACED, Outcome.OVER_CAP])
def test_a_call_that_failed_on_our_side_does_not_keep_the_window(outcome: Outcome) -> None:
    """Nor does one from before the window: it was chosen while that was on its way."""
    dialled = replace(BOOKED, state=D, dials=1)
    for promise in (
        advance(dialled, AttemptEnded(outcome), IN_WINDOW, POLICY).promise,
        advance(dialled, AttemptEnded(Outcome.NO_ANSWER), NOW, POLICY).promise,
        advance(BOOKED, Postponed(TWO.ends_at, PostponeReason.OVER_CAP), IN_WINDOW, POLICY).promise,
    ):
        assert (promise.state, promise.told_late) == (W, False)
        assert advance(promise, LATE, IN_WINDOW, POLICY).effects


@pytest.mark.parametrize("state", [W, D])
def test_a_cancelling_is_confirmed_where_it_was_asked_for_by_sms(state: PromiseState) -> None:
    """And only there; never after STOP, which asks for no such thing."""
    promise = replace(PROMISE, state=state)
    (text,) = advance(promise, Cancelled(confirm=True), NOW, POLICY).effects
    assert (text.key, text.template, text.promise_id) == ("p1:cancelled", "cancelled", "p1")
    for silent in (Cancelled(), Cancelled(CancelReason.STOP), Cancelled(CancelReason.ADMIN)):
        assert advance(promise, silent, NOW, POLICY).effects == ()


def test_a_confirmation_tells_what_was_promised_as_it_stands_now() -> None:
    """With the window where there is one, else with the first moment; a promise that was changed is confirmed anew."""
    assert confirmation(PROMISE).details == {"not_before": PROMISE.not_before.isoformat()}
    text = confirmation(BOOKED)
    assert text.details == {"starts_at": TWO.starts_at.isoformat(), "ends_at": TWO.ends_at.isoformat()}
    assert (text.template, text.promise_id, text.number) == ("confirmed", "p1", PROMISE.number)
    assert text == confirmation(BOOKED)
    assert text.key != confirmation(replace(BOOKED, version=1)).key


@pytest.mark.parametrize(
    ("template", "state", "is_true"),
    [
        *((SmsTemplate.NOT_REACHED, state, state in {W, D}) for state in PromiseState),
        *((SmsTemplate.CONFIRMED, state, not state.is_final) for state in PromiseState),
        *((SmsTemplate.RUNNING_LATE, state, state is W) for state in PromiseState),
        *((SmsTemplate.GAVE_UP, state, True) for state in PromiseState),
    ],
)
def test_what_waited_to_be_sent_is_sent_only_while_it_is_true(
    template: SmsTemplate, state: PromiseState, is_true: bool
) -> None:
    """Of the promise that it is about; a last word is, until they ask anew. What is about none always is."""
    promise = replace(PROMISE, state=state)
    assert (outdated(template, promise, None) is None) is is_true
    assert outdated(template, None, PROMISE) is None
    if template is SmsTemplate.GAVE_UP:
        assert outdated(template, promise, PROMISE) == "they have asked anew by now"
