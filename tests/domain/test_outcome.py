from __future__ import annotations

import pytest

from controller.domain.outcome import Fault, Outcome

FAULTS = {
    "talked": "nobody",
    "declined": "nobody",
    "not_confirmed": "customer",
    "dropped": "customer",
    "busy": "customer",
    "no_answer": "customer",
    "rejected": "customer",
    "invalid_number": "customer",
    "unreachable": "network",
    "congestion": "network",
    "agent_lost": "agent",
    "withdrawn": "nobody",
    "not_allowed": "customer",
    "outside_hours": "nobody",
    "not_placed": "ours",
    "unknown": "ours",
}


def test_every_outcome_is_listed_here_under_the_name_that_the_database_has() -> None:
    """A name that changes makes rows unreadable."""
    assert {outcome.value for outcome in Outcome} == set(FAULTS)


@pytest.mark.parametrize(("outcome", "fault"), FAULTS.items())
def test_an_outcome_is_somebodys_doing(outcome: str, fault: str) -> None:
    """Only our own faults wake a person."""
    assert Outcome(outcome).fault is Fault(fault)
