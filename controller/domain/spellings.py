"""In which ways one number may have been written down: networks and providers do not all write E.164."""

from __future__ import annotations

import phonenumbers

_ABROAD = ("00", "010")
"""What is dialled before a country's code: ITU-T E.123, and Japan."""


def spellings(number: str, home: str) -> tuple[str, ...]:
    """Return every way in which a number (E.164) may stand in a record, E.164 first.

    With and without +, with what is dialled before a number abroad, and as at home (`home`: ISO 3166).
    """
    digits = number.removeprefix("+")
    found = [number, digits, *(prefix + digits for prefix in _ABROAD)]
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return tuple(found)
    if parsed.country_code == phonenumbers.country_code_for_region(home):
        printed = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        found.append("".join(sign for sign in printed if sign.isdecimal()))
    return tuple(dict.fromkeys(found))
