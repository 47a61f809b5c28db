"""Where a number's phone may stand, and the faults of the numbering library that are kept out."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType, timezone

from controller.domain.calling_hours import CallingHours, NumberHours
from controller.domain.calling_rules import DEFAULT_RULES, rule_of
from controller.domain.gate import Gate
from controller.domain.number_zones import Place, place_of, zones_of
from controller.domain.phone_number import CALLABLE_TYPES, NumberPlan

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
LAW_IN_US = (time(8), time(21))
ACROSS_A_BORDER = {
    "541": "America/Los_Angeles America/Boise",
    "850": "America/Chicago America/New_York",
    "812": "America/New_York America/Chicago",
    "270": "America/Chicago America/New_York",
    "906": "America/New_York America/Menominee",
    "423": "America/New_York America/Chicago",
    "605": "America/Chicago America/Denver",
    "701": "America/Chicago America/Denver",
    "308": "America/Chicago America/Denver",
    "785": "America/Chicago America/Denver",
    "915": "America/Denver",
    "928": "America/Phoenix America/Denver",
    "208": "America/Boise America/Los_Angeles",
}
"""Area codes with two clocks, from maps of the area codes; the library knows only some."""


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+819012345678", Place("JP", ("Asia/Tokyo",))),
        ("+815012345678", Place("JP", ("Asia/Tokyo",))),
        ("09012345678", Place("JP", ("Asia/Tokyo",))),
        ("+12123456789", Place("US", ("America/New_York",))),
        ("+19075551234", Place("US", ("America/Adak", "America/Anchorage"))),
        ("+34928123456", Place("ES", ("Atlantic/Canary",))),
        ("+34612345678", Place("ES", ("Atlantic/Canary", "Europe/Madrid"))),
        ("+447400123456", Place("GB", ("Europe/London",))),
        ("+18762101234", Place("JM", ("America/Jamaica",))),
        ("+881612345678", None),
        ("+870773111632", None),
        ("+883510012345678", None),
        ("garbage", None),
        ("", None),
    ],
)
def test_a_number_is_placed_by_example(number: str, place: Place | None) -> None:
    """In a part of its country where it can be; Jamaica is not all of North America; a satellite is nowhere."""
    assert place_of(number, "JP") == place


@pytest.mark.parametrize("number", ["+61412345678", "+79161234567", "+5215512345678"])
def test_a_number_without_an_area_may_be_anywhere_in_its_country(number: str) -> None:
    """In more zones than one, and in none of another country: the library offers Bucharest for Kaliningrad."""
    place = place_of(number, "JP")
    assert place is not None
    assert len(place.zones) > 1
    assert set(place.zones) <= set(zones_of(place.country))
    assert not set(place.zones) & {"Europe/Bucharest", "Asia/Almaty"}


def test_a_mobile_phone_of_russia_may_be_in_every_zone_of_russia() -> None:
    """From Kaliningrad to Kamchatka; an hour a day is left to ring it."""
    place = place_of("+79161234567", "JP")
    assert place is not None
    assert {"Europe/Kaliningrad", "Europe/Moscow", "Asia/Kamchatka", "Asia/Anadyr"} <= set(place.zones)


@pytest.mark.parametrize(
    ("country", "wrong"),
    [
        ("DZ", "Europe/Paris"),
        ("LY", "Europe/Bucharest"),
        ("MA", "Atlantic/Canary"),
        ("NI", "America/Chicago"),
        ("SS", "Africa/Nairobi"),
    ],
)
def test_a_zone_of_another_country_is_not_believed(country: str, wrong: str) -> None:
    """The library gives these landlines a neighbour's clock, which is an hour off for all or half of the year."""
    number = phonenumbers.example_number_for_type(country, PhoneNumberType.FIXED_LINE)
    assert number is not None
    assert timezone.time_zones_for_number(number) == (wrong,), "the library has been put right: take this one out"
    place = place_of(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), "JP")
    assert place == Place(country, zones_of(country))


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_number_that_could_be_dialled_has_zones_of_its_country(country: str) -> None:
    """And a time in each month at which it may be rung under the default rule: no promise waits for ever."""
    for kind in sorted(CALLABLE_TYPES):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is None:
            continue
        place = place_of(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), "JP")
        assert place is not None
        assert place.zones
        assert set(place.zones) <= set(zones_of(place.country))
    everywhere = NumberHours(rule_of(country).hours_in(country, zones_of(country)))
    for month in range(1, 13):
        now = datetime(2026, month, 4, tzinfo=UTC)
        assert everywhere.next_opening(now) <= now + timedelta(days=14)


@settings(deadline=None, max_examples=300)
@given(st.integers(200, 999), st.integers(2_000_000, 9_999_999))
def test_a_number_of_the_united_states_has_zones_of_the_united_states(area: int, rest: int) -> None:
    """Whatever area code: a new one that the library does not know may be anywhere."""
    place = place_of(f"+1{area}{rest}", "US")
    if place is not None and place.country == "US":
        assert set(place.zones) <= set(zones_of("US"))
        assert "Pacific/Guam" not in place.zones


@settings(deadline=None)
@given(
    st.sampled_from(sorted(ACROSS_A_BORDER)),
    st.integers(2_000_000, 9_999_999),
    st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001 - the zone follows
)
def test_where_the_library_is_an_hour_off_a_call_still_is_inside_the_law(area: str, rest: int, at: datetime) -> None:
    """Eight to twenty-one in both zones of an area code that has two; the default keeps an hour from each end."""
    gate = Gate(NumberPlan(countries=frozenset({"US"})), CallingHours())
    if gate.hours_of(f"+1{area}{rest}").allow(at):
        for zone in ACROSS_A_BORDER[area].split():
            opens, closes = LAW_IN_US
            assert opens <= at.astimezone(ZoneInfo(zone)).time() < closes


def test_every_country_with_a_rule_has_clocks() -> None:
    """Also the three without a code in the table of zones."""
    for country in (*DEFAULT_RULES, "AC", "TA", "XK"):
        assert zones_of(country)
    with pytest.raises(LookupError):
        zones_of("001")
