"""What a measurement returns, and the table of ratios that is made of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured: `quick` is for trying the tool out, its figures are worth nothing."""

    quick: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of ours, beside that of what a user would otherwise pick, measured in the same run."""

    measurement: str
    """The measurement's name, such as `hand-over`."""
    what: str
    """What was measured, with its size: `p99, 500 callers wait`."""
    unit: str
    ours: float
    other: float | None = None
    """None: nothing to compare with."""
    other_name: str = ""
    goal: float | None = None
    """In `unit`; None: none was set."""
    more_is_better: bool = False
    goal_ratio: float | None = None
    """How many times better than the other one we want to be."""

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; below 1: worse. None: nothing to compare with."""
        if self.other is None or not self.ours or not self.other:
            return None
        return self.ours / self.other if self.more_is_better else self.other / self.ours

    @property
    def is_reached(self) -> bool | None:
        """Whether the goal is reached; None: there is none."""
        if self.goal_ratio is not None:
            return self.ratio is not None and self.ratio >= self.goal_ratio
        if self.goal is None:
            return None
        return self.ours >= self.goal if self.more_is_better else self.ours <= self.goal

    def as_data(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {**asdict(self), "ratio": self.ratio, "is_reached": self.is_reached}


_HEADINGS = ("measurement", "what", "unit", "ours", "other", "", "times better", "goal", "reached")


def table(rows: Sequence[Row], *, title: str) -> Table:
    """Return the table for a terminal."""
    drawn = Table(title=title)
    for heading in _HEADINGS:
        drawn.add_column(heading)
    for row in rows:
        drawn.add_row(*_cells(row))
    return drawn


def markdown(rows: Sequence[Row]) -> str:
    """Return the table for docs/performance.md."""
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> tuple[str, ...]:
    goal = _figure(row.goal) if row.goal_ratio is None else f"{row.goal_ratio:g} times"
    reached = {None: "", True: "yes", False: "no"}[row.is_reached]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return (
        *(row.measurement, row.what, row.unit, _figure(row.ours), _figure(row.other), row.other_name),
        *(ratio, goal, reached),
    )


def _figure(number: float | None) -> str:
    """Return a number with three digits that count."""
    return "" if number is None else f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"  # noqa: PLR2004
