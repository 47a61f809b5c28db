from __future__ import annotations

import pytest

from controller.domain.outcome import NEVER_SENT, Fault, Outcome

TABLE = {
    "talked": ("nobody", "left"),
    "declined": ("nobody", "left"),
    "not_confirmed": ("customer", "left"),
    "machine": ("customer", "left"),
    "postponed": ("nobody", "left"),
    "dropped": ("customer", "left"),
    "abandoned": ("ours", "left"),
    "busy": ("customer", "left"),
    "no_answer": ("customer", "left"),
    "rejected": ("customer", "left"),
    "invalid_number": ("customer", "left"),
    "unreachable": ("network", "left"),
    "congestion": ("network", "left"),
    "agent_lost": ("agent", "left"),
    "withdrawn": ("nobody", "left"),
    "not_allowed": ("customer", "stayed"),
    "outside_hours": ("nobody", "stayed"),
    "blocked": ("customer", "stayed"),
    "over_cap": ("nobody", "stayed"),
    "dry_run": ("nobody", "stayed"),
    "not_placed": ("ours", "stayed"),
    "unknown": ("ours", "left"),
}
"""Written out by hand: whose doing it is, and whether a call left, or may have left, for which the caps count it."""


def test_every_outcome_is_listed_here_under_the_name_that_the_database_has() -> None:
    """A name that changes makes rows unreadable."""
    assert {outcome.value for outcome in Outcome} == set(TABLE)


@pytest.mark.parametrize(("outcome", "fault"), [(name, fault) for name, (fault, _) in TABLE.items()])
def test_an_outcome_is_somebodys_doing(outcome: str, fault: str) -> None:
    """Only our own faults wake a person."""
    assert Outcome(outcome).fault is Fault(fault)


@pytest.mark.parametrize(("outcome", "left"), [(name, left) for name, (_, left) in TABLE.items()])
def test_an_outcome_says_whether_a_call_left(outcome: str, left: str) -> None:
    """In doubt it did: an agent may be lost, and sight too, after the customer's phone began to ring."""
    assert (Outcome(outcome) in NEVER_SENT) == (left == "stayed")
