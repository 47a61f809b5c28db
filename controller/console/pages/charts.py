"""Where everything in a chart goes, in the units of its SVG: bars that stand on each other, lines, steps. No drawing.

Times run from left to right, one slot for each interval, all as wide. What is not known leaves a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 10.0, 22.0, 34.0
FLOOR = HEIGHT - BOTTOM
"""Where 0 is."""
_GAP = 0.16
"""Of a slot, between two bars."""
_MOST_TICKS = 5
_STEPS = (1.0, 2.0, 5.0, 10.0)
_MINOR_HOURS = 3
_LABEL = 62.0
"""How wide an hour is written where letters are large."""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers. `key` is its class in the style sheet."""

    key: str
    title: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the bar of one interval."""

    key: str
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line, in as many pieces as it is known; `dots` are where a piece is a single point."""

    key: str
    path: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis. `is_minor`: it may be left out where there is little room."""

    at: float
    text: str
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """An interval on the axis: what it is called, and the hour that begins with it, if one does."""

    label: str
    hour: int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with everything in its place, and the same numbers for a table."""

    id: str
    title: str
    unit: str
    series: Sequence[Series]
    slots: Sequence[Slot]
    x_ticks: Sequence[Tick] = ()
    y_ticks: Sequence[Tick] = ()
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    goal_y: float | None = None
    """Where the line of a target goes."""
    digits: int = 0
    """After the point, in the table."""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to see."""
        return not self.bars and not any(line.path or line.dots for line in self.lines)

    def cell(self, value: float | None) -> str:
        """Return a number as the table has it."""
        return "" if value is None else f"{value:,.{self.digits}f}"

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: each interval with its numbers."""
        return [
            (slot.label, [self.cell(series.values[nth]) for series in self.series])
            for nth, slot in enumerate(self.slots)
        ]


def stacked(an_id: str, title: str, unit: str, slots: Sequence[Slot], series: Sequence[Series]) -> Chart:
    """Return a chart of counts: in each interval the series stand on each other, the first one lowest."""
    sums = [sum(one.values[nth] or 0 for one in series) for nth in range(len(slots))]
    top, ticks = scale(max(sums, default=0), is_count=True)
    bars: list[Bar] = []
    wide = _wide(slots)
    for nth, slot in enumerate(slots):
        below = 0.0
        for one in series:
            value = one.values[nth] or 0
            if value:
                y = _y(below + value, top)
                x, width = LEFT + (nth + _GAP / 2) * wide, wide * (1 - _GAP)
                label = f"{slot.label} {one.title} {value:,.0f}"
                bars.append(Bar(one.key, _round(x), y, _round(width), _round(_y(below, top) - y), label))
            below += value
    return Chart(an_id, title, unit, series, slots, _x_ticks(slots), ticks, bars=bars)


def lines(
    an_id: str,
    title: str,
    unit: str,
    slots: Sequence[Slot],
    series: Sequence[Series],
    *,
    top: float | None = None,
    goal: float | None = None,
    digits: int = 1,
) -> Chart:
    """Return a chart of lines through the middles of the intervals; `top` is the end of the axis, `goal` a target."""
    top, ticks = scale(_most(series, goal) if top is None else top)
    wide = _wide(slots)
    drawn = [
        _line(one.key, [(_round(LEFT + (nth + 0.5) * wide), value) for nth, value in enumerate(one.values)], top)
        for one in series
    ]
    goal_y = None if goal is None else _y(goal, top)
    x_ticks = _x_ticks(slots)
    return Chart(an_id, title, unit, series, slots, x_ticks, ticks, lines=drawn, goal_y=goal_y, digits=digits)


def steps(
    an_id: str, title: str, unit: str, slots: Sequence[Slot], series: Sequence[Series], *, digits: int = 1
) -> Chart:
    """Return a chart of steps: each number holds for its whole interval."""
    top, ticks = scale(_most(series, None), is_count=True)
    wide = _wide(slots)
    drawn = []
    for one in series:
        points: list[tuple[float, float | None]] = []
        for nth, value in enumerate(one.values):
            points += [(_round(LEFT + nth * wide), value), (_round(LEFT + (nth + 1) * wide), value)]
        drawn.append(_line(one.key, points, top))
    return Chart(an_id, title, unit, series, slots, _x_ticks(slots), ticks, lines=drawn, digits=digits)


def scale(most: float, *, is_count: bool = False) -> tuple[float, list[Tick]]:
    """Return the end of an axis from 0 that holds `most`, and its marks, at round numbers; 1 at least."""
    most = most if isfinite(most) and most > 0 else 1.0
    rough = most / _MOST_TICKS
    size = 10.0 ** floor(log10(rough))
    step = next(each * size for each in _STEPS if each * size >= rough * (1 - 1e-9))
    step = max(1.0, step) if is_count else step
    count = max(1, ceil(most / step - 1e-9))
    top = step * count
    digits = max(0, -floor(log10(step) + 1e-9))
    return top, [Tick(_y(step * nth, top), f"{step * nth:,.{digits}f}") for nth in range(count + 1)]


def _line(key: str, points: Iterable[tuple[float, float | None]], top: float) -> Line:
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, value in points:
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((x, _y(value, top)))
    path = " ".join("M" + " L".join(f"{x:g} {y:g}" for x, y in piece) for piece in pieces if len(piece) > 1)
    return Line(key, path, tuple(piece[0] for piece in pieces if len(piece) == 1))


def _y(value: float, top: float) -> float:
    return _round(FLOOR - (FLOOR - TOP) * min(max(value / top, 0.0), 1.0))


def _wide(slots: Sequence[Slot]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(1, len(slots))


def _x_ticks(slots: Sequence[Slot]) -> list[Tick]:
    wide = _wide(slots)
    found = [(nth, slot) for nth, slot in enumerate(slots) if slot.hour is not None]
    crowded = len(found) > _MOST_TICKS * 2
    ticks = []
    for nth, slot in found:
        is_minor = slot.hour is not None and slot.hour % _MINOR_HOURS != 0
        x = _round(LEFT + nth * wide)
        if not (crowded and is_minor) and x + _LABEL <= WIDTH:
            ticks.append(Tick(x, slot.label, is_minor))
    return ticks


def _most(series: Iterable[Series], goal: float | None) -> float:
    return max((value for one in series for value in (*one.values, goal) if value is not None), default=0)


def _round(number: float) -> float:
    return round(number, 2)
