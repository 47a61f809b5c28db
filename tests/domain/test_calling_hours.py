"""When a number may be rung: the gate against the wall clocks of those who are called (invariants 14 and 16)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.calling_hours import CallingHours, LocalHours, NumberHours
from controller.domain.calling_rules import CallingRule
from controller.domain.gate import Gate
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan
from tests.domain.called_party import (
    DAILY,
    LORD_HOWE,
    PARIS,
    PHONES,
    TOKYO,
    UNITED_STATES,
    Phone,
    Spans,
    changes_of,
)

DAYTIME, NONE = (Span(time(9), time(20)),), ()
EVERY_DAY = (DAYTIME,) * 7
WORKDAYS = ((DAYTIME,) * 5) + (NONE, NONE)
ODD_DAYS = (NONE, DAYTIME, NONE, DAYTIME, NONE, DAYTIME, NONE)
ABROAD = NumberPlan(countries=frozenset({"JP", "US", "GB", "FR", "AU", "CA", "NZ"}))
GATE = Gate(
    ABROAD,
    CallingHours(),
    rules={
        "GB": CallingRule(EVERY_DAY, on_holidays=True, max_per_24h=3),
        "AU": CallingRule(EVERY_DAY, on_holidays=True, max_per_24h=3),
        "CA": CallingRule(WORKDAYS, on_holidays=True, max_per_24h=3),
        "NZ": CallingRule(ODD_DAYS, on_holidays=True, max_per_24h=3),
    },
)
ZONES = sorted({zone for phone in PHONES for zone in phone.zones.split()})
CHANGES = {zone: changes_of(zone) for zone in ZONES}
ALL_CHANGES = sorted({at for changes in CHANGES.values() for at in changes})
AWKWARD: tuple[Spans, ...] = (
    ((135, 165),),
    ((150, 1200),),
    ((75, 105),),
    ((0, 60), (90, 120), (180, 1440)),
    ((1380, 1440),),
)
"""Within an hour that is skipped or comes twice, across it, and up to midnight."""

anywhere = st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - the zone follows
near_changes = st.builds(
    lambda at, apart_s: at + timedelta(seconds=apart_s),
    st.sampled_from(ALL_CHANGES),
    st.integers(-36 * 3600, 36 * 3600),
)
instants = anywhere | near_changes
edges = st.builds(
    lambda at, hour, apart_us: (
        at.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(microseconds=apart_us)
    ),
    anywhere,
    st.integers(0, 23),
    st.sampled_from([-1, 0, 1]),
)
"""Full hours, and the microsecond before and after."""


@settings(deadline=None, max_examples=600)
@given(st.sampled_from(PHONES), instants | edges)
@example(PARIS, datetime(2026, 5, 14, 9, tzinfo=UTC))
@example(PARIS, datetime(2026, 5, 13, 11, tzinfo=UTC))
@example(UNITED_STATES[0], datetime(2026, 3, 8, 13, tzinfo=UTC))
@example(LORD_HOWE, datetime(2026, 10, 3, 15, 30, tzinfo=UTC))
def test_a_number_is_dialled_only_while_every_clock_of_the_called_says_so(phone: Phone, at: datetime) -> None:
    """Zone by instant by change of the clocks by holiday; and whenever they say so, it is."""
    answer = GATE.clear(phone.number, at)
    expected = isinstance(answer, DialableNumber)
    assert expected is phone.may_ring(at)
    assert expected or answer is Outcome.OUTSIDE_HOURS


@settings(deadline=None, max_examples=120)
@given(st.sampled_from(PHONES), instants)
def test_the_next_time_a_number_may_be_rung_is_the_first_that_its_clocks_show(phone: Phone, now: datetime) -> None:
    """Five minutes at a time, for as long as it takes: a weekend with holidays is the longest."""
    opening = GATE.hours_of(phone.number).next_opening(now)
    assert opening == phone.first(now, timedelta(days=12))
    assert opening.tzinfo is UTC
    assert phone.may_ring(opening)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("spans", AWKWARD, ids=str)
def test_at_each_change_of_the_clocks_until_2037_the_opening_is_where_the_clock_shows_it(
    zone: str, spans: Spans
) -> None:
    """A time that does not exist moves to the skip, or to the day after; one that repeats opens when it first comes."""
    week = (tuple(Span(_time(opens), _time(closes)) for opens, closes in spans),) * 7
    phone = Phone("", zone, (spans,) * 7)
    hours = NumberHours((LocalHours(OpeningHours(week, ZoneInfo(zone))),))
    for change in CHANGES[zone] or [datetime(2030, 1, 1, tzinfo=UTC)]:
        for ahead in (timedelta(hours=7), timedelta(minutes=50), timedelta(0), timedelta(minutes=-20)):
            now = change - ahead
            assert hours.next_opening(now) == phone.first(now, timedelta(days=3)), f"{zone} at {now}"


def _time(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@pytest.mark.parametrize(
    ("zone", "spans", "now", "opening"),
    [
        ("America/New_York", "02:30-03:30", "2026-03-08T06:00+00:00", "2026-03-08T07:00+00:00"),
        ("America/New_York", "02:15-02:45", "2026-03-08T06:00+00:00", "2026-03-09T06:15+00:00"),
        ("America/New_York", "01:30-01:45", "2026-11-01T04:00+00:00", "2026-11-01T05:30+00:00"),
        ("Europe/London", "01:30-02:30", "2026-03-29T00:00+00:00", "2026-03-29T01:00+00:00"),
        ("Europe/Paris", "02:30-04:00", "2026-03-29T00:00+00:00", "2026-03-29T01:00+00:00"),
        ("Australia/Lord_Howe", "02:10-02:20", "2026-10-03T15:00+00:00", "2026-10-04T15:10+00:00"),
        ("Asia/Tokyo", "02:30-03:30", "2026-03-08T06:00+00:00", "2026-03-08T17:30+00:00"),
    ],
)
def test_a_time_that_does_not_exist_moves_by_rule(zone: str, spans: str, now: str, opening: str) -> None:
    """By example: to the skip if the hours go on behind it, and else to the next day."""
    opens, closes = (time.fromisoformat(each) for each in spans.split("-"))
    hours = LocalHours(OpeningHours(((Span(opens, closes),),) * 7, ZoneInfo(zone)))
    assert hours.next_opening(datetime.fromisoformat(now)) == datetime.fromisoformat(opening)


def test_an_hour_that_comes_twice_counts_by_what_the_clock_shows_each_time() -> None:
    """From 1:15 to 1:45 in the night in which it is put back: open, closed, open, closed."""
    hours = LocalHours(OpeningHours(((Span(time(1, 15), time(1, 45)),),) * 7, ZoneInfo("America/New_York")))
    shown = [hours.allow(datetime(2026, 11, 1, 5, minute, tzinfo=UTC)) for minute in (0, 20, 50)]
    again = [hours.allow(datetime(2026, 11, 1, 6, minute, tzinfo=UTC)) for minute in (0, 20, 50)]
    assert shown == again == [False, True, False]
    between = datetime(2026, 11, 1, 5, 50, tzinfo=UTC)
    assert hours.next_opening(between) == datetime(2026, 11, 1, 6, 15, tzinfo=UTC)


def test_zones_too_far_apart_for_the_hours_have_no_opening() -> None:
    """Nine to noon in Tokyo and in New York is never at once; and a week without hours never comes."""
    apart = NumberHours(tuple(CallingHours(time(9), time(12), ZoneInfo(f)) for f in ("Asia/Tokyo", "America/New_York")))
    never = LocalHours(OpeningHours(((),) * 7, ZoneInfo("Asia/Tokyo")))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for hours in (apart, never):
        assert not hours.allow(now)
        with pytest.raises(ValueError, match="within 92 days"):
            hours.next_opening(now)


def test_hours_of_one_weekday_are_found_past_holidays() -> None:
    """Mondays alone, in Japan, in a January whose second Monday is a holiday."""
    mondays = OpeningHours((EVERY_DAY[0], *((),) * 6), ZoneInfo("Asia/Tokyo"), holiday_country="JP")
    opening = LocalHours(mondays).next_opening(datetime(2026, 1, 6, tzinfo=UTC))
    assert opening == datetime.fromisoformat("2026-01-19T09:00+09:00")


@settings(deadline=None)
@given(st.sampled_from(UNITED_STATES), instants)
def test_at_home_in_a_country_of_several_zones_the_house_hours_are_those_of_the_called(
    phone: Phone, at: datetime
) -> None:
    """The house is in New York, and does not ring California at six in the morning."""
    plan = NumberPlan(home="US", countries=frozenset({"US"}))
    gate = Gate(plan, CallingHours(time(9), time(20), ZoneInfo("America/New_York")))
    assert gate.hours_of(phone.number).allow(at) is phone.may_ring(at)


@settings(deadline=None)
@given(instants)
def test_a_rule_for_the_home_country_narrows_the_hours_of_the_house(at: datetime) -> None:
    """A lunch break, and the evening of the house; both have to be kept."""
    lunch = ((Span(time(8), time(12)), Span(time(13), time(22))),) * 7
    gate = Gate(NumberPlan(), CallingHours(), rules={"JP": CallingRule(lunch, on_holidays=True, max_per_24h=3)})
    hours = Phone(TOKYO.number, TOKYO.zones, (((540, 720), (780, 1200)),) * 7)
    assert gate.hours_of(TOKYO.number).allow(at) is hours.may_ring(at)


@settings(deadline=None)
@given(instants)
def test_a_house_around_the_clock_rings_at_home_at_any_time_and_abroad_in_the_hours_there(at: datetime) -> None:
    """As a test bench is set up; a rule for home that names no hours changes nothing."""
    home = CallingRule(None, on_holidays=True, max_per_24h=1000)
    gate = Gate(ABROAD, CallingHours(time(0), time(0)), rules={"JP": home})
    assert gate.hours_of(TOKYO.number).allow(at)
    assert gate.hours_of(PARIS.number).allow(at) is PARIS.may_ring(at)


@settings(deadline=None)
@given(instants)
def test_every_zone_of_the_country_counts_when_the_rule_says_so(at: datetime) -> None:
    """From nine in Honolulu until twenty in New York, whatever the area code."""
    rule = CallingRule(EVERY_DAY, on_holidays=True, max_per_24h=3, every_zone=True)
    gate = Gate(ABROAD, CallingHours(), rules={"US": rule})
    widest = Phone("", "America/New_York Pacific/Honolulu America/Adak", DAILY)
    assert gate.hours_of(UNITED_STATES[1].number).allow(at) is widest.may_ring(at)


@settings(deadline=None)
@given(instants)
def test_at_home_too_every_zone_counts_when_the_rule_says_so(at: datetime) -> None:
    """Also where the rule names no hours, and those are the house's."""
    rule = CallingRule(None, on_holidays=True, max_per_24h=3, every_zone=True)
    gate = Gate(NumberPlan(home="US", countries=frozenset({"US"})), CallingHours(), rules={"US": rule})
    widest = Phone("", "America/New_York Pacific/Honolulu America/Adak", DAILY)
    assert gate.hours_of(UNITED_STATES[1].number).allow(at) is widest.may_ring(at)
