"""What a supervisor makes of a promise: nothing but what was asked for changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.lifecycle import advance
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import Slot
from controller.domain.supervising import Assigned, Moved, Prioritised, Supervised
from tests.domain.test_lifecycle import NOW, PROMISE

if TYPE_CHECKING:
    from controller.domain.promise import Promise

WINDOW = Slot(NOW + timedelta(hours=2), NOW + timedelta(hours=3))
NAMES = ("", "alice", "bob")
QUEUES = ("sales", "support", "cards")
orders: st.SearchStrategy[Supervised] = st.one_of(
    st.builds(Prioritised, st.booleans()),
    st.builds(Assigned, st.sampled_from(NAMES)),
    st.builds(Moved, st.sampled_from(QUEUES), st.none() | st.integers(0, 3)),
)


def after(promise: Promise, *events: Supervised) -> Promise:
    """Return what these make of a promise, one after the other."""
    for event in events:
        promise = advance(promise, event, NOW, RetryPolicy()).promise
    return promise


@given(st.lists(orders, max_size=8), st.none() | st.just(WINDOW))
def test_whatever_a_supervisor_does_place_deadline_and_tries_stay(events: list[Supervised], slot: Slot | None) -> None:
    """Nobody loses the place that they had by being made urgent, given to somebody, or sent elsewhere."""
    promise = replace(PROMISE, slot=slot, attempts_used=1, dials=2)
    done = after(promise, *events)
    assert replace(done, queue="sales", urgent=False, assigned_to="", slot=slot, version=0) == promise
    assert done.version == len(events)


@given(st.lists(orders, max_size=8))
def test_the_last_word_counts(events: list[Supervised]) -> None:
    """Of urgency and queue the last order; of an assignment too, unless the promise was moved since."""
    done = after(PROMISE, *events)
    urgent = [event.urgent for event in events if isinstance(event, Prioritised)]
    queues = [event.queue for event in events if isinstance(event, Moved)]
    whose = [
        event.agent if isinstance(event, Assigned) else "" for event in events if not isinstance(event, Prioritised)
    ]
    assert (done.urgent, done.queue, done.assigned_to) == (
        [False, *urgent][-1],
        ["sales", *queues][-1],
        ["", *whose][-1],
    )


@pytest.mark.parametrize(("capacity", "kept"), [(0, None), (None, WINDOW), (1, WINDOW)])
def test_a_window_goes_along_where_the_other_queue_has_windows(capacity: int | None, kept: Slot | None) -> None:
    """Elsewhere the customer is still not called before it begins."""
    promise = replace(PROMISE, slot=WINDOW, not_before=WINDOW.starts_at, since=WINDOW.starts_at)
    moved = after(promise, Moved("support", capacity))
    assert (moved.slot, moved.not_before, moved.since) == (kept, WINDOW.starts_at, WINDOW.starts_at)


def test_what_a_supervisor_does_owes_no_text() -> None:
    """The customer was promised a call, and still is."""
    for event in (Prioritised(urgent=True), Assigned("alice"), Moved("support")):
        assert advance(PROMISE, event, NOW, RetryPolicy()).effects == ()
