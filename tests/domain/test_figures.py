"""All figures together: shared out over intervals, by queue, by agent, as rows, and as the page says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.fairness import Turn
from controller.domain.figure_facts import AgentSpan, Counting, Facts, PromiseFact, TalkFact
from controller.domain.figure_rows import (
    COLUMNS,
    Unit,
)
from controller.domain.figures import by_agent, by_interval, by_queue, figures
from controller.domain.intervals import Interval, Length, split
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from tests.domain.figure_days import DAY, answered, at, call, facts, gave_up

PLAIN = Counting()
TOKYO = ZoneInfo("Asia/Tokyo")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|[^|]*\|$", re.MULTILINE)
ADDED_UP = [column for column in COLUMNS if column.unit is Unit.COUNT]
QUARTER, NEXT = Interval(at(0), at(900)), Interval(at(900), at(1800))


def test_a_call_counts_where_it_arrived_whatever_came_of_it_later() -> None:
    """It came at 9:14, was answered at 9:16 and ended at 9:31."""
    day = Facts(as_of=at(9000), calls=(call(840, answered_s=120, ended_s=1020),))
    first, second = by_interval(day, [QUARTER, NEXT], PLAIN)
    assert (first.calls.offered, first.calls.asa_s) == (1, 120)
    assert (second.calls.offered, second.calls.asa_s) == (0, None)


def test_a_talk_has_its_length_where_it_began_and_its_time_where_it_was_spent() -> None:
    """From 9:14 to 9:17, and a minute of wrap-up: a minute here, three there; the handle time is of the first."""
    day = Facts(
        as_of=at(9000),
        talks=(TalkFact("alice", "sales", at(840), at(1020), at(1080)),),
        spans=(AgentSpan("alice", AgentState.ON_CALL, at(840), at(1020)),),
    )
    first, second = by_interval(day, [QUARTER, NEXT], PLAIN)
    assert (first.handling.aht_s, second.handling.aht_s) == (240, None)
    assert (first.carried_s, second.carried_s) == (60, 180)
    assert (first.time.handling_s, second.time.handling_s) == (60, 120)


def test_a_promise_counts_where_its_caller_arrived_with_all_that_came_later() -> None:
    """Left a number at 9:10, called at 10:00: the true wait and the kept word are those of the first quarter."""
    promise = PromiseFact("p", "sales", at(600), PromiseState.FULFILLED, due_by=at(4000), talked_at=at(3600))
    caller = call(600, joined_s=20, ended_s=80, ending=Ending.PROMISED, promise_id="p")
    first, second = by_interval(Facts(at(9000), calls=(caller,), promises=(promise,)), [QUARTER, NEXT], PLAIN)
    assert (first.waits.mean_hold_s, first.waits.mean_true_s) == (60, 3000)
    assert (first.callbacks.kept_percent, first.calls.reached_percent) == (100, 100)
    assert (second.callbacks.made, second.callbacks.kept_percent) == (0, None)


def test_who_asked_again_for_an_open_promise_has_a_wait_of_their_own() -> None:
    """The promise is of the first quarter, the second call of the next."""
    promise = PromiseFact("p", "sales", at(600), PromiseState.FULFILLED, talked_at=at(3600))
    again = call(1200, ended_s=60, ending=Ending.PROMISED, promise_id="p")
    first, second = by_interval(Facts(at(9000), calls=(again,), promises=(promise,)), [QUARTER, NEXT], PLAIN)
    assert (second.waits.mean_true_s, second.calls.reached_percent, second.callbacks.made) == (2400, 100, 0)
    assert first.callbacks.made == 1


def test_a_turn_is_judged_by_the_turns_around_it_also_in_the_next_quarter() -> None:
    """Passed in the first quarter, served in the second."""
    turns = (
        Turn("urgent", "sales", WaiterKind.LIVE, at(800), at(800), at(880)),
        Turn("passed", "sales", WaiterKind.LIVE, at(700), at(700), at(940)),
    )
    first, second = by_interval(Facts(at(9000), turns=turns), [QUARTER, NEXT], PLAIN)
    assert (first.fairness.gained_s, first.fairness.lost_s) == (60, 0)
    assert (second.fairness.gained_s, second.fairness.lost_s) == (0, 60)


def test_traffic_is_offered_calls_by_handle_time_and_carried_by_time_spent() -> None:
    """Six calls of which four were answered, 90 s of talk and 30 s of wrap-up each, in a quarter."""
    day = Facts(
        as_of=at(9000),
        calls=(*(answered(nth, after_s=10) for nth in range(4)), gave_up(5, after_s=60), gave_up(6, after_s=60)),
        talks=tuple(TalkFact("alice", "sales", at(nth), at(nth + 90), at(nth + 120)) for nth in range(4)),
    )
    found = figures(day, QUARTER, PLAIN)
    assert found.offered_erlangs == pytest.approx(6 * 120 / 900)
    assert found.carried_erlangs == pytest.approx(4 * 120 / 900)


def test_of_an_interval_that_goes_on_only_what_is_over_counts_as_time() -> None:
    """Ten minutes into the quarter; of one that has not begun, nothing is told."""
    day = Facts(
        as_of=at(600), calls=(answered(0, after_s=1),), talks=(TalkFact("alice", "sales", at(0), at(60), at(60)),)
    )
    now, later = by_interval(day, [QUARTER, NEXT], PLAIN)
    assert (now.elapsed_s, now.offered_erlangs, now.carried_erlangs) == (600, 0.1, 0.1)
    assert (later.elapsed_s, later.offered_erlangs, later.carried_erlangs) == (0, None, None)


@settings(max_examples=40)
@given(facts(), st.sampled_from([Length.QUARTER_HOUR, Length.HALF_HOUR]))
def test_the_intervals_of_a_day_add_up_to_the_day(day: Facts, length: Length) -> None:
    """Every count, and all time; so each call, promise, talk and turn is in one interval and no other."""
    whole = figures(day, DAY, PLAIN)
    parts = by_interval(day, split(DAY, TOKYO, length), PLAIN)
    for column in ADDED_UP:
        assert sum(column.cell(part) or 0 for part in parts) == (column.cell(whole) or 0), column.key
    assert sum(part.carried_s for part in parts) == pytest.approx(whole.carried_s)
    assert sum(part.fairness.gained_s for part in parts) == pytest.approx(whole.fairness.gained_s)
    for state in AgentState:
        assert sum(part.time.by_state[state] for part in parts) == pytest.approx(whole.time.by_state[state])
    assert sum(len(part.waits.hold_s) for part in parts) == len(whole.waits.hold_s)


@given(facts())
def test_what_lies_outside_the_interval_changes_nothing(day: Facts) -> None:
    """Calls, talks and times of another day; promises of another day are looked up, not counted."""
    week = timedelta(days=7)
    elsewhere = tuple(replace(one, arrived_at=one.arrived_at + week, id=f"{one.id}-later") for one in day.calls)
    talks = tuple(replace(one, began_at=one.began_at + week, ended_at=None, wrapped_up_at=None) for one in day.talks)
    more = replace(day, calls=day.calls + elsewhere, talks=day.talks + talks)
    assert figures(more, DAY, PLAIN) == figures(day, DAY, PLAIN)


@given(facts())
def test_the_queues_add_up_to_what_concerns_a_queue(day: Facts) -> None:
    """Calls that never came to one are in no queue's figures, but in those of all together."""
    whole, queues = figures(day, DAY, PLAIN), by_queue(day, DAY, PLAIN)
    assert list(queues) == sorted(queues) == day.queues
    assert sum(each.calls.offered for each in queues.values()) == whole.calls.offered
    assert sum(each.handling.talks for each in queues.values()) == whole.handling.talks
    assert sum(each.callbacks.made for each in queues.values()) == whole.callbacks.made
    assert sum(each.callbacks.calls for each in queues.values()) == whole.callbacks.calls
    assert sum(each.fairness.turns for each in queues.values()) == whole.fairness.turns


@given(facts())
def test_the_agents_add_up_to_all(day: Facts) -> None:
    """Talks where they began, time where it was spent."""
    whole, agents = figures(day, DAY, PLAIN), by_agent(day, DAY)
    assert [each.agent for each in agents] == day.agents
    assert sum(each.handling.talks for each in agents) == whole.handling.talks
    assert sum(each.handling.talk.total_seconds() for each in agents) == whole.handling.talk.total_seconds()
    assert sum(each.time.signed_in_s for each in agents) == pytest.approx(whole.time.signed_in_s)


def test_a_queue_is_as_busy_as_those_who_serve_it() -> None:
    """Whatever they did: an agent of both queues who talks for the one is not there for the other."""
    both, one = frozenset({"sales", "support"}), frozenset({"sales"})
    day = Facts(
        as_of=at(900),
        spans=(
            AgentSpan("alice", AgentState.ON_CALL, at(0), at(600), both),
            AgentSpan("alice", AgentState.AVAILABLE, at(600), at(900), both),
            AgentSpan("bob", AgentState.AVAILABLE, at(0), at(900), one),
        ),
    )
    found = by_queue(day, QUARTER, PLAIN)
    assert {queue: each.time.occupancy_percent for queue, each in found.items()} == {
        "sales": pytest.approx(100 / 3),
        "support": pytest.approx(200 / 3),
    }
