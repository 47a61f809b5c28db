"""Facts as the ledger would have seen them, for the tests of the judge. Times are seconds from noon."""

from __future__ import annotations

from datetime import UTC, datetime

from lab.ledger.facts import By, Fact, Kind, Means
from lab.ledger.judge import Fault, judge
from lab.ledger.rules import BUSY, NO_ANSWER, Rules

NUMBER = "+818010300001"
OTHER = "+818010300002"
NOON_S = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
RULES = Rules(max_invites=3, max_dials=5, gap_s=1, gap_by_cause_s={BUSY: 2, NO_ANSWER: 4}, max_concurrent=2)


def asked(at: float = 0, number: str = NUMBER) -> Fact:
    """Return the fact that a caller was told of the promise."""
    return Fact(NOON_S + at, Kind.ACKNOWLEDGED, number)


def call(
    begins: float,
    ends: float,
    *,
    number: str = NUMBER,
    answered: bool = False,
    cause: int = NO_ANSWER,
    by: str = By.COMPANY,
) -> list[Fact]:
    """Return the facts of one call to a customer."""
    leg = f"{number}-{begins}"
    facts = [Fact(NOON_S + begins, Kind.INVITE, number, leg)]
    facts += [Fact(NOON_S + begins + 0.5, Kind.ANSWERED, number, leg)] if answered else []
    return [*facts, Fact(NOON_S + ends, Kind.ENDED, number, leg, by=by, cause=cause)]


def talk(begins: float, ends: float, *, number: str = NUMBER) -> list[Fact]:
    """Return the facts of a call that was answered and led to a talk, which the customer ended."""
    return [
        *call(begins, ends, number=number, answered=True, cause=16, by=By.FAR_END),
        Fact(NOON_S + begins + 1, Kind.TALK, number, agent="agent-1"),
        Fact(NOON_S + ends, Kind.TALK_OVER, number, agent="agent-1"),
    ]


def sms(at: float, word: str, key: str = "p1", kind: Kind = Kind.SMS) -> Fact:
    """Return the fact that an SMS was handed over."""
    return Fact(NOON_S + at, kind, NUMBER, f"{key}:{word}", text=word)


def wrote(at: float, means: Means, later_s: float = 0, kind: Kind = Kind.REPLIED) -> Fact:
    """Return the fact that what a customer wrote was acknowledged."""
    return Fact(NOON_S + at, kind, NUMBER, text=means, later_s=later_s)


def faults(*facts: Fact | list[Fact], rules: Rules = RULES) -> list[Fault]:
    """Return what the judge finds."""
    flat = [fact for one in facts for fact in (one if isinstance(one, list) else [one])]
    return [finding.fault for finding in judge(flat, rules)]
