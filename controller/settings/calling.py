"""When and how often numbers are dialled: the settings' own rules for a country, caps, and what calls cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from phonenumbers import PhoneNumberType
from pydantic import Field, ValidationError, field_validator

from controller.domain import caps as domain
from controller.domain.calling_hours import CallingHours, NumberHours
from controller.domain.calling_rules import Basis, rule_of
from controller.domain.calling_rules import CallingRule as DomainRule
from controller.domain.number_zones import zones_of
from controller.settings.opening import WEEKDAYS, Spans, spans_of
from controller.settings.raw import Finding, home, table, tables
from controller.settings.values import Country, Prefix, Section, parse_hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MILLI = 1000
_WINTER, _SUMMER = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC)
"""Two days that stand for all: the clocks of two zones may lie differently to each other in them."""
_TYPES = {
    "fixed_line": PhoneNumberType.FIXED_LINE,
    "mobile": PhoneNumberType.MOBILE,
    "fixed_line_or_mobile": PhoneNumberType.FIXED_LINE_OR_MOBILE,
    "voip": PhoneNumberType.VOIP,
}

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Money = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
"""In units of whatever currency the site reckons in, the same everywhere."""
NumberType = Literal["fixed_line", "mobile", "fixed_line_or_mobile", "voip"]


class CallingRule(Section):
    """What the site says of one country; what it leaves out stays as `controller.domain.calling_rules` has it."""

    country: Country
    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()
    """Once one day is named, a day that is not named has no calls. On the clock of the one who is called."""
    call_on_holidays: bool | None = None
    max_attempts_per_24h: Count | None = None
    max_attempts_per_30_days: Count | None = None
    every_zone: bool = False
    """Keep to the hours in every zone of the country, whatever a number's area code says."""
    number_types: Annotated[tuple[NumberType, ...], Field(min_length=1)] | None = None
    """In the United States and Canada every ordinary number is `fixed_line_or_mobile`."""

    @field_validator(*WEEKDAYS)
    @classmethod
    def _do_not_overlap(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for before, after in pairwise(spans_of(texts)):
            if before.closes <= before.opens or before.closes > after.opens:
                raise ValueError(f'"{before}" and "{after}" overlap')
        return texts

    @property
    def names_days(self) -> bool:
        """Whether it says anything of hours."""
        return any(getattr(self, day) for day in WEEKDAYS)

    def rule(self, home_country: str) -> DomainRule:
        """Return the rule as the domain counts it. That of the home country has hours only if they stand here."""
        default = rule_of(self.country)
        weekly = default.weekly
        if self.names_days:
            weekly = tuple(spans_of(getattr(self, day)) for day in WEEKDAYS)
        elif self.country == home_country:
            weekly = None
        return replace(
            default,
            weekly=weekly,
            on_holidays=default.on_holidays if self.call_on_holidays is None else self.call_on_holidays,
            max_per_24h=self.max_attempts_per_24h or default.max_per_24h,
            max_per_30_days=self.max_attempts_per_30_days or default.max_per_30_days,
            every_zone=self.every_zone,
            basis=Basis.SETTINGS,
            source="",
        )


class Caps(Section):
    """What all calls together stay below in any 24 hours. A country's own cap on one number holds besides."""

    per_number: Count | None = None
    per_prefix: dict[Prefix, Count] = Field(default_factory=dict)
    max_cost: Money | None = None
    reserve_s: Annotated[float, Field(ge=0, le=24 * 3600, allow_inf_nan=False)] = domain.NO_CAPS.reserve_s
    """A call that has not ended is reckoned as one of so many seconds."""

    @property
    def caps(self) -> domain.Caps:
        """The caps as the domain counts them, of every prefix."""
        return domain.Caps(
            per_number=self.per_number,
            per_prefix=dict(self.per_prefix),
            max_cost_milli=None if self.max_cost is None else round(self.max_cost * _MILLI),
            reserve_s=self.reserve_s,
        )


class Tariff(Section):
    """What calls to a prefix cost; of several that fit the longest counts."""

    prefix: Prefix
    per_call: Money = 0
    per_minute: Money = 0
    """A begun minute counts whole."""

    @property
    def tariff(self) -> domain.Tariff:
        """The tariff as the domain counts it."""
        return domain.Tariff(round(self.per_call * _MILLI), round(self.per_minute * _MILLI))


class Calling(Section):
    """What [dialer] has of all this."""

    calling_rules: tuple[CallingRule, ...] = ()
    caps: Caps = Caps()
    tariffs: tuple[Tariff, ...] = ()

    @property
    def tariffs_by_prefix(self) -> dict[str, domain.Tariff]:
        """The tariffs, by E.164 prefix."""
        return {one.prefix: one.tariff for one in self.tariffs}

    @property
    def types_by_country(self) -> dict[str, frozenset[int]]:
        """The types of number that may be dialled, for each country that has its own list."""
        rules = (rule for rule in self.calling_rules if rule.number_types)
        return {rule.country: frozenset(_TYPES[name] for name in rule.number_types or ()) for rule in rules}

    def rules_by_country(self, home_country: str) -> dict[str, DomainRule]:
        """Return the site's own rules."""
        return {rule.country: rule.rule(home_country) for rule in self.calling_rules}


def calling_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each rule, cap or tariff of the file that is at odds with the rest of it."""
    dialer = table(raw, "dialer")
    yield from _repeated(dialer, "calling_rules", "country")
    yield from _repeated(dialer, "tariffs", "prefix")
    if "tariffs" not in dialer and "max_cost" in table(dialer, "caps"):
        yield ("dialer", "caps", "max_cost"), "needs [[dialer.tariffs]]: a call that costs nothing never reaches it"
    home_country = home(raw)
    yield from _house_hours(dialer, home_country)
    countries = dialer.get("countries", ["JP"])
    for index, block in tables(dialer, "calling_rules"):
        country = block.get("country")
        if isinstance(countries, list) and isinstance(country, str) and country not in countries:
            message = f'no number of "{country}" is dialled: it is not in countries'
            yield ("dialer", "calling_rules", index, "country"), message
        elif _never_holds(block, home_country):
            message = f"these hours never hold in all time zones of {country} at once: some are never rung"
            yield ("dialer", "calling_rules", index), message


def _repeated(dialer: Mapping[str, Any], blocks: str, key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, block in tables(dialer, blocks):
        value = block.get(key)
        if isinstance(value, str) and value in seen:
            yield ("dialer", blocks, index, key), f'"{value}" stands there twice: one block for each {key}'
        elif isinstance(value, str):
            seen.add(value)


def _house_hours(dialer: Mapping[str, Any], country: str) -> Iterator[Finding]:
    written = dialer.get("calling_hours")
    zones = zones_of(country)
    if not isinstance(written, str) or len(zones) == 1:
        return
    try:
        opens, closes = parse_hours(written)
    except ValueError:
        return  # told by the model
    hours = NumberHours(tuple(CallingHours(opens, closes, ZoneInfo(zone)) for zone in zones))
    if not _opens(hours):
        yield ("dialer", "calling_hours"), f"never hold in all time zones of {country} at once"


def _never_holds(block: Mapping[str, Any], home_country: str) -> bool:
    try:
        given = {key: tuple(value) if isinstance(value, list) else value for key, value in block.items()}
        rule = CallingRule.model_validate(given)
    except ValidationError:
        return False  # told by the model
    clocks = rule.rule(home_country).hours_in(rule.country, zones_of(rule.country))
    return bool(clocks) and not _opens(NumberHours(clocks))


def _opens(hours: NumberHours) -> bool:
    try:
        hours.next_opening(_WINTER)
        hours.next_opening(_SUMMER)
    except ValueError:
        return False
    return True
