"""What other processes say has changed: a hint, after which the database is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.ports.clock import Clock
    from controller.ports.promises import PromiseBook
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)

STORE_RETRY_S = 1.0


class Hearsay:
    """Tells the line of promises that another process has changed: the line offers them no more, takes dials back."""

    def __init__(self, promises: PromiseBook, keeper: LineKeeper, clock: Clock, supervisor: Supervisor) -> None:
        self._promises = promises
        self._keeper = keeper
        self._clock = clock
        self._supervisor = supervisor

    def hear_of(self, promise_id: str) -> None:
        """Take note that a promise may have changed; returns at once. Nothing else that is said of it counts."""
        self._supervisor.spawn(self._look_up(promise_id), promise_id=promise_id)

    async def _look_up(self, promise_id: str) -> None:
        while True:
            try:
                promise = await self._promises.get(promise_id)
            except StoreUnavailableError as error:
                log.warning("a changed promise cannot be read yet", reason=str(error))
                await self._clock.sleep(STORE_RETRY_S)
            except LookupError:
                log.info("there is no such promise")
                return
            else:
                self._keeper.promise_changed(promise)
                return
