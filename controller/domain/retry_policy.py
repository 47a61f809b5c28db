"""What follows an outcome: does it use up an attempt, when is the next one, does it end the promise, is an SMS owed.

Declared once per queue. Whatever was not the customer's doing (no agent, closed hours, our own trunk) never uses
up an attempt: the customer's tries are the customer's. `broken_laws` says what no queue may declare.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from controller.domain.outcome import NEVER_SENT, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import tzinfo

NOT_THE_CUSTOMERS = frozenset(
    {
        Outcome.OUTSIDE_HOURS,
        Outcome.OVER_CAP,
        Outcome.NOT_PLACED,
        Outcome.CONGESTION,
        Outcome.AGENT_LOST,
        Outcome.POSTPONED,
        Outcome.WITHDRAWN,
        Outcome.ABANDONED,
        Outcome.DRY_RUN,
    }
)
"""The customer did nothing to bring these about: they use up no attempt and end no promise, whatever is declared."""
ALWAYS_END = frozenset({Outcome.DECLINED, Outcome.INVALID_NUMBER, Outcome.NOT_ALLOWED, Outcome.BLOCKED})
"""The call is not wanted, or cannot or may not be made: nobody is dialled again."""
NEVER_TOLD = frozenset({Outcome.DECLINED, Outcome.NOT_ALLOWED, Outcome.BLOCKED})
"""The customer said no, or the number may not be written to."""
LEAST_UNSENT_GAP_S = 1.0
"""What did not even leave is counted by nothing, so something has to keep it from being tried without a pause."""
_LONGEST_GAP_S = 30 * 24 * 3600.0
"""No growing goes further: a power of a growth factor soon is no number any more."""
_HASH_BYTES = 8
_HASHES = 1 << 8 * _HASH_BYTES


@dataclass(frozen=True, slots=True)
class Wait:
    """A gap in seconds, the same each time or growing with each call that left."""

    first_s: float
    growth: float = 1.0
    """The factor from one call to the next; 1 does not grow."""
    max_s: float | None = None
    """Where the growing stops; None: at 30 days."""
    jitter: float = 0.0
    """Up to this fraction comes on top, so that those who failed together are not dialled together again."""


@dataclass(frozen=True, slots=True)
class SameTimeTomorrow:
    """The next day, when the clocks of the queue show the same time."""


Gap = Wait | SameTimeTomorrow


def next_try(gap: Gap, ended_at: datetime, *, promise_id: str, call: int, zone: tzinfo) -> datetime:
    """Return when the gap after a call that ended at `ended_at` (aware) is over, in UTC; always after it, or at it.

    `call` counts the promise's calls that left, from 1. The same arguments give the same instant: the jitter is drawn
    from a hash of promise and call. A local time that the clocks of `zone` skip tomorrow counts as much later as they
    skip, and of one that comes twice the first is taken (PEP 495, fold 0).
    """
    match gap:
        case Wait():
            return ended_at.astimezone(UTC) + timedelta(seconds=_seconds(gap, promise_id, max(1, call)))
        case SameTimeTomorrow():
            local = ended_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)  # a sum has fold 0
            return local.replace(tzinfo=zone).astimezone(UTC)


def _seconds(wait: Wait, promise_id: str, call: int) -> float:
    longest_s = _LONGEST_GAP_S if wait.max_s is None else wait.max_s
    try:
        grown_s = wait.first_s * math.pow(wait.growth, call - 1)
    except OverflowError:
        grown_s = math.inf if wait.first_s else 0.0
    # A maximum below the first wait holds back the growing, not the wait that was declared.
    base_s = min(grown_s, max(longest_s, wait.first_s))
    return base_s * (1 + wait.jitter * _share(promise_id, call))


def _share(promise_id: str, call: int) -> float:
    """Return a number in [0, 1) that is always the same for this call, and like no other's."""
    drawn = hashlib.sha256(f"{promise_id}:{call}".encode()).digest()[:_HASH_BYTES]
    return int.from_bytes(drawn) / _HASHES


@dataclass(frozen=True, slots=True)
class Rule:
    """What one outcome means for the promise."""

    gap: Gap
    """Until the promise may be dialled again."""
    uses_attempt: bool = True
    ends: bool = False
    """No further attempt, however many are left."""
    tell: bool = False
    """The customer, who saw no call or could not take it, is told by SMS that we will try again; once a promise."""
    last_word: bool = True
    """If this outcome ends the promise, the customer is told by SMS that we will not call again."""


def broken_laws(outcome: Outcome, rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield (field of Rule, what is wrong with it, for a person) of every law that a rule for `outcome` breaks."""
    if outcome in NOT_THE_CUSTOMERS:
        why = "is not the customer's doing"
        if rule.uses_attempt:
            yield "uses_attempt", f"must be false: {outcome} {why}, so it uses up none of their attempts"
        if rule.ends:
            yield "ends", f"must be false: {outcome} {why}, so they are still called"
    if outcome in ALWAYS_END and not rule.ends:
        yield "ends", f"must be true: after {outcome} nobody is dialled again"
    if outcome in NEVER_TOLD:
        for name in ("tell", "last_word"):
            if getattr(rule, name):
                yield name, f"must be false: after {outcome} nobody is sent an SMS"
    if outcome in NEVER_SENT and not rule.ends:
        yield from _broken_by_gap(outcome, rule.gap)


def _broken_by_gap(outcome: Outcome, gap: Gap) -> Iterator[tuple[str, str]]:
    if isinstance(gap, Wait):
        if gap.first_s < LEAST_UNSENT_GAP_S:
            yield "gap", f"must be {LEAST_UNSENT_GAP_S:g} s or more: nothing else keeps {outcome} from coming at once"
        if gap.growth != 1:
            yield "growth", f"means nothing: with {outcome} no call left, and it grows with the calls that left"


def _fixed(gap_s: float, **more: bool) -> Rule:
    return Rule(Wait(gap_s), **more)


DEFAULT_RULES: Mapping[Outcome, Rule] = {
    Outcome.DECLINED: _fixed(0, ends=True, last_word=False),
    Outcome.NOT_CONFIRMED: _fixed(900, tell=True),
    Outcome.MACHINE: _fixed(1800, tell=True),
    # The time that they chose comes with the outcome.
    Outcome.POSTPONED: _fixed(1800, uses_attempt=False),
    Outcome.DROPPED: _fixed(300),
    Outcome.ABANDONED: _fixed(60, uses_attempt=False),
    Outcome.BUSY: _fixed(120),
    Outcome.NO_ANSWER: _fixed(600, tell=True),
    Outcome.REJECTED: _fixed(900, tell=True),
    Outcome.INVALID_NUMBER: _fixed(0, ends=True, tell=True),
    Outcome.UNREACHABLE: _fixed(600, tell=True),
    # Each of these is a call that left: with waits of a minute a long congestion would use up all that may leave.
    Outcome.CONGESTION: Rule(Wait(60, growth=2, max_s=3600, jitter=0.2), uses_attempt=False),
    Outcome.AGENT_LOST: _fixed(0, uses_attempt=False),
    # Of meaning only when the customer, who was ringing us, hung up again: they are not called in the same breath.
    Outcome.WITHDRAWN: _fixed(30, uses_attempt=False),
    Outcome.NOT_ALLOWED: _fixed(0, ends=True, last_word=False),
    Outcome.OUTSIDE_HOURS: _fixed(900, uses_attempt=False),
    Outcome.BLOCKED: _fixed(0, ends=True, last_word=False),
    Outcome.OVER_CAP: _fixed(3600, uses_attempt=False),
    Outcome.DRY_RUN: _fixed(900, uses_attempt=False),
    Outcome.NOT_PLACED: _fixed(30, uses_attempt=False),
    # The phone may have rung, so it counts: a customer is not dialled once more for a fault of ours.
    Outcome.UNKNOWN: _fixed(120),
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Attempts and gaps of one queue. Raises ValueError when a rule breaks a law, or is for `TALKED`."""

    max_attempts: int = 3
    max_dials: int = 10
    """Calls that leave, those that use up no attempt (our own trunk, a chosen later time) included."""
    gap_s: Mapping[Outcome, float] = field(default_factory=dict)
    """Fixed gaps in seconds, by outcome, in place of the default ones."""
    lifetime_s: float = 24 * 3600
    """A promise older than this is closed as expired, and the customer is told by SMS."""
    rules: Mapping[Outcome, Rule] = field(default_factory=dict)
    """Whole rules, in place of the default ones."""
    zone: tzinfo = UTC
    """The clock of the queue, for "the same time tomorrow"."""

    def __post_init__(self) -> None:
        for outcome, rule in self.rules.items():
            if outcome not in DEFAULT_RULES:
                raise ValueError(f"{outcome} ends a promise and needs no rule")
            for name, wrong in broken_laws(outcome, rule):
                raise ValueError(f"{outcome}: {name} {wrong}")

    def rule(self, outcome: Outcome) -> Rule:
        """Return what `outcome` means in this queue.

        Raises KeyError for `TALKED`, which ends a promise and needs no rule.
        """
        rule = self.rules.get(outcome) or DEFAULT_RULES[outcome]
        return replace(rule, gap=Wait(self.gap_s[outcome])) if outcome in self.gap_s else rule
