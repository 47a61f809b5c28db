"""Recordings of talks (録音): whether one is made, what the customer said to it, and what is written down of it.

Off unless a queue says otherwise. California (Penal Code 632) wants the consent of everybody on the line, and the GDPR
a reason that was told: so nothing is recorded of whom it was not announced to, and what they agreed to is kept with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.line import WaiterKind


class RecordingMode(StrEnum):
    """What a queue does about recording its talks."""

    OFF = "off"
    ANNOUNCED = "announced"
    """It is announced; who stays on the line agrees."""
    ASKED = "asked"
    """It is asked; only the talk of whom presses 1 is recorded."""


class Consent(StrEnum):
    """What a customer was told about the recording of their talk, or said to it."""

    TOLD = "told"
    """It was announced to them, to its end, and they stayed."""
    AGREED = "agreed"
    """They were asked, and pressed the key that says yes."""
    REFUSED = "refused"
    """They were asked, and did not."""

    @property
    def allows(self) -> bool:
        """Tell whether their talk may be recorded."""
        return self is not Consent.REFUSED

    def covers(self, mode: RecordingMode) -> bool:
        """Tell whether a talk with a queue may be recorded by what was said: being told is not enough where asked."""
        match mode:
            case RecordingMode.OFF:
                return False
            case RecordingMode.ANNOUNCED:
                return self.allows
            case RecordingMode.ASKED:
                return self is Consent.AGREED


class RecordingState(StrEnum):
    """How it is with the recording of a talk that goes on."""

    RUNNING = "running"
    PAUSED = "paused"
    """While something is said that is not to be kept: the number of a card."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One talk that was recorded, or is being. Times are aware UTC. Written before the first sound is kept."""

    id: str
    """Also its name on the PBX: letters, digits, `-` and `_` alone."""
    waiter_id: str
    """The call's id, or the promise's."""
    kind: WaiterKind
    pbx: str
    """The Asterisk that has the sound, by its name in the settings."""
    queue: str
    agent: str
    """By name."""
    consent: Consent
    began_at: datetime
    number: str = ""
    """The customer's, E.164 or as the network showed it; "": withheld, or forgotten."""
    attempt_id: str = ""
    """Of a callback."""
    ended_at: datetime | None = None
    """None: the talk goes on, or its end has not been seen yet."""
    paused_at: datetime | None = None
    """Since when it is paused; None: it is not."""
    unwanted: bool = False
    """It is to be erased: its time is over, its customer is forgotten, or somebody deleted it. Nobody hears it more."""
    erased_at: datetime | None = None
    """When its sound was gone."""
