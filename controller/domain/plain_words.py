"""Gaps, outcomes and evidence in plain English, for whoever reads a timeline or a table."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Fault, Outcome
from controller.domain.retry_policy import Gap, Wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from controller.domain.evidence import Evidence

WHOSE: dict[Fault, str] = {
    Fault.NOBODY: "nobody's doing",
    Fault.CUSTOMER: "the customer's doing",
    Fault.NETWORK: "the network's doing",
    Fault.AGENT: "the agent's doing",
    Fault.OURS: "our own doing",
}
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def moment(instant: datetime, zone: tzinfo) -> str:
    """Return an instant on the clock of `zone`: `11-20 14:05:00`."""
    return instant.astimezone(zone).strftime("%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Return how long, in its two largest units: `2 min`, `1 h 30 min`, `0.5 s`."""
    if seconds < 1:
        return f"{seconds:g} s"
    left, parts = round(seconds), []
    for name, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def told_gap(gap: Gap) -> str:
    """Return how long a gap is: `2 min, 1.5 times as long after each call, at most 1 h`; it stands behind "waits"."""
    if not isinstance(gap, Wait):
        return "until the same time tomorrow"
    if not gap.first_s:
        return "not at all"
    parts = [duration(gap.first_s)]
    if gap.growth != 1:
        parts.append(f"{gap.growth:g} times as long after each call")
    if gap.max_s is not None and gap.growth != 1:
        parts.append(f"at most {duration(gap.max_s)}")
    if gap.jitter:
        parts.append(f"and up to {gap.jitter * 100:g} % more")
    return ", ".join(parts)


def told_outcome(outcome: Outcome) -> str:
    """Return an outcome as words, as `no answer`."""
    return outcome.value.replace("_", " ")


def told_evidence(evidence: Evidence, ended_at: datetime | None = None, zone: tzinfo = UTC) -> str:
    """Return what was seen of a call, as `SIP 486, cause 17, it rang`; "" when nothing was."""
    return ", ".join(_seen(evidence, ended_at, zone))


def _seen(evidence: Evidence, ended_at: datetime | None, zone: tzinfo) -> Iterator[str]:
    if evidence.tech_cause:
        yield f"SIP {evidence.tech_cause}"
    if evidence.cause:
        yield f"cause {evidence.cause}"
    if evidence.rang and evidence.answered_at is None:
        yield "it rang"
    if evidence.timed_out:
        yield "our own timer ended the ringing"
    if evidence.answered_at is not None:
        by = "" if evidence.answered_by is AnsweredBy.NOT_ASKED else f" by {_BY[evidence.answered_by]}"
        yield f"answered {evidence.answered_at.astimezone(zone):%H:%M:%S}{by}"
    if evidence.confirmed_at is not None:
        yield f"confirmed {evidence.confirmed_at.astimezone(zone):%H:%M:%S}"
    if evidence.answered_at is not None and ended_at is not None:
        yield f"lasted {duration(max(0.0, (ended_at - evidence.answered_at).total_seconds()))}"


_BY = {
    AnsweredBy.HUMAN: "a person",
    AnsweredBy.MACHINE: "a machine",
    AnsweredBy.UNSURE: "a person or a machine, which could not be told",
}
