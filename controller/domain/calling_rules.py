"""The rule of each country: when its people are rung, and how often at most. docs/calling-hours.md is made from it.

These are defaults of this software and not legal advice. Each says how well it is known (`Basis`); an hour that a law
allows at the very edge is left out, as the zone of a number can be wrong by one. A callback that was asked for is
mostly outside the rules on solicitation, and the hours apply all the same. There is no exception either for a time
that the customer chose: a window outside the hours waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.calling_hours import LocalHours
from controller.domain.number_zones import zones_of
from controller.domain.opening_hours import OpeningHours, Span, countries_with_holidays

if TYPE_CHECKING:
    from collections.abc import Mapping

Week = tuple[tuple[Span, ...], ...]
"""The spans of each weekday, Monday first."""
EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905 - legible
)
_THREE_A_DAY = 3


class Basis(StrEnum):
    """How well a rule is known."""

    READ = "read"
    """In the text of the law or of the authority."""
    SECONDARY = "secondary"
    """As others report it."""
    UNVERIFIED = "unverified"
    """Careful guesswork."""
    SETTINGS = "settings"
    """The settings say so."""


@dataclass(frozen=True, slots=True)
class CallingRule:
    """When numbers of one country may be rung, and how often."""

    weekly: Week | None
    """On the clock of each zone that the number may be in. None (the home country): as the house, with no own hours."""
    on_holidays: bool
    """Whether people are rung on public holidays of the whole country; those of its parts are not known."""
    max_per_24h: int
    """Calls to one number in any 24 hours."""
    max_per_30_days: int | None = None
    every_zone: bool = False
    """Whether the area code counts for nothing: a number may be anywhere in its country."""
    basis: Basis = Basis.SETTINGS
    source: str = ""
    """Where the rule is from, and what of it is not."""

    def hours_in(self, country: str, zones: tuple[str, ...]) -> tuple[LocalHours, ...]:
        """Return the hours in each of these zones of the country. Raises LookupError for an unknown country."""
        if self.weekly is None:
            return ()
        observed = None if self.on_holidays or country not in _with_holidays() else country
        return tuple(
            LocalHours(OpeningHours(self.weekly, ZoneInfo(zone), holiday_country=observed))
            for zone in (zones_of(country) if self.every_zone else zones)
        )


def _with_holidays() -> frozenset[str]:
    """Return the countries whose public holidays the library knows; in all others no day is one."""
    return frozenset(countries_with_holidays())


def _spans(text: str) -> tuple[Span, ...]:
    """Return the spans of `10-13 14-20`, in whole hours."""
    ends = (span.split("-") for span in text.split())
    return tuple(Span(time(int(opens)), time(int(closes))) for opens, closes in ends)


def _week(workdays: str, saturday: str = "", sunday: str = "") -> Week:
    return ((_spans(workdays),) * 5) + (_spans(saturday), _spans(sunday))


_DAYTIME = "9-20"
DEFAULT_RULES: Mapping[str, CallingRule] = {
    "JP": CallingRule(
        _week(_DAYTIME, _DAYTIME, _DAYTIME),
        on_holidays=True,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.SECONDARY,
        source="特定商取引法 sets no hours; its guidance names 21:00 to 8:00 as an example of a nuisance. "
        "The number of calls is ours.",
    ),
    "US": CallingRule(
        _week(_DAYTIME, _DAYTIME, _DAYTIME),
        on_holidays=True,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.SECONDARY,
        source="16 CFR 310.4 and 47 CFR 64.1200: 8:00 to 21:00 where the called person is. Stricter states are "
        "unverified; the number of calls is ours.",
    ),
    "GB": CallingRule(
        _week(_DAYTIME, "9-17"),
        on_holidays=False,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.SECONDARY,
        source="No hours were found in the law; these, and the number of calls, are ours.",
    ),
    "FR": CallingRule(
        _week("10-13 14-20"),
        on_holidays=False,
        max_per_24h=_THREE_A_DAY,
        max_per_30_days=4,
        basis=Basis.READ,
        source="Code de la consommation, D.223-9: the hours, no public holidays, four calls in 30 days.",
    ),
    "DE": CallingRule(
        _week("8-20", "8-20"),
        on_holidays=False,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.READ,
        source="Usually harassing: before 8:00 or after 20:00, on Sundays and public holidays, more than three a day.",
    ),
    "ES": CallingRule(
        _week("9-21"),
        on_holidays=False,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.SECONDARY,
        source="Not before 9:00 or after 21:00, at weekends or on holidays. The number of calls is ours.",
    ),
    "IT": CallingRule(
        _week(_DAYTIME),
        on_holidays=False,
        max_per_24h=_THREE_A_DAY,
        basis=Basis.UNVERIFIED,
        source="Not looked up.",
    ),
}
"""Countries with a rule of their own."""
OTHER_EU = CallingRule(
    _week(_DAYTIME), on_holidays=False, max_per_24h=_THREE_A_DAY, basis=Basis.UNVERIFIED, source="Not looked up."
)
ANYWHERE_ELSE = CallingRule(
    _week(_DAYTIME), on_holidays=False, max_per_24h=_THREE_A_DAY, basis=Basis.UNVERIFIED, source="Not looked up."
)


def rule_of(country: str) -> CallingRule:
    """Return the default rule of a country (ISO 3166)."""
    return DEFAULT_RULES.get(country) or (OTHER_EU if country in EU else ANYWHERE_ELSE)
