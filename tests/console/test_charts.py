"""Where everything goes in a chart: in its place, in proportion, and nothing outside."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.console.pages.charts import (
    FLOOR,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Series,
    Slot,
    lines,
    scale,
    stacked,
    steps,
)

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=96)
KNOWN_OR_NOT = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=96)


def slots(count: int) -> list[Slot]:
    """Return half hours from 9:00 on."""
    return [Slot(f"{9 + nth // 2}:{nth % 2 * 30:02}", None if nth % 2 else (9 + nth // 2) % 24) for nth in range(count)]


def points(path: str) -> list[tuple[float, float]]:
    """Return the points of a path."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([-\d.e+]+) ([-\d.e+]+)", path)]


@given(COUNTS)
def test_the_parts_of_a_bar_stand_on_each_other_from_the_floor_up(rows: list[tuple[int, int, int]]) -> None:
    """No gap, no overlap; as high as the counts say; inside the chart, each in the slot of its interval."""
    series = [Series(key, key, [row[nth] for row in rows]) for nth, key in enumerate("abc")]
    chart = stacked("calls", "Calls", "calls", slots(len(rows)), series)
    wide = (WIDTH - LEFT - RIGHT) / len(rows)
    per_call = (FLOOR - TOP) / scale(max(map(sum, rows)), is_count=True)[0]
    for nth, row in enumerate(rows):
        own = [bar for bar in chart.bars if int((bar.x - LEFT) / wide) == nth]
        assert [bar.key for bar in own] == [key for key, count in zip("abc", row, strict=True) if count]
        assert sum(bar.height for bar in own) == pytest.approx(sum(row) * per_call, abs=0.1)
        bottom = FLOOR
        for bar in own:
            assert bar.y + bar.height == pytest.approx(bottom, abs=0.02)
            bottom = bar.y
    assert all(bar.x >= LEFT and bar.x + bar.width <= WIDTH - RIGHT + 0.02 for bar in chart.bars)
    assert all(TOP - 0.01 <= bar.y <= FLOOR for bar in chart.bars)


@given(KNOWN_OR_NOT)
def test_a_line_goes_through_what_is_known_and_breaks_where_nothing_is(values: list[float | None]) -> None:
    """Each known number is one point, in a piece of the line or a dot of its own; a larger number is not lower."""
    chart = lines("waits", "Waits", "s", slots(len(values)), [Series("hold", "Hold", values)])
    (line,) = chart.lines
    drawn = sorted([*points(line.path), *line.dots])
    known = [value for value in values if value is not None]
    assert len(drawn) == len(known)
    by_value = sorted(zip(known, (y for _, y in drawn), strict=True))
    assert all(one[1] >= other[1] for one, other in pairwise(by_value))
    assert all(0 <= x <= WIDTH and TOP - 0.01 <= y <= FLOOR for x, y in drawn)
    padded = [None, *values, None]
    alone = [nth for nth in range(1, len(padded) - 1) if padded[nth - 1] is None is padded[nth + 1]]
    assert len(line.dots) == sum(padded[nth] is not None for nth in alone)


@given(KNOWN_OR_NOT)
def test_a_step_holds_for_its_whole_interval(values: list[float | None]) -> None:
    """From where it begins to where the next one begins."""
    chart = steps("staffing", "Agents", "people", slots(len(values)), [Series("needed", "Needed", values)])
    (line,) = chart.lines
    wide = (WIDTH - LEFT - RIGHT) / len(values)
    drawn = points(line.path)
    known = [nth for nth, value in enumerate(values) if value is not None]
    assert [x for x, _ in drawn] == pytest.approx(
        [LEFT + end * wide for nth in known for end in (nth, nth + 1)], abs=0.02
    )
    assert all(one[1] == other[1] for one, other in zip(drawn[::2], drawn[1::2], strict=True))


@given(st.floats(1e-3, 1e9), st.booleans())
def test_an_axis_has_a_few_round_marks_and_holds_everything(most: float, is_count: bool) -> None:
    """From 0 to the end, as far from each other; of counts only whole ones."""
    top, ticks = scale(most, is_count=is_count)
    assert top >= most * (1 - 1e-9)
    assert 2 <= len(ticks) <= 7
    assert (ticks[0].text.strip("0."), ticks[0].at, ticks[-1].at) == ("", FLOOR, TOP)
    numbers = [float(tick.text.replace(",", "")) for tick in ticks]
    gaps = [other - one for one, other in pairwise(numbers)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))
    if is_count:
        assert all(number == int(number) for number in numbers)


@pytest.mark.parametrize("most", [0.0, -1.0, float("nan"), float("inf")])
def test_an_axis_of_nothing_goes_to_one(most: float) -> None:
    """A chart of a night has an axis all the same."""
    assert scale(most)[0] == 1


def test_a_day_without_a_number_is_empty_and_one_of_noughts_is_not() -> None:
    """A service level of 0 % is a number to look at."""
    nothing = Series("service", "Service level", [None, None])
    noughts = Series("service", "Service level", [0.0, 0.0])
    assert lines("service", "Service level", "%", slots(2), [nothing]).is_empty
    assert not lines("service", "Service level", "%", slots(2), [noughts]).is_empty
    assert stacked("calls", "Calls", "calls", slots(2), [Series("answered", "Answered", [0, 0])]).is_empty


def test_hours_are_named_where_they_begin_and_some_may_be_left_out() -> None:
    """Of a whole day every third hour is named; of a morning each, and a narrow chart leaves those between out."""
    morning = stacked("calls", "Calls", "calls", slots(8), [Series("answered", "Answered", [1] * 8)])
    assert [(tick.text, tick.is_minor) for tick in morning.x_ticks] == [
        ("9:00", False),
        ("10:00", True),
        ("11:00", True),
        ("12:00", False),
    ]
    long = stacked("calls", "Calls", "calls", slots(28), [Series("answered", "Answered", [1] * 28)])
    assert [tick.text for tick in long.x_ticks] == ["9:00", "12:00", "15:00", "18:00", "21:00"]
    assert long.x_ticks[1].at == pytest.approx(LEFT + 6 * (WIDTH - LEFT - RIGHT) / 28, abs=0.01)


def test_the_table_has_the_numbers_of_the_chart() -> None:
    """Each interval a row; what is not known is an empty cell, not a nought."""
    series = [Series("hold", "Hold", [12.34, None]), Series("true", "True", [0.0, 1234.5])]
    chart = lines("waits", "Waits", "s", slots(2), series)
    assert chart.rows == [("9:00", ["12.3", "0.0"]), ("9:30", ["", "1,234.5"])]


def test_a_target_has_a_line_of_its_own_at_its_height() -> None:
    """Within an axis that ends where it is told to."""
    chart = lines("service", "Service", "%", slots(2), [Series("service", "S", [50.0, None])], top=100.0, goal=80.0)
    assert chart.goal_y == pytest.approx(FLOOR - 0.8 * (FLOOR - TOP))
    assert [tick.text for tick in chart.y_ticks] == ["0", "20", "40", "60", "80", "100"]
    assert chart.lines[0].dots[0][1] == pytest.approx(FLOOR - 0.5 * (FLOOR - TOP))
    assert HEIGHT > FLOOR
