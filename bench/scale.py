"""What limits a call centre of ten thousand agents: arithmetic, with the figures that were measured.

    python -m bench.scale                                       the tables, as text
    python -m bench.scale --figures build/bench.json            ... with the figures of `python -m bench --json`
    python -m bench.scale --markdown docs/scale.md              ... put between that page's two marker lines

Each figure is said to be measured here, measured before (docs and benchmarks of this project), or a guess.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.machine import this_machine
from bench.scale_floor import Day, play
from bench.scale_line import costs_us, growth
from bench.scale_model import GIVEN, MEASURED, Centre, Figure, erlang_wait_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BEGINS, ENDS = "<!-- tables of `python -m bench.scale` -->", "<!-- end of the tables -->"
AGENTS: Final = (100, 1_000, 3_000, 10_000)
WAITING: Final = (100, 1_000, 5_000)
HANDLE_S: Final = 300.0
FLOOR_AGENTS: Final = (100, 1_000, 3_000, 10_000)


@dataclass(frozen=True, slots=True)
class Played:
    """A day on the floor beside what the arithmetic says of it."""

    day: Day
    wait_s: float
    erlang_s: float
    cpu_us: float


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, reckon and print; 2 when the page has no markers."""
    asked = _parser().parse_args(argv)
    figures = dict(GIVEN)
    if asked.figures is not None:
        figures |= from_benchmarks(json.loads(Path(asked.figures).read_text("utf-8"))["rows"])
    _tell("decisions of the line")
    costs = {(staff, line): costs_us(staff, line) for staff in AGENTS[:: 3 if asked.quick else 1] for line in WAITING}
    floors = [played(each) for each in _days(quick=asked.quick)]
    figures |= of_the_line(costs, floors)
    text = "\n\n".join([this_machine(), *tables(figures, costs, floors)])
    if asked.markdown is None:
        sys.stdout.write(text + "\n")
        return 0
    page = Path(asked.markdown)
    head, begins, rest = page.read_text("utf-8").partition(BEGINS)
    _, ends, tail = rest.partition(ENDS)
    if not begins or not ends:
        _tell(f"{page}: the tables go between the lines {BEGINS} and {ENDS}, which are not there")
        return 2
    page.write_text(f"{head}{BEGINS}\n\n{text}\n\n{ENDS}{tail}", "utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__.split("\n\n")[0])
    parser.add_argument("--figures", metavar="FILE", help="what `python -m bench --json FILE` wrote")
    parser.add_argument("--markdown", metavar="FILE", help="put the tables into this page")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works here")
    return parser


def _days(*, quick: bool) -> Iterable[Day]:
    # Waits come in clusters, so a mean needs many calls: only a small floor can show whether the formula holds.
    yield Day(5, 0.6, HANDLE_S, 2_000 if quick else 60_000)
    for agents in FLOOR_AGENTS[: 2 if quick else None]:
        calls = 300 if quick or agents > FLOOR_AGENTS[2] else 3_000
        yield Day(agents, 0.9, HANDLE_S, calls)
        yield Day(agents, 1.0, HANDLE_S, calls, waiting=agents // 10)


def played(day: Day) -> Played:
    """Play a day and reckon it."""
    _tell(f"a floor of {day.agents:,} agents, {day.waiting:,} wait")
    seen = play(day)
    wait_s = sum(seen.waited_s) / max(1, len(seen.waited_s))
    return Played(day, wait_s, erlang_wait_s(day.agents, day.load * day.agents, day.handle_s), seen.cpu_us)


def from_benchmarks(rows: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Return the figures that the benchmarks measured, by what their rows are called."""
    found: dict[str, Figure] = {}
    for name, (measurement, begins, factor) in MEASURED.items():
        fits = [row for row in rows if row["measurement"] == measurement and row["what"].startswith(begins)]
        if fits:
            found[name] = Figure(fits[-1]["ours"] * factor, GIVEN[name].unit, f"measured here: {measurement}")
    return found


def of_the_line(costs: Mapping[tuple[int, int], Mapping[str, float]], floors: Sequence[Played]) -> dict[str, Figure]:
    """Return what the line costs, by agent: from the largest floor, where the rest is nothing beside it."""
    floor = max(floors, key=lambda each: each.day.agents)
    most = max(costs)
    return {
        "line_us_by_agent": Figure(floor.cpu_us / floor.day.agents, "us", "measured here: floor"),
        "told_us_by_agent": Figure(costs[most]["expected wait"] / most[0], "us", "measured here: expected wait"),
    }


def tables(
    figures: Mapping[str, Figure], costs: Mapping[tuple[int, int], Mapping[str, float]], floors: Sequence[Played]
) -> list[str]:
    """Return all tables in Markdown."""
    return [
        _table(("figure", "value", "", "from"), [_figure_cells(name, each) for name, each in figures.items()]),
        _table(Centre.HEADINGS, [Centre(agents, HANDLE_S, figures).cells() for agents in AGENTS]),
        _table(
            ("one of it", "carries so many agents", "because"),
            [(what, f"{agents:,.0f}", why) for what, agents, why in Centre(max(AGENTS), HANDLE_S, figures).limits()],
        ),
        _cost_table(costs),
        _table(
            ("agents", "load", "wait at first", "mean wait, s", "by Erlang, s", "line's CPU a call, us", "by agent"),
            [_floor_cells(each) for each in floors],
        ),
    ]


def _figure_cells(name: str, figure: Figure) -> tuple[str, ...]:
    return name.replace("_", " "), f"{figure.value:,.4g}", figure.unit, figure.source


def _floor_cells(each: Played) -> tuple[str, ...]:
    day = each.day
    erlang = f"{each.erlang_s:.2f}" if day.load < 1 else "-"
    by_agent = f"{each.cpu_us / day.agents:.2f}"
    numbers = (f"{day.agents:,}", f"{day.load:.2f}", f"{day.waiting:,}", f"{each.wait_s:.2f}", erlang)
    return (*numbers, f"{each.cpu_us:,.0f}", by_agent)


def _cost_table(costs: Mapping[tuple[int, int], Mapping[str, float]]) -> str:
    parts = list(next(iter(costs.values())))
    rows = [
        (f"{staff:,}", f"{line:,}", *(f"{cost[part]:,.0f}" for part in parts)) for (staff, line), cost in costs.items()
    ]
    staffs, lines = (sorted({size[axis] for size in costs}) for axis in (0, 1))
    for what, axis, sizes in (("agents", 0, staffs), ("who wait", 1, lines)):
        other = (lines, staffs)[axis][0]
        at = [costs[(size, other) if axis == 0 else (other, size)] for size in sizes]
        powers = (f"{growth(sizes, [each[part] for each in at]):.2f}" for part in parts)
        rows.append((f"grows with {what}", "to the power of", *powers))
    return _table(("agents", "who wait", *(f"{part}, us" for part in parts)), rows)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _tell(text: str) -> None:
    sys.stderr.write(f"scale: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
