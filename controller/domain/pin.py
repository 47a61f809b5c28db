"""PINs by which agents prove themselves at a phone: which are good enough, how they are kept, how guessing ends."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST = 4
LONGEST = 8
SALT_BYTES = 16

FREE_GUESSES = 2
"""So many wrong PINs in a row cost nothing; the next one locks."""
FIRST_LOCK_S = 15 * 60
LONGEST_LOCK_S = 24 * 3600

_COST, _BLOCK, _LANES, _KEY_BYTES = 2**14, 8, 1, 32
_MAX_COST = 2**17
_MEMORY_BYTES = 256 * 2**20
"""scrypt (RFC 7914): 16 MB and tens of milliseconds a guess. It slows down whoever has stolen the database, and no
more than that: PINs are few. At the phone it is the lock that ends guessing."""
_KEPT = re.compile(r"scrypt\$(\d{1,6})\$(\d{1,2})\$(\d{1,2})\$([0-9a-f]{16,64})\$([0-9a-f]{64})", re.ASCII)
_SHORTEST_EXTENSION = 3
"""Digits of a phone's name that are found inside a PIN; fewer are in every other PIN by chance."""


class PinRefusal(StrEnum):
    """Why a PIN is not good enough."""

    LENGTH = "a PIN has 4 to 8 digits, 0 to 9"
    EQUAL = "all its digits are equal"
    RUN = "its digits run up or down"
    EXTENSION = "it is, or holds, the number in the agent's own name or phone"


class DamagedPinHashError(Exception):
    """What is kept of a PIN cannot be read; the PIN has to be set anew."""


def refusal(pin: str, *, own: Iterable[str] = ()) -> PinRefusal | None:
    """Return why `pin` is refused, or None. `own`: the agent's name and endpoint, whose digits anybody would try."""
    if not (pin.isascii() and pin.isdecimal() and SHORTEST <= len(pin) <= LONGEST):
        return PinRefusal.LENGTH
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if steps == {0}:
        return PinRefusal.EQUAL
    if steps in ({1}, {9}):
        return PinRefusal.RUN
    extensions = {number for text in own for number in re.findall(r"\d+", text, re.ASCII)}
    if any(len(number) >= _SHORTEST_EXTENSION and number in pin for number in extensions):
        return PinRefusal.EXTENSION
    return None


def hashed(pin: str, salt: bytes) -> str:
    """Return what is kept of a PIN: `scrypt$cost$block$lanes$salt$key`. Takes tens of milliseconds."""
    return f"scrypt${_COST}${_BLOCK}${_LANES}${salt.hex()}${_key(pin, salt, _COST, _BLOCK, _LANES).hex()}"


def matches(pin: str, kept: str) -> bool:
    """Tell whether `pin` is the one that `kept` was made of, in a time that does not depend on it.

    Raises DamagedPinHashError when `kept` is nothing that `hashed` makes.
    """
    found = _KEPT.fullmatch(kept)
    if found is None:
        raise DamagedPinHashError("not a PIN's hash as we write it")
    cost, block, lanes = (int(found[group]) for group in (1, 2, 3))
    if cost > _MAX_COST:
        raise DamagedPinHashError("the PIN's hash asks for more work than we ever do")
    try:
        key = _key(pin, bytes.fromhex(found[4]), cost, block, lanes)
    except ValueError:
        raise DamagedPinHashError("the PIN's hash has parameters that scrypt does not take") from None
    return hmac.compare_digest(key, bytes.fromhex(found[5]))


@dataclass(frozen=True, slots=True)
class Guesses:
    """How many wrong PINs came in a row, and until when no further one is looked at (aware UTC)."""

    wrong: int = 0
    locked_until: datetime | None = None

    def is_locked(self, now: datetime) -> bool:
        """Tell whether a PIN is not even looked at."""
        return self.locked_until is not None and now < self.locked_until

    def after_wrong(self, now: datetime) -> Guesses:
        """Return what holds after one more wrong PIN: the third in a row locks, each further one for twice as long."""
        wrong = self.wrong + 1
        locked_s = lock_s(wrong)
        return Guesses(wrong, now + timedelta(seconds=locked_s) if locked_s else None)


def lock_s(wrong: int) -> int:
    """Return for how long `wrong` wrong PINs in a row lock, in seconds; 0 for not at all."""
    if wrong <= FREE_GUESSES:
        return 0
    doublings = min(wrong - FREE_GUESSES - 1, 32)  # beyond that the cap holds anyway, and powers stay small
    return min(FIRST_LOCK_S << doublings, LONGEST_LOCK_S)


def _key(pin: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY_BYTES, dklen=_KEY_BYTES)
