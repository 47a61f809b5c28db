"""A day that is read in steps has the figures of the same day read at once: to the last digit, at every step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.fairness import Turn, against_arrival_order, tally
from controller.domain.fairness_so_far import BLOCK, QueueTurns
from controller.domain.figure_facts import Counting, Facts, FactsSince
from controller.domain.figures import by_interval, figures, together
from controller.domain.figures_so_far import ALL, DayInFigures, SoFar
from controller.domain.intervals import Length, Placed, split
from controller.domain.line import WaiterKind
from tests.domain.figure_days import DAY, at, facts, reckoned_at_once, turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

WAYS = {ALL: Counting(), "sales": Counting(answer_within_s=60, short_abandon_s=30), "support": Counting()}
TOKYO = ZoneInfo("Asia/Tokyo")
HALF_HOURS = split(DAY, TOKYO, Length.HALF_HOUR)


def at_once(day: Facts) -> SoFar:
    """Return the figures as a full reading has them."""
    return reckoned_at_once(day, DAY, HALF_HOURS, WAYS)


def settled_at(day: Facts, steps: Sequence[int]) -> list[Facts]:
    """Return what settles at each step, and last what never does: what goes on, or is judged by the clock.

    A promise settles with its calls, attempts and SMS; everything else by itself.
    """
    never = max(steps) + 1
    by_promise = {
        one.id: steps[nth % len(steps)] if one.state.is_final else never for nth, one in enumerate(day.promises)
    }

    def step(nth: int, *, promise_id: str = "", goes_on: bool = False) -> int:
        return never if goes_on else by_promise.get(promise_id, steps[nth % len(steps)])

    return [
        Facts(
            day.as_of,
            calls=tuple(one for nth, one in enumerate(day.calls) if step(nth, promise_id=one.promise_id) == now),
            promises=tuple(one for one in day.promises if by_promise[one.id] == now),
            attempts=tuple(one for nth, one in enumerate(day.attempts) if step(nth, promise_id=one.promise_id) == now),
            texts=tuple(one for nth, one in enumerate(day.texts) if step(nth, promise_id=one.promise_id) == now),
            talks=tuple(one for nth, one in enumerate(day.talks) if step(nth, goes_on=one.ended_at is None) == now),
            spans=tuple(one for nth, one in enumerate(day.spans) if step(nth, goes_on=one.until is None) == now),
        )
        for now in range(never + 1)
    ]


def all_of(as_of: datetime, parts: Sequence[Facts]) -> Facts:
    """Return facts as one."""
    kinds = ("calls", "promises", "attempts", "texts", "talks", "spans", "turns")
    return Facts(as_of, **{kind: tuple(one for part in parts for one in getattr(part, kind)) for kind in kinds})


def as_they_were(going_on: Facts) -> Facts:
    """Return what goes on as it may have looked before: calls that were neither answered nor over."""
    return replace(going_on, calls=tuple(replace(one, answered_at=None, ending=None) for one in going_on.calls))


@settings(max_examples=150)
@given(facts(), st.lists(st.integers(0, 4), min_size=1, max_size=9), st.integers(0, 20), st.data())
def test_a_day_in_steps_comes_to_what_a_full_reading_gives_at_each_of_them(
    day: Facts, steps: list[int], anew_at: int, data: st.DataObject
) -> None:
    """What is settled is told once, what goes on each time, and once in a while all from the beginning."""
    *parts, never = settled_at(day, steps)
    sums = DayInFigures(DAY, HALF_HOURS, WAYS)
    came_at = [data.draw(st.integers(0, len(parts) - 1)) for _ in day.turns]
    for now, part in enumerate(parts):
        as_of = day.as_of + timedelta(seconds=30 * now)
        going_on = all_of(as_of, [*parts[now + 1 :], never])
        going_on = going_on if now == len(parts) - 1 else as_they_were(going_on)
        before = parts[: now + 1]
        came = [turn for turn, step in zip(day.turns, came_at, strict=True) if step <= now]
        new = [turn for turn, step in zip(day.turns, came_at, strict=True) if step == now]
        is_anew = now == anew_at
        told = all_of(as_of, before) if is_anew else part
        found = sums.take(FactsSince(told, going_on, tuple(came if is_anew else new), is_anew=is_anew))
        assert found == at_once(replace(all_of(as_of, [*before, going_on]), turns=tuple(came)))


@given(facts(), st.sampled_from([Length.QUARTER_HOUR, Length.HALF_HOUR]))
def test_the_figures_of_the_parts_of_a_day_are_together_those_of_the_day(day: Facts, length: Length) -> None:
    """To the last digit, percentiles and means too."""
    parts = by_interval(day, split(DAY, TOKYO, length), WAYS["sales"])
    assert together(parts, DAY, day.as_of) == figures(day, DAY, WAYS["sales"])


@settings(max_examples=300)
@given(st.lists(turns(st.just("sales")), max_size=40), st.data())
def test_turns_that_come_later_and_some_that_go_again_leave_the_tally_of_all_that_are_there(
    line: list[Turn], data: st.DataObject
) -> None:
    """In any order: somebody who is served late may have been due before all others."""
    sums = QueueTurns(Placed.of(HALF_HOURS), block=data.draw(st.integers(1, 8)))
    there: list[Turn] = []
    while line:
        some = data.draw(st.integers(1, len(line)))
        came, line = line[:some], line[some:]
        gone = data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []
        sums.change(came, gone)
        there = [turn for turn in there if turn not in gone] + came
        moves = against_arrival_order(there)
        by_half_hour = {
            nth: tally(one for one in moves if interval.holds(one.turn.at)) for nth, interval in enumerate(HALF_HOURS)
        }
        assert sums.tallies() == {nth: found for nth, found in by_half_hour.items() if found.turns}


def test_what_one_more_turn_cannot_have_changed_is_not_played_again() -> None:
    """Ten thousand callers were served in order: one more asks for no more than the last few hundred of them."""
    first = [Turn(f"call-{nth}", "sales", WaiterKind.LIVE, at(nth), at(nth), at(nth + 1)) for nth in range(10_000)]
    sums = QueueTurns(Placed.of(HALF_HOURS))
    sums.change(first)
    more = Turn("one more", "sales", WaiterKind.LIVE, at(10_000), at(10_000), at(10_001))
    assert 0 < sums.change([more]) <= 2 * BLOCK
    waited = Turn("since noon", "sales", WaiterKind.PROMISE, at(5000), at(5000), at(10_002))
    assert 5000 < sums.change([waited]) < 5000 + 2 * BLOCK


def test_a_turn_that_was_never_given_cannot_be_taken_back() -> None:
    """Such news is a mistake of whoever brings it."""
    turn = Turn("call-1", "sales", WaiterKind.LIVE, at(0), at(0), at(1))
    with pytest.raises(ValueError, match="call-1"):
        QueueTurns(Placed.of(HALF_HOURS)).change([], [turn])
