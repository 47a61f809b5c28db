"""Writes things down behind whoever notes them: nobody who decides ever waits for the database."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from controller.ports.promises import StoreUnavailableError
from controller.workers.until_stored import GROWING_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock

T = TypeVar("T")

_BATCH = 500
KEPT = 50_000


class WriteBehind(Generic[T]):
    """Takes things by `note` and writes them, in their order, in batches: what comes during a write is the next one.

    While the database is away they are kept, the `keep` newest of them; of the others only the number is told.
    """

    def __init__(
        self,
        write: Callable[[list[T]], Awaitable[None]],
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        what: str,
        keep: int = KEPT,
    ) -> None:
        """`write` commits a batch, or raises StoreUnavailableError and wrote none; the log says of `what`."""
        self._write = write
        self._clock = clock
        self._log = log
        self._what = what
        self._keep = keep
        self._kept: deque[T] = deque()
        self._lost = 0
        self._woken = asyncio.Event()
        self.at_end: Callable[[], None] = lambda: None
        """Called before what is left is written for the last time: it may note more."""

    def note(self, one: T) -> None:
        """Take one. Returns at once and never raises."""
        self._kept.append(one)
        self._trim()
        self._woken.set()

    async def run(self, first: Callable[[], Awaitable[None]] | None = None) -> None:
        """Do `first`, then write until cancelled; at last write what is left, once, and say how many were lost."""
        try:
            if first is not None:
                await first()
            while True:
                await self._woken.wait()
                self._woken.clear()
                await self._write_all()
        finally:
            self.at_end()
            await self._last_words()

    async def _write_all(self) -> None:
        failures = 0
        while self._kept:
            try:
                await self._write_batch()
            except StoreUnavailableError as error:
                delay_s = GROWING_S[min(failures, len(GROWING_S) - 1)]
                failures += 1
                left = {"kept": len(self._kept), "lost": self._lost}
                self._log.warning(f"{self._what}_unavailable", error=str(error), retry_in_s=delay_s, **left)
                await self._clock.sleep(delay_s)
        self._tell_lost()

    async def _last_words(self) -> None:
        try:
            while self._kept:
                await self._write_batch()
        except StoreUnavailableError as error:
            self._lost += len(self._kept)
            self._log.warning(f"{self._what}_unavailable", error=str(error), kept=0, lost=self._lost)
        self._tell_lost()

    def _tell_lost(self) -> None:
        if self._lost:
            self._log.error(f"{self._what}_lost", count=self._lost)
            self._lost = 0

    async def _write_batch(self) -> None:
        batch = [self._kept.popleft() for _ in range(min(_BATCH, len(self._kept)))]
        writing = asyncio.ensure_future(self._write(batch))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A batch that is half way to the disk is neither lost nor written twice.
            await asyncio.wait({writing})
            if not writing.cancelled() and writing.exception() is not None:
                self._put_back(batch)
            raise
        except StoreUnavailableError:
            self._put_back(batch)
            raise

    def _put_back(self, batch: list[T]) -> None:
        self._kept.extendleft(reversed(batch))
        self._trim()

    def _trim(self) -> None:
        while len(self._kept) > self._keep:
            self._kept.popleft()
            self._lost += 1
