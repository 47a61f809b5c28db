from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.domain.comes_next import Next, comes_next
from controller.domain.promise import FINAL, Promise, PromiseState
from controller.domain.retry_policy import RetryPolicy

NOON = datetime(2030, 5, 6, 3, tzinfo=UTC)
"""In Tokyo."""
HOUR = timedelta(hours=1)
POLICY = RetryPolicy(max_attempts=3, max_dials=8, zone=ZoneInfo("Asia/Tokyo"))
PROMISE = Promise(
    "p1", "support", "+819012345678", "ja", NOON, NOON, NOON + timedelta(days=1), attempts_used=1, dials=4
)
LEFT = "left: 2 of 3 attempts, 4 of 8 calls"
EXPIRES = "expires 05-07 12:00:00"


def from_one_o_clock(since: datetime) -> datetime:
    """Return when a number may be rung that may be rung from one o'clock on."""
    return max(since, NOON + HOUR)


def test_what_is_due_waits_for_its_turn() -> None:
    """Now, if it is inside the calling hours."""
    later = NOON + 2 * HOUR
    assert comes_next(PROMISE, later, POLICY, from_one_o_clock) == Next(
        (
            "due since 05-06 12:00:00: its turn comes with its place in line",
            "inside the calling hours now",
            LEFT,
            EXPIRES,
        ),
        not_before=NOON,
        callable_from=later,
        attempts_left=2,
        calls_left=4,
        expires_at=NOON + timedelta(days=1),
    )


def test_what_is_due_outside_the_calling_hours_waits_for_them() -> None:
    """And what is due in them, for its time."""
    after = comes_next(PROMISE, NOON, POLICY, from_one_o_clock)
    assert after.lines[1] == "inside the calling hours from 05-06 13:00:00"
    assert after.callable_from == NOON + HOUR
    resting = replace(PROMISE, not_before=NOON + timedelta(minutes=90))
    after = comes_next(resting, NOON, POLICY, from_one_o_clock)
    assert after.lines[:2] == ("not before 05-06 13:30:00 (in 1 h 30 min)", "inside the calling hours then")
    assert after.callable_from == resting.not_before
    early = comes_next(replace(PROMISE, not_before=NOON + HOUR / 2), NOON, POLICY, from_one_o_clock)
    assert early.lines[:2] == (
        "not before 05-06 12:30:00 (in 30 min)",
        "inside the calling hours from 05-06 13:00:00",
    )


def test_a_promise_that_cannot_be_kept_in_time_is_told_as_such() -> None:
    """Its deadline comes before it may be called; or its number may never be."""
    short = replace(PROMISE, expires_at=NOON + HOUR)
    after = comes_next(short, NOON, POLICY, from_one_o_clock)
    assert after.lines[-1] == "it expires before it may be called: the customer will be told by SMS"
    assert (
        not comes_next(replace(short, expires_at=NOON + 2 * HOUR), NOON, POLICY, from_one_o_clock)
        .lines[-1]
        .startswith("it expires")
    )
    never = comes_next(PROMISE, NOON, POLICY, lambda _: None)
    assert (never.lines[1], never.callable_from) == ("the number may not be rung at any hour", None)


@pytest.mark.parametrize("state", [PromiseState.DIALLING, PromiseState.CONNECTED])
def test_while_a_call_is_on_its_way_its_end_decides(state: PromiseState) -> None:
    """No time is told: there is none yet."""
    after = comes_next(replace(PROMISE, state=state), NOON, POLICY, from_one_o_clock)
    assert (after.not_before, after.callable_from, after.attempts_left) == (None, None, 2)
    assert after.lines[1:] == (LEFT, EXPIRES)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_comes_after_the_end(state: PromiseState) -> None:
    """Whatever was left."""
    assert comes_next(replace(PROMISE, state=state), NOON, POLICY, from_one_o_clock) == Next(
        (f"nothing: the promise is {state}",)
    )


def test_what_is_left_is_never_less_than_nothing() -> None:
    """A queue may have lowered its bounds since."""
    after = comes_next(replace(PROMISE, attempts_used=9, dials=20), NOON, POLICY, from_one_o_clock)
    assert (after.attempts_left, after.calls_left) == (0, 0)
