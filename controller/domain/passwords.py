"""Passwords of the people who work here: which are good enough, how they are kept.

NIST SP 800-63B section 3.1.1.2 and OWASP ASVS 5.0 V6.2: length and a list of what everybody tries decide, no rules of
composition, no expiry; what was typed is taken as it is.
"""

from __future__ import annotations

import base64
import re
from enum import StrEnum
from typing import TYPE_CHECKING

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret

from controller.domain.common_passwords import COMMON, WALKS

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 12
LONGEST = 128
SALT_BYTES = 16

_TIME_COST, _MEMORY_KIB, _LANES, _KEY_BYTES = 2, 19_456, 1, 32
"""Argon2id (RFC 9106) with 19 MiB in two passes: of the sets that OWASP's cheat sheet on password storage holds equal,
the one that leaves the most memory to calls."""
_MOST_MEMORY_KIB, _MOST_TIME_COST, _MOST_LANES = 256 * 1024, 8, 8
"""What is kept is not let ask for more work than this."""
_KEPT = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,172}", re.ASCII
)
_ENOUGH = 6
"""So many letters and digits must be a person's own: what is left without names, common words and rows of keys."""
_LONGEST_UNIT = 6
_FEWEST_SIGNS = 5
_SHORTEST_WORD, _SHORTEST_KANJI = 3, 2
_SHORTEST_WALK = 4
_DISGUISES = str.maketrans({"@": "a", "4": "a", "3": "e", "1": "i", "0": "o", "$": "s", "5": "s", "7": "t"})


class PasswordRefusal(StrEnum):
    """Why a password is not good enough."""

    SHORT = "short"
    LONG = "long"
    OWN_NAME = "own_name"
    COMMON = "common"
    SAME = "same"
    """It is the one that is to be changed; whoever knows both says so."""


class DamagedPasswordHashError(Exception):
    """What is kept of a password cannot be read; the password has to be set anew."""


def refusal(password: str, *, own: Iterable[str] = ()) -> PasswordRefusal | None:
    """Return why `password` is refused, or None. `own`: the person's login name and other names, which anybody tries.

    It is compared as a whole: refused is one that is hardly more than a name, a word that everybody tries, a row of
    keys or the same again and again, in whatever letters and with a few signs around it.
    """
    if len(password) < SHORTEST:
        return PasswordRefusal.SHORT
    if len(password) > LONGEST:
        return PasswordRefusal.LONG
    names = [part for name in own for part in (name, *re.split(r"[\W_]+", name))]
    plain = password.casefold()
    spellings = (plain, plain.translate(_DISGUISES))
    if any(_is_little(_without(each, names)) for each in spellings):
        return PasswordRefusal.OWN_NAME
    if len(set(plain)) < _FEWEST_SIGNS or _unit(plain) <= _LONGEST_UNIT:
        return PasswordRefusal.COMMON
    known = [*names, *COMMON]
    for each in spellings:
        # Either first: a word may hold a row of keys, and a row may hold a word.
        if _is_little(_without(_without_walks(each), known)) or _is_little(_without_walks(_without(each, known))):
            return PasswordRefusal.COMMON
    return None


def hashed(password: str, salt: bytes) -> str:
    """Return what is kept of a password, `$argon2id$...`. Takes tens of milliseconds and 19 MiB."""
    made = hash_secret(
        password.encode(),
        salt,
        time_cost=_TIME_COST,
        memory_cost=_MEMORY_KIB,
        parallelism=_LANES,
        hash_len=_KEY_BYTES,
        type=Type.ID,
    )
    return made.decode("ascii")


def matches(password: str, kept: str) -> bool:
    """Tell whether `password` is the one that `kept` was made of, in a time that does not depend on it.

    Raises DamagedPasswordHashError when `kept` is nothing that `hashed` makes.
    """
    found = _KEPT.fullmatch(kept)
    if found is None:
        raise DamagedPasswordHashError("not a password's hash as we write it")
    memory_kib, time_cost, lanes = (int(found[group]) for group in (1, 2, 3))
    if memory_kib > _MOST_MEMORY_KIB or time_cost > _MOST_TIME_COST or lanes > _MOST_LANES:
        raise DamagedPasswordHashError("the password's hash asks for more work than we ever do")
    try:
        return verify_secret(kept.encode("ascii"), password.encode(), Type.ID)
    except VerificationError:  # a mismatch; or parameters that argon2 does not take
        return False


def is_outdated(kept: str) -> bool:
    """Tell whether a password is kept in another way than it would be today."""
    return not kept.startswith(f"$argon2id$v=19$m={_MEMORY_KIB},t={_TIME_COST},p={_LANES}$")


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii").rstrip("=")


NOBODYS = (
    f"$argon2id$v=19$m={_MEMORY_KIB},t={_TIME_COST},p={_LANES}"
    f"${_encoded(bytes(SALT_BYTES))}${_encoded(bytes(_KEY_BYTES))}"
)
"""A hash that no password is known for: to look at it takes as long as at anybody's."""


def _is_little(text: str) -> bool:
    """Tell whether hardly any letters and digits are left of a text."""
    return sum(sign.isalnum() for sign in text) < _ENOUGH


def _without(text: str, words: Iterable[str]) -> str:
    """Return a text without `words`, forwards and backwards; the longest go first."""
    known = {word.casefold() for word in words if len(word) >= (_SHORTEST_WORD if word.isascii() else _SHORTEST_KANJI)}
    for word in sorted(known | {word[::-1] for word in known}, key=lambda word: (-len(word), word)):
        text = text.replace(word, " ")
    return text


def _without_walks(text: str) -> str:
    """Return a text without what runs along the alphabet, the digits or the keyboard for four signs or more."""
    kept, at = [], 0
    while at < len(text):
        length = max(_walk_from(text, at, walk) for walk in WALKS)
        if length >= _SHORTEST_WALK:
            kept.append(" ")
            at += length
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)


def _walk_from(text: str, at: int, walk: str) -> int:
    """Return for how many signs `text` goes along `walk` from a place on."""
    length = 0
    while at + length < len(text) and text[at : at + length + 1] in walk:
        length += 1
    return length


def _unit(text: str) -> int:
    """Return the length of the shortest piece that `text` repeats; its own where it repeats none.

    The last repetition may be cut off.
    """
    return next(size for size in range(1, len(text) + 1) if text.startswith(text[size:]))
