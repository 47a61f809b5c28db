from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bench.load_phones import CallMade
from bench.throughput import GROWTH, Side, Step, against, rows_of, waiting_in_quarters


def calls(count: int, *, per_s: float = 10.0, waits_s: float = 0.5) -> list[CallMade]:
    """Return calls at an even pace, each with an agent after the same wait."""
    return [
        CallMade(
            number=str(index),
            invited_s=100 + index / per_s,
            due_s=100 + index / per_s,
            answered_s=100 + index / per_s,
            agent_rung_s=100 + index / per_s + waits_s,
            agent_answered_s=100 + index / per_s + waits_s,
            ended_s=102 + index / per_s + waits_s,
        )
        for index in range(count)
    ]


def step(side: Side, *, asterisk_ms: float, controller_ms: float = 0.0) -> Step:
    """Return a step that was sustained."""
    return Step(side, 10.0, "", asterisk_ms, controller_ms, (0.48, 0.5, 0.51))


@given(count=st.integers(8, 200), per_s=st.floats(1, 100), part=st.floats(0, 0.9))
def test_a_pace_at_which_all_wait_equally_long_is_sustained(count: int, per_s: float, part: float) -> None:
    """However long they wait, up to a quarter of the step, after which it would still be growing."""
    waits_s = part * (count - 1) / per_s / 4
    assert against(calls(count, per_s=per_s, waits_s=waits_s)) == ""


def test_a_pace_at_which_somebody_is_refused_is_not_sustained() -> None:
    """One is enough, and it is said with what."""
    made = calls(50)
    made[7] = replace(made[7], refused=503)
    assert against(made) == "1 of 50 refused, the first with 503"


def test_a_pace_at_which_somebody_gets_no_agent_or_no_end_is_not_sustained() -> None:
    """Either of the two."""
    made = calls(50)
    made[7] = replace(made[7], agent_answered_s=0.0)
    made[9] = replace(made[9], ended_s=0.0)
    assert against(made) == "2 of 50 without an agent or an end"


def test_a_pace_at_which_waits_grow_is_not_sustained() -> None:
    """Every call waits 40 ms longer than the one before: four seconds in the end."""
    made = [replace(call, agent_answered_s=call.agent_answered_s + n * 0.04) for n, call in enumerate(calls(100))]
    second, last = waiting_in_quarters(made)
    assert last > second * GROWTH
    assert against(made) == f"those who wait grew from {second:.1f} to {last:.1f}"


def test_a_pace_that_the_generator_did_not_keep_is_not_sustained() -> None:
    """What was not asked for was not served either."""
    made = calls(50)
    made[7] = replace(made[7], invited_s=made[7].due_s + 1.0)
    assert against(made) == "the generator was late by 1.00 s"


def test_those_who_wait_are_counted_in_the_mean_over_a_quarter() -> None:
    """Ten calls a second that wait for half a second are five at any moment (Little's law)."""
    second, last = waiting_in_quarters(calls(401))
    assert abs(second - 5) < 0.2
    assert abs(last - 5) < 0.2


def test_the_table_compares_paces_and_costs() -> None:
    """The costs are means; the controller's is told by itself and by Asterisk's."""
    costs = [
        *(step(Side.OURS, asterisk_ms=cost_ms, controller_ms=4.0) for cost_ms in (9.0, 11.0)),
        step(Side.QUEUE, asterisk_ms=8.0),
    ]
    pace, asterisk, controller, share, _waits = rows_of(costs, {Side.OURS: 40.0, Side.QUEUE: 50.0})
    assert (pace.ours, pace.other, pace.is_reached) == (40.0, 50.0, False)
    assert (asterisk.ours, asterisk.other) == (10.0, 8.0)
    assert (controller.ours, share.ours, share.is_reached) == (4.0, 0.4, True)
