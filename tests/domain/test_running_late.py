"""When it is time to say that a window cannot be kept, and what is said instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.running_late import cannot_be_kept, expected_at, look_again_at, tell_by
from controller.domain.slots import Slot
from controller.domain.wait_estimate import WaitRange
from tests.domain.test_lifecycle import NOW, PROMISE

WINDOW = Slot(NOW, NOW + timedelta(minutes=30))
BOOKED = replace(PROMISE, slot=WINDOW, since=NOW, not_before=NOW)
NOTICE_S = 300.0


def at(minutes: float) -> datetime:
    """Return so many minutes after the window began."""
    return NOW + timedelta(minutes=minutes)


def whenever(moment: datetime) -> datetime | None:
    """They can always be called."""
    return moment


def never(_moment: datetime) -> datetime | None:
    """They can never be called."""
    return None


def from_minute(minutes: float) -> object:
    """Return hours that begin so many minutes after the window began."""
    return lambda moment: max(moment, at(minutes))


@pytest.mark.parametrize(
    ("minute", "wait", "late"),
    [
        (-60, None, False),
        (-60, WaitRange(7200, 9000), False),
        (0, None, False),
        (0, WaitRange(0, 0), False),
        (0, WaitRange(1700, 9000), False),
        (0, WaitRange(1801, 1900), True),
        (20, WaitRange(601, 700), True),
        (20, WaitRange(599, 7000), False),
        (24.9, None, False),
        (25, None, True),
        (25, WaitRange(0, 60), True),
        (29.9, None, True),
        (30, None, False),
        (31, WaitRange(9999, 9999), False),
    ],
)
def test_a_window_is_late_when_the_line_is_too_long_or_its_end_is_near(
    minute: float, wait: WaitRange | None, late: bool
) -> None:
    """By the near end of what is expected; not before it began, and not when it is over."""
    assert cannot_be_kept(BOOKED, at(minute), wait, whenever, NOTICE_S) is late
    told = replace(BOOKED, told_late=True)
    assert not cannot_be_kept(told, at(minute), wait, whenever, NOTICE_S)
    assert not cannot_be_kept(replace(BOOKED, slot=None), at(minute), wait, whenever, NOTICE_S)


def test_a_window_in_which_nobody_may_be_called_is_late_before_it_begins() -> None:
    """The hours were changed, or the call was put off: there is nothing to wait for."""
    assert cannot_be_kept(BOOKED, at(-60), None, never, NOTICE_S)
    assert cannot_be_kept(BOOKED, at(-60), None, from_minute(30), NOTICE_S)  # type: ignore[arg-type]
    assert not cannot_be_kept(BOOKED, at(-60), None, from_minute(29), NOTICE_S)  # type: ignore[arg-type]
    put_off = replace(BOOKED, not_before=at(30))
    assert cannot_be_kept(put_off, at(-60), None, whenever, NOTICE_S)
    assert not cannot_be_kept(replace(BOOKED, not_before=at(29)), at(-60), None, whenever, NOTICE_S)


@pytest.mark.parametrize(("length_min", "by_min"), [(30, 25), (60, 55), (10, 5), (6, 3), (1, 0.5)])
def test_a_short_window_is_not_given_up_in_its_first_half(length_min: float, by_min: float) -> None:
    """Else a window of five minutes would be late from its first moment on."""
    assert tell_by(Slot(NOW, at(length_min)), NOTICE_S) == at(by_min)


def test_what_is_expected_is_told_in_steps_of_five_minutes_and_after_the_window() -> None:
    """The far end of the line's estimate; without one, as long again as the window was."""
    odd = replace(BOOKED, slot=Slot(NOW, at(31)))
    assert expected_at(BOOKED, at(25), None, whenever) == at(60)
    assert expected_at(odd, at(25), None, whenever) == at(65)
    assert expected_at(BOOKED, at(0), WaitRange(2000, 3001), whenever) == at(55)
    assert expected_at(BOOKED, at(25), WaitRange(0, 10), whenever) == at(35)
    assert expected_at(replace(BOOKED, not_before=at(91)), at(25), None, whenever) == at(95)


def test_whoever_cannot_be_called_then_is_told_the_next_opening() -> None:
    """Also where that is hardly before the next step; where there is none, the bare estimate."""
    assert expected_at(BOOKED, at(25), None, from_minute(600)) == at(600)  # type: ignore[arg-type]
    assert expected_at(BOOKED, at(25), None, from_minute(601)) == at(605)  # type: ignore[arg-type]
    assert expected_at(BOOKED, at(25), None, never) == at(60)
    with pytest.raises(ValueError, match="no window"):
        expected_at(PROMISE, NOW, None, whenever)


waits = st.none() | st.builds(lambda low, more: WaitRange(low, low + more), st.floats(0, 9000), st.floats(0, 9000))


@given(
    length_min=st.floats(1, 300),
    begins_min=st.floats(-300, 300),
    wait=waits,
    notice_s=st.floats(0, 7200),
    opens_min=st.floats(-300, 2000),
)
def test_who_looks_when_told_to_never_misses_the_time(
    length_min: float, begins_min: float, wait: WaitRange | None, notice_s: float, opens_min: float
) -> None:
    """From any moment on it is told by `tell_by` at the latest; what is told lies after it, inside the hours."""
    slot = Slot(at(begins_min), at(begins_min + length_min))
    promise = replace(BOOKED, slot=slot, not_before=slot.starts_at)
    hours = from_minute(opens_min)
    now, looks = NOW, 0
    while now < slot.ends_at and not cannot_be_kept(promise, now, wait, hours, notice_s):  # type: ignore[arg-type]
        again_at = look_again_at(slot, now, wait, notice_s)
        assert again_at > now
        now, looks = again_at, looks + 1
        assert looks < 5
    if slot.ends_at > NOW:
        assert now <= max(NOW, tell_by(slot, notice_s))
        expected = expected_at(promise, now, wait, hours)  # type: ignore[arg-type]
        assert expected >= slot.ends_at + timedelta(minutes=5)
        assert expected.timestamp() % 300 == 0
        assert expected >= at(opens_min)
