"""Whole lives of promises: any events in any order, under any policy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.lifecycle import (
    ALLOWED,
    Advance,
    AttemptEnded,
    AttemptStarted,
    DeadlinePassed,
    Event,
    Merged,
    RefusedTransitionError,
    RunningLate,
    advance,
)
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import FINAL, Promise
from controller.domain.retry_policy import DEFAULT_RULES, RetryPolicy, Rule, SameTimeTomorrow, Wait, broken_laws
from tests.domain.test_lifecycle import CANCELLED, CHOSE_LATER, EVENTS, NOW, PROMISE

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.slots import Slot

waits = st.builds(Wait, st.floats(1, 86_400), growth=st.just(1.0) | st.floats(1, 4), jitter=st.floats(0, 1))
ruled = st.tuples(
    st.sampled_from(sorted(DEFAULT_RULES)),
    st.builds(
        Rule,
        gap=waits | st.just(SameTimeTomorrow()),
        uses_attempt=st.booleans(),
        ends=st.booleans(),
        tell=st.booleans(),
        last_word=st.booleans(),
    ),
).filter(lambda pair: not list(broken_laws(*pair)))
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 5),
    max_dials=st.integers(1, 8),
    gap_s=st.dictionaries(st.sampled_from(Outcome), st.floats(0, 86_400), max_size=5),
    rules=st.lists(ruled, max_size=5).map(dict),
)


def applies(promise: Promise, event: Event, now: datetime) -> bool:
    """Tell whether an event is not refused."""
    if isinstance(event, RunningLate) and (
        promise.told_late or promise.slot is None or now >= promise.slot.ends_at  # said, or nothing to be said
    ):
        return False
    return (promise.state, type(event)) in ALLOWED


def life(events: list[Event], policy: RetryPolicy, gaps_s: list[float]) -> list[tuple[Promise, Event, Advance]]:
    """Return each step that was taken; what is refused is passed over, as nothing changes."""
    steps: list[tuple[Promise, Event, Advance]] = []
    promise, now = PROMISE, NOW
    for event, gap_s in zip(events, gaps_s, strict=False):
        now += timedelta(seconds=gap_s)
        if not applies(promise, event, now):
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
def test_no_life_has_more_counted_attempts_or_calls_than_the_policy_allows(
    data: st.DataObject, policy: RetryPolicy
) -> None:
    """Every attempt that is started beyond it is one that the customer's phone did not have to bear."""
    events = data.draw(st.lists(st.sampled_from(TRIES) | st.sampled_from(EVENTS), max_size=60))
    for before, event, step in life(events, policy, [0] * 60):
        if isinstance(event, AttemptStarted):
            assert before.attempts_used < policy.max_attempts
            assert before.dials < policy.max_dials
        assert step.promise.attempts_used <= policy.max_attempts
        assert step.promise.dials <= policy.max_dials


@given(st.data(), policies)
def test_calls_count_those_that_left_or_may_have_left(data: st.DataObject, policy: RetryPolicy) -> None:
    """Held against a list of the attempts, of which one at most is open: as the store keeps them."""
    attempts: list[Outcome | None] = []
    promise = PROMISE
    for event in data.draw(st.lists(st.sampled_from(TRIES) | st.sampled_from(EVENTS), max_size=60)):
        is_open = bool(attempts) and attempts[-1] is None
        if not applies(promise, event, NOW) or (isinstance(event, AttemptEnded) and not is_open):
            continue
        promise = advance(promise, event, NOW, policy).promise
        if isinstance(event, AttemptStarted):
            attempts.append(None)
        elif isinstance(event, AttemptEnded):
            attempts[-1] = event.outcome
        assert promise.dials == sum(outcome not in NEVER_SENT for outcome in attempts)


@given(lives)
def test_attempts_and_versions_only_grow(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """One version a step; an attempt counts when it ends. Who asks anew may be given tries back."""
    for before, event, step in steps:
        assert step.promise.version == before.version + 1
        grown = step.promise.attempts_used - before.attempts_used
        assert grown in ((0, 1) if isinstance(event, AttemptEnded) else (0,)) or isinstance(event, Merged)


@given(lives)
def test_a_life_owes_at_most_one_sms_of_each_template(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """By its key, however often it is owed; of a window that cannot be kept, one for each window."""
    owed = {
        (effect.template, before.slot if isinstance(event, RunningLate) else None, effect.key)
        for before, event, step in steps
        for effect in step.effects
    }
    assert len({key for _, _, key in owed}) == len({(template, window) for template, window, _ in owed}) == len(owed)


@given(lives)
def test_nobody_is_told_twice_of_one_window_nor_when_it_is_over(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """Whatever happens in between, short of choosing another; and a new one can be told of."""
    told: Slot | None = None
    for before, event, step in steps:
        if isinstance(event, RunningLate):
            assert before.slot is not None
            assert before.slot != told
            (text,) = step.effects
            assert (text.template, text.promise_id) == ("running_late", "p1")
            assert text.valid_s is not None
            assert text.valid_s > 0
            told = before.slot
        if step.promise.slot != before.slot:
            told = None
            assert not step.promise.told_late or step.promise.state.is_final or step.promise.slot is None


@given(lives)
def test_who_wants_what_never_changes_and_their_place_only_by_their_own_wish(
    steps: list[tuple[Promise, Event, Advance]],
) -> None:
    """A retry keeps the place in line and the lifetime; so does every end, and so does who puts it off for them.

    Who chooses a later time during the call has a promise that lives until then.
    """
    for before, event, step in steps:
        after = step.promise
        assert (after.id, after.queue, after.number, after.language) == ("p1", "sales", PROMISE.number, "ja")
        if not isinstance(event, Merged):
            assert after.since == before.since
            assert after.expires_at == before.expires_at or event == CHOSE_LATER


@given(lives)
def test_a_promise_is_not_due_before_its_window(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """And stands in line as if its customer arrived then, whatever happened before and after it was chosen."""
    for _, _, step in steps:
        if step.promise.slot is not None:
            assert step.promise.not_before >= step.promise.slot.starts_at
            assert step.promise.since == step.promise.slot.starts_at


@given(lives)
def test_nothing_leads_out_of_a_final_state(steps: list[tuple[Promise, Event, Advance]]) -> None:
    """Each refuses every event; but for the end of the attempt that a cancelling came upon, which changes no state."""
    for before, event, step in steps:
        if before.state.is_final:
            assert isinstance(event, AttemptEnded)
            assert before.state is step.promise.state is CANCELLED
            assert step.effects == ()
        if step.promise.state in FINAL:
            for other in EVENTS:
                if step.promise.state is CANCELLED and isinstance(other, AttemptEnded):
                    continue
                with pytest.raises(RefusedTransitionError):
                    advance(step.promise, other, NOW, RetryPolicy())


@given(lives, policies)
def test_every_life_can_still_end(steps: list[tuple[Promise, Event, Advance]], policy: RetryPolicy) -> None:
    """From wherever it stands: an attempt can end, and then the deadline passes."""
    promise = steps[-1][2].promise if steps else PROMISE
    for event in (AttemptEnded(Outcome.UNKNOWN), DeadlinePassed()):
        if (promise.state, type(event)) in ALLOWED:
            promise = advance(promise, event, NOW, policy).promise
    assert promise.state.is_final
