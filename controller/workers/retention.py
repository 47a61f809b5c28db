"""The sweep: once a day, what is known of people longer than its period is erased, a few rows at a time."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import structlog

from controller.domain.retention import cutoffs, next_sweep_at
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from controller.domain.retention import Periods
    from controller.ports.clock import Clock
    from controller.ports.privacy import PrivacyBook
    from controller.ports.promises import StoreUnavailableError

log = structlog.get_logger(__name__)

BATCH_ROWS = 500
"""So few that no call waits for the database because of it: some milliseconds on a file."""
PAUSE_S = 0.2
"""Between two batches, so that whoever takes calls comes first."""
FIRST_AFTER_S = 60.0
"""After a start; a controller that is started anew each night would else never come to it."""


class RetentionKeeper:
    """Sweeps soon after the start, and then at its time of day. To be run where the lease of the mail is."""

    def __init__(self, book: PrivacyBook, clock: Clock, periods: Periods, zone: ZoneInfo) -> None:
        self._book = book
        self._clock = clock
        self._periods = periods
        self._zone = zone

    async def run(self) -> None:
        """Sweep for ever, until cancelled. A sweep that was cut off is gone on with by the next."""
        await self._clock.sleep(FIRST_AFTER_S)
        while True:
            await self.sweep()
            now = self._clock.now()
            await self._clock.sleep((next_sweep_at(now, self._zone) - now).total_seconds())

    async def sweep(self) -> dict[str, int]:
        """Erase all that is older than its period; return how many rows, by what they were."""
        before = cutoffs(self._periods, self._clock.now())
        erased: Counter[str] = Counter()
        while True:
            some = await until_stored(
                partial(self._book.sweep, before, BATCH_ROWS), self._clock, _away, pauses_s=GROWING_S
            )
            if not some:
                break
            erased.update(some)
            await self._clock.sleep(PAUSE_S)
        log.info("what is older than its period was erased", **dict(erased))
        return dict(erased)


def _away(error: StoreUnavailableError, retry_in_s: float) -> None:
    log.warning("old personal data waits for the database", reason=str(error), retry_in_s=retry_in_s)
