"""The times that somebody who writes can be called at: inside every kind of hours, and as they wished."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.caps import NO_CAPS
from controller.domain.gate import CallingHours, NumberHours
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.phone_number import NumberPlan
from controller.domain.slots import Slot, SlotPlan
from controller.journeys.house import House, Queue
from controller.journeys.windows import fitting, nearest, open_windows, window_at
from tests.adapters.promise_house import LockedRoom

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBER = "+819012345678"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
WEEK = timedelta(days=7)

zones = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]).map(ZoneInfo)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 40]))
instants = st.integers(0, 300 * 24 * 60 * 60).map(lambda seconds: BEGIN + timedelta(seconds=seconds))


class Stopped:
    """A clock that shows one time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return it."""
        return self._now

    async def sleep(self, delay_s: float) -> None:
        """Nobody waits here."""
        raise AssertionError(delay_s)


class EmptyBook(LockedRoom):
    """A book without a promise."""

    async def booked(self, _queue: str, *, start: datetime, end: datetime) -> dict[datetime, int]:
        """Return that nothing is booked."""
        assert start < end
        return {}

    async def open_for(self, _queue: str, _number: str) -> None:
        """Return that the number holds none."""


def house_at(now: datetime, queue: Queue, hours_for: Callable[[str], NumberHours] | None = None) -> House:
    """Return a house in which only the clock and an empty book can be asked."""
    locked: Any = LockedRoom()
    return House(
        line=locked,
        telephony=locked,
        promises=EmptyBook(),
        calls=locked,
        queue_log=locked,
        texts=locked,
        callers=None,
        clock=Stopped(now),
        plan=NumberPlan(),
        new_id=lambda: "id",
        do_not_call=locked,
        links=locked,
        leadership=locked,
        caps_for=lambda _number: NO_CAPS,
        queues={queue.name: queue},
        hours_for=hours_for,
    )


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Draw the hours of one day: none, one span, or two with lunch between."""
    edges = sorted(draw(st.sets(times, max_size=4)))
    return tuple(Span(opens, closes) for opens, closes in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def queues(draw: st.DrawFn) -> Queue:
    """Draw a queue without a plan."""
    week = tuple(draw(st.lists(spans(), min_size=7, max_size=7)))
    calling = CallingHours(draw(times), draw(times), draw(zones))
    return Queue("support", "ja", hours=OpeningHours(week, draw(zones)), calling_hours=calling)


def is_right(window: Slot, queue: Queue, now: datetime) -> bool:
    """Tell, minute by minute, whether customers of a queue can be called all through a window."""
    minutes = [window.starts_at + timedelta(minutes=minute) for minute in range(30)]
    return (
        window.ends_at - window.starts_at == HALF_HOUR
        and now <= window.starts_at < now + WEEK
        and all(queue.hours.is_open(at) and queue.calling_hours.allow(at) for at in minutes)
    )


@given(queues(), instants)
def test_every_window_lies_inside_the_opening_and_the_calling_hours(queue: Queue, now: datetime) -> None:
    """From its first minute to its last; in order, none overlapping, within seven days."""
    windows = asyncio.run(open_windows(queue, house_at(now, queue), NUMBER))
    assert all(is_right(each, queue, now) for each in windows)
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(windows))


@given(queues(), instants, st.integers(-120, 8 * 24 * 60))
def test_a_time_gets_a_window_if_there_is_one_that_begins_then(queue: Queue, now: datetime, minutes: int) -> None:
    """Just then where half an hour from it lies inside all hours; else one of those that are offered, or none."""
    house = house_at(now, queue)
    wish = now.replace(second=0) + timedelta(minutes=minutes)
    found = asyncio.run(window_at(queue, house, NUMBER, wish))
    exact = Slot(wish, wish + HALF_HOUR)
    if found is None:
        assert not is_right_in_one_span(exact, queue, now)
    else:
        assert is_right(found, queue, now)
        assert found.starts_at <= wish < found.ends_at
        assert found == exact or not is_right_in_one_span(exact, queue, now)


def is_right_in_one_span(window: Slot, queue: Queue, now: datetime) -> bool:
    """Tell whether a window is right, and lies in a single span of the opening hours."""
    stretches = queue.hours.stretches(window.starts_at, window.ends_at)
    is_one = any(each.since <= window.starts_at and window.ends_at <= each.until for each in stretches)
    return is_one and is_right(window, queue, now)


@given(queues(), instants, st.integers(0, 8 * 24 * 60))
def test_the_nearest_window_is_one_of_those_that_are_offered(queue: Queue, now: datetime, minutes: int) -> None:
    """None of them begins closer; there is none only where none is offered."""
    house = house_at(now, queue)
    wish = now + timedelta(minutes=minutes)
    windows = asyncio.run(open_windows(queue, house, NUMBER))
    found = asyncio.run(nearest(queue, house, NUMBER, wish))
    if found is None:
        assert windows == []
    else:
        assert found in windows
        assert all(abs(found.starts_at - wish) <= abs(each.starts_at - wish) for each in windows)


@given(queues(), instants, times, times)
def test_a_number_is_offered_no_window_in_which_it_may_not_be_rung(
    queue: Queue, now: datetime, opens: time, closes: time
) -> None:
    """A customer abroad has hours of their own, on their own clock; they count for a time asked for as well."""
    own = NumberHours((CallingHours(opens, closes, ZoneInfo("America/New_York")),))
    house = house_at(now, queue, hours_for=lambda _number: own)
    windows = asyncio.run(open_windows(queue, house, NUMBER))
    wished = [asyncio.run(window_at(queue, house, NUMBER, each.starts_at)) for each in windows[:5]]
    for window in [*windows, *(each for each in wished if each is not None)]:
        assert own.allow(window.starts_at)
        assert own.allow(window.ends_at - timedelta.resolution)


@given(instants, st.integers(0, 600), st.integers(15, 600))
def test_a_span_gets_the_first_window_that_begins_in_it(now: datetime, begins: int, lasts: int) -> None:
    """One that only ends in it is none."""
    queue = Queue("support", "ja", slots=SlotPlan(length_min=60, capacity=1))
    windows = asyncio.run(open_windows(queue, house_at(now, queue), NUMBER))
    starts_at = now + timedelta(minutes=begins)
    ends_at = starts_at + timedelta(minutes=lasts)
    begun = [each for each in windows if starts_at <= each.starts_at < ends_at]
    assert fitting(windows, starts_at, ends_at) == min(begun, key=lambda each: each.starts_at, default=None)


def test_a_time_with_seconds_is_promised_from_the_next_full_minute_on() -> None:
    """Half an hour from now, as somebody wrote, is not 14:07:31."""
    now = datetime(2026, 3, 2, 5, 7, 31, 500, tzinfo=UTC)
    queue = Queue("support", "ja")
    found = asyncio.run(window_at(queue, house_at(now, queue), NUMBER, now + HALF_HOUR))
    assert found == Slot(
        now.replace(minute=38, second=0, microsecond=0), now.replace(hour=6, minute=8, second=0, microsecond=0)
    )
