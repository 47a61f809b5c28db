"""An Asterisk that was taken out of the settings, or has another name now: what it left open is settled once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from controller.domain.lifecycle import AttemptEnded, RefusedTransitionError
from controller.domain.outcome import Outcome
from controller.domain.promise import Wish
from controller.ports.lease import pbx_of_lease
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from collections.abc import Collection

    from controller.ports.call_log import CallLog
    from controller.ports.clock import Clock
    from controller.ports.lease import LeaseBook
    from controller.ports.promises import OpenAttempt, PromiseBook, StoreUnavailableError
    from controller.ports.recordings import RecordingBook

log = structlog.get_logger(__name__)


class RemovedAsterisks:
    """Looks once, when whoever may still work for one has had the time to say so. Several may look at the same time."""

    def __init__(
        self,
        leases: LeaseBook,
        promises: PromiseBook,
        calls: CallLog,
        recordings: RecordingBook,
        clock: Clock,
        *,
        known: Collection[str],
    ) -> None:
        """`known` are the Asterisks of the settings, by name."""
        self._leases = leases
        self._promises = promises
        self._calls = calls
        self._recordings = recordings
        self._clock = clock
        self._known = frozenset(known)

    async def settle(self, *, after_s: float) -> None:
        """Settle what is open at an Asterisk that nobody works for and nobody will: as after any call that is gone."""
        await self._clock.sleep(after_s)
        await until_stored(self._settle, self._clock, partial(_told, "removed Asterisks"), pauses_s=GROWING_S)

    async def _settle(self) -> None:
        now = self._clock.now()
        for lease in await self._leases.all():
            pbx = pbx_of_lease(lease.name)
            if pbx is None or pbx in self._known or now < lease.expires_at:
                continue
            opened = await self._promises.open_attempts(pbx)
            for each in opened:
                await self._settle_one(each)
            closed = await self._calls.close_orphans(frozenset(), ended_at=now, pbx=pbx)
            for recording in await self._recordings.going_on(pbx):
                await self._recordings.end(recording.id, now)  # Else it would never be older than its period.
            if opened or closed:
                log.warning("an Asterisk is not in the settings any more", pbx=pbx, attempts=len(opened), calls=closed)

    async def _settle_one(self, opened: OpenAttempt) -> None:
        wish = opened.wish or Wish(Outcome.UNKNOWN)
        try:
            await self._promises.advance(opened.promise.id, AttemptEnded(wish.outcome, wish.later_s))
        except RefusedTransitionError as error:
            log.info("somebody else has settled it", promise_id=opened.promise.id, reason=str(error))


def _told(what: str, error: StoreUnavailableError, _retry_in_s: float) -> None:
    log.warning("the database cannot be asked for what is left open", what=what, reason=str(error))
