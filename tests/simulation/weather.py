"""The database's bad days: it takes its time, is locked, is away, or answers no more after it has written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from random import Random

    from tests.simulation.clock import DayClock

LOOKS = frozenset(
    {
        *("made_on_call", "open_for", "booked", "get", "waiting", "open_attempts", "all", "next_due_at"),
        *("language_of", "kept", "find", "is_blocked", "listed"),
        *("due", "unhandled", "was_helped"),
    }
)
"""Methods that write nothing."""
NEVER_FAIL = frozenset(
    {"arrived", "joined", "offered", "quoted", "answered", "ended", "language_of", "remember_language"}
)
"""Their ports promise that a failure disturbs nobody."""
BUSY_TIMEOUT_S = 2.0


class Trouble(StrEnum):
    """What is wrong with the database."""

    LOCKED = "database locked"
    """It can be read; a write waits, and gives up."""
    AWAY = "database away"
    DEAF = "database's answers lost"
    """What it is told to write it writes, and nobody hears of it."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when, in seconds of the day."""

    starts_s: float
    ends_s: float
    trouble: Trouble


class Weather:
    """Stands between one controller and its books."""

    def __init__(self, clock: DayClock, dice: Random, outages: Sequence[Outage]) -> None:
        self._clock = clock
        self._dice = dice
        self._outages = outages

    def now(self) -> Trouble | None:
        """Return what is wrong at this moment."""
        at_s = self._clock.monotonic()
        return next((each.trouble for each in self._outages if each.starts_s <= at_s < each.ends_s), None)

    async def through(self, name: str, work: Callable[[], Any]) -> Any:
        """Do one transaction in this weather. Raises StoreUnavailableError."""
        await asyncio.sleep(self._dice.uniform(0.001, 0.02))
        trouble = self.now()
        if trouble is Trouble.LOCKED and name not in LOOKS:
            await asyncio.sleep(BUSY_TIMEOUT_S)
            trouble = self.now()
            if trouble is Trouble.LOCKED:
                raise StoreUnavailableError("the database is locked")
        if trouble is Trouble.AWAY:
            raise StoreUnavailableError("the database is away")
        result = await work()
        if trouble is Trouble.DEAF and name not in LOOKS:
            raise StoreUnavailableError("the connection was lost before the answer came")
        if name not in LOOKS:
            await asyncio.sleep(self._dice.uniform(0.001, 0.01))
        return result


class Weathered:
    """One book, behind the weather, for one controller: whoever dies in front of it never gets an answer."""

    def __init__(
        self, book: object, weather: Weather, transaction: Callable[[str], AbstractAsyncContextManager[None]]
    ) -> None:
        self._book = book
        self._weather = weather
        self._transaction = transaction

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._book, name)

        async def weathered(*args: Any, **kwargs: Any) -> Any:
            async with self._transaction(name):
                try:
                    return await self._weather.through(name, lambda: method(*args, **kwargs))
                except StoreUnavailableError:
                    if name not in NEVER_FAIL:
                        raise
                    return None

        setattr(self, name, weathered)
        return weathered
