"""The rule of each country, its caps, and the page that tells them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.calling_hours import CallingHours
from controller.domain.calling_rules import ANYWHERE_ELSE, DEFAULT_RULES, EU, OTHER_EU, Basis, CallingRule, rule_of
from controller.domain.caps import Caps, Tariff
from controller.domain.gate import Gate
from controller.domain.phone_number import NumberPlan
from docs import calling_hours

PAGE = Path(__file__).resolve().parents[2] / "docs" / "calling-hours.md"
GATE = Gate(NumberPlan(), CallingHours())
NUMBERS = {
    "US": "+12123456789",
    "GB": "+442079460958",
    "FR": "+33612345678",
    "DE": "+4915112345678",
    "ES": "+34912345678",
    "IT": "+393123456789",
    "PL": "+48512345678",
    "TW": "+886912345678",
}


@pytest.mark.parametrize(
    ("country", "local", "may_ring"),
    [
        ("US", "2026-11-22T08:59-05:00", False),
        ("US", "2026-11-22T09:00-05:00", True),
        ("US", "2026-11-26T19:59-05:00", True),
        ("US", "2026-11-26T20:00-05:00", False),
        ("GB", "2026-11-21T16:59+00:00", True),
        ("GB", "2026-11-21T17:00+00:00", False),
        ("GB", "2026-11-22T12:00+00:00", False),
        ("GB", "2026-12-25T12:00+00:00", False),
        ("FR", "2026-11-23T09:59+01:00", False),
        ("FR", "2026-11-23T12:59+01:00", True),
        ("FR", "2026-11-23T13:00+01:00", False),
        ("FR", "2026-11-23T14:00+01:00", True),
        ("FR", "2026-11-21T11:00+01:00", False),
        ("FR", "2026-07-14T11:00+02:00", False),
        ("DE", "2026-11-21T08:00+01:00", True),
        ("DE", "2026-11-23T20:00+01:00", False),
        ("DE", "2026-11-22T12:00+01:00", False),
        ("DE", "2026-10-03T12:00+02:00", False),
        ("ES", "2026-11-23T20:59+01:00", True),
        ("ES", "2026-11-23T21:00+01:00", False),
        ("ES", "2026-11-21T12:00+01:00", False),
        ("ES", "2026-10-12T12:00+02:00", False),
        ("IT", "2026-11-23T12:00+01:00", True),
        ("IT", "2026-12-08T12:00+01:00", False),
        ("PL", "2026-11-21T12:00+01:00", False),
        ("PL", "2026-11-11T12:00+01:00", False),
        ("TW", "2026-11-23T09:00+08:00", True),
        ("TW", "2026-11-22T12:00+08:00", False),
    ],
)
def test_each_country_is_rung_in_its_hours(country: str, local: str, may_ring: bool) -> None:
    """The first and last minute, weekends, and a public holiday; the clock is that of the called."""
    assert GATE.hours_of(NUMBERS[country]).allow(datetime.fromisoformat(local)) is may_ring


@settings(deadline=None)
@given(st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 1)).map(lambda at: at.replace(tzinfo=UTC)))  # noqa: DTZ001 - the zone follows
def test_japan_is_never_rung_between_twenty_one_and_eight(at: datetime) -> None:
    """The rule that holds where Japan is abroad."""
    gate = Gate(NumberPlan(home="US", countries=frozenset({"US", "JP"})), CallingHours())
    if gate.hours_of("+819012345678").allow(at):
        assert 8 <= (at + timedelta(hours=9)).hour < 21


def test_a_country_without_a_rule_has_that_of_its_union_or_of_the_world() -> None:
    """Nine to twenty on workdays; the Union has 27 members, and the United Kingdom is none."""
    assert len(EU) == 27
    assert rule_of("GR") is OTHER_EU
    assert rule_of("BR") is ANYWHERE_ELSE
    assert rule_of("FR") is DEFAULT_RULES["FR"]
    assert {"FR", "DE", "ES", "IT"} <= EU
    assert "GB" not in EU


def test_every_default_rule_says_what_it_stands_on() -> None:
    """A basis of its own and a source; only the settings may speak for the settings."""
    for rule in (*DEFAULT_RULES.values(), OTHER_EU, ANYWHERE_ELSE):
        assert rule.basis is not Basis.SETTINGS
        assert rule.source
        assert rule.weekly


def test_the_page_tells_what_the_code_does() -> None:
    """Renew it: python -m docs.calling_hours > docs/calling-hours.md."""
    assert PAGE.read_text("utf-8") == calling_hours.page()


@pytest.mark.parametrize(
    ("number", "a_day", "in_30_days"),
    [
        ("+819012345678", 3, None),
        ("+4915112345678", 3, None),
        ("+33612345678", 3, 4),
        ("garbage", 3, None),
    ],
)
def test_a_number_has_the_caps_of_its_country(number: str, a_day: int, in_30_days: int | None) -> None:
    """At home too; France counts by the month besides; what is no number is capped as one at home."""
    assert GATE.caps_for(number) == Caps(per_number=a_day, per_number_30_days=in_30_days)


@pytest.mark.parametrize(("own", "rule", "expected"), [(2, None, 2), (9, None, 3), (9, 20, 9), (None, 20, 20)])
def test_of_the_caps_on_one_number_the_smaller_holds(own: int | None, rule: int | None, expected: int) -> None:
    """That for all numbers, and that of the country; a site that wants more says so for the country."""
    rules = {} if rule is None else {"JP": CallingRule(None, on_holidays=True, max_per_24h=rule)}
    gate = Gate(NumberPlan(), CallingHours(), caps=Caps(per_number=own), rules=rules)
    assert gate.caps_for("+819012345678").per_number == expected


def test_caps_of_prefixes_and_tariffs_are_those_that_fit_the_number() -> None:
    """Every prefix that it begins with is capped; of the tariffs the longest counts; money and reserve go through."""
    gate = Gate(
        NumberPlan(),
        CallingHours(),
        caps=Caps(per_prefix={"+8150": 100, "+81": 500, "+8190": 7}, max_cost_milli=9_000_000, reserve_s=60),
        tariffs={"+81": Tariff(0, 8_000), "+8150": Tariff(10_000, 10_800), "+1": Tariff(1, 1)},
    )
    assert gate.caps_for("+815012345678") == Caps(
        per_number=3,
        per_prefix={"+8150": 100, "+81": 500},
        max_cost_milli=9_000_000,
        tariff=Tariff(10_000, 10_800),
        reserve_s=60,
    )
    assert gate.caps_for("+81312345678").tariff == Tariff(0, 8_000)
    assert gate.caps_for("+33612345678").tariff == Tariff()


def test_hours_are_made_once_for_all_numbers_of_a_place() -> None:
    """A line of many promises asks at each change; and what is no number has the hours of the house."""
    assert GATE.hours_of("+819012345678") is GATE.hours_of("+81312345678")
    assert GATE.hours_of("+33612345678") is not GATE.hours_of("+81312345678")
    assert GATE.hours_of("garbage").clocks == (GATE.hours,)
    assert (
        len({GATE.hours_of(number) for number in (*NUMBERS.values(), "+819012345678", "garbage")}) == len(NUMBERS) + 1
    )
