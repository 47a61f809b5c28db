"""Every measurement by its name, and one table of what came out.

`make bench`, or `.venv/bin/python -m bench --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from rich.console import Console

from bench.machine import this_machine
from bench.results import Options, Row, markdown, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MEASUREMENTS: Final = {
    "hand-over": "bench.hand_over",
    "throughput": "bench.throughput",
    "ari-client": "bench.ari_rivals",
    "waiting": "bench.waiting",
    "dialing": "bench.dialing",
    "claims": "bench.claims",
    "recovery": "bench.recovery",
    "wallboard": "bench.wallboard",
    "simulation": "bench.simulation_speed",
}
"""By name, in the order in which they are run: the module that measures it."""
TABLE_BEGINS, TABLE_ENDS = "<!-- table of `make bench` -->", "<!-- end of the table -->"
WIDTH: Final = 160
"""Of a table that goes into a file or a pipe."""
EXAMPLE: Final = """\
examples:
  python -m bench                                           everything, about half an hour on two cores
  python -m bench --only hand-over --only waiting --quick   is the tool all right here? (its figures are worth nothing)
  python -m bench --json build/bench.json --markdown docs/performance.md
"""


class Measurement(Protocol):
    """What a module of MEASUREMENTS has."""

    NAME: str

    async def measure(self, options: Options, tell: Callable[[str], None]) -> list[Row]:
        """Measure, telling how far it is; return the rows. Needs root and the root folder when Asterisk takes part."""


class TornPageError(Exception):
    """A page has no place for the table; the message says which lines it needs."""


async def run_all(
    chosen: Mapping[str, str], options: Options, tell: Callable[[str], None]
) -> tuple[list[Row], list[str]]:
    """Run the chosen ones (name to module) after each other; return all rows and the names of those that failed."""
    rows: list[Row] = []
    failed: list[str] = []
    for name, module in chosen.items():
        tell(f"{name}: begins")
        try:
            measurement: Measurement = cast("Measurement", importlib.import_module(module))
            rows += await measurement.measure(options, partial(_tell_of, tell, name))
        except Exception:  # noqa: BLE001 - the others are worth having all the same; this one is told and counted
            traceback.print_exc()
            failed.append(name)
    return rows, failed


def _tell_of(tell: Callable[[str], None], name: str, text: str) -> None:
    tell(f"{name}: {text}")


def with_table(page: str, rows: Sequence[Row], machine: str) -> str:
    """Return the page with the table between its two markers. Raises TornPageError: it has them not."""
    head, begins, rest = page.partition(TABLE_BEGINS)
    _, ends, tail = rest.partition(TABLE_ENDS)
    if not begins or not ends:
        raise TornPageError(f"the page needs the lines {TABLE_BEGINS} and {TABLE_ENDS}, the table goes between them")
    return f"{head}{TABLE_BEGINS}\n\n{machine}\n\n{markdown(rows)}\n\n{TABLE_ENDS}{tail}"


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for; return 0, 1 when a measurement failed, 2 when the page cannot be written."""
    asked = _parser().parse_args(argv)
    chosen = {name: MEASUREMENTS[name] for name in MEASUREMENTS if not asked.only or name in asked.only}
    page = Path(asked.markdown) if asked.markdown not in (None, "-") else None
    machine = this_machine()
    _tell(machine)
    try:
        if page is not None:
            with_table(page.read_text("utf-8"), [], machine)
    except (OSError, TornPageError) as error:
        _tell(f"{page}: {error}")
        return 2
    rows, failed = asyncio.run(run_all(chosen, Options(quick=asked.quick), _tell))
    if asked.json is not None:
        _write(asked.json, json.dumps({"machine": machine, "rows": [row.as_data() for row in rows]}, indent=1) + "\n")
    if page is not None:
        page.write_text(with_table(page.read_text("utf-8"), rows, machine), "utf-8")
    elif asked.markdown is not None:
        _write("-", f"{machine}\n\n{markdown(rows)}\n")
    if "-" not in (asked.json, asked.markdown):
        Console(width=None if sys.stdout.isatty() else WIDTH).print(table(rows, title=machine))
    if failed:
        _tell(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Orikaeshi beside what one would otherwise use, in the same run.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works here")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="write the rows as JSON, to stdout without FILE"
    )
    parser.add_argument(
        "--markdown",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the table into FILE, between its two marker lines; to stdout without FILE",
    )
    return parser


def _write(where: str, text: str) -> None:
    if where == "-":
        sys.stdout.write(text)
    else:
        path = Path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
