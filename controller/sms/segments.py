"""How many messages a text is paid for as."""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""The GSM 7-bit alphabet and its extension table, 3GPP TS 23.038 section 6.2.1; these take two places."""
_ONE_7_BIT, _EACH_7_BIT = 160, 153
_ONE_UCS_2, _EACH_UCS_2 = 70, 67
"""Places in a message alone, and in each of several, which carry a header (3GPP TS 23.040 section 9.2.3.24.1)."""


def segments(text: str) -> int:
    """Return how many segments a text takes on the air: 1 up to 160 Latin or 70 Japanese characters."""
    if set(text) <= _BASIC | _EXTENDED:
        return _count([1 + (character in _EXTENDED) for character in text], _ONE_7_BIT, _EACH_7_BIT)
    return _count([len(character.encode("utf-16-be")) // 2 for character in text], _ONE_UCS_2, _EACH_UCS_2)


def _count(places: list[int], one: int, each: int) -> int:
    if sum(places) <= one:
        return 1
    used, room = 0, 0
    for width in places:
        if width > room:  # A character is never cut in two.
            used, room = used + 1, each
        room -= width
    return used
