"""What became of a promise whose turn had come: an attempt with its outcome, or no attempt and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.evidence import NO_EVIDENCE, Evidence

if TYPE_CHECKING:
    from controller.domain.outcome import Outcome
    from controller.domain.promise import Attempt
    from controller.ports.promises import NotClaimed


@dataclass(frozen=True, slots=True)
class Dialled:
    """An attempt was made and ended so."""

    attempt: Attempt
    outcome: Outcome
    evidence: Evidence = NO_EVIDENCE
    later_s: float | None = None
    """With `POSTPONED`: how much later the customer asked to be called."""
    agent: str = ""
    """Who talked with them, by name."""


class NotDialledReason(StrEnum):
    """Why there was no attempt. The promise is as it was."""

    AGENT_MISSED = "agent_missed"
    """The agent's phone rang out, or they hung up before the customer was dialled."""
    WITHDRAWN = "withdrawn"
    """The customer is here, or the promise was cancelled."""
    PASSED = "passed"
    """The agent left it to a colleague."""
    POSTPONED = "postponed"
    """The agent put it off."""
    NOT_CLAIMED = "not_claimed"


@dataclass(frozen=True, slots=True)
class NotDialled:
    """The customer was not dialled."""

    reason: NotDialledReason
    not_claimed: NotClaimed | None = None
