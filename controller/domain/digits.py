"""What a caller keys: digits until `#`, until a pause, or until enough. Pure; the verb `ask` feeds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

KEYS = frozenset("0123456789*#ABCD")
"""Every key that RFC 4733 section 3.2 knows, as Asterisk names them."""


class Entry(StrEnum):
    """Whether an entry is complete."""

    OPEN = "open"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Keypad:
    """One question to the keypad: what ends the answer.

    `max_digits` completes it at once; `finish` completes it and is not part of it; `*` starts the entry afresh
    when `restart` names it.
    """

    max_digits: int
    finish: str = "#"
    restart: str = "*"

    def press(self, entered: str, key: str) -> tuple[str, Entry]:
        """Return what is entered after `key`, and whether that completes it. Unknown keys change nothing."""
        if key not in KEYS:
            return entered, Entry.OPEN
        if key == self.finish:
            return entered, Entry.COMPLETE
        if key == self.restart:
            return "", Entry.OPEN
        entered += key
        return entered, Entry.COMPLETE if len(entered) >= self.max_digits else Entry.OPEN


ONE_KEY = Keypad(max_digits=1, finish="", restart="")
"""A menu: the first key is the answer, `#` and `*` included."""
PHONE_NUMBER = Keypad(max_digits=20)
"""A phone number: E.164 allows 15 digits (ITU-T E.164, clause 6), and `010` or `184` may be keyed in front."""
