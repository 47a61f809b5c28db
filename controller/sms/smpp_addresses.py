"""Addresses as an SMS centre wants them: digits or a name, and what kind they are (SMPP 3.4 section 5.2.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from aiosmpplib.state import NPI, TON

_FORMATTING = str.maketrans("", "", " -().")
_DIGITS = re.compile(r"\+?[0-9]{3,15}", re.ASCII)
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 _.&-]{1,11}", re.ASCII)
"""What 3GPP TS 23.040 section 9.1.2.5 has room for, in the characters that no centre refuses."""
_LONGEST_SHORT_CODE = 8


@dataclass(frozen=True, slots=True)
class Address:
    """One address: `digits` without `+`, or a name."""

    digits: str
    ton: int
    npi: int


def recipient(number: str) -> Address:
    """Return where an SMS goes; `number` is E.164."""
    return Address(number.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN)


def sender(text: str, home: str) -> Address:
    """Return who an SMS is from: a number as people at `home` write it, a short code, or a name.

    Raises ValueError for what is none of these.
    """
    plain = text.translate(_FORMATTING)
    if not _DIGITS.fullmatch(plain):
        if not _NAME.fullmatch(text):
            raise ValueError("an SMS sender is a number, or a name of at most 11 Latin letters and digits")
        return Address(text, TON.ALPHANUMERIC, NPI.UNKNOWN)
    if len(plain) <= _LONGEST_SHORT_CODE and not plain.startswith(("+", "0")):
        return Address(plain, TON.NETWORK_SPECIFIC, NPI.UNKNOWN)
    number = _parsed(plain, home)
    if number is None:
        raise ValueError("an SMS sender of digits has to be a number that exists, or a short code")
    return Address(number.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN)


def incoming(text: str, ton: int, home: str) -> str | None:
    """Return the E.164 number that a text came from; None: it is no number, and cannot be answered."""
    if ton == TON.ALPHANUMERIC or not _DIGITS.fullmatch(text):
        return None
    if ton == TON.INTERNATIONAL:
        return _parsed(f"+{text.lstrip('+')}", home)
    if ton == TON.NATIONAL:
        return _parsed(text, home)
    # Centres that do not say of what kind an address is send it as 8190..., +8190... or 090...
    abroad = None if text.startswith(("0", "+")) else _parsed(f"+{text}", home)
    return abroad or _parsed(text, home)


def ours(text: str, home: str) -> str:
    """Return which of our numbers a text was sent to, E.164; a short code as it is."""
    return text if len(text) <= _LONGEST_SHORT_CODE else incoming(text, TON.UNKNOWN, home) or text


def _parsed(text: str, home: str) -> str | None:
    try:
        number = phonenumbers.parse(text, home)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
