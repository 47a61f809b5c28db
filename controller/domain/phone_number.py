"""Phone numbers: from what was keyed or shown to E.164, and the check whether one may be dialled at all.

`phonenumbers` alone is not a gate (it reads `,,1#` as an extension, and takes satellite numbers for mobiles), so
only plain digits reach it, and what it returns must be on an allow-list of countries and types, and not begin as the
numbers do that are nobody's own phone in spite of their type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import phonenumbers
from phonenumbers import PhoneNumberType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLAIN = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_WHOLE = re.compile(r"\+?[0-9]{8,15}", re.ASCII)
_WRITTEN_BETWEEN = re.compile(r"[\s()./-]+")
_CALLER_ID_PREFIX = re.compile(r"\A18[46](?=0)", re.ASCII)
"""184 hides and 186 shows the caller's number in Japan; keyed in front of a number they are not part of it."""

CALLABLE_TYPES = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
"""0AB-J landlines, 070/080/090 and 050. Not: freephone 0120/0800, 0570 (UAN), premium, personal, pager."""

_NEVER = re.compile(
    r"""
    \+81 (?:120|570|800|990)           # Japan: freephone, Navi Dial, freephone, premium
    | \+1 (?:900|[2-9][0-9]{2}976)     # +1: premium, and its exchange in every area
    | \+44 (?:70|9)                    # United Kingdom: personal numbers (sold on at a premium), premium
    | \+ (?:8(?:00|08|7[0-9]|8[12389])|979)   # no country: freephone, shared cost, satellite, networks, premium
    """,
    re.ASCII | re.VERBOSE,
)
"""How an E.164 number begins that is not dialled, whatever type the library takes it for and the settings allow.

Japan's three digits (110, 118, 119, 171, 188) are no E.164 numbers, and not to be told from the beginning of one: 011
8xx is Sapporo. Their length refuses them.
"""


class Refusal(StrEnum):
    """Why a number may not be dialled."""

    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    INVALID = "invalid"
    COUNTRY = "country"
    """Abroad, and the settings do not name the country."""
    FREEPHONE = "freephone"
    """0120 and 0800 in Japan: for the one who is called to pay, not to be called back on."""
    SHARED_COST = "shared_cost"
    """0570 (Navi Dial) in Japan, and its like."""
    PREMIUM = "premium"
    TYPE = "type"
    """Any other kind that is nobody's own phone: pager, voicemail, personal number."""
    PREFIX = "prefix"
    OWN = "own"
    """One of our own: whoever were called there would hear our own greeting."""


_WHY_NOT = {
    PhoneNumberType.TOLL_FREE: Refusal.FREEPHONE,
    PhoneNumberType.UAN: Refusal.SHARED_COST,
    PhoneNumberType.SHARED_COST: Refusal.SHARED_COST,
    PhoneNumberType.PREMIUM_RATE: Refusal.PREMIUM,
}
TEXTABLE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""Numbers that an SMS can reach."""


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """What may be dialled: an allow-list of countries and types, then a deny-list of prefixes."""

    home: str = "JP"
    """ISO 3166 code of the country that a number without `+` belongs to."""
    countries: frozenset[str] = frozenset({"JP"})
    denied_prefixes: tuple[str, ...] = ()
    """E.164 prefixes, as `+81990`."""
    own_numbers: frozenset[str] = frozenset()
    """Ours, E.164."""
    types: Mapping[str, frozenset[int]] = field(default_factory=dict, hash=False)
    """The types (`PhoneNumberType`) of a country, where not all of CALLABLE_TYPES: only mobiles abroad, say."""


@dataclass(frozen=True, slots=True)
class DialableNumber:
    """A number that may be dialled."""

    e164: str
    printed: str
    """As people at home write it: `090-1234-5678`."""

    @property
    def national(self) -> str:
        """The digits as dialled at home: `09012345678`."""
        return "".join(_digits(self.printed))


def check(text: str, plan: NumberPlan) -> DialableNumber | Refusal:
    """Return the number in `text` if `plan` lets it be dialled, or why not. Accepts ASCII digits and a leading `+`."""
    if not _PLAIN.fullmatch(text):
        return Refusal.NOT_A_NUMBER
    try:
        number = phonenumbers.parse(_CALLER_ID_PREFIX.sub("", text, count=1), plan.home)
    except phonenumbers.NumberParseException:
        return Refusal.NOT_A_NUMBER
    if number.extension or not phonenumbers.is_valid_number(number):
        reason = phonenumbers.is_possible_number_with_reason(number)
        return Refusal.TOO_SHORT if reason == phonenumbers.ValidationResult.TOO_SHORT else Refusal.INVALID
    country = phonenumbers.region_code_for_number(number)
    if country is None or country not in plan.countries:
        return Refusal.COUNTRY
    kind = phonenumbers.number_type(number)
    if kind not in plan.types.get(country, CALLABLE_TYPES):
        return _WHY_NOT.get(kind, Refusal.TYPE)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if _NEVER.match(e164) or e164.startswith(plan.denied_prefixes):
        return Refusal.PREFIX
    if e164 in plan.own_numbers:
        return Refusal.OWN
    return DialableNumber(e164, as_printed(e164, plan.home))


def as_e164(text: str, home: str) -> str | None:
    """Return the number that a person wrote, E.164; None when it can be none. Whether it may be dialled is not asked.

    `home` is where a number without + belongs.
    """
    plain = _WRITTEN_BETWEEN.sub("", text)
    if not _WHOLE.fullmatch(plain):
        return None
    try:
        number = phonenumbers.parse(plain, home)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def takes_sms(number: DialableNumber) -> bool:
    """Tell whether an SMS can reach the number: a mobile phone (070, 080, 090 in Japan), not 050 or a landline."""
    return phonenumbers.number_type(phonenumbers.parse(number.e164)) in TEXTABLE_TYPES


def as_printed(number: str, home: str) -> str:
    """Return a number as people at home write it: `03-1234-5678`; as it is when it is none that we know."""
    try:
        parsed = phonenumbers.parse(number, home)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def mask(number: str | None) -> str:
    """Return `number` fit for a log: the last four digits hidden, everything short hidden whole."""
    if not number:
        return "anonymous"
    keep = len(number) - 4
    return number[:keep] + "****" if keep > 3 else "****"  # noqa: PLR2004 - at least a prefix must remain


def _digits(text: str) -> Iterable[str]:
    return (character for character in text if character.isascii() and character.isdigit())
