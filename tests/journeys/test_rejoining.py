"""Who was in line before a restart comes back to it before anybody is served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from controller.workers.rejoining import REJOIN_LIMIT_S, Rejoining

NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)


def test_nobody_is_served_until_the_last_one_is_back() -> None:
    """In whichever order they come."""
    rejoining = Rejoining()
    rejoining.expect(["a", "b"], NOON)
    rejoining.came("b")
    assert rejoining.ends_at(NOON) is not None
    rejoining.came("a")
    assert rejoining.ends_at(NOON) is None


def test_whoever_does_not_come_back_keeps_the_others_a_while_only() -> None:
    """Their database may be slow, or they hung up."""
    rejoining = Rejoining()
    rejoining.expect(["a"], NOON)
    over = NOON + timedelta(seconds=REJOIN_LIMIT_S)
    assert rejoining.ends_at(NOON) == over
    assert rejoining.ends_at(over) is None


def test_nobody_is_waited_for_who_was_not_in_line() -> None:
    """After a start without callers, and for callers whom nobody expected."""
    rejoining = Rejoining()
    rejoining.expect([], NOON)
    rejoining.came("stranger")
    assert rejoining.ends_at(NOON) is None
