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
from lab.crash_points import BEGUN, ENDED, READY

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures

RECORDED_S = 30.0
REACHED_WITHIN_S = 25.0
FARTHEST = 3
"""A point is taken at its first to third passing."""
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


async def recorded_points(bench: Bench, controller: PointedController) -> Counter[str]:
    """Run the load for a while; return every point that was passed, and how often."""
    record = bench.site.home / "crash-points.txt"
    await controller.live("--record", str(record))
    async with bench.load(per_s=LOAD_PER_S):
        await asyncio.sleep(RECORDED_S)
        await controller.end_life()
        # What comes up after a death, as the callers whose call is taken up again, has points of its own.
        await controller.live("--record", str(record))
        await asyncio.sleep(RECORDED_S / 4)
    await bench.long_talks(1)
    await controller.end_life()
    return Counter((await asyncio.to_thread(record.read_text, "utf-8")).splitlines())


async def crash_points(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill the controller at every point, so many times each."""
    return await _sweep(bench, figures, times, lambda _point: True)


async def changing_crash_points(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Do the same, but only where something is changed: what only asks has nothing to leave half done."""
    return await _sweep(bench, figures, times, lambda point: " GET " not in point)


async def _sweep(bench: Bench, figures: Figures, times: int, counts: Callable[[str], bool]) -> ControllerProcess:
    pointed = bench.watched(PointedController(bench.site, bench.settings))
    await pointed.start(until=READY)
    passed = await recorded_points(bench, pointed)
    points = Counter({point: often for point, often in passed.items() if counts(point)})
    figures.notes.append(f"{len(points)} points: {', '.join(sorted(points))}")
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            for point in bench.rng.sample(sorted(points), len(points)):
                await _crash_at(figures, pointed, point, bench.rng.randint(1, min(FARTHEST, points[point])))
    await pointed.stop()
    return await started(bench)


async def _crash_at(figures: Figures, pointed: PointedController, point: str, nth: int) -> None:
    back_s = await pointed.live("--at", point, "--nth", str(nth))
    if back_s is not None:  # It may die before it is in control: that is a point like any other.
        figures.back(back_s)
    figures.runs += 1
    try:
        await pointed.ended(timeout_s=REACHED_WITHIN_S)
    except ControllerFailedError:
        figures.notes.append(f"not passed again within {REACHED_WITHIN_S:.0f} s, killed there: {point} ({nth})")
        await pointed.end_life()


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
