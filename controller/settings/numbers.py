"""Mistakes in phone numbers: one that leads to two places, one outside that is no number or is our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import phonenumbers
from phonenumbers import PhoneNumberType

from controller.domain.menu import CallOut
from controller.settings.raw import Finding, home, routes, table, tables, texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

_SHORT = range(3, 7)
"""Lengths of numbers that are dialled without an area code: 117, or an extension of another office."""


def number_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in the numbers of the file."""
    yield from _shared(raw)
    yield from _external(raw)


def _own_numbers(raw: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Yield (place, number, owner) for each number that leads here."""
    for key, one in (("queues", "queue"), ("entrances", "entrance")):
        for index, block in tables(raw, key):
            for place, text in texts(block, "dialled_numbers"):
                yield (key, index, "dialled_numbers", place), text, f'{one} "{block.get("name", index + 1)}"'


def _shared(raw: Mapping[str, Any]) -> Iterator[Finding]:
    country = home(raw)
    owners: dict[str, tuple[Path, str]] = {}
    for path, text, owner in _own_numbers(raw):
        first, who = owners.setdefault(_canonical(text, country), (path, owner))
        if first[:2] != path[:2]:
            yield path, f'"{text}" already leads to {who}: a number can lead to one place only'


def _external(raw: Mapping[str, Any]) -> Iterator[Finding]:
    country = home(raw)
    own = {_canonical(text, country): owner for _, text, owner in _own_numbers(raw)}
    caller_id = table(raw, "dialer").get("caller_id")
    if isinstance(caller_id, str):
        own.setdefault(_canonical(caller_id, country), "us (dialer.caller_id)")
    abroad = {one for _, one in texts(table(raw, "dialer"), "countries")}
    for path, way in routes(raw).ways:
        if not isinstance(way.leads_to, CallOut):
            continue
        number = way.leads_to.number
        owner = own.get(_canonical(number, country))
        if owner:
            yield path, f'"{number}" leads to {owner}: the call would come back to us'
        elif problem := _problem(number, country, {country, *abroad}):
            yield path, f'"{number}" {problem}'


def _problem(number: str, country: str, countries: set[str]) -> str | None:
    """Return what is wrong with a number that callers are to be sent to, or None."""
    if phonenumbers.is_emergency_number(number, country):
        return "is an emergency number: nobody may be sent there by a menu"
    parsed = _parsed(number, country)
    if parsed is None:
        is_short = number.isdecimal() and len(number) in _SHORT and not number.startswith("0")
        return None if is_short else f'is no number of {country}: write it as it is dialled there, as "0398765432"'
    if phonenumbers.region_code_for_number(parsed) not in countries:
        return "is a number abroad, and its country is not among dialer.countries"
    if phonenumbers.number_type(parsed) == PhoneNumberType.PREMIUM_RATE:
        return "is a premium-rate number: each caller who is sent there would cost you"
    return None


def _canonical(text: str, country: str) -> str:
    """Return one form for all ways in which a number can be written."""
    parsed = _parsed(text, country)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if parsed else text


def _parsed(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
