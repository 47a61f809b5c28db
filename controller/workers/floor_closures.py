"""Closes queues by hand, and opens them: kept in the database first, then in force for every office of this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.ports.queue_closures import Closure
from controller.workers.until_stored import until_stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.journeys.closed_by_hand import ClosedByHand
    from controller.ports.clock import Clock
    from controller.ports.promises import StoreUnavailableError
    from controller.ports.queue_closures import QueueClosures

log = structlog.get_logger(__name__)


class ClosureDesk:
    """The one writer of what journeys see of closures. `on_changed` is told whenever that may be something else."""

    def __init__(self, book: QueueClosures, seen: ClosedByHand, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._heard = asyncio.Event()
        self.seen = seen
        """What journeys ask."""
        self.on_changed: Callable[[], None] = lambda: None

    async def load(self) -> None:
        """Read all closures. Raises StoreUnavailableError."""
        self.seen.learn(await self._book.all())
        self.on_changed()

    async def close(self, queue: str, *, by: str, until: datetime | None) -> None:
        """Close a queue, now. Raises StoreUnavailableError; nothing was changed then."""
        closure = Closure(queue, by, self._clock.now(), until)
        await self._book.close(closure)
        log.info("a queue is closed by hand", queue=queue, by=by, until=until and until.isoformat())
        self.seen.put(closure)
        self.on_changed()

    async def open(self, queue: str) -> bool:
        """End a closure; False when there was none. Raises StoreUnavailableError; nothing was changed then."""
        was_closed = await self._book.open(queue)
        self.seen.drop(queue)
        self.on_changed()
        if was_closed:
            log.info("a queue is open again, by its hours", queue=queue)
        return was_closed

    def hear(self) -> None:
        """Take note that closures have changed, here or elsewhere; returns at once."""
        self._heard.set()

    async def run(self) -> None:
        """Read the closures each time that they have changed, until cancelled."""
        while True:
            await self._heard.wait()
            self._heard.clear()
            await until_stored(self.load, self._clock, _told)


def _told(error: StoreUnavailableError, _retry_in_s: float) -> None:
    log.warning("closed queues cannot be read yet", reason=str(error))
