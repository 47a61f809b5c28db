from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.lifecycle import (
    ALLOWED,
    Advance,
    AttemptEnded,
    AttemptStarted,
    Cancelled,
    CustomerConnected,
    CustomerRangIn,
    DeadlinePassed,
    Event,
    Merged,
    RefusedTransitionError,
    advance,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import FINAL, Promise, PromiseState
from controller.domain.retry_policy import DEFAULT_RULES, RetryPolicy
from controller.domain.slots import Slot

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
AT_ONCE = Merged(since=LATER, not_before=LATER, slot=None, expires_at=LATER + timedelta(days=1))


def merged_into(slot: Slot) -> Merged:
    """Return a request for a window."""
    return Merged(slot.starts_at, slot.starts_at, slot, slot.starts_at + timedelta(days=1))


AT_TWO = merged_into(TWO)

TABLE: dict[tuple[PromiseState, Event], PromiseState] = {
    (W, AttemptStarted()): D,
    (W, Cancelled()): CANCELLED,
    (W, DeadlinePassed()): EXPIRED,
    (W, CustomerRangIn("call-2")): FULFILLED,
    (W, AT_ONCE): W,
    (W, AT_TWO): W,
    (D, AT_ONCE): D,
    (D, AT_TWO): D,
    (D, CustomerConnected()): C,
    (D, AttemptEnded(Outcome.TALKED)): FULFILLED,
    (D, AttemptEnded(Outcome.DECLINED)): CANCELLED,
    (D, AttemptEnded(Outcome.NOT_CONFIRMED)): W,
    (D, AttemptEnded(Outcome.DROPPED)): W,
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
    (D, AttemptEnded(Outcome.NOT_PLACED)): W,
    (D, AttemptEnded(Outcome.UNKNOWN)): W,
    **{(C, AttemptEnded(outcome)): FULFILLED for outcome in Outcome},
}
"""Written out once more, by hand: where a promise with attempts left goes. What is not here is refused."""

EVENTS: list[Event] = [
    AttemptStarted(),
    CustomerConnected(),
    Cancelled(),
    DeadlinePassed(),
    CustomerRangIn("call-2"),
    AT_ONCE,
    AT_TWO,
    *(AttemptEnded(outcome) for outcome in Outcome),
]
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 5),
    gap_s=st.dictionaries(st.sampled_from(Outcome), st.floats(0, 86_400), max_size=5),
)


@pytest.mark.parametrize(("state", "event"), list(product(PromiseState, EVENTS)), ids=str)
def test_each_pair_of_state_and_event_is_in_the_table_or_refused(state: PromiseState, event: Event) -> None:
    """Nothing happens by accident."""
    promise = replace(PROMISE, state=state)
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
    after = advance(replace(PROMISE, state=D), AttemptEnded(outcome), NOW, RetryPolicy()).promise
    rule = DEFAULT_RULES[outcome]
    gap = timedelta(seconds=rule.gap_s)
    assert after.not_before == (PROMISE.not_before if after.state.is_final else NOW + gap)
    assert after.last_outcome is outcome
    assert after.attempts_used == (1 if rule.uses_attempt else 0)


@pytest.mark.parametrize("outcome", Outcome)
def test_a_promise_whose_customer_was_connected_is_kept_whatever_was_seen_of_the_end(outcome: Outcome) -> None:
    """They talked: nobody calls them again, and no SMS says that they were not reached."""
    after = advance(replace(PROMISE, state=C), AttemptEnded(outcome), NOW, RetryPolicy())
    assert after == Advance(
        replace(PROMISE, state=FULFILLED, last_outcome=Outcome.TALKED, attempts_used=1, version=1), ()
    )


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


def life(events: list[Event], policy: RetryPolicy, gaps_s: list[float]) -> list[tuple[Promise, Event, Advance]]:
    """Return each step that was taken; what is refused is passed over, as nothing changes."""
    steps: list[tuple[Promise, Event, Advance]] = []
    promise, now = PROMISE, NOW
    for event, gap_s in zip(events, gaps_s, strict=False):
        now += timedelta(seconds=gap_s)
        if (promise.state, type(event)) not in ALLOWED:
            continue
        step = advance(promise, event, now, policy)
        steps.append((promise, event, step))
        promise = step.promise
    return steps


# Half of the time the next event is one that starts or ends an attempt, or lives would be short.
TRIES: list[Event] = [
    AttemptStarted(),
    *(AttemptEnded(o) for o in (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.AGENT_LOST, Outcome.UNREACHABLE)),
]
lives = st.builds(
    life,
    st.lists(st.sampled_from(EVENTS) | st.sampled_from(TRIES), max_size=60),
    policies,
    st.lists(st.floats(0, 7200), min_size=60, max_size=60),
)


@given(st.data(), policies)
def test_no_life_has_more_counted_attempts_than_the_policy_allows(data: st.DataObject, policy: RetryPolicy) -> None:
    """Every attempt that is started beyond it is one that the customer's phone did not have to bear."""
    events = data.draw(st.lists(st.sampled_from(TRIES), max_size=60))
    for before, _, step in life(events, policy, [0] * 60):
        assert before.attempts_used < policy.max_attempts
        assert step.promise.attempts_used <= policy.max_attempts


@given(lives)
def test_attempts_and_versions_only_grow(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """One version a step; an attempt counts when it ends."""
    for before, event, step in steps:
        assert step.promise.version == before.version + 1
        grown = step.promise.attempts_used - before.attempts_used
        assert grown in ((0, 1) if isinstance(event, AttemptEnded) else (0,))


@given(lives)
def test_a_life_owes_at_most_one_sms_of_each_template(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """By its key, however often it is owed."""
    owed = {(effect.template, effect.key) for _, _, step in steps for effect in step.effects}
    assert len({template for template, _ in owed}) == len(owed)


@given(lives)
def test_who_wants_what_never_changes_and_their_place_only_by_their_own_wish(
    steps: list[tuple[Promise, Event, Advance]],
) -> None:
    """A retry keeps the place in line and the lifetime; so does every end."""
    for before, event, step in steps:
        after = step.promise
        assert (after.id, after.queue, after.number, after.language) == ("p1", "sales", PROMISE.number, "ja")
        if not isinstance(event, Merged):
            assert (after.since, after.expires_at) == (before.since, before.expires_at)


@given(lives)
def test_a_promise_is_not_due_before_its_window(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """And stands in line as if its customer arrived then, whatever happened before and after it was chosen."""
    for _, _, step in steps:
        if step.promise.slot is not None:
            assert step.promise.not_before >= step.promise.slot.starts_at
            assert step.promise.since == step.promise.slot.starts_at


@given(lives)
def test_nothing_follows_a_final_state(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """It is the last step of every life that reaches one, and refuses every event."""
    for position, (before, _, step) in enumerate(steps, start=1):
        assert not before.state.is_final
        if step.promise.state in FINAL:
            assert position == len(steps)
            for event in EVENTS:
                with pytest.raises(RefusedTransitionError):
                    advance(step.promise, event, NOW, RetryPolicy())


@given(lives, policies)
def test_every_life_can_still_end(steps: list[tuple[Promise, Event, Advance]], policy: RetryPolicy) -> None:
    """From wherever it stands: an attempt can end, and then the deadline passes."""
    promise = steps[-1][2].promise if steps else PROMISE
    for event in (AttemptEnded(Outcome.UNKNOWN), DeadlinePassed()):
        if (promise.state, type(event)) in ALLOWED:
            promise = advance(promise, event, NOW, policy).promise
    assert promise.state.is_final
