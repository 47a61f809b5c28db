"""What was seen of an attempt: the facts that its outcome was read from. Kept with it, for whoever asks why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class AnsweredBy(StrEnum):
    """Who answered a call that we placed."""

    NOT_ASKED = "not_asked"
    """Nobody listened for a machine: a key tells."""
    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"
    """A machine was listened for, and it could not be told: treated as a person, and asked for a key."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Facts of one attempt. Times are aware UTC; None: that did not happen, or nobody saw it."""

    trunk: str = ""
    """The PJSIP endpoint that the call left by; "" when it was not placed."""
    cause: int = 0
    """Q.850 (ITU-T Q.850 table 1); 0: none was given."""
    tech_cause: int = 0
    """SIP status (RFC 3261 section 21); 0: none was given."""
    rang: bool = False
    """The far end said that it rings."""
    timed_out: bool = False
    """Our own timer ended the ringing."""
    placed_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: AnsweredBy = AnsweredBy.NOT_ASKED
    confirmed_at: datetime | None = None
    """The customer pressed the key that only a person presses."""


NO_EVIDENCE = Evidence()
