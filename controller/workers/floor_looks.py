"""What the floor shows of the database: read again when something has happened, and not at each look at the floor."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import structlog

from controller.ports.floor_book import FloorLook
from controller.ports.promises import StoreUnavailableError
from controller.workers.floor_problems import CODES_STOPPED_FOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from controller.ports.clock import Clock
    from controller.ports.floor_book import FloorBook

log = structlog.get_logger(__name__)

APART_S = 2.0
"""News come in dozens; none is shown later than this."""


class FloorLooks:
    """Keeps the latest look. Does nothing while nobody wants another."""

    def __init__(self, book: FloorBook, clock: Clock, zone: ZoneInfo) -> None:
        """Take what it works with; days begin by the clock of `zone`."""
        self._book = book
        self._clock = clock
        self._zone = zone
        self._wanted = asyncio.Event()
        self.latest = FloorLook()
        self.on_changed: Callable[[], None] = lambda: None
        """Told when the latest look is another than the one before."""

    def want(self) -> None:
        """Take note that the database may tell something else by now; returns at once."""
        self._wanted.set()

    async def run(self) -> None:
        """Look whenever it is wanted, at most every few seconds, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.look()
            await self._clock.sleep(APART_S)

    async def look(self) -> None:
        """Look once; a database that is away leaves the look before."""
        now = self._clock.now()
        day = datetime.combine(now.astimezone(self._zone).date(), time(0), self._zone)
        try:
            seen = await self._book.look(day=day, codes_since=now - CODES_STOPPED_FOR - timedelta(minutes=5))
        except StoreUnavailableError as error:
            log.warning("what the database tells of the floor is not as new as it could be", reason=str(error))
            return
        if seen != self.latest:
            self.latest = seen
            self.on_changed()
