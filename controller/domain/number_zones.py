"""Where a number's phone may stand: its country, and every time zone that its clock may show.

The zones come from the numbering library where it narrows a number down to a part of its country, and else from the
table of zones by country that the time zone data brings along (zone.tab).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import phonenumbers
from phonenumbers import timezone

_NOT_IN_TABLE = {"AC": "Atlantic/St_Helena", "TA": "Atlantic/St_Helena", "XK": "Europe/Belgrade"}
"""Places with numbers and without a code in ISO 3166: Ascension, Tristan da Cunha, Kosovo."""


class Place(NamedTuple):
    """A country (ISO 3166) and zones of it (IANA), in order; never none."""

    country: str
    zones: tuple[str, ...]


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {country: [zone] for country, zone in _NOT_IN_TABLE.items()}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: tuple(sorted(zones)) for country, zones in found.items()}


def zones_of(country: str) -> tuple[str, ...]:
    """Return every time zone of a country. Raises LookupError when it is none that has numbers and clocks."""
    return _table()[country]


@lru_cache(maxsize=16_384)
def place_of(number: str, home: str) -> Place | None:
    """Return where a number (E.164, or as dialled in the country `home`) may be; None when it is no valid number.

    All zones of its country, unless the library names some and all of them are the country's own. It does not where
    numbers are not geographic (mobiles, 050), where the country code is shared (+1, +7, +44), and in its mistakes:
    it gives Algeria's landlines the summer time of Paris, Nicaragua's that of Chicago. What it cannot know is that
    a number was taken along to another place.
    """
    try:
        parsed = phonenumbers.parse(number, home)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(parsed)
    whole = _table().get(country or "")
    if country is None or whole is None:  # "001": satellite and other numbers without a country
        return None
    named = set(timezone.time_zones_for_number(parsed))
    return Place(country, tuple(sorted(named)) if named and named <= set(whole) else whole)
