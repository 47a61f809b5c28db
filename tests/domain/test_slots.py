"""Slots: none outside the hours, none too many, none lost; held against a walk along the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.gate import CallingHours
from controller.domain.opening_hours import OpeningHours, always_open, public_holidays
from controller.domain.slots import DayGroup, Slot, SlotPlan, by_day, free, pages, slots
from tests.domain.clock_walk import DAY, STEP, Sheet, doors, may_ring, spans, steps

TOKYO = ZoneInfo("Asia/Tokyo")
MINUTE = timedelta(minutes=1)
ALL_DAY = CallingHours(time(0), time(0))
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""In Tokyo, on a Tuesday after a holiday."""

plans = st.builds(SlotPlan, st.integers(1, 400), st.integers(1, 3), st.integers(0, 2000), st.integers(1, 2))
times = st.integers(0, 287).map(lambda step: time(step // 12, step % 12 * 5))
callings = st.builds(CallingHours, times, times, st.sampled_from(["Asia/Tokyo", "Europe/London"]).map(ZoneInfo))


def cut_by_hand(plan: SlotPlan, sheet: Sheet, calling: CallingHours, now: datetime) -> list[Slot]:
    """Return the slots: walk, mark each step with the span that holds it, and cut each unbroken run of one mark."""
    walked = sorted((times, name) for name, times in sheet.walk(now - 3 * DAY, now + 5 * DAY).items())

    def mark(at: datetime) -> object:
        holding = next((name for (since, until), name in walked if since <= at < until), None)
        return holding if may_ring(calling, at) else None

    found = []
    for name, run in groupby(steps(now - 2 * DAY, now + 4 * DAY), mark):
        inside = list(run)
        if name is None:
            continue
        starts_at, until = inside[0], inside[-1] + STEP
        while starts_at + plan.length_min * MINUTE <= until:
            found.append(Slot(starts_at, starts_at + plan.length_min * MINUTE))
            starts_at += plan.length_min * MINUTE
    earliest, end = now + plan.lead_min * MINUTE, now + plan.horizon_days * DAY
    return [slot for slot in found if earliest <= slot.starts_at < end]


@settings(deadline=None, max_examples=300)
@given(plans, doors(), callings | st.just(ALL_DAY))
@example(
    SlotPlan(60, 1, horizon_days=2),
    (Sheet("America/New_York", (((0, 1440),),) * 7), datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC)),
    ALL_DAY,
)
@example(
    SlotPlan(60, 1, horizon_days=2),
    (Sheet("America/New_York", (((0, 90), (105, 1440)),) * 7), datetime(2026, 11, 1, 3, 59, 59, tzinfo=UTC)),
    CallingHours(time(1), time(1, 45), ZoneInfo("America/New_York")),
)
def test_the_slots_are_those_that_a_walk_along_the_clock_cuts(
    plan: SlotPlan, door: tuple[Sheet, datetime], calling: CallingHours
) -> None:
    """None outside opening or calling hours, none sooner or later than planned, none missing."""
    sheet, now = door
    assert list(slots(plan, sheet.hours(), calling, now)) == cut_by_hand(plan, sheet, calling, now)


@settings(deadline=None)
@given(plans, doors(), callings | st.just(ALL_DAY))
def test_slots_are_in_order_of_one_length_and_do_not_overlap(
    plan: SlotPlan, door: tuple[Sheet, datetime], calling: CallingHours
) -> None:
    """In elapsed minutes and in UTC, on days of 23 and of 25 hours too; each stands in the hours of the gate."""
    sheet, now = door
    hours = sheet.hours()
    found = list(slots(plan, hours, calling, now))
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(found))
    for slot in found:
        assert slot.starts_at.tzinfo is slot.ends_at.tzinfo is UTC
        assert slot.ends_at - slot.starts_at == plan.length_min * MINUTE
        assert now + plan.lead_min * MINUTE <= slot.starts_at < now + plan.horizon_days * DAY
        inside = [slot.starts_at + minute * MINUTE for minute in range(0, plan.length_min, 5)]
        assert all(hours.is_open(at) and calling.allow(at) for at in [*inside, slot.ends_at - timedelta.resolution])


@settings(deadline=None)
@given(plans, doors(), callings, st.integers(0, 2 * 24 * 3600))
def test_a_slot_keeps_its_start_while_time_passes(
    plan: SlotPlan, door: tuple[Sheet, datetime], calling: CallingHours, passed_s: int
) -> None:
    """What was offered and is still far enough ahead is offered again, so that bookings of it are counted."""
    sheet, now = door
    later = now + timedelta(seconds=passed_s)
    first, second = (list(slots(plan, sheet.hours(), calling, at)) for at in (now, later))
    assert [slot for slot in first if slot.starts_at >= later + plan.lead_min * MINUTE] == [
        slot for slot in second if slot.starts_at < now + plan.horizon_days * DAY
    ]


@pytest.mark.parametrize(("day", "count"), [("2026-03-08", 23), ("2026-03-09", 24), ("2026-11-01", 25)])
def test_a_day_around_the_clock_has_as_many_slots_as_hours(day: str, count: int) -> None:
    """In New York, at the two changes of the clocks, and on an ordinary day."""
    zone = ZoneInfo("America/New_York")
    now = datetime.fromisoformat(day).replace(tzinfo=zone)
    found = slots(SlotPlan(60, 1), always_open(zone), ALL_DAY, now)
    assert sum(slot.starts_at.astimezone(zone).date() == now.date() for slot in found) == count


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_now_may_be_told_on_any_clock(zone: str) -> None:
    """On the eve of a clock change, the lead and the horizon are as long on the clock of New York as in UTC."""
    now = datetime(2026, 10, 31, 16, tzinfo=UTC)
    plan, hours = SlotPlan(60, 1, lead_min=1_200, horizon_days=2), always_open(TOKYO)
    assert list(slots(plan, hours, ALL_DAY, now.astimezone(ZoneInfo(zone)))) == list(slots(plan, hours, ALL_DAY, now))


def test_an_office_in_tokyo_offers_whole_slots_around_lunch_and_holidays() -> None:
    """8:30 to 12:15 and 13:00 to 20:30, calls from 9 to 20, slots of an hour: from 9, none over lunch, none at 20."""
    hours = OpeningHours((*(spans(((510, 735), (780, 1230))),) * 5, (), ()), TOKYO, "JP")
    friday = datetime(2026, 11, 20, 10, 20, tzinfo=TOKYO)
    plan = SlotPlan(length_min=60, capacity=1, lead_min=30, horizon_days=7)
    offered = [slot.starts_at.astimezone(TOKYO) for slot in slots(plan, hours, CallingHours(), friday)]
    full = [9, 10, 11, 13, 14, 15, 16, 17, 18, 19]
    days = {day: [at.hour for at in group] for day, group in groupby(offered, lambda at: at.date())}
    assert days == {
        date(2026, 11, 20): full[2:],
        date(2026, 11, 24): full,
        date(2026, 11, 25): full,
        date(2026, 11, 26): full,
        date(2026, 11, 27): [9, 10],
    }
    assert all(at.minute == 0 for at in offered)


def test_a_month_of_slots_asks_for_the_holidays_once_a_year() -> None:
    """Each slot after the first of a year costs no look at the calendar."""
    public_holidays.cache_clear()
    hours = OpeningHours((spans(((540, 1080),)),) * 7, TOKYO, "JP")
    assert len(list(slots(SlotPlan(15, 1, horizon_days=30), hours, CallingHours(), NOON))) > 1000
    assert public_holidays.cache_info().misses == 2


def test_the_lead_is_the_first_start_that_is_offered_and_the_horizon_none() -> None:
    """At noon, with a lead of an hour and a horizon of a day: from 13:00 to 11:00."""
    found = list(slots(SlotPlan(60, 1, lead_min=60, horizon_days=1), always_open(TOKYO), ALL_DAY, NOON))
    assert [slot.starts_at - NOON for slot in found] == [hour * 60 * MINUTE for hour in range(1, 24)]


def test_slots_are_reckoned_one_by_one_as_they_are_asked_for() -> None:
    """The next three of a plan over a hundred years come at once; all of them would be a million."""
    plan = SlotPlan(30, 1, horizon_days=36_500)
    three = list(islice(slots(plan, always_open(TOKYO), ALL_DAY, NOON), 3))
    assert [slot.starts_at - NOON for slot in three] == [0 * MINUTE, 30 * MINUTE, 60 * MINUTE]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 4))
def test_a_slot_is_free_until_its_capacity_is_booked(bookings: list[int], capacity: int) -> None:
    """Exactly those with a place left, in their order; what is booked at other times does not count."""
    plan = SlotPlan(15, capacity)
    offered = list(islice(slots(plan, always_open(TOKYO), ALL_DAY, NOON), len(bookings)))
    booked = {slot.starts_at: count for slot, count in zip(offered, bookings, strict=True) if count}
    strangers = {at + MINUTE: 99 for at in booked}
    left = free(offered, plan, booked | strangers)
    assert left == [slot for slot, count in zip(offered, bookings, strict=True) if capacity - count > 0]


@given(st.data(), st.integers(1, 3))
def test_booking_what_is_free_fills_every_slot_and_overfills_none(data: st.DataObject, capacity: int) -> None:
    """One after the other, in any order, until nothing is free."""
    plan = SlotPlan(60, capacity)
    offered = list(islice(slots(plan, always_open(TOKYO), ALL_DAY, NOON), 4))
    booked: dict[datetime, int] = {}
    while left := free(offered, plan, booked):
        slot = data.draw(st.sampled_from(left))
        booked[slot.starts_at] = booked.get(slot.starts_at, 0) + 1
        assert max(booked.values()) <= capacity
    assert booked == {slot.starts_at: capacity for slot in offered}


@settings(deadline=None)
@given(doors(), st.integers(1, 6))
def test_each_slot_is_in_the_group_of_its_local_day(door: tuple[Sheet, datetime], days: int) -> None:
    """Every one in one group, in order; the day is that of the zone, not of UTC."""
    sheet, now = door
    zone = ZoneInfo(sheet.zone)
    offered = list(slots(SlotPlan(45, 1, horizon_days=days), sheet.hours(), ALL_DAY, now))
    groups = by_day(offered, now, zone)
    assert list(groups) == [DayGroup.TODAY, DayGroup.TOMORROW, DayGroup.LATER]
    assert [slot for group in groups.values() for slot in group] == offered
    today = now.astimezone(zone).toordinal()
    for group, apart in ((DayGroup.TODAY, {0}), (DayGroup.TOMORROW, {1}), (DayGroup.LATER, set(range(2, days + 2)))):
        assert {slot.starts_at.astimezone(zone).toordinal() - today for slot in groups[group]} <= apart


def test_ten_minutes_past_midnight_is_tomorrow_in_tokyo() -> None:
    """Though it is the same day in UTC."""
    now = datetime(2026, 11, 24, 23, 50, tzinfo=TOKYO)
    at_midnight = Slot(now + 20 * MINUTE, now + 80 * MINUTE)
    assert by_day([at_midnight], now, TOKYO)[DayGroup.TOMORROW] == [at_midnight]


@given(st.integers(0, 30), st.integers(1, 9))
def test_pages_in_a_row_are_the_slots_again(count: int, size: int) -> None:
    """Each page but the last is full, and none is empty."""
    offered = list(islice(slots(SlotPlan(30, 1), always_open(TOKYO), ALL_DAY, NOON), count))
    portions = pages(offered, size)
    assert [slot for page in portions for slot in page] == offered
    assert all(len(page) == size for page in portions[:-1])
    assert all(1 <= len(page) <= size for page in portions)


def test_a_page_holds_three_unless_told_otherwise() -> None:
    """That is what a caller can keep in mind; a page of none is refused."""
    offered = list(islice(slots(SlotPlan(30, 1), always_open(TOKYO), ALL_DAY, NOON), 7))
    assert [len(page) for page in pages(offered)] == [3, 3, 1]
    with pytest.raises(ValueError, match="at least one"):
        pages(offered, 0)


@pytest.mark.parametrize(
    ("plan", "named"),
    [((0, 1), "length_min"), ((15, 0), "capacity"), ((15, 1, -1), "lead_min"), ((15, 1, 0, 0), "horizon_days")],
)
def test_a_plan_that_makes_no_sense_is_refused(plan: tuple[int, ...], named: str) -> None:
    """The message names the number."""
    with pytest.raises(ValueError, match=named):
        SlotPlan(*plan)


def test_a_time_without_a_zone_is_refused() -> None:
    """It would be read on the clock of the machine."""
    with pytest.raises(ValueError, match="no time zone"):
        list(slots(SlotPlan(30, 1), always_open(TOKYO), ALL_DAY, NOON.replace(tzinfo=None)))
