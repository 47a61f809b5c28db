from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import percentile

SAMPLES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=300)


@given(SAMPLES, st.integers(min_value=1, max_value=100))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(sample: list[float], percent: int) -> None:
    """It is one of the sample, enough of it is no larger, and no smaller value would do."""
    found = percentile(sample, percent)
    needed = percent / 100 * len(sample)
    assert found in sample
    assert sum(value <= found for value in sample) >= needed - 1e-9
    assert sum(value < found for value in sample) < needed


def test_of_a_hundred_the_ninety_ninth_is_the_second_largest() -> None:
    """By the nearest rank, not between two of them."""
    assert percentile([float(value) for value in range(1, 101)], 99) == 99
    assert percentile([float(value) for value in range(1, 101)], 50) == 50


def test_nothing_has_no_percentile() -> None:
    """A measurement without a sample is a fault, not a figure."""
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)
