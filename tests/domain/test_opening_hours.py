"""Opening hours: open or not, until when, why not, and when next; held against a walk along the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.gate import CallingHours
from controller.domain.opening_hours import (
    WHOLE_DAY,
    ClosedReason,
    OpeningHours,
    Unending,
    always_open,
    intersect,
)
from tests.domain.clock_walk import (
    CHANGES,
    DAY,
    IN_JAPAN,
    ODD_ZONES,
    STEP,
    Minutes,
    Sheet,
    clipped,
    doors,
    joined,
    may_ring,
    on_grid,
    spans,
    steps,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
AROUND = doors()
SAMOA = (Sheet("Pacific/Apia", (((0, 1440),),) * 7), datetime(2011, 12, 30, 9, 30, tzinfo=UTC))
"""On the eve of a day that Samoa left out: 29 December 2011 was followed by the 31st."""


@settings(deadline=None, max_examples=200)
@given(AROUND)
@example(SAMOA)
@example((Sheet("Pacific/Apia", (((0, 60), (1380, 1440)),) * 7), datetime(2011, 12, 30, 9, 30, tzinfo=UTC)))
def test_a_queue_is_open_from_the_first_to_the_last_time_that_the_clock_is_in_a_span(
    drawn: tuple[Sheet, datetime],
) -> None:
    """Open or not, until when, and from when on: spans that adjoin are one, over midnight too."""
    sheet, now = drawn
    hours, end = sheet.hours(), on_grid(now) + 4 * DAY
    walked = joined(sheet.walk(now - 3 * DAY, end).values())
    current = next(((since, until) for since, until in walked if since <= now < until), None)
    ahead = next((since for since, _ in walked if since > now), None)
    assert hours.is_open(now) is (current is not None)
    closes, opens = hours.closes_at(now), hours.next_opening(now)
    if current is None:
        assert closes is None
        assert opens == ahead if ahead else opens is None or opens >= end
    else:
        assert opens == now
        assert closes == current[1] if current[1] < end else closes is Unending.NEVER_CLOSES or closes >= end  # type: ignore[operator]
    assert all(at.tzinfo is UTC for at in (opens, closes) if isinstance(at, datetime))


@settings(deadline=None, max_examples=200)
@given(AROUND)
@example((Sheet("America/New_York", (((135, 165), (540, 1080)),) * 7), datetime(2026, 3, 8, 12, tzinfo=UTC)))
def test_the_reason_for_being_closed_is_that_of_the_local_day(drawn: tuple[Sheet, datetime]) -> None:
    """Lunch lies between two spans of a day; a day without spans is a holiday, or a closed day when it was planned."""
    sheet, now = drawn
    today = now.astimezone(ZoneInfo(sheet.zone)).date()
    walked = sheet.walk(now - 3 * DAY, now + 3 * DAY)
    of_today = [times for (day, _), times in walked.items() if day == today]
    if any(since <= now < until for since, until in walked.values()):
        expected = None
    elif sheet.spans_on(today):
        before, after = (any(until <= now for _, until in of_today), any(since > now for since, _ in of_today))
        expected = ClosedReason.LUNCH if before and after else ClosedReason.AFTER_HOURS
    elif sheet.in_japan and today in IN_JAPAN and today not in dict(sheet.exceptions):
        expected = ClosedReason.HOLIDAY
    else:
        expected = ClosedReason.CLOSED_DAY
    assert sheet.hours().why_closed(now) is expected


@pytest.mark.parametrize("name", ODD_ZONES)
def test_at_every_clock_change_until_2037_a_span_opens_once_and_closes_once(name: str) -> None:
    """Spans that open in the changed hour, close in it, lie in it, have lunch in it, and end at that day's midnight."""
    for change in CHANGES[name]:
        before = (change - STEP).astimezone(ZoneInfo(name))
        after = change.astimezone(ZoneInfo(name))
        low, high = sorted(at.hour * 60 + at.minute for at in (before + STEP, after))
        inside = (low + high) // 10 * 5 if high - low <= 180 else (high + 30) % 1440
        for day in (
            ((inside, 1440),),
            ((0, inside or 5),),
            ((inside, inside + 10),),
            ((0, inside or 5), (inside + 20, 1440)),
            ((0, 1440),),
        ):
            sheet = Sheet(name, (day,) * 7)
            since, until = change - 2 * DAY, change + 2 * DAY
            inner = (change - DAY, change + DAY)
            walked = joined(clipped(sheet.walk(since, until).values(), *inner))
            assert joined(clipped(sheet.hours().stretches(*inner), *inner)) == walked, (change, day)
            own = list(sheet.hours().stretches(since, until))
            assert all(one.until <= other.since for one, other in pairwise(own)), (change, day)


def test_the_zones_that_are_tested_change_their_clocks_often_enough() -> None:
    """Forward and back, at midnight too; otherwise the test above proves little."""
    assert sum(len(changes) for changes in CHANGES.values()) > 250
    at_midnight = [
        name
        for name, changes in CHANGES.items()
        if any(change.astimezone(ZoneInfo(name)).time() in (time(23), time(1)) for change in changes)
    ]
    assert len(at_midnight) >= 4
    assert CHANGES["Asia/Tokyo"] == []


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (((150, 600),), "2026-03-08T03:00-04:00", "2026-03-08T10:00-04:00"),
        (((60, 150),), "2026-03-08T01:00-05:00", "2026-03-08T03:00-04:00"),
        (((135, 165),), "2026-03-09T02:15-04:00", "2026-03-09T02:45-04:00"),
        (((90, 600),), "2026-11-01T01:30-04:00", "2026-11-01T10:00-05:00"),
        (((30, 90),), "2026-11-01T00:30-04:00", "2026-11-01T01:30-05:00"),
        (((75, 90),), "2026-11-01T01:15-04:00", "2026-11-01T01:30-05:00"),
    ],
)
def test_in_new_york_the_skipped_hour_is_an_instant_and_the_repeated_one_opens_once(
    day: Minutes, opens: str, closes: str
) -> None:
    """2:30 that does not exist is 3:00; of 1:30 that comes twice the first opens and the second closes."""
    hours = Sheet("America/New_York", (day,) * 7).hours()
    eve = datetime.fromisoformat(f"{opens[:8]}{'01T00:00-04:00' if '11-01' in opens else '08T00:00-05:00'}")
    opening = hours.next_opening(eve)
    assert opening == datetime.fromisoformat(opens)
    assert opening is not None
    assert hours.closes_at(opening) == datetime.fromisoformat(closes)


OFFICE = OpeningHours(
    (*(spans(((540, 720), (780, 1080))),) * 5, (), ()),
    TOKYO,
    "JP",
    exceptions={
        date(2026, 11, 3): (),
        date(2026, 12, 30): (),
        date(2026, 12, 29): spans(((600, 660),)),
        date(2027, 1, 11): spans(((0, 60),)),
    },
)
"""Weekdays 9 to 12 and 13 to 18; a short day and a closure at the end of the year, and a holiday with an hour."""


@pytest.mark.parametrize(
    ("now", "opens", "closes", "reason"),
    [
        ("2026-11-24T08:59:59", "2026-11-24T09:00:00", None, "after hours"),
        ("2026-11-24T09:00:00", "2026-11-24T09:00:00", "2026-11-24T12:00:00", None),
        ("2026-11-24T12:00:00", "2026-11-24T13:00:00", None, "lunch"),
        ("2026-11-24T18:00:00", "2026-11-25T09:00:00", None, "after hours"),
        ("2026-11-22T10:00:00", "2026-11-24T09:00:00", None, "closed day"),
        ("2026-11-23T10:00:00", "2026-11-24T09:00:00", None, "holiday"),
        ("2026-09-18T18:00:00", "2026-09-24T09:00:00", None, "after hours"),
        ("2026-09-22T10:00:00", "2026-09-24T09:00:00", None, "holiday"),
        ("2026-11-03T10:00:00", "2026-11-04T09:00:00", None, "closed day"),
        ("2026-12-29T09:30:00", "2026-12-29T10:00:00", None, "after hours"),
        ("2026-12-30T10:00:00", "2026-12-31T09:00:00", None, "closed day"),
        ("2027-01-11T00:30:00", "2027-01-11T00:30:00", "2027-01-11T01:00:00", None),
        ("2027-01-11T01:00:00", "2027-01-12T09:00:00", None, "after hours"),
    ],
)
def test_an_office_in_tokyo_opens_closes_and_says_why(
    now: str, opens: str, closes: str | None, reason: str | None
) -> None:
    """Around the Silver Week of 2026 with its five days, Labour Thanksgiving, and the end of the year."""
    at = datetime.fromisoformat(now).replace(tzinfo=TOKYO)
    closing = OFFICE.closes_at(at)
    assert OFFICE.next_opening(at) == datetime.fromisoformat(opens).replace(tzinfo=TOKYO)
    assert closing == (closes and datetime.fromisoformat(closes).replace(tzinfo=TOKYO))
    assert OFFICE.why_closed(at) == reason
    assert OFFICE.is_open(at) is (reason is None)


def test_a_holiday_with_hours_has_those_and_no_others() -> None:
    """From 10 to 15 on 23 November 2026, a Monday: 9 is too early, and it is not closed for the holiday."""
    hours = replace(OFFICE, on_holidays=spans(((600, 900),)))
    morning = datetime(2026, 11, 23, 9, tzinfo=TOKYO)
    assert hours.is_holiday(morning.date())
    assert hours.why_closed(morning) is ClosedReason.AFTER_HOURS
    assert hours.next_opening(morning) == morning.replace(hour=10)
    assert hours.closes_at(morning.replace(hour=10)) == morning.replace(hour=15)


def test_a_night_is_two_spans_and_closes_in_the_morning() -> None:
    """From 22:00 to 6:00; at 23:00 it closes on the next day."""
    hours = OpeningHours((spans(((0, 360), (1320, 1440))),) * 7, TOKYO)
    assert hours.closes_at(datetime(2026, 11, 24, 23, tzinfo=TOKYO)) == datetime(2026, 11, 25, 6, tzinfo=TOKYO)


def test_a_day_whose_last_hour_comes_again_after_midnight_is_open_until_then() -> None:
    """In St. John's, until 2011, 00:01 was followed by 23:01 of the day before: 6 November 2010 had 25 hours."""
    zone = ZoneInfo("America/St_Johns")
    hours = replace(always_open(zone), exceptions={date(2010, 11, 7): ()})
    first_midnight = datetime(2010, 11, 7, 2, 30, tzinfo=UTC)
    for now in (first_midnight, first_midnight + timedelta(seconds=30), first_midnight + timedelta(minutes=59)):
        assert hours.closes_at(now) == first_midnight + timedelta(hours=1)
    assert hours.why_closed(first_midnight + timedelta(hours=1)) is ClosedReason.CLOSED_DAY


@pytest.mark.parametrize("zone", [TOKYO, NEW_YORK])
def test_a_queue_around_the_clock_never_closes(zone: ZoneInfo) -> None:
    """Also when its day is cut in two; with one closure ahead it closes at that midnight."""
    now = datetime(2026, 2, 22, 5, 17, tzinfo=UTC)
    halves = OpeningHours((spans(((0, 720), (720, 1440))),) * 7, zone)
    for hours in (always_open(zone), halves):
        assert hours.closes_at(now) is Unending.NEVER_CLOSES
        assert hours.next_opening(now) == now
        assert hours.why_closed(now) is None
        closing = replace(hours, exceptions={date(2027, 1, 1): ()})
        assert closing.closes_at(now) == datetime(2027, 1, 1, tzinfo=zone)


def test_looking_ahead_ends_after_370_days() -> None:
    """A queue that is closed but for one day is told to open when that day is near enough, and otherwise never."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    closed = OpeningHours(((),) * 7, ZoneInfo("UTC"))
    assert closed.next_opening(now) is None
    near, far = (now + days * DAY for days in (369, 370))
    assert replace(closed, exceptions={near.date(): (WHOLE_DAY,)}).next_opening(now) == near
    assert replace(closed, exceptions={far.date(): (WHOLE_DAY,)}).next_opening(now) is None
    around_the_clock = always_open(ZoneInfo("UTC"))
    assert replace(around_the_clock, exceptions={near.date(): ()}).closes_at(now) == near
    assert replace(around_the_clock, exceptions={far.date(): ()}).closes_at(now) is Unending.NEVER_CLOSES


@given(AROUND, st.integers(0, 287), st.integers(0, 287), st.sampled_from([None, "Asia/Tokyo", "Australia/Lord_Howe"]))
@settings(deadline=None, max_examples=200)
@example(SAMOA, 108, 240, None)
def test_customers_can_be_reached_when_it_is_open_and_they_may_be_rung(
    drawn: tuple[Sheet, datetime], from_step: int, to_step: int, elsewhere: str | None
) -> None:
    """At every step in both and at no other, also when their zone is another, and when the hours pass midnight."""
    sheet, now = drawn
    zone = ZoneInfo(elsewhere or sheet.zone)
    opens, closes = (time(step // 12, step % 12 * 5) for step in (from_step, to_step))
    calling = CallingHours(opens, closes, zone)
    walked = joined(sheet.walk(now - 2 * DAY, now + 4 * DAY).values())
    found = list(intersect(sheet.hours(), calling, now, now + 2 * DAY))
    assert all(one.since < one.until for one in found)
    assert all(one.until <= other.since for one, other in pairwise(found))
    for at in steps(now + STEP, now + 2 * DAY):
        is_open = any(since <= at < until for since, until in walked)
        assert any(each.since <= at < each.until for each in found) is (is_open and may_ring(calling, at)), at
