"""What the agents' desk is told by the settings."""

from __future__ import annotations

from dataclasses import dataclass

from controller.domain.agents import PAUSE_REASONS

ALL_REASONS = tuple(PAUSE_REASONS.values())
ANNOUNCEMENTS = ("hold-offer", "wait-long", "apology")
"""Prompts that are there in every language, and say something to whoever holds."""


@dataclass(frozen=True, slots=True)
class DeskRules:
    """How the agents' desk is furnished."""

    pause_reasons: tuple[str, ...] = ALL_REASONS
    """Those of `PAUSE_REASONS` that are offered, in the order of the buttons."""
    note_length: int = 2000
    """How many characters a note has at most."""
    notes_open_s: float = 12 * 3600.0
    """For so long after a talk its agent may write or correct the note, and book a callback for its customer."""
    crm_url: str = ""
    """Where a CRM shows a customer, with `{number}` (E.164) in it; "" where there is none."""
    history_length: int = 20
    """How many lines of a number's history are shown."""
    announcements: tuple[str, ...] = ANNOUNCEMENTS
    """The prompts that a supervisor may let everybody hear who holds."""
