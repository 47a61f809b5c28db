"""Hand-over: how long an agent who is free waits for the next call, while callers wait. Measured by the agents' phones.

The agents' phones are the benchmark's own (`bench/observer.py`). An agent talks for one to three seconds and hangs up:
the clock starts just before the BYE leaves the phone. It stops when the kernel has the next INVITE for the same phone;
there is no wrap-up, and all other agents talk or are handed callers themselves. So it holds all of it: Asterisk's end
of the old call, the news of it, the decision, the new channel, the INVITE. Where one caller waits, agents hang up one
at a time, at a random moment, once the next caller stands in line.

Ours is the controller as in production, a process of its own with its database on disk and its log at `info`. app_queue
runs in the same Asterisk, with the same phones, callers and music, at another time. Callers come by SIP and hear
music that goes to a port which nobody reads.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.bench_pbx import APP_QUEUE, OURS, bench_pbx
from bench.callers import Callers
from bench.figures import percentile
from bench.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.bench_pbx import BenchPbx
    from bench.observer_call import PhoneCall
    from bench.results import Options

NAME: Final = "hand-over"
AGENTS: Final = 10
TALK_S: Final = (1.0, 3.0)
FEW: Final = 2 * AGENTS
"""With fewer callers in line agents take turns, so that there always is somebody for them."""
SEED: Final = 20261122
LONGEST_S: Final = 240.0
"""After so long a round is over, with as many hand-overs as there were."""
GOALS_MS: Final = {50: 5.0, 99: 25.0}
"""By percentile."""


class Round:
    """Agents who take one call after the other until enough hand-overs were measured."""

    def __init__(self, bench: BenchPbx, callers: Callers, waiting: int, wanted: int, dice: random.Random) -> None:
        self._bench = bench
        self._callers = callers
        self._dice = dice
        self._is_few = waiting < FEW
        self._least = waiting if self._is_few else waiting - AGENTS
        self._wanted = wanted
        self._freed_ns: dict[str, int] = {}
        self._talking: set[str] = set()
        self._hung_up = 0
        self._turn = asyncio.Lock()
        self._filled = asyncio.Event()
        self._rung = asyncio.Event()
        self._done = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.hand_overs_ms: list[float] = []

    async def run(self) -> list[float]:
        """Return what was measured, in ms."""
        self._bench.agents.on_invite = self._on_invite
        try:
            await self._callers.come()
            self._filled.set()
            async with asyncio.timeout(LONGEST_S):
                await self._done.wait()
        except TimeoutError:
            if not self.hand_overs_ms:
                raise
        finally:
            # Nobody is answered any more while the callers go.
            self._bench.agents.on_invite = lambda call: call.refuse()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._callers.go()
        return self.hand_overs_ms

    def _on_invite(self, call: PhoneCall) -> None:
        freed_ns = self._freed_ns.pop(call.user, None)
        if freed_ns is not None:
            self.hand_overs_ms.append((call.began_ns - freed_ns) / 1e6)
            self._rung.set()
        if len(self.hand_overs_ms) >= self._wanted:
            self._done.set()
        call.answer()
        self._talking.add(call.user)
        task = asyncio.create_task(self._talk(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, call: PhoneCall) -> None:
        await self._filled.wait()
        await asyncio.sleep(self._dice.uniform(*TALK_S))
        if not self._is_few:
            await self._somebody_waits()
            self._hang_up(call)
            return
        async with self._turn:
            await self._somebody_waits()
            # app_queue looks once a second: no moment of that second is to be likelier than another.
            await asyncio.sleep(self._dice.random())
            self._rung.clear()
            self._hang_up(call)
            await self._rung.wait()

    def _hang_up(self, call: PhoneCall) -> None:
        self._talking.discard(call.user)
        if call.is_up:
            self._hung_up += 1
            self._freed_ns[call.user] = call.hang_up()

    async def _somebody_waits(self) -> None:
        # Whose agent has hung up waits no more, though nobody may have told them yet.
        callers = self._callers
        await callers.until(
            lambda: callers.settled - len(self._talking) - (self._hung_up - callers.served) >= self._least
        )


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Return p50 and p99 for each length of the line. Raises CallersFailedError, AsteriskFailed."""
    sizes = (1, 50) if options.quick else (1, 50, 200, 500)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with bench_pbx(Path(home), agents=AGENTS) as bench:
            await bench.register_agents()
            for waiting in sizes:
                wanted = 30 if options.quick else 100 if waiting < FEW else 400
                ours = await _round(bench, waiting, wanted, tell, is_ours=True)
                other = await _round(bench, waiting, wanted, tell, is_ours=False)
                for percent, goal in GOALS_MS.items():
                    figures = (percentile(ours, percent), percentile(other, percent))
                    what = f"p{percent}, {waiting} waiting"
                    rows.append(Row(NAME, what, "ms", *figures, other_name="app_queue", goal=goal))
    return rows


async def _round(
    bench: BenchPbx, waiting: int, wanted: int, tell: Callable[[str], None], *, is_ours: bool
) -> list[float]:
    dice = random.Random(SEED)  # noqa: S311 - draws the lengths of talks, guards nothing
    async with AsyncExitStack() as stack:
        if is_ours:
            await stack.enter_async_context(bench.controller())
        number = OURS if is_ours else APP_QUEUE
        callers = Callers(bench.callers, number, waiting + AGENTS, dice, dials_again=True)
        measured = await Round(bench, callers, waiting, wanted, dice).run()
    again = bench.callers.sent_again + bench.agents.sent_again
    tell(
        f"{'ours' if is_ours else 'app_queue'}, {waiting} waiting: {len(measured)} hand-overs, "
        f"p50 {percentile(measured, 50):.1f} ms, p99 {percentile(measured, 99):.1f} ms, "
        f"worst {max(measured):.1f} ms; {len(callers.faults)} calls failed, {again} packets sent again so far"
    )
    return measured
