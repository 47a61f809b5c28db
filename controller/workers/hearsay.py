"""What other processes say has changed: a hint, after which the database is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.workers.until_stored import until_stored

if TYPE_CHECKING:
    from controller.ports.clock import Clock
    from controller.ports.promises import PromiseBook, StoreUnavailableError
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)


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

    def look_again(self) -> None:
        """Take note that news were missed: any promise may have changed; returns at once."""
        self._supervisor.spawn(self._look_at_all())

    async def _look_at_all(self) -> None:
        waiting = await until_stored(self._promises.waiting, self._clock, _told)
        self._keeper.load(waiting)
        for promise_id in self._keeper.promises.known - {promise.id for promise in waiting}:
            self.hear_of(promise_id)

    async def _look_up(self, promise_id: str) -> None:
        try:
            promise = await until_stored(lambda: self._promises.get(promise_id), self._clock, _told)
        except LookupError:
            log.info("there is no such promise")
            return
        self._keeper.promise_changed(promise)


def _told(error: StoreUnavailableError, _retry_in_s: float) -> None:
    log.warning("a changed promise cannot be read yet", reason=str(error))
