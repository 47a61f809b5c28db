"""What the order of the line gave and took, against the order of arrival."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.agents import Agent, AgentState
from controller.domain.fairness import Turn, against_arrival_order, tally
from controller.domain.line import Waiter, WaiterKind, match
from tests.domain.figure_days import at, turns


def turn(name: str, since_s: float, at_s: float, *, due_s: float | None = None, kind: str = "live") -> Turn:
    """Return a turn in "sales"."""
    return Turn(name, "sales", WaiterKind(kind), at(since_s), at(since_s if due_s is None else due_s), at(at_s))


def gains(*line: Turn) -> dict[str, float]:
    """Return what each gained, in seconds."""
    return {one.turn.waiter_id: one.gained_s for one in against_arrival_order(line)}


def test_in_the_order_of_arrival_nobody_gains_or_loses() -> None:
    """However long they waited."""
    found = tally(against_arrival_order([turn("a", 0, 100), turn("b", 10, 400), turn("c", 20, 500, kind="promise")]))
    assert (found.turns, found.moved, found.gained_s, found.lost_s, found.most_lost_s) == (3, 0, 0, 0, 0)
    assert (found.moved_percent, found.mean_live_gain_s, found.mean_promise_gain_s) == (0, 0, 0)


def test_an_urgent_caller_gains_what_those_who_were_passed_lose() -> None:
    """Came last and went first: two places of a minute each."""
    urgent, first, second = turn("urgent", 50, 60), turn("first", 0, 120), turn("second", 10, 180)
    assert gains(second, urgent, first) == {"urgent": 120, "first": -60, "second": -60}
    found = tally(against_arrival_order([second, urgent, first]))
    assert (found.moved, found.gained_s, found.lost_s, found.most_lost_s) == (3, 120, 120, 60)


def test_callbacks_that_always_beat_those_who_hold_are_seen() -> None:
    """What most products do, and their users complain about."""
    line = [
        turn("promise", 30, 60, kind="promise"),
        turn("caller", 0, 120),
        turn("another", 20, 180),
    ]
    found = tally(against_arrival_order(line))
    assert found.mean_promise_gain_s == 120
    assert found.mean_live_gain_s == -60
    assert found.moved_percent == 100


def test_a_promise_that_could_not_be_called_yet_lost_nothing() -> None:
    """It keeps its early place, but its customer wanted to be called later."""
    assert gains(turn("promise", 0, 500, due_s=450), turn("caller", 100, 200)) == {"promise": 0, "caller": 0}


def test_who_was_first_among_those_due_gets_the_agent_who_came_free() -> None:
    """A due promise with an early place goes before a caller who came after it."""
    assert gains(turn("promise", 0, 300, due_s=150), turn("caller", 100, 200)) == {"promise": -100, "caller": 100}


def test_queues_do_not_stand_in_each_others_way() -> None:
    """Each has an order of arrival of its own."""
    elsewhere = Turn("other", "support", WaiterKind.LIVE, at(0), at(0), at(900))
    assert gains(turn("a", 10, 100), elsewhere) == {"a": 0, "other": 0}


def test_of_no_turns_nothing_is_told() -> None:
    """Neither fair nor unfair."""
    nothing = tally([])
    assert nothing.moved_percent is nothing.mean_live_gain_s is nothing.mean_promise_gain_s is None
    assert tally(against_arrival_order([turn("a", 0, 1)])).mean_promise_gain_s is None


def test_nobody_is_served_before_they_can_be() -> None:
    """Such a fact is a mistake of whoever brings it."""
    with pytest.raises(ValueError, match="was served at"):
        turn("early", 100, 50)


def long_hand(line: list[Turn]) -> dict[str, float]:
    """Return the gains by looking through everybody at each instant."""
    found: dict[str, float] = {}
    by_queue: defaultdict[str, list[Turn]] = defaultdict(list)
    for one in line:
        by_queue[one.queue].append(one)
    for group in by_queue.values():
        left = list(group)
        for instant in sorted(one.at for one in group):
            due = [one for one in left if one.due_at <= instant]
            first = min(due, key=lambda one: (one.since, one.waiter_id))
            left.remove(first)
            found[first.waiter_id] = (instant - first.at).total_seconds()
    return found


@given(st.lists(turns(), max_size=30))
def test_what_one_gains_others_lose_in_each_queue(line: list[Turn]) -> None:
    """To the second; and each turn is judged once, as by hand."""
    moves = against_arrival_order(line)
    assert {one.turn.waiter_id: one.gained_s for one in moves} == long_hand(line)
    assert len(moves) == len(line)
    for queue in ("sales", "support"):
        found = tally(one for one in moves if one.turn.queue == queue)
        assert found.gained_s == found.lost_s
        assert found.live_gained_s + found.promises_gained_s == 0
        assert found.most_lost_s <= found.lost_s
    assert all(one.turn.at + timedelta(seconds=one.gained_s) >= one.turn.due_at for one in moves)


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), min_size=1, max_size=8))
def test_our_own_line_without_urgent_callers_moves_nobody(comers: list[tuple[int, bool]]) -> None:
    """The line of the product, asked for its pairs, is the measure itself."""
    start = datetime(2026, 11, 24, tzinfo=UTC)
    waiting = [
        Waiter(f"w{nth}", WaiterKind.LIVE if live else WaiterKind.PROMISE, "sales", start + timedelta(seconds=came_s))
        for nth, (came_s, live) in enumerate(comers)
    ]
    line: list[Turn] = []
    for nth in range(len(comers)):
        now = start + timedelta(seconds=700 + 60 * nth)
        alice = Agent(
            "alice", "1", frozenset({"sales"}), AgentState.AVAILABLE, start, phone_registered=True, phone_idle=True
        )
        (pair,) = match(waiting, [alice], now)
        waiting.remove(pair.waiter)
        line.append(Turn(pair.waiter.id, "sales", pair.waiter.kind, pair.waiter.since, pair.waiter.since, now))
    assert tally(against_arrival_order(line)).moved == 0
