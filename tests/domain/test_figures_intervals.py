"""Quarters, half hours and days, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.intervals import Interval, Length, Placed, split

ZONES = [
    *("Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Europe/London", "America/Havana", "Pacific/Apia"),
    *("Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo", "UTC"),
]
lengths = st.sampled_from([*Length])


def day_of(zone: ZoneInfo, day: date) -> Interval:
    """Return a local day without a midnight that is skipped or comes twice."""
    since, until = (datetime.combine(each, time(0), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return Interval(since, until)


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Asia/Tokyo", date(2026, 11, 22), 96),
        ("America/New_York", date(2026, 3, 8), 92),
        ("America/New_York", date(2026, 11, 1), 100),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
        ("Australia/Lord_Howe", date(2026, 10, 4), 94),
    ],
)
def test_a_day_has_as_many_quarters_as_it_lasts(zone: str, day: date, quarters: int) -> None:
    """None is stretched or squeezed over the hour that is skipped or comes twice."""
    local = ZoneInfo(zone)
    whole = day_of(local, day)
    found = split(whole, local, Length.QUARTER_HOUR)
    assert len(found) == quarters
    assert {each.length_s for each in found} == {900}
    assert len(split(whole, local, Length.HALF_HOUR)) == quarters // 2
    assert split(whole, local, Length.DAY) == [whole]


def test_a_day_that_the_zone_skipped_is_not_there() -> None:
    """Samoa had no 30 December 2011."""
    zone = ZoneInfo("Pacific/Apia")
    period = Interval(datetime(2011, 12, 29, 10, tzinfo=UTC), datetime(2011, 12, 31, 10, tzinfo=UTC))
    days = split(period, zone, Length.DAY)
    assert [each.since.astimezone(zone).date() for each in days] == [date(2011, 12, 29), date(2011, 12, 31)]


def test_a_day_that_is_no_whole_number_of_quarters_ends_with_a_shorter_one() -> None:
    """Liberia put its clocks forward by 44.5 minutes on 7 January 1972; the next day begins at its midnight."""
    zone = ZoneInfo("Africa/Monrovia")
    period = Interval(datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC), datetime(1972, 1, 8, 0, 15, tzinfo=UTC))
    found = split(period, zone, Length.HALF_HOUR)
    assert [each.length_s / 60 for each in found[-3:]] == [30, 15.5, 15]
    assert found[-1].since == datetime(1972, 1, 8, tzinfo=UTC)


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    """Havana puts the clocks back at one in the morning."""
    zone = ZoneInfo("America/Havana")
    (whole,) = split(
        Interval(datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)), zone, Length.DAY
    )
    assert whole.length_s == 25 * 3600


def test_what_is_cut_off_by_the_period_is_shorter() -> None:
    """The others keep to the quarters of the clock."""
    period = Interval(datetime(2026, 11, 24, 0, 5, tzinfo=UTC), datetime(2026, 11, 24, 0, 40, tzinfo=UTC))
    found = split(period, ZoneInfo("Asia/Tokyo"), Length.QUARTER_HOUR)
    assert [each.length_s / 60 for each in found] == [10, 15, 10]
    assert split(Interval(period.since, period.since), ZoneInfo("Asia/Tokyo"), Length.DAY) == []


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    since=st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them naive
    hours=st.integers(1, 80),
    length=lengths,
)
def test_the_intervals_of_a_period_are_all_of_it_without_a_gap(
    zone: ZoneInfo, since: datetime, hours: int, length: Length
) -> None:
    """Within, each begins on the clock's own quarter, half hour or day, and is no longer than it says."""
    period = Interval(since, since + timedelta(hours=hours))
    found = split(period, zone, length)
    assert (found[0].since, found[-1].until) == (period.since, period.until)
    assert all(before.until == after.since for before, after in pairwise(found))
    assert all(each.length_s > 0 for each in found)
    if length is Length.DAY:
        days = [each.since.astimezone(zone).date() for each in found]
        assert days == sorted(set(days))
        last = [(each.until - timedelta(microseconds=1)).astimezone(zone).date() for each in found]
        assert last == days
    else:
        assert all(each.length_s <= length * 60 for each in found)
        assert all(each.since.astimezone(zone).minute % length == 0 for each in found[1:])


@given(
    cuts=st.lists(st.integers(0, 100), min_size=2, max_size=8, unique=True).map(sorted),
    missing=st.booleans(),
    seconds=st.integers(-5, 105),
)
def test_an_instant_is_found_in_the_interval_that_holds_it(cuts: list[int], missing: bool, seconds: int) -> None:
    """Also where there is a gap between two; in none outside."""
    start = datetime(2026, 11, 24, tzinfo=UTC)
    instant = start + timedelta(seconds=seconds)
    intervals = [Interval(start + timedelta(seconds=a), start + timedelta(seconds=b)) for a, b in pairwise(cuts)]
    if missing:
        del intervals[len(intervals) // 2]
    placed = Placed.of(intervals)
    holding = [nth for nth, each in enumerate(intervals) if each.holds(instant)]
    assert placed.at(instant) == (holding[0] if holding else None)
    until = instant + timedelta(seconds=30)
    sharing = {nth for nth, each in enumerate(intervals) if each.shared_s(instant, until) > 0}
    assert sharing <= set(placed.touched(instant, until))


def test_an_interval_does_not_end_before_it_begins() -> None:
    """Nor is it without a zone."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends before it begins"):
        Interval(now, now - timedelta(seconds=1))
    with pytest.raises(ValueError, match="no time zone"):
        Interval(now.replace(tzinfo=None), now)


def test_the_part_that_is_over_ends_now() -> None:
    """Of one that has not begun, nothing."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    hour = Interval(now, now + timedelta(hours=1))
    assert hour.before(now + timedelta(minutes=10)).length_s == 600
    assert hour.before(now - timedelta(minutes=10)).length_s == 0
    assert hour.before(now + timedelta(days=1)) == hour
