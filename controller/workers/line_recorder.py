"""Writes the line's decisions down, behind whoever makes them: a decision never waits for the database."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from controller.domain.line import Decision
    from controller.ports.clock import Clock
    from controller.ports.line_audit import LineAudit

_BATCH = 500
_STORE_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class LineRecorder:
    """Takes decisions by `note` and writes them, in their order, in batches: what comes during a write is the next one.

    While the database is away they are kept, the `keep` newest of them; of the others only the number is told.
    """

    def __init__(self, audit: LineAudit, clock: Clock, log: FilteringBoundLogger, *, keep: int = 50_000) -> None:
        self._audit = audit
        self._clock = clock
        self._log = log
        self._keep = keep
        self._kept: deque[Decision] = deque()
        self._lost = 0
        self._woken = asyncio.Event()

    def note(self, decision: Decision) -> None:
        """Take one decision. Returns at once and never raises."""
        self._kept.append(decision)
        self._trim()
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled; then write what is left, once, and say how many that was impossible for."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                await self._write_all()
        finally:
            await self._last_words()

    async def _write_all(self) -> None:
        failures = 0
        while self._kept:
            try:
                await self._write_batch()
            except StoreUnavailableError as error:
                delay_s = _STORE_RETRY_S[min(failures, len(_STORE_RETRY_S) - 1)]
                failures += 1
                left = {"kept": len(self._kept), "lost": self._lost}
                self._log.warning("line_audit_unavailable", error=str(error), retry_in_s=delay_s, **left)
                await self._clock.sleep(delay_s)
        self._tell_lost()

    async def _last_words(self) -> None:
        try:
            while self._kept:
                await self._write_batch()
        except StoreUnavailableError as error:
            self._lost += len(self._kept)
            self._log.warning("line_audit_unavailable", error=str(error), kept=0, lost=self._lost)
        self._tell_lost()

    def _tell_lost(self) -> None:
        if self._lost:
            self._log.error("line_audit_lost", count=self._lost)
            self._lost = 0

    async def _write_batch(self) -> None:
        batch = [self._kept.popleft() for _ in range(min(_BATCH, len(self._kept)))]
        writing = asyncio.ensure_future(self._audit.record(batch))
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

    def _put_back(self, batch: list[Decision]) -> None:
        self._kept.extendleft(reversed(batch))
        self._trim()

    def _trim(self) -> None:
        while len(self._kept) > self._keep:
            self._kept.popleft()
            self._lost += 1
