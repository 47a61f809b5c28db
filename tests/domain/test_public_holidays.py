"""Public holidays against the official lists; and opening hours as values: what is refused, what stays the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from controller.domain.opening_hours import WHOLE_DAY, ClosedReason, OpeningHours, Span, always_open, public_holidays
from tests.domain.clock_walk import DAY, IN_JAPAN, JAPAN, Minutes, spans

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize("year", JAPAN)
def test_the_holidays_of_japan_are_those_of_the_cabinet_office(year: int) -> None:
    """With 振替休日 (6 May 2026 for the 3rd, a Sunday) and 国民の休日 (22 September 2026, between two holidays)."""
    assert public_holidays("JP", None, year) == {day for day in IN_JAPAN if day.year == year}


def test_a_holiday_of_one_part_of_a_country_closes_there_alone() -> None:
    """Fronleichnam, 4 June 2026, is a holiday in Bavaria and not in Berlin."""
    week, at = (spans(((540, 1080),)),) * 7, datetime(2026, 6, 4, 10, tzinfo=UTC)
    berlin = ZoneInfo("Europe/Berlin")
    assert OpeningHours(week, berlin, "DE", "BY").why_closed(at) is ClosedReason.HOLIDAY
    assert OpeningHours(week, berlin, "DE", "BE").is_open(at)


def test_a_day_in_lieu_may_lie_in_the_year_before_its_holiday() -> None:
    """New Year's Day of 2028 is a Saturday: in the United States the Friday before is free (5 U.S.C. 6103)."""
    assert date(2027, 12, 31) in public_holidays("US", None, 2027)
    assert date(2027, 12, 31) not in public_holidays("US", None, 2028)


def test_holidays_are_reckoned_once_a_year_and_can_be_forgotten() -> None:
    """Four hundred days of hours ask the library for two years, and one more when the country is checked."""
    public_holidays.cache_clear()
    hours = OpeningHours((spans(((540, 1080),)),) * 7, TOKYO, "JP")
    start = datetime(2026, 1, 5, tzinfo=UTC)
    assert len(list(hours.stretches(start, start + 400 * DAY))) > 370
    assert public_holidays.cache_info().misses == 3


@pytest.mark.parametrize(("opens", "closes"), [(9, 9), (12, 9), (1, 0.5)])
def test_a_span_that_closes_before_it_opens_is_refused(opens: float, closes: float) -> None:
    """Past midnight, two have to be written; the message says so."""
    with pytest.raises(ValueError, match="past midnight, write two"):
        Span(*(time(int(at), int(at % 1 * 60)) for at in (opens, closes)))


@pytest.mark.parametrize(
    "day",
    [((540, 720), (715, 1080)), ((780, 1080), (540, 720)), ((540, 1440), (1380, 1440)), ((0, 1440), (60, 120))],
)
def test_spans_of_a_day_that_overlap_or_are_out_of_order_are_refused(day: Minutes) -> None:
    """In the week, on holidays and in an exception; the message names the day."""
    week = ((),) * 7
    for where, changed in (
        ("Sunday", {"weekly": (*week[:6], spans(day))}),
        ("holidays", {"weekly": week, "on_holidays": spans(day)}),
        ("2026-12-31", {"weekly": week, "exceptions": {date(2026, 12, 31): spans(day)}}),
    ):
        with pytest.raises(ValueError, match=f"^{where}: .* overlap or are out of order"):
            OpeningHours(zone=TOKYO, **changed)


def test_hours_that_make_no_sense_are_refused_when_they_are_made() -> None:
    """A week of six days, a country that does not exist or has no such part, a span with a zone of its own."""
    with pytest.raises(ValueError, match="seven days"):
        OpeningHours(((),) * 6, TOKYO)
    with pytest.raises(ValueError, match="'XX'"):
        OpeningHours(((),) * 7, TOKYO, "XX")
    with pytest.raises(ValueError, match="'ZZ'"):
        OpeningHours(((),) * 7, TOKYO, "DE", "ZZ")
    with pytest.raises(ValueError, match="zone of its own"):
        Span(time(9, tzinfo=UTC), time(18))


def test_a_time_without_a_zone_is_refused() -> None:
    """It would be read on the clock of the machine."""
    naive = datetime(2026, 11, 24, 9)  # noqa: DTZ001 - that is what is refused
    hours = always_open(TOKYO)
    for ask in (hours.is_open, hours.closes_at, hours.next_opening, hours.why_closed):
        with pytest.raises(ValueError, match="no time zone"):
            ask(naive)


def test_hours_do_not_change_with_the_table_that_they_were_made_from() -> None:
    """They are a value: comparable, and fit to be a key."""
    table = {date(2026, 11, 24): ()}
    hours = OpeningHours(((WHOLE_DAY,),) * 7, TOKYO, exceptions=table)
    same = OpeningHours(((WHOLE_DAY,),) * 7, TOKYO, exceptions=dict(table))
    table.clear()
    assert not hours.is_open(datetime(2026, 11, 24, 9, tzinfo=TOKYO))
    assert hours == same
    assert len({hours, same}) == 1
