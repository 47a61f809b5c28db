"""The wallboard: from what an agent's phone does to the change that stands in the page of a real browser.

The agents' phones are the benchmark's own (`bench/observer.py`), and two things are timed: the kernel has the INVITE at
the phone, and the page shows that agent as ringing; the BYE leaves the phone, and the page shows their wrap-up. A
mutation observer in the page takes the time there, by the clock of the same machine. So it holds all of it: Asterisk,
the news of it, the controller, the stream of events that puts together what changes within a fifth of a second, the
browser that draws the whole floor anew. Where the page is ahead of the phone, the delay is below nothing.

Ours is the controller as in production, with its database on disk; Chromium without a screen has the page open, 1920 by
1080. Agents ring, talk and wrap up for about a second each, at random; with nobody else in line, and with callers who
wait. Those hear music from Asterisk, which takes its part of the processors, as the browser does.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.bench_pbx import OURS, bench_pbx
from bench.callers import Callers
from bench.figures import percentile
from bench.results import Row
from bench.wallboard_page import wallboard_page
from lab.demo_console import DemoConsole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bench.bench_pbx import BenchPbx
    from bench.observer_call import PhoneCall
    from bench.results import Options
    from bench.wallboard_page import Shown, WallboardPage

NAME: Final = "wallboard"
AGENTS: Final = 4
RING_S: Final = (0.5, 1.0)
TALK_S: Final = (0.5, 1.0)
SETTINGS: Final = {("[queues]", "wrap_up_s"): "0.7"}
"""Each state lasts longer than what the stream puts together: none is missed by right."""
SEED: Final = 20261123
LONGEST_S: Final = 300.0
LAST_S: Final = 5.0
"""So long is looked at the page after the last change: what is late is seen too."""
LEAD_MS: Final = 500.0
"""So far may the page be ahead of the phone: a ring is known here before the INVITE has gone its way."""
GOAL_MS: Final = 500.0


class NotShownError(Exception):
    """A change never stood in the page, though it lasted; the message says which."""


class Change(Enum):
    """What a phone does; its value: the agent's state in the page."""

    RINGS = "ringing"
    HANGS_UP = "wrap_up"

    @property
    def words(self) -> str:
        """As the table has it."""
        return {"ringing": "the phone rings", "wrap_up": "the phone hangs up"}[self.value]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that an agent's phone did, in ns by CLOCK_REALTIME."""

    agent: str
    change: Change
    at_ns: int


class Work:
    """Agents who take one call after the other until enough changes were made."""

    def __init__(self, bench: BenchPbx, callers: Callers, wanted: int, dice: random.Random) -> None:
        self._bench = bench
        self._callers = callers
        self._wanted = wanted
        self._dice = dice
        self._filled = asyncio.Event()
        self._done = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.events: list[Event] = []

    async def run(self) -> list[Event]:
        """Return what the phones did once all callers were there. Raises CallersFailedError, TimeoutError."""
        self._bench.agents.on_invite = self._on_invite
        try:
            await self._callers.come()
            self._filled.set()
            async with asyncio.timeout(LONGEST_S):
                await self._done.wait()
            await asyncio.sleep(LAST_S)
        finally:
            self._bench.agents.on_invite = lambda call: call.refuse()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._callers.go()
        return self.events

    def _on_invite(self, call: PhoneCall) -> None:
        call.ring()
        if self._filled.is_set():
            self._note(Event(call.user, Change.RINGS, call.began_ns))
        task = asyncio.create_task(self._serve(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, call: PhoneCall) -> None:
        await asyncio.sleep(self._dice.uniform(*RING_S))
        if call.ended.done():
            return
        call.answer()
        await self._filled.wait()
        await asyncio.sleep(self._dice.uniform(*TALK_S))
        if call.is_up:
            self._note(Event(call.user, Change.HANGS_UP, call.hang_up()))

    def _note(self, event: Event) -> None:
        if self._done.is_set():
            return
        self.events.append(event)
        if all(sum(each.change is change for each in self.events) >= self._wanted for change in Change):
            self._done.set()


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Return p50, p99 and the longest delay of each change, with nobody and with many in line; about four minutes.

    Raises CallersFailedError, NotShownError, ClocksApartError, AsteriskFailed, PackageError.
    """
    sizes, wanted = ((0, 20), 8) if options.quick else ((0, 200), 100)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        async with bench_pbx(Path(home), agents=AGENTS) as bench, wallboard_page() as page:
            await bench.register_agents()
            console = DemoConsole()
            async with bench.controller({**SETTINGS, **console.changes}) as controller:
                await console.let_in(controller.settings, "en")
                await page.sign_in(console, agents=AGENTS)
                await page.watch()
                for waiting in sizes:
                    rows += rows_of(waiting, await _round(bench, page, waiting, wanted, tell))
    return rows


async def _round(
    bench: BenchPbx, page: WallboardPage, waiting: int, wanted: int, tell: Callable[[str], None]
) -> dict[Change, list[float]]:
    dice = random.Random(SEED)  # noqa: S311 - draws the lengths of talks, guards nothing
    callers = Callers(bench.callers, OURS, waiting + AGENTS, dice, dials_again=True)
    found = delays_ms(await Work(bench, callers, wanted, dice).run(), await page.shown())
    for change, each in found.items():
        tell(
            f"{change.words}, {waiting} waiting: {len(each)} changes, shown after {percentile(each, 50):.0f} ms (p50), "
            f"{percentile(each, 99):.0f} ms (p99), {min(each):.0f} to {max(each):.0f} ms"
        )
    return found


def delays_ms(events: Iterable[Event], shown: Iterable[Shown]) -> dict[Change, list[float]]:
    """Return how long each change took to stand in the page, below 0 where the page was ahead of the phone.

    A change is what the page showed first of it after the agent's change before, at most `LEAD_MS` ahead. Raises
    NotShownError.
    """
    seen: dict[str, list[Shown]] = {}
    for each in sorted(shown, key=lambda one: one.at_ms):
        seen.setdefault(each.agent, []).append(each)
    found: dict[Change, list[float]] = {change: [] for change in Change}
    before_ms: dict[str, float] = {}
    for event in sorted(events, key=lambda one: one.at_ns):
        at_ms = event.at_ns / 1e6
        since_ms = max(before_ms.get(event.agent, 0.0), at_ms - LEAD_MS)
        states = (one for one in seen.get(event.agent, []) if one.at_ms > since_ms)
        first = next((one for one in states if one.state == event.change.value), None)
        if first is None:
            raise NotShownError(f"{event.agent}: {event.change.words}, and the page does not show it")
        found[event.change].append(first.at_ms - at_ms)
        before_ms[event.agent] = first.at_ms
    return found


def rows_of(waiting: int, found: Mapping[Change, list[float]]) -> list[Row]:
    """Return the rows of one length of the line."""
    return [
        Row(NAME, f"{change.words}: shown after, {name}, {waiting} waiting", "ms", figure, goal=goal)
        for change, each in found.items()
        for name, figure, goal in (
            ("p50", percentile(each, 50), None),
            ("p99", percentile(each, 99), GOAL_MS),
            ("longest", max(each), GOAL_MS),
        )
    ]
