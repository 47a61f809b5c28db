"""What the ledger writes down: one fact a line, as JSON, in the order in which it was seen."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Kind(StrEnum):
    """What was seen."""

    ACKNOWLEDGED = "acknowledged"
    """A caller heard to the end that they will be called back."""
    INVITE = "invite"
    """A call from the company reached the telephone network."""
    ANSWERED = "answered"
    ENDED = "ended"
    """That call is over; `by` says who ended it, `cause` is Asterisk's (Q.850)."""
    TALK = "talk"
    """A customer and an agent are in one bridge."""
    TALK_OVER = "talk_over"
    CANCELLED = "cancelled"
    """A customer heard to the end that they will not be called any more."""
    PRESSED_NO = "pressed_no"
    """A customer pressed the key for "no longer needed", and may have hung up without a word."""
    LATER = "later"
    """A customer asked to be called `later_s` later, and heard that they will be."""
    SMS = "sms"
    """A provider took an SMS; `leg` is its key, `text` the second word of that, which says what it is."""
    SMS_OPEN = "sms_open"
    """A provider was asked to take it and did not, and whoever asked cannot know: no answer, or one of doubt."""
    REPLIED = "replied"
    """What a customer wrote was acknowledged; `text` says what they meant, `later_s` from now until the time."""
    BOOKED = "booked"
    """The same for what they chose on the booking page."""
    BLOCKED = "blocked"
    """From now on this number may not be dialled at all."""
    PBX_GONE = "pbx_gone"
    """The PBX is out of sight, and its calls with it."""


class Means(StrEnum):
    """What a customer wants who writes."""

    NOW = "now"
    AT = "at"
    CANCEL = "cancel"
    STOP = "stop"


class By(StrEnum):
    """Who ended a call."""

    FAR_END = "far_end"
    COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was seen. Numbers are E.164; what does not apply is empty."""

    at_s: float
    """By the clock of the machine, seconds since 1970."""
    kind: Kind
    number: str = ""
    leg: str = ""
    """The call that it belongs to: the telephone network's id of a channel."""
    agent: str = ""
    by: str = ""
    text: str = ""
    cause: int = 0
    later_s: float = 0
    pbx: str = ""
    """Which Asterisk it happened at, where there are several."""


def as_line(fact: Fact) -> str:
    """Return the fact as one line of JSON; what is empty is left out."""
    kept = {key: value for key, value in asdict(fact).items() if value or key == "at_s"}
    return json.dumps(kept) + "\n"


def from_line(line: str) -> Fact:
    """Read `as_line` again. Raises ValueError, TypeError or KeyError for anything else."""
    fields = json.loads(line)
    return Fact(**{**fields, "kind": Kind(fields["kind"])})


def read_facts(path: Path) -> list[Fact]:
    """Return every whole line of a ledger, also of one that is being written. No file: no facts."""
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    return [from_line(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def e164(dialled: str, country: str = "81") -> str:
    """Return a number as it was dialled or shown (090..., +81 90...) in E.164; what is no number, as it is."""
    digits = re.sub(r"[^0-9]", "", dialled)
    if not digits:
        return dialled
    return f"+{country}{digits[1:]}" if digits.startswith("0") else f"+{digits}"
