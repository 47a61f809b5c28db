"""Waiting: what a caller in line costs in memory and processor time, while nothing happens to them.

Callers come by SIP, hear music and wait; no agent's phone is registered. Memory is the proportional set size of what is
not a file (Pss_Anon of /proc/PID/smaps_rollup: heap and stacks; a process's part of shared libraries changes with who
else runs), less what there was after the first ten callers had come and gone, for each caller. Processor time is
user and system time from /proc/PID/stat over half a minute in which nobody comes or goes, less what the same process
used without callers, for each caller and second. With announcements each caller is told their place every 30 s.

The controller has nothing to be compared with: app_queue lives inside Asterisk. So Asterisk itself stands beside
itself, with the callers in ours and in app_queue; ours costs what the controller takes, and what Asterisk takes.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.bench_pbx import APP_QUEUE, APP_QUEUE_ANNOUNCED, OURS, BenchPbx, bench_pbx
from bench.callers import Callers
from bench.cpu import used_by
from bench.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.results import Options

NAME: Final = "waiting"
GOAL_KB: Final = 20.0
SETTLE_S: Final = 5.0
"""After the last caller came: what their coming has left to do is done."""
FIRST: Final = 10
"""Callers who come and go before anything is measured: what is loaded with the first is not the price of the next."""
SEED: Final = 20261122


@dataclass(frozen=True, slots=True)
class Side:
    """Who holds the callers."""

    number: str
    is_ours: bool
    says_place: bool

    @property
    def name(self) -> str:
        """As it is told to whoever watches."""
        return f"{'ours' if self.is_ours else 'app_queue'}{', announcements' if self.says_place else ''}"


SIDES: Final = (
    Side(OURS, is_ours=True, says_place=False),
    Side(APP_QUEUE, is_ours=False, says_place=False),
    Side(OURS, is_ours=True, says_place=True),
    Side(APP_QUEUE_ANNOUNCED, is_ours=False, says_place=True),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process uses: memory now, and processor time in a second."""

    memory_kb: float
    cpu_us_per_s: float

    def for_each(self, callers: int, before: Cost) -> Cost:
        """Return what has come on top since `before`, for each caller."""
        memory_kb, cpu_us = self.memory_kb - before.memory_kb, self.cpu_us_per_s - before.cpu_us_per_s
        return Cost(memory_kb / callers, cpu_us / callers)


Costs = dict[str, Cost]
"""By process: `Asterisk`, and `controller` where it runs."""


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Return memory and processor time for each caller, by how many wait. Raises CallersFailedError, AsteriskFailed."""
    sizes = (20, 40) if options.quick else (100, 500, 1000)
    watch_s = 5.0 if options.quick else 30.0
    found: dict[Side, dict[int, Costs]] = {}
    for side in SIDES:
        # A fresh Asterisk for each: what one has left in its memory is not to be there for the next.
        with tempfile.TemporaryDirectory(prefix="bench-") as home:
            async with bench_pbx(Path(home), agents=2) as bench:
                found[side] = await _waited(bench, side, sizes, watch_s, tell)
    rows: list[Row] = []
    for ours, other in (SIDES[:2], SIDES[2:]):
        for size in sizes:
            said = f"{size} waiting{', announcements' if ours.says_place else ''}"
            rows += _rows(said, found[ours][size], found[other][size])
    return rows


def _rows(said: str, ours: Costs, other: Costs) -> list[Row]:
    """Return the rows of one length of the line."""
    controller, asterisk, beside = ours["controller"], ours["Asterisk"], other["Asterisk"]
    memory, cpu = "kB a caller", "us a caller and second"
    queue = "Asterisk, app_queue"
    return [
        Row(NAME, f"controller, {said}", memory, controller.memory_kb, goal=GOAL_KB),
        Row(NAME, f"controller, {said}", cpu, controller.cpu_us_per_s),
        Row(NAME, f"Asterisk, {said}", memory, asterisk.memory_kb, beside.memory_kb, queue),
        Row(NAME, f"Asterisk, {said}", cpu, asterisk.cpu_us_per_s, beside.cpu_us_per_s, queue),
    ]


async def _waited(
    bench: BenchPbx, side: Side, sizes: Sequence[int], watch_s: float, tell: Callable[[str], None]
) -> dict[int, Costs]:
    """Return the costs for each caller, by how many wait."""
    found: dict[int, Costs] = {}
    dice = random.Random(SEED)  # noqa: S311 - spreads callers, guards nothing
    async with AsyncExitStack() as stack:
        pids = {"Asterisk": bench.pbx.pid or 0}
        if side.is_ours:
            place = {("queues.announcements", "place"): "true"} if side.says_place else {}
            pids["controller"] = (await stack.enter_async_context(bench.controller(place))).pid or 0
        first = Callers(bench.callers, side.number, FIRST, dice, dials_again=False)
        await first.come()
        await first.go()
        before = await _costs(pids, watch_s)
        there = 0
        for size in sizes:
            callers = Callers(bench.callers, side.number, size - there, dice, dials_again=False)
            stack.push_async_callback(callers.go)
            await callers.come()
            there = size
            now = await _costs(pids, watch_s)
            found[size] = {name: now[name].for_each(size, before[name]) for name in pids}
            told = (
                f"{name} {cost.memory_kb:.1f} kB, {cost.cpu_us_per_s:.0f} us/s" for name, cost in found[size].items()
            )
            tell(
                f"{side.name}, {size} waiting: for each caller {'; '.join(told)}; {bench.callers.sent_again} sent again"
            )
    return found


async def _costs(pids: dict[str, int], watch_s: float) -> Costs:
    """Watch processes for a while."""
    await asyncio.sleep(SETTLE_S)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    before = {name: used_by(pid) for name, pid in pids.items()}
    await asyncio.sleep(watch_s)
    took_s = loop.time() - began_s
    after = {name: used_by(pid, memory=True) for name, pid in pids.items()}
    return {name: Cost(after[name].pss_kb, (after[name].cpu_s - before[name].cpu_s) / took_s * 1e6) for name in pids}
