"""The gate: hours in the called party's zone, over every kind of day that a time zone has."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan

TOKYO = CallingHours()
DAY_US = 24 * 3600 * 1_000_000
ZONES = sorted(name for name in available_timezones() if "/" in name)
ODD_ZONES = [
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Asia/Kathmandu",
]
"""Clocks put forward at midnight, by half an hour, by two hours, twice a year around Ramadan, or by a whole day."""

zones = st.sampled_from(ODD_ZONES) | st.sampled_from(ZONES)
times = st.times().map(lambda at: at.replace(microsecond=0, fold=0)) | st.sampled_from([time(0), time(2), time(2, 30)])
instants = st.datetimes(datetime(2010, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - the zone follows


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    """Return a zone and an instant within 30 hours of one of its clock changes, or anywhere when it has none."""
    name, start = draw(zones), draw(instants)
    zone = ZoneInfo(name)
    for day in range(366):
        at = start + timedelta(days=day)
        if at.astimezone(zone).utcoffset() != (at + timedelta(days=1)).astimezone(zone).utcoffset():
            return name, at + timedelta(minutes=draw(st.integers(-1800, 1800)))
    return name, start


def inside(hours: CallingHours, at: datetime) -> bool:
    """Tell the same as `allow`, reckoned in another way: how far round the clock it is from the opening."""

    def round_the_clock_us(to: time) -> int:
        whole = (to.hour * 3600 + to.minute * 60 + to.second) * 1_000_000 + to.microsecond
        opens = (hours.opens.hour * 3600 + hours.opens.minute * 60 + hours.opens.second) * 1_000_000
        return (whole - opens) % DAY_US

    length_us = round_the_clock_us(hours.closes) or DAY_US
    return round_the_clock_us(at.astimezone(hours.zone).time()) < length_us


@given(zones, times, times, instants)
def test_hours_are_those_of_the_zone_also_past_midnight(zone: str, opens: time, closes: time, at: datetime) -> None:
    """Against a reckoning of its own; 22:00 to 06:00 is one night, and equal times are the whole day."""
    hours = CallingHours(opens, closes, ZoneInfo(zone))
    assert hours.allow(at) is inside(hours, at)


@settings(deadline=None)
@given(near_a_change() | st.tuples(zones, instants), times, times)
@example(("America/New_York", datetime(2026, 3, 8, 6, 59, tzinfo=UTC)), time(2, 30), time(20))
@example(("America/New_York", datetime(2026, 3, 8, 6, 59, tzinfo=UTC)), time(2, 15), time(2, 45))
@example(("America/New_York", datetime(2026, 11, 1, 5, 50, tzinfo=UTC)), time(1, 30), time(1, 45))
@example(("America/New_York", datetime(2026, 11, 1, 5, 45, tzinfo=UTC)), time(0, 30), time(1, 30))
@example(("Pacific/Apia", datetime(2011, 12, 30, 9, 0, tzinfo=UTC)), time(9), time(20))
@example(("America/Sao_Paulo", datetime(2018, 11, 4, 2, 0, tzinfo=UTC)), time(0), time(1))
def test_the_next_opening_is_allowed_and_nothing_before_it_is(
    where: tuple[str, datetime], opens: time, closes: time
) -> None:
    """Where a local time does not exist, and where it comes twice."""
    zone, now = where
    hours = CallingHours(opens, closes, ZoneInfo(zone))
    opening = hours.next_opening(now)
    assert opening >= now
    assert inside(hours, opening)
    if opening > now:
        assert not inside(hours, opening - timedelta(microseconds=1))
    looked_at = now
    while looked_at < opening:
        assert not inside(hours, looked_at), f"{looked_at} is inside the hours and earlier"
        looked_at += timedelta(minutes=7)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-04-01T23:59:59+09:00", "2026-04-02T09:00:00+09:00"),
        ("2026-04-01T20:00:00+09:00", "2026-04-02T09:00:00+09:00"),
        ("2026-04-01T08:59:59.999999+09:00", "2026-04-01T09:00:00+09:00"),
        ("2026-04-01T09:00:00+09:00", "2026-04-01T09:00:00+09:00"),
        ("2026-04-01T19:59:59+09:00", "2026-04-01T19:59:59+09:00"),
    ],
)
def test_in_japan_customers_are_rung_from_nine_to_twenty(now: str, opening: str) -> None:
    """The default; twenty sharp is too late."""
    at = datetime.fromisoformat(now)
    assert TOKYO.next_opening(at) == datetime.fromisoformat(opening)
    assert TOKYO.allow(at) is (now == opening)


def test_hours_that_the_clocks_skip_as_a_whole_open_the_day_after() -> None:
    """From 2:15 to 2:45 on the night on which 2:00 is followed by 3:00."""
    hours = CallingHours(time(2, 15), time(2, 45), ZoneInfo("America/New_York"))
    assert hours.next_opening(datetime(2026, 3, 8, 6, 59, tzinfo=UTC)) == datetime(2026, 3, 9, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "at", "answer"),
    [
        ("+819012345678", "2026-04-01T12:00+09:00", DialableNumber("+819012345678", "090-1234-5678")),
        ("+819012345678", "2026-04-01T21:00+09:00", Outcome.OUTSIDE_HOURS),
        ("+14155550123", "2026-04-01T12:00+09:00", Outcome.NOT_ALLOWED),
        ("+14155550123", "2026-04-01T21:00+09:00", Outcome.NOT_ALLOWED),
        ("garbage", "2026-04-01T12:00+09:00", Outcome.NOT_ALLOWED),
    ],
)
def test_the_gate_refuses_the_number_before_the_hour(number: str, at: str, answer: DialableNumber | Outcome) -> None:
    """A number that may never be dialled is not kept for the morning."""
    assert Gate(NumberPlan(), TOKYO).clear(number, datetime.fromisoformat(at)) == answer


@given(st.text(alphabet="0123456789+,;&@ ", max_size=20))
def test_a_caller_is_sent_to_no_number_that_the_settings_do_not_name(number: str) -> None:
    """Word for word: another way of writing it is another number."""
    gate = Gate(plan=NumberPlan(), hours=CallingHours(), external=frozenset({"0398765432", "0120123456"}))
    assert gate.clear_external(number) == (number if number in gate.external else None)
    assert gate.clear_external("0398765432") == "0398765432"
    assert gate.clear_external("03-9876-5432") is None
