"""What is known of how long calls keep agents, and how readily callers hang up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.handle_times import ENOUGH, KEPT, PRIOR_CV, HandleTimes
from controller.domain.patience import Patience

seconds = st.floats(0, 7200)


def test_before_any_call_the_prior_is_told() -> None:
    """It has to come from somewhere on the first day."""
    assert HandleTimes(prior_mean_s=180).mean_s == pytest.approx(180)
    assert HandleTimes(prior_mean_s=180).cv == pytest.approx(PRIOR_CV)


@given(st.lists(seconds, min_size=ENOUGH), st.floats(1, 3600))
def test_once_enough_was_measured_the_prior_says_nothing_more(measured_s: list[float], prior_mean_s: float) -> None:
    """Mean and variation are those of the last calls."""
    handle = HandleTimes(prior_mean_s=prior_mean_s).note_all(measured_s)
    last = measured_s[-KEPT:]
    mean_s = sum(last) / len(last)
    assert handle.mean_s == pytest.approx(mean_s)
    if mean_s > 1:
        variance = sum((each - mean_s) ** 2 for each in last) / len(last)
        assert handle.cv * handle.mean_s == pytest.approx(variance**0.5, abs=1e-6)


@given(st.lists(seconds, min_size=1, max_size=ENOUGH), st.floats(1, 3600))
def test_the_mean_lies_between_what_was_assumed_and_what_was_measured(
    measured_s: list[float], prior_mean_s: float
) -> None:
    """And one call more or less moves it no further than that."""
    own_s = sum(measured_s) / len(measured_s)
    mean_s = HandleTimes(prior_mean_s=prior_mean_s).note_all(measured_s).mean_s
    assert min(own_s, prior_mean_s) - 1e-6 <= mean_s <= max(own_s, prior_mean_s) + 1e-6


@given(st.lists(seconds, max_size=2 * KEPT))
def test_calls_one_by_one_and_all_at_once_come_to_the_same(measured_s: list[float]) -> None:
    """Whether they are seen or loaded; and only the last are kept."""
    one_by_one = HandleTimes()
    for each in measured_s:
        one_by_one = one_by_one.note(each)
    assert one_by_one == HandleTimes().note_all(measured_s)
    assert one_by_one.recent_s == tuple(measured_s[-KEPT:])


def test_calls_that_took_no_time_at_all_leave_the_usual_variation() -> None:
    """There is nothing to divide by."""
    handle = HandleTimes().note_all([0.0] * KEPT)
    assert (handle.mean_s, handle.cv) == (0.0, PRIOR_CV)


@pytest.mark.parametrize("handle_s", [-0.1, float("nan"), float("inf")])
def test_a_time_that_cannot_be_is_refused(handle_s: float) -> None:
    """One of them would spoil every estimate that follows."""
    with pytest.raises(ValueError, match="cannot keep an agent"):
        HandleTimes().note(handle_s)


def test_before_anybody_was_seen_nobody_is_taken_to_hang_up() -> None:
    """An estimate that counts on it would be too short."""
    assert Patience().leaving_per_s == 0


@given(st.lists(st.tuples(st.floats(0, 3600), st.booleans()), max_size=300))
def test_the_rate_of_leaving_is_never_above_what_was_seen_of_the_last_callers(seen: list[tuple[float, bool]]) -> None:
    """What was not seen counts as patience."""
    patience = Patience()
    for waited_s, left in seen:
        patience = patience.note(waited_s, left=left)
    assert patience.leaving_per_s >= 0
    if not any(left for _, left in seen):
        assert patience.leaving_per_s == 0


def test_many_who_leave_after_five_minutes_are_found_out() -> None:
    """Half of them, each after five minutes: one for each ten minutes that somebody waited."""
    patience = Patience()
    for number in range(1000):
        patience = patience.note(300, left=bool(number % 2))
    assert patience.leaving_per_s == pytest.approx(1 / 600, rel=0.02)
