"""The site's own calling rules, caps and tariffs: what they become, and how mistakes are told."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from phonenumbers import PhoneNumberType
from pydantic import ValidationError

from controller.domain import caps as domain
from controller.domain.calling_rules import DEFAULT_RULES, Basis
from controller.domain.gate import CallingHours, Gate
from controller.domain.opening_hours import Span
from controller.domain.phone_number import NumberPlan
from controller.settings import SettingsError, load_settings
from controller.settings.calling import Calling, calling_mistakes
from controller.settings.mistakes import told

WHOLE = """\
[dialer]
trunk = "carrier"
caller_id = "0312345678"
countries = ["JP", "US"]

[[queues]]
name = "support"
title_ja = "サポート窓口"
title_en = "Support"
dialled_numbers = ["0312345678"]

[[agents]]
name = "agent-1"
endpoint = "agent-1"
queues = ["support"]

"""
"""A settings file, to which the rest is added."""
DIALER = """\
[dialer]
countries = ["JP", "US", "FR"]
"""
RULES = """\
[[dialer.calling_rules]]
country = "US"
mon = ["13:00-17:00", "09:00-12:00"]
sat = ["09:00-24:00"]
call_on_holidays = false
max_attempts_per_24h = 2
max_attempts_per_30_days = 9
every_zone = true
number_types = ["fixed_line_or_mobile", "mobile"]

[[dialer.calling_rules]]
country = "JP"
max_attempts_per_24h = 50
"""
CAPS = """\
[dialer.caps]
per_number = 4
per_prefix = { "+8150" = 100 }
max_cost = 12345.5
reserve_s = 60

[[dialer.tariffs]]
prefix = "+8190"
per_call = 1
per_minute = 16.5
"""


def with_tuples(raw: Any) -> Any:
    """Return the values as the loader hands them to the model."""
    if isinstance(raw, dict):
        return {key: with_tuples(value) for key, value in raw.items()}
    return tuple(with_tuples(value) for value in raw) if isinstance(raw, list) else raw


def calling(text: str) -> Calling:
    """Return what `text` says of calling; it has no other settings."""
    dialer = tomllib.loads(text)["dialer"]
    return Calling.model_validate(with_tuples({key: value for key, value in dialer.items() if key != "countries"}))


def told_by_model(text: str) -> list[str]:
    """Return each mistake that the model finds in `text`: its place and its words."""
    with pytest.raises(ValidationError) as caught:
        calling(text)
    errors = [one for one in caught.value.errors(include_url=False) if one["type"] != "too_short" or not one["input"]]
    return [f"{'.'.join(map(str, one['loc']))}: {told(one, ())}" for one in errors]


def told_by_cross_check(text: str) -> list[str]:
    """Return each mistake that lies between settings: its place and its words."""
    return [f"{'.'.join(map(str, place))}: {message}" for place, message in calling_mistakes(tomllib.loads(text))]


def test_a_rule_replaces_what_it_names_and_leaves_the_rest() -> None:
    """Once a day is named, one that is not is closed; spans may stand in any order."""
    rules = calling(DIALER + RULES).rules_by_country("JP")
    american = rules["US"]
    closed: tuple[Span, ...] = ()
    monday = (Span(time(9), time(12)), Span(time(13), time(17)))
    assert american.weekly == (monday, closed, closed, closed, closed, (Span(time(9), time(0)),), closed)
    assert (american.on_holidays, american.every_zone) == (False, True)
    assert (american.max_per_24h, american.max_per_30_days) == (2, 9)
    assert american.basis is Basis.SETTINGS


def test_a_rule_without_hours_keeps_those_of_the_country_abroad_and_of_the_house_at_home() -> None:
    """A site that only wants more calls does not get other hours with them."""
    text = DIALER + '[[dialer.calling_rules]]\ncountry = "FR"\nmax_attempts_per_24h = 1\n'
    abroad, at_home = calling(text).rules_by_country("JP")["FR"], calling(text).rules_by_country("FR")["FR"]
    assert abroad.weekly == DEFAULT_RULES["FR"].weekly
    assert abroad.max_per_30_days == 4
    assert at_home.weekly is None


def test_without_any_of_it_nothing_is_set() -> None:
    """The defaults of the countries hold, and no cap besides."""
    nothing = Calling()
    assert nothing.rules_by_country("JP") == {}
    assert nothing.types_by_country == {}
    assert nothing.tariffs_by_prefix == {}
    assert nothing.caps.caps == domain.NO_CAPS


def test_money_becomes_thousandths_and_prefixes_stay_text() -> None:
    """In whatever currency; a whole number does as well."""
    settings = calling(DIALER + CAPS)
    assert settings.caps.caps == domain.Caps(
        per_number=4, per_prefix={"+8150": 100}, max_cost_milli=12_345_500, reserve_s=60
    )
    assert settings.tariffs_by_prefix == {"+8190": domain.Tariff(per_call_milli=1000, per_minute_milli=16_500)}


def test_the_types_of_a_country_are_those_of_the_library() -> None:
    """Countries that name none are not in it."""
    found = calling(DIALER + RULES).types_by_country
    assert found == {"US": {PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.MOBILE}}


def test_the_gate_takes_all_of_it() -> None:
    """From the file to the answer: America on a Monday, Japan fifty times a day at any hour."""
    settings = calling(DIALER + RULES.replace("every_zone = true", "") + CAPS)
    gate = Gate(
        plan=NumberPlan(countries=frozenset({"JP", "US", "FR"}), types=settings.types_by_country),
        hours=CallingHours(time(0), time(0), ZoneInfo("Asia/Tokyo")),
        rules=settings.rules_by_country("JP"),
        caps=settings.caps.caps,
        tariffs=settings.tariffs_by_prefix,
    )
    assert gate.hours_of("+819012345678").allow(datetime.fromisoformat("2026-11-22T03:00+09:00"))
    assert gate.hours_of("+12123456789").allow(datetime.fromisoformat("2026-11-23T15:00-05:00"))
    assert not gate.hours_of("+12123456789").allow(datetime.fromisoformat("2026-11-23T12:30-05:00"))
    assert not gate.hours_of("+12123456789").allow(datetime.fromisoformat("2026-11-24T15:00-05:00"))
    assert gate.caps_for("+819012345678") == domain.Caps(
        per_number=4, max_cost_milli=12_345_500, tariff=domain.Tariff(1000, 16_500), reserve_s=60
    )
    assert gate.caps_for("+12123456789").per_number_30_days == 9


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[[dialer.calling_rules]]\ncountry = "USA"', "calling_rules.0.country: must be the two capital letters"),
        ('[[dialer.calling_rules]]\ncountry = "001"', "calling_rules.0.country: must be the two capital letters"),
        ("[[dialer.calling_rules]]\nmax_attempts_per_24h = 3", "calling_rules.0.country: "),
        ('[[dialer.calling_rules]]\ncountry = "US"\nmon = ["9-17"]', "calling_rules.0.mon.0: must be two times of day"),
        (
            '[[dialer.calling_rules]]\ncountry = "US"\nmon = ["22:00-06:00"]',
            "calling_rules.0.mon.0: closes before it opens",
        ),
        (
            '[[dialer.calling_rules]]\ncountry = "US"\nmon = ["12:00-17:00", "09:00-13:00"]',
            'calling_rules.0.mon: "09:00-13:00" and "12:00-17:00" overlap',
        ),
        (
            '[[dialer.calling_rules]]\ncountry = "US"\nmon = ["09:00-24:00", "12:00-13:00"]',
            'calling_rules.0.mon: "09:00-24:00" and "12:00-13:00" overlap',
        ),
        ('[[dialer.calling_rules]]\ncountry = "US"\nmonday = []', "calling_rules.0.monday: is not a setting"),
        ('[[dialer.calling_rules]]\ncountry = "US"\ncall_on_holidays = "no"', "calling_rules.0.call_on_holidays: must"),
        ('[[dialer.calling_rules]]\ncountry = "US"\nmax_attempts_per_24h = 0', "calling_rules.0.max_attempts_per_24h:"),
        ('[[dialer.calling_rules]]\ncountry = "US"\nnumber_types = []', "calling_rules.0.number_types: must"),
        ('[[dialer.calling_rules]]\ncountry = "US"\nnumber_types = ["cell"]', "calling_rules.0.number_types.0: must"),
        ("[dialer.caps]\nper_number = 0", "caps.per_number: must"),
        ("[dialer.caps]\nper_number = 2.5", "caps.per_number: must"),
        ('[dialer.caps]\nper_prefix = { "050" = 3 }', "caps.per_prefix.050.[key]: must be the beginning of an"),
        ('[dialer.caps]\nper_prefix = { "+8150" = "3" }', "caps.per_prefix.+8150: must"),
        ("[dialer.caps]\nmax_cost = -1", "caps.max_cost: must"),
        ("[dialer.caps]\nmax_cost = nan", "caps.max_cost: must"),
        ("[dialer.caps]\nreserve_s = inf", "caps.reserve_s: must"),
        ('[[dialer.tariffs]]\nprefix = "81"', "tariffs.0.prefix: must be the beginning of an international number"),
        ('[[dialer.tariffs]]\nprefix = "+81"\nper_minute = "8"', "tariffs.0.per_minute: must"),
        ("[[dialer.tariffs]]\nper_minute = 8", "tariffs.0.prefix: "),
    ],
)
def test_a_mistake_is_told_where_it_stands(text: str, mistake: str) -> None:
    """In words for a person: what would be right, not what the program did with it."""
    (found,) = told_by_model(text)
    assert found.startswith(mistake)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            DIALER + '[[dialer.calling_rules]]\ncountry = "DE"\n',
            'dialer.calling_rules.0.country: no number of "DE" is dialled: it is not in countries',
        ),
        (
            '[dialer]\n[[dialer.calling_rules]]\ncountry = "DE"\n',
            'dialer.calling_rules.0.country: no number of "DE" is dialled: it is not in countries',
        ),
        (
            DIALER + '[[dialer.calling_rules]]\ncountry = "FR"\n[[dialer.calling_rules]]\ncountry = "FR"\n',
            'dialer.calling_rules.1.country: "FR" stands there twice: one block for each country',
        ),
        (
            DIALER + '[[dialer.tariffs]]\nprefix = "+81"\n[[dialer.tariffs]]\nprefix = "+81"\n',
            'dialer.tariffs.1.prefix: "+81" stands there twice: one block for each prefix',
        ),
        (
            DIALER + "[dialer.caps]\nmax_cost = 10\n",
            "dialer.caps.max_cost: needs [[dialer.tariffs]]: a call that costs nothing never reaches it",
        ),
        (
            DIALER + '[[dialer.calling_rules]]\ncountry = "US"\nmon = ["09:00-12:00"]\n',
            "dialer.calling_rules.0: these hours never hold in all time zones of US at once: some are never rung",
        ),
        (
            '[dialer]\nhome_country = "US"\ncalling_hours = "09:00-11:00"\n',
            "dialer.calling_hours: never hold in all time zones of US at once",
        ),
    ],
)
def test_what_is_at_odds_with_the_rest_is_told(text: str, mistake: str) -> None:
    """Above all hours that nobody could ever be rung in: a promise would wait for them until it is broken."""
    assert told_by_cross_check(text) == [mistake]


@pytest.mark.parametrize(
    "text",
    [
        DIALER + RULES.replace("JP", "FR") + CAPS,
        '[dialer]\nhome_country = "US"\ncalling_hours = "09:00-20:00"\n',
        '[dialer]\ncalling_hours = "09:00-10:00"\n',
        '[dialer]\nhome_country = "US"\ncalling_hours = "nine"\n',
        '[dialer]\ncalling_rules = "none"\ncaps = 1\ntariffs = {}\n',
        DIALER + "[[dialer.calling_rules]]\ncountry = 1\nmon = 2\n[[dialer.tariffs]]\nprefix = 3\n",
        DIALER + '[[dialer.calling_rules]]\ncountry = "US"\nmon = ["25:00-26:00"]\n',
        "",
    ],
)
def test_what_is_in_order_or_told_by_the_model_is_passed_over(text: str) -> None:
    """The wrong shape is the model's to tell, once."""
    assert told_by_cross_check(text) == []


def test_a_whole_file_is_read_with_all_of_it(tmp_path: Path) -> None:
    """What the admin writes is what the gate answers."""
    path = tmp_path / "controller.toml"
    path.write_text(WHOLE + RULES + CAPS, encoding="utf-8")
    gate = load_settings(path, {}, needs_secrets=False).gate
    assert gate.caps_for("+819012345678").tariff == domain.Tariff(1000, 16_500)
    assert gate.plan.types == {"US": {PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.MOBILE}}
    assert gate.rules["JP"].weekly is None
    assert gate.caps.per_prefix == {"+8150": 100}


def test_mistakes_in_a_whole_file_are_told_with_their_lines(tmp_path: Path) -> None:
    """Those of the model and those that lie between settings, together."""
    path = tmp_path / "controller.toml"
    rules = RULES.replace('"JP"', '"DE"').replace("max_attempts_per_24h = 2", "max_atempts = 2")
    path.write_text(WHOLE + rules, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {}, needs_secrets=False)
    assert [line.removeprefix(str(path)) for line in caught.value.lines()] == [
        ':22: dialer.calling_rules[1].max_atempts: is not a setting; did you mean "max_attempts_per_24h"?',
        ':28: dialer.calling_rules[2].country: no number of "DE" is dialled: it is not in countries',
    ]


def test_the_examples_of_the_page_can_be_copied() -> None:
    """Every block of docs/calling-hours.md is settings."""
    page = (Path(__file__).parents[2] / "docs" / "calling-hours.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert calling("\n".join(blocks)).caps.caps.per_prefix == {"+8150": 100}
    assert len(blocks) == 2
