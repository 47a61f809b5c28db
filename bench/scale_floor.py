"""A floor of thousands of agents in virtual time: the real line keeper and agents' desk, callers who come at random.

It confirms the arithmetic of `scale.py` (the wait, by Erlang's formula) and measures what it cannot know: the processor
time of the line for each call, with everybody who talks and everybody who waits in its books.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from controller.domain.agents import Agent, AgentState
from controller.domain.line import WaiterKind
from controller.journeys.house import Queue
from controller.workers.agent_desk import AgentDesk
from controller.workers.line_keeper import LineKeeper
from controller.workers.supervisor import Supervisor
from tests.simulation.clock import DayClock, DayLoop

if TYPE_CHECKING:
    from controller.workers.agent_desk import DeskReservation

QUEUE: Final = "support"
OPENED: Final = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Day:
    """What is played. Times are seconds."""

    agents: int
    load: float
    """Erlangs by agents. At 1 and above the line grows as long as the day goes."""
    handle_s: float
    """Mean; exponential, so that a floor that begins in the middle of its day begins as it goes on."""
    calls: int
    """How many come."""
    waiting: int = 0
    """How many wait when it begins, all agents being busy then."""


@dataclass
class Seen:
    """What came of it."""

    waited_s: list[float] = field(default_factory=list)
    """Of those who came while it was played, and were served."""
    cpu_us: float = 0.0
    """Of the line, callers' tasks included, for each call that came."""
    length: int = 0
    """How many wait at the end."""


class Floor:
    """One day of one queue."""

    def __init__(self, day: Day, loop: DayLoop) -> None:
        self._day = day
        self._dice = random.Random(day.agents)  # noqa: S311 - the same day each time
        self._clock = DayClock(loop, OPENED)
        staff = [
            Agent(
                *(f"agent-{nth}", f"agent-{nth}", frozenset({QUEUE}), AgentState.AVAILABLE, OPENED),
                phone_registered=True,
                phone_idle=True,
            )
            for nth in range(day.agents)
        ]
        self._queue = Queue(QUEUE, "ja", wrap_up_s=0)
        self._desk = AgentDesk(staff, self._clock, Supervisor())
        self._keeper = LineKeeper(self._desk, {QUEUE: self._queue}, self._clock)
        self._callers: set[asyncio.Task[None]] = set()
        self.seen = Seen()

    async def play(self) -> Seen:
        """Begin with everybody at work, let the calls come, and stop."""
        day = self._day
        self._keeper.may_serve = lambda: False
        busy = day.agents if day.waiting else round(day.agents * min(day.load, 1.0))
        for nth in range(busy):
            taken = self._desk.resume(f"agent-{nth}", self._queue, f"talks-{nth}", WaiterKind.LIVE)
            self._spawn(f"talks-{nth}", taken)
        for nth in range(day.waiting):
            self._spawn(f"waits-{nth}", None)
        await asyncio.sleep(0)
        self._keeper.may_serve = lambda: True
        self._keeper.serve()
        began_s = time.process_time()
        for nth in range(day.calls):
            await self._clock.sleep(self._dice.expovariate(day.load * day.agents / day.handle_s))
            self._spawn(f"comes-{nth}", None)
        self.seen.cpu_us = (time.process_time() - began_s) / day.calls * 1e6
        self.seen.length = self._keeper.length(QUEUE)
        for caller in self._callers:
            caller.cancel()
        self._keeper.may_serve = lambda: False
        await asyncio.gather(*self._callers, return_exceptions=True)
        return self.seen

    def _spawn(self, name: str, taken: DeskReservation | None) -> None:
        task = asyncio.create_task(self._caller(name, taken))
        self._callers.add(task)
        task.add_done_callback(self._callers.discard)

    async def _caller(self, name: str, taken: DeskReservation | None) -> None:
        """Wait for an agent and talk; `taken`: with the one they talk with already."""
        came = self._clock.now()
        with self._keeper.join(name, QUEUE, came) as place:
            if taken is not None:
                place.offer(taken, came)
            reservation = await place.turn()
            if name.startswith("comes"):
                self.seen.waited_s.append((self._clock.now() - came).total_seconds())
            with reservation:
                if taken is None:
                    reservation.rings()
                    reservation.answered()
                await self._clock.sleep(self._dice.expovariate(1 / self._day.handle_s))


def play(day: Day) -> Seen:
    """Play a day on a loop of its own. Must not be called while another loop runs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    loop = DayLoop()
    try:
        return loop.run_until_complete(Floor(day, loop).play())
    finally:
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
