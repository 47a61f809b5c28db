"""A reply as it is read: signs that a phone or a hand writes in several ways are written in one."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1600
"""Characters that are looked at: ten segments and more."""

_HIRAGANA = {ord("ァ") + step: ord("ぁ") + step for step in range(ord("ヶ") - ord("ァ") + 1)}
_SIGNS = str.maketrans(
    dict.fromkeys("'’‘`´", "") | dict.fromkeys("‐‑‒–—―−", "-") | dict.fromkeys("〜∼", "~") | {"∶": ":"}
)
_KEPT = frozenset(":/.-~")
_DROPPED = frozenset({"Mn", "Me", "Cf", "Cs", "Co"})
"""Accents that stand alone, emoji's variants, joiners, direction marks, halves of pairs."""
_BLANK = frozenset("ZPSC")

_KANJI = dict(zip("〇零一二三四五六七八九", "00123456789", strict=True))
_KANJI_NUMBER = re.compile(
    r"(?:([一二三四五六七八九]?)十([一二三四五六七八九]?)|([〇零一二三四五六七八九]{1,2}))(?= ?[時分日月番])"
)
_ENGLISH = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=1
    )
}
_ENGLISH_NUMBER = re.compile(rf"(?<![a-z])(?:{'|'.join(_ENGLISH)})(?![a-z])")
_HALF_OF_DAY = re.compile(r"(?<![a-z])([ap])\. ?m(?![a-z])")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_BETWEEN = re.compile(r"(?<=[0-9時分半m]) ?[-~ー] ?(?=[0-9午朝昼夕夜])")
_LONE = re.compile(r"-|~(?! ?[0-9午朝昼夕夜])|(?<![0-9])[:/.]|[:/.](?![0-9])")
_BLANKS = re.compile(r" {2,}")


def folded(text: str) -> str:
    """Return a text with hiragana for katakana."""
    return text.translate(_HIRAGANA)


def flat(text: str) -> str:
    """Return a text in lower case, half-width and hiragana, without punctuation and emoji, with digits for numerals.

    Of punctuation there is left what stands inside a number, and `~` between two times or before one.
    """
    one_way = folded(unicodedata.normalize("NFKC", text[:LONGEST]).lower().translate(_SIGNS))
    plain = "".join(map(_sign, one_way))
    plain = _KANJI_NUMBER.sub(_in_digits, plain)
    plain = _ENGLISH_NUMBER.sub(lambda found: _ENGLISH[found[0]], plain)
    plain = _HALF_OF_DAY.sub(r"\1m", plain)
    plain = _ISO_DATE.sub(r"\1/\2/\3", plain)
    plain = _BETWEEN.sub("~", plain)
    return _BLANKS.sub(" ", _LONE.sub(" ", plain)).strip()


def _sign(sign: str) -> str:
    if sign in _KEPT:
        return sign
    category = unicodedata.category(sign)
    if category in _DROPPED:
        return ""
    return " " if category[0] in _BLANK else sign


def _in_digits(found: re.Match[str]) -> str:
    tens, ones, digits = found.groups()
    if digits:
        return "".join(_KANJI[digit] for digit in digits)
    return f"{_KANJI[tens] if tens else '1'}{_KANJI[ones] if ones else '0'}"
