"""How many messages a text is paid for as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""The GSM 7-bit alphabet and its extension table, 3GPP TS 23.038 section 6.2.1; these take two places."""
_ONE_7_BIT, _EACH_7_BIT = 160, 153
_ONE_UCS_2, _EACH_UCS_2 = 70, 67
"""Places in a message alone, and in each of several, which carry a header (3GPP TS 23.040 section 9.2.3.24.1)."""
_LAST_OF_THE_BASIC_PLANE = 0xFFFF


class Alphabet(StrEnum):
    """In what a text goes over the air."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a text is on the air."""

    alphabet: Alphabet
    units: int
    """Places that its characters take: septets of GSM-7, 16-bit units of UCS-2."""
    segments: int
    left_in_segment: int
    """How many more units the last segment takes; without, the next character begins another."""


def measure(text: str) -> Measured:
    """Return how long a text is. One character that GSM-7 lacks makes all of it UCS-2."""
    if set(text) <= _BASIC | _EXTENDED:
        return _measured(Alphabet.GSM_7, [1 + (sign in _EXTENDED) for sign in text], _ONE_7_BIT, _EACH_7_BIT)
    widths = [1 + (ord(sign) > _LAST_OF_THE_BASIC_PLANE) for sign in text]
    return _measured(Alphabet.UCS_2, widths, _ONE_UCS_2, _EACH_UCS_2)


def segments(text: str) -> int:
    """Return how many segments a text takes on the air: 1 up to 160 Latin or 70 Japanese characters."""
    return measure(text).segments


def _measured(alphabet: Alphabet, widths: list[int], one: int, each: int) -> Measured:
    units = sum(widths)
    if units <= one:
        return Measured(alphabet, units, 1, one - units)
    filled = list(_filled(widths, each))
    return Measured(alphabet, units, len(filled), each - filled[-1])


def _filled(widths: list[int], each: int) -> Iterator[int]:
    """Yield how many units each segment holds: a character is never cut in two."""
    used = 0
    for width in widths:
        if used + width > each:
            yield used
            used = 0
        used += width
    yield used
