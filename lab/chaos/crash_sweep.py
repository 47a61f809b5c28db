"""The controller killed at each of its crash points, and a clock that is stepped: both by `lab.crash_points`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from lab.chaos.faults import LOAD_PER_S, started
from lab.controller_process import ControllerFailedError, ControllerProcess
from lab.crash_points import BEGUN, ENDED, READY, points_in

if TYPE_CHECKING:
    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures

NOTHING_NEW_S = 25.0
"""A life in which no new point was passed for so long, under load, has seen them all."""
SOON_ENOUGH_S = 12.0
"""Where not all points are wanted, those that are rarely passed need not be."""
HANDED_OVER = frozenset({"after commit: claim", "before SMS"})
"""Marked as being handed over, and not handed over: it is not sent again, as nobody can know."""
FARTHEST = 3
"""In later rounds it is not always the first new point that kills."""
HOUR_S, DAY_S = 3600, 86_400
STEPS_S = (-HOUR_S, 0, HOUR_S, HOUR_S + DAY_S)
"""Against the true time. The last one stays: what was put off by a clock that was ahead would wait for it."""
STEP_LASTS_S = 8.0


class PointedController(ControllerProcess):
    """Controllers with points around every way out, one after the other; see `lab.crash_points`."""

    _stdin = asyncio.subprocess.PIPE

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "lab.crash_points", "--settings", str(self._settings)]

    async def live(self, *options: str) -> float | None:
        """Begin one life; return the seconds until it was in control, None when it died before."""
        if self._process is None or self._process.stdin is None:
            raise ControllerFailedError("there is nobody who could begin a life")
        self._from = len(self.lines)
        began_s = time.monotonic()
        self._process.stdin.write(json.dumps(options).encode() + b"\n")
        await self._process.stdin.drain()
        came = asyncio.ensure_future(self.logged("in control", since=self._from))
        ended = asyncio.ensure_future(self.ended())
        done, waits = await asyncio.wait((came, ended), return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        return time.monotonic() - began_s if came in done and not came.exception() else None

    async def ended(self, *, timeout_s: float = 60) -> None:
        """Wait for the end of this life. Raises ControllerFailedError when it does not come."""
        await self.logged(ENDED, since=self._from, timeout_s=timeout_s)

    async def end_life(self) -> None:
        """Kill it."""
        begun = await self.logged(BEGUN, since=self._from)
        with suppress(ProcessLookupError):
            os.kill(begun["pid"], signal.SIGKILL)
        await self.ended()


async def crash_points(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill the controller at every point, so many times each."""
    return await _sweep(bench, figures, times)


async def some_crash_points(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Do the same at a third of those where something is changed: what only asks has nothing to leave half done."""
    third = bench.rng.randrange(3)
    figures.notes.append(f"third {third} of the points")
    return await _sweep(bench, figures, times, "--changes", "--third", str(third), nothing_new_s=SOON_ENOUGH_S)


async def _sweep(
    bench: Bench, figures: Figures, times: int, *options: str, nothing_new_s: float = NOTHING_NEW_S
) -> ControllerProcess:
    pointed = bench.watched(PointedController(bench.site, bench.settings))
    await pointed.start(until=READY)
    seen: Counter[str] = Counter()
    await pointed.live()
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        await pointed.end_life()
        for turn in range(times):
            died_at = bench.site.home / f"died-at-{bench.since}-{turn}"
            words = ("--died-at", str(died_at), "--nth", str(_nth(bench, turn)), *options)
            while await _one_death(figures, pointed, *words, nothing_new_s=nothing_new_s):
                pass
            seen.update(await asyncio.to_thread(points_in, died_at))
    figures.runs = seen.total()
    figures.untold_allowed = sum(often for point, often in seen.items() if point in HANDED_OVER)
    figures.notes.append(f"{len(seen)} points: {', '.join(sorted(seen))}")
    await pointed.stop()
    return await started(bench)


def _nth(bench: Bench, turn: int) -> int:
    return 1 if turn == 0 else bench.rng.randint(1, FARTHEST)


async def _one_death(figures: Figures, pointed: PointedController, *options: str, nothing_new_s: float) -> bool:
    """Have a controller live until it comes to a new point; False when it came to none."""
    back_s = await pointed.live(*options)
    if back_s is not None:  # It may die before it is in control: that is a point like any other.
        figures.back(back_s)
    try:
        await pointed.ended(timeout_s=nothing_new_s)
    except ControllerFailedError:
        await pointed.end_life()
        return False
    return True


async def clock_stepped(bench: Bench, figures: Figures, times: int) -> None:
    """Have the controller's clock stand an hour back, right, an hour ahead, and a day and an hour ahead."""
    offset = bench.site.home / "clock-offset"
    pointed = bench.watched(PointedController(bench.site, bench.settings))
    await pointed.start(until=READY)
    for _ in range(times):
        await asyncio.to_thread(offset.write_text, "0", "utf-8")
        await pointed.live("--clock-offset", str(offset))
        await bench.long_talks(1)
        async with bench.load(per_s=LOAD_PER_S):
            for step_s in STEPS_S:
                await asyncio.to_thread(offset.write_text, str(step_s), "utf-8")
                figures.runs += 1
                await asyncio.sleep(STEP_LASTS_S)
        figures.broken += await bench.settle()
        await pointed.end_life()
    await pointed.stop()
