"""What follows an outcome: does it use up an attempt, when is the next one, does it end the promise, is an SMS owed.

Declared once per queue. Whatever was not the customer's doing (no agent, closed hours, our own trunk) never uses
up an attempt: the customer's tries are the customer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from controller.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """What one outcome means for the promise."""

    gap_s: float
    """Seconds until the promise may be dialled again."""
    uses_attempt: bool = True
    ends: bool = False
    """No further attempt, however many are left."""
    tell: bool = False
    """The customer, who saw no call or could not take it, is told by SMS that we will try again; once a promise."""
    last_word: bool = True
    """If this outcome ends the promise, the customer is told by SMS that we will not call again."""


DEFAULT_RULES: Mapping[Outcome, Rule] = {
    Outcome.DECLINED: Rule(gap_s=0, ends=True),
    Outcome.NOT_CONFIRMED: Rule(gap_s=900, tell=True),
    Outcome.DROPPED: Rule(gap_s=300),
    Outcome.BUSY: Rule(gap_s=120),
    Outcome.NO_ANSWER: Rule(gap_s=600, tell=True),
    Outcome.REJECTED: Rule(gap_s=900, tell=True),
    Outcome.INVALID_NUMBER: Rule(gap_s=0, ends=True, tell=True),
    Outcome.UNREACHABLE: Rule(gap_s=600, tell=True),
    Outcome.CONGESTION: Rule(gap_s=60, uses_attempt=False),
    Outcome.AGENT_LOST: Rule(gap_s=0, uses_attempt=False),
    # Of meaning only when the customer, who was ringing us, hung up again: they are not called in the same breath.
    Outcome.WITHDRAWN: Rule(gap_s=30, uses_attempt=False),
    Outcome.NOT_ALLOWED: Rule(gap_s=0, ends=True, last_word=False),
    Outcome.OUTSIDE_HOURS: Rule(gap_s=900, uses_attempt=False),
    Outcome.NOT_PLACED: Rule(gap_s=30, uses_attempt=False),
    # The phone may have rung, so it counts: a customer is not dialled once more for a fault of ours.
    Outcome.UNKNOWN: Rule(gap_s=120),
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempts and gaps of one queue."""

    max_attempts: int = 3
    gap_s: Mapping[Outcome, float] = field(default_factory=dict)
    """Overrides of the default gaps, in seconds, by outcome."""
    lifetime_s: float = 24 * 3600
    """A promise older than this is closed as expired, and the customer is told by SMS."""

    def rule(self, outcome: Outcome) -> Rule:
        """Return what `outcome` means, with this queue's own gap where it has one.

        Raises KeyError for `TALKED`, which ends a promise and needs no rule.
        """
        rule = DEFAULT_RULES[outcome]
        gap_s = self.gap_s.get(outcome, rule.gap_s)
        return replace(rule, gap_s=gap_s)
