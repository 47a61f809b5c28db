"""The simulation's speed: how many calls of a whole day's story are played in a second, on one core.

A day (`tests/simulation`) is everything but Asterisk and the database: callers, agents, customers, the telephone
network, SMS, faults; the real journeys, workers and rules, in virtual time; and a judge who goes through all of it
afterwards. Counted is a process of its own from its start to its end, by its processor time, so that other work on the
machine matters little. A call is one that a person rings in with, or one that rings an agent or a customer.

The costs are from a second run under cProfile, by the room of the house that the time is spent in (its own time, that
of what it calls not included). The profiler makes small functions look dearer than they are.
"""

from __future__ import annotations

import asyncio
import json
import os
import pstats
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.results import Row
from lab.pbx import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.results import Options

NAME: Final = "simulation"
SEED: Final = 1
CALLS: Final = ("calls", "calls to agents", "calls to customers")
LEAST_SHARE: Final = 0.03
"""What costs less of the time has no row of its own."""


class SimulationFailedError(Exception):
    """The days could not be played; the message has the last words."""


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Play the days, twice. Raises SimulationFailedError."""
    days = 5 if options.quick else 50
    tell(f"{days} days")
    said, cpu_s = await _played(days)
    counts = said["counts"]
    calls = sum(counts[name] for name in CALLS)
    rows = [
        _row("calls", "calls/s", calls / cpu_s),
        _row("days, each with its faults", "days/s", days / cpu_s),
        _row("hours of virtual time", "h/s", counts["hours played"] / cpu_s),
    ]
    tell(f"{max(1, days // 5)} days under the profiler")
    for room, share in await _shares(max(1, days // 5)):
        if share >= LEAST_SHARE:
            rows.append(Row(NAME, f"share of the time: {room}", "%", share * 100))
    return rows


def _row(what: str, unit: str, ours: float) -> Row:
    return Row(NAME, f"{what}, one core", unit, ours, more_is_better=True)


async def _played(days: int, *before: str) -> tuple[dict[str, Any], float]:
    """Play days in a process of its own; return its figures, and the seconds of processor time that it took."""
    began_s = _cpu_of_children_s()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *before, "-m", "tests.simulation", "--json"),
        *("--days", str(days), "--seed", str(SEED), "--processes", "1"),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complained = await process.communicate()
    try:
        said: dict[str, Any] = json.loads(out)
    except ValueError as error:
        raise SimulationFailedError(complained.decode(errors="replace")[-2000:]) from error
    return said, _cpu_of_children_s() - began_s


def _cpu_of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _shares(days: int) -> list[tuple[str, float]]:
    """Return which room takes which share of the time, the dearest first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        await _played(days, "-m", "cProfile", "-o", str(path))
        taken = pstats.Stats(str(path)).stats  # type: ignore[attr-defined]  # typeshed does not know it
    rooms: Counter[str] = Counter()
    for (file, _line, _function), (_calls, _all_calls, own_s, *_) in taken.items():
        rooms[_room(file)] += own_s
    total_s = sum(rooms.values())
    return [(room, own_s / total_s) for room, own_s in rooms.most_common()]


def _room(file: str) -> str:
    """Return the room of the house that a file is in; or the library's name."""
    path = Path(file)
    if path.is_relative_to(REPOSITORY) and ".venv" not in path.parts:
        return "/".join(path.relative_to(REPOSITORY).parts[:2]).removesuffix(".py")
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1]
    return "asyncio" if "asyncio" in path.parts else "Python itself" if file == "~" else "the standard library"
