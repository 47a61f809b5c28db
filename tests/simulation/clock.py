"""A loop on which nobody waits, and two clocks: one that only runs, and one on the wall that somebody sets."""

from __future__ import annotations

import asyncio
import selectors
from datetime import datetime, timedelta

from tests.journeys.virtual_time import StuckError


class _Skipping(selectors.DefaultSelector):
    """Never asks the operating system: nothing outside the loop has a part in a day."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return nothing, and be at the next timer. `timeout` None: no timer runs."""
        if timeout is None:
            raise StuckError("every task waits and no timer runs")
        self.now_s += timeout
        return []


class DayLoop(asyncio.SelectorEventLoop):
    """asyncio, with a clock that starts at 0 s and jumps to the next thing that is due."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._skipping.now_s


class DayClock:
    """The port `Clock`. The wall clock begins at `start` (aware UTC) and can be set."""

    def __init__(self, loop: DayLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return self._start + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return the seconds since the day began."""
        return self._loop.time()

    def set_by(self, step_s: float) -> None:
        """Set the wall clock forward, or back."""
        self._start += timedelta(seconds=step_s)

    async def sleep(self, delay_s: float) -> None:
        """Wait by the clock that only runs."""
        await asyncio.sleep(delay_s)
