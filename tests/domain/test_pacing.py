"""The pace of a trunk: never more than the rate, whenever calls want to leave, and slower after an outage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.pacing import RAMP_FROM, Pace

RATES = st.floats(0.05, 50, allow_nan=False)
RAMPS = st.floats(1, 300, allow_nan=False)
SLACK_S = 1e-6
"""What floats lose on the way."""


@dataclass(frozen=True)
class Wish:
    """Somebody wants to call, so much later than the one before; or an outage is over then."""

    after_s: float
    is_outage: bool = False


WISHES = st.lists(
    st.builds(Wish, st.floats(0, 100, allow_nan=False) | st.just(0.0), st.booleans() | st.just(False)), max_size=60
)


def played(pace: Pace, wishes: list[Wish]) -> tuple[list[float], list[float]]:
    """Return the instants at which calls left and at which outages were over; each call waits as long as it must."""
    now_s, calls, outages = 1000.0, [], []
    for wish in wishes:
        now_s += wish.after_s
        if wish.is_outage:
            pace.outage_over(now_s)
            outages.append(now_s)
            continue
        now_s += pace.wait_s(now_s)
        pace.left(now_s)
        calls.append(now_s)
    return calls, outages


@given(RATES, RAMPS, WISHES)
def test_in_any_window_at_most_its_rate_and_one_call_leave(rate: float, ramp_s: float, wishes: list[Wish]) -> None:
    """Whatever comes between them: bursts, pauses, outages."""
    calls, _ = played(Pace(rate, ramp_s=ramp_s), wishes)
    for first, began_s in enumerate(calls):
        for last in range(first, len(calls)):
            window_s = calls[last] - began_s
            assert last - first + 1 <= rate * (window_s + SLACK_S) + 1 + SLACK_S


@given(RATES, RAMPS, WISHES)
def test_after_an_outage_no_more_leave_than_the_ramp_lets(rate: float, ramp_s: float, wishes: list[Wish]) -> None:
    """Counted against the area under the ramp: a tenth of the rate at its start, all of it at its end."""
    calls, outages = played(Pace(rate, ramp_s=ramp_s), wishes)
    for began_s, until_s in pairwise([*outages, math.inf]):
        since = [call_s - began_s for call_s in calls if began_s <= call_s < until_s]
        for count, elapsed_s in enumerate(since, start=1):
            ramped_s = min(elapsed_s, ramp_s)
            area = rate * (RAMP_FROM * ramped_s + (1 - RAMP_FROM) * ramped_s**2 / (2 * ramp_s))
            area += rate * (elapsed_s - ramped_s)
            assert count <= area + 1 + 1e-4


@given(RATES)
def test_the_full_rate_is_used(rate: float) -> None:
    """Calls that all want to leave at once do so one gap after the other, and no slower."""
    calls, _ = played(Pace(rate), [Wish(0.0)] * 11)
    assert calls[-1] - calls[0] == pytest.approx(10 / rate)


@given(RATES, RAMPS)
def test_the_rate_grows_from_a_tenth_to_the_whole(rate: float, ramp_s: float) -> None:
    """Evenly; before anything went wrong it is the whole."""
    pace = Pace(rate, ramp_s=ramp_s)
    assert pace.rate(5000) == rate
    pace.outage_over(10_000)
    assert pace.rate(10_000) == pytest.approx(rate * RAMP_FROM)
    assert pace.rate(10_000 + ramp_s / 2) == pytest.approx(rate * (1 + RAMP_FROM) / 2)
    assert pace.rate(10_000 + ramp_s) == pytest.approx(rate)
    assert pace.rate(20_000) == rate


@given(RATES, st.floats(0, 1e6, allow_nan=False))
def test_the_first_call_waits_for_nothing(rate: float, now_s: float) -> None:
    """Not even after an outage: one call is no storm."""
    pace = Pace(rate)
    pace.outage_over(now_s)
    assert pace.wait_s(now_s) == 0


def test_an_outage_that_ends_while_a_call_waits_makes_it_wait_longer() -> None:
    """The call before it left at full pace, and the next one already belongs to the ramp."""
    pace = Pace(1)
    pace.left(100)
    assert pace.wait_s(100.5) == pytest.approx(0.5)
    pace.outage_over(100.5)
    assert pace.wait_s(100.5) == pytest.approx(9.5)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_no_rate_is_refused(rate: float) -> None:
    """A trunk that never lets a call out is a mistake of the settings, not a pace."""
    with pytest.raises(ValueError, match="positive number of calls a second"):
        Pace(rate)
    with pytest.raises(ValueError, match="positive number of seconds of ramp"):
        Pace(1, ramp_s=rate)
