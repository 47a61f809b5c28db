from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.quote_coverage import Coverage, QuotedWait, by_queue, coverage

seconds = st.integers(0, 3600).map(float)
waits = st.builds(
    lambda queue, low_s, width_s, waited_s, was_answered: QuotedWait(
        queue, low_s, low_s + width_s, waited_s, was_answered
    ),
    st.sampled_from(["sales", "support"]),
    seconds,
    seconds,
    seconds,
    st.booleans(),
)


@pytest.mark.parametrize(
    ("waited_s", "was_answered", "counts_as"),
    [
        (59, True, "below"),
        (60, True, "within"),
        (180, True, "within"),
        (181, True, "above"),
        (0, False, "unknown"),
        (100, False, "unknown"),
        (180, False, "unknown"),
        (181, False, "above"),
    ],
)
def test_a_wait_is_judged_by_what_was_told(waited_s: float, was_answered: bool, counts_as: str) -> None:
    """Two or three minutes more than one was told is a broken word; hanging up before shows nothing."""
    tally = coverage([QuotedWait("sales", 60, 180, waited_s, was_answered)])
    counts = {"within": tally.within, "below": tally.below, "above": tally.above, "unknown": tally.unknown}
    assert counts == {**dict.fromkeys(counts, 0), counts_as: 1}


def test_the_shares_are_of_those_that_can_be_judged() -> None:
    """Eight within, one sooner, one later; ten who left early count in no share."""
    told = [(60.0, True)] * 8 + [(1.0, True)] + [(500.0, False)] + [(5.0, False)] * 10
    tally = coverage(QuotedWait("sales", 30, 90, waited_s, was_answered) for waited_s, was_answered in told)
    assert (tally.known, tally.unknown) == (10, 10)
    assert (tally.within_percent, tally.below_percent, tally.above_percent) == (80.0, 10.0, 10.0)
    assert tally.mean_width_s == 60


def test_of_nothing_nothing_is_said() -> None:
    """Not a hundred per cent, nor zero."""
    tally = coverage([])
    assert tally == Coverage(0, 0, 0, 0)
    assert tally.within_percent is tally.below_percent is tally.above_percent is None
    assert coverage([QuotedWait("sales", 0, 60, 5, was_answered=False)]).within_percent is None


@given(st.lists(waits))
def test_every_announcement_is_counted_once_and_the_queues_add_up(told: list[QuotedWait]) -> None:
    """In the whole tally, and in its queue's."""
    total, queues = coverage(told), by_queue(told)
    assert total.known + total.unknown == len(told)
    assert {name: tally.known + tally.unknown for name, tally in queues.items()} == Counter(one.queue for one in told)
    for name in ("within", "below", "above", "unknown"):
        assert sum(getattr(tally, name) for tally in queues.values()) == getattr(total, name)
    assert list(queues) == sorted(queues)


@given(waits, seconds)
def test_nobody_who_left_is_counted_otherwise_than_if_they_had_been_served_later(
    wait: QuotedWait, more_s: float
) -> None:
    """Whatever is said of somebody who left holds for each wait that theirs may have become."""
    left = coverage([QuotedWait(wait.queue, wait.low_s, wait.high_s, wait.waited_s, was_answered=False)])
    served = coverage([QuotedWait(wait.queue, wait.low_s, wait.high_s, wait.waited_s + more_s, was_answered=True)])
    assert left.unknown or left == served
