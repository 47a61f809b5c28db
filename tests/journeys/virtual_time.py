"""An event loop on which nobody waits: when all is quiet, its clock jumps to the next thing that is due.

Real work outside the loop (the database's thread) is waited for in real time and takes none of the loop's. A story
that waits for something that nothing will ever bring ends with an error instead of hanging.
"""

from __future__ import annotations

import asyncio
import selectors
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 20.0
"""Real seconds for which the world outside may take to answer."""


class StuckError(Exception):
    """Every task waits, no timer runs and nothing is on its way."""


class _SkippingSelector(selectors.DefaultSelector):
    """Asks the operating system as any selector does, but jumps ahead in time instead of waiting for a timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.outside = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready. `timeout` None: no timer runs."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.outside:
            ready = super().select(PATIENCE_S)
            if not ready:
                raise StuckError(f"the database has not answered for {PATIENCE_S:g} s")
            return ready
        if timeout is None:
            raise StuckError("every task waits, no timer runs and nothing is on its way")
        self.now_s += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """asyncio, with a clock of its own that starts at 0 s."""

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._skipping.now_s

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Tell that work outside the loop is on its way: time stands still meanwhile."""
        self._skipping.outside += 1
        try:
            yield
        finally:
            self._skipping.outside -= 1


class VirtualClock:
    """The port `Clock` on a virtual loop, from noon of a day in Tokyo on."""

    START = datetime(2026, 4, 1, 3, tzinfo=UTC)

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the virtual time of day."""
        return self.START + timedelta(seconds=self._loop.time())

    async def sleep(self, delay_s: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(delay_s)


class Watched:
    """Hands every call on to a room that works outside the loop, and lets time stand still until it is done.

    `reaches(name, moment)` is awaited before and after each, so that a story can be interrupted there.
    """

    def __init__(self, room: object, loop: VirtualTimeLoop, reaches: Any) -> None:
        self._room = room
        self._loop = loop
        self._reaches = reaches

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._room, name)

        async def watched(*args: Any, **kwargs: Any) -> Any:
            async with self._reaches(name):
                with self._loop.outside():
                    return await method(*args, **kwargs)

        return watched
