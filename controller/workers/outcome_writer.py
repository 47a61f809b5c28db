"""Writes what came of a promise's dial, however long the database takes to come back: an outcome is never dropped."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from controller.domain.evidence import NO_EVIDENCE
from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CancelReason,
    Postponed,
    PostponeReason,
    RefusedTransitionError,
)
from controller.domain.outcome import Outcome
from controller.ports.promises import NotClaimedReason, StoreUnavailableError
from controller.workers.until_stored import until_stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.evidence import Evidence
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Promise
    from controller.ports.clock import Clock
    from controller.ports.promises import NotClaimed, PromiseBook
    from controller.workers.line_keeper import LineKeeper

log = structlog.get_logger(__name__)

HOLD_BACK_S = 10.0
"""How long a promise that cannot be dialled now (no database, a call to its number is open) is kept from the line."""
HELD_PAUSE = timedelta(seconds=5)
"""How long one that another Asterisk's office has in hand is not asked for again, unless it is heard of."""


class OutcomeWriter:
    """The dialer's pen."""

    def __init__(self, promises: PromiseBook, keeper: LineKeeper, clock: Clock, pbx: str) -> None:
        self._promises = promises
        self._keeper = keeper
        self._clock = clock
        self._pbx = pbx
        self.other_way: Callable[[], bool] = lambda: False
        """Asked when the network was congested: is there another trunk with room?"""

    async def settle(
        self,
        promise_id: str,
        outcome: Outcome,
        *,
        attempt_id: str,
        evidence: Evidence = NO_EVIDENCE,
        later_s: float | None = None,
        agent: str = "",
    ) -> None:
        """Write how an attempt ended. `later_s`: how much later the customer asked to be called (POSTPONED).

        `agent`: who talked with a customer who was dialled before there was one.
        """
        log.info("attempt ended", attempt_id=attempt_id, outcome=outcome.value, fault=outcome.fault.value)
        at_once = outcome is Outcome.CONGESTION and self.other_way()
        await self.write(promise_id, AttemptEnded(outcome, later_s, evidence, at_once, agent))

    async def settle_what_is_open(self, promise_id: str, outcome: Outcome) -> None:
        """Write how the attempt of a promise ended whose story failed, if there is one."""
        open_attempts = await until_stored(
            lambda: self._promises.open_attempts(self._pbx),
            self._clock,
            partial(_told, "an attempt waits for the database"),
        )
        for found in open_attempts:
            if found.promise.id == promise_id:
                await self.settle(promise_id, outcome, attempt_id=found.attempt.id)

    async def refused(self, promise: Promise, refused: NotClaimed) -> float:
        """Write what follows from an attempt that was not claimed.

        Returns for how many seconds the line is not to offer the promise.
        """
        match refused.reason:
            case NotClaimedReason.MOVED:
                # By somebody else: the line must not go on offering what is settled.
                await self._tell_line(promise.id)
            case NotClaimedReason.BLOCKED:
                await self.write(promise.id, Cancelled(CancelReason.STOP))
            case NotClaimedReason.OVER_CAP:
                soonest = self._clock.now() + timedelta(seconds=HOLD_BACK_S)
                until = max(refused.until or soonest, soonest)
                await self.write(promise.id, Postponed(until, PostponeReason.OVER_CAP))
            case NotClaimedReason.HELD:
                # Heard of again as soon as the other office has let go; the pause is for one that nobody tells of.
                self._keeper.promises.set_aside(promise.id, self._clock.now() + HELD_PAUSE)
            case NotClaimedReason.NUMBER_BUSY | NotClaimedReason.NO_LEASE:
                return HOLD_BACK_S
        return 0.0

    async def let_go(self, promise_id: str, term: int) -> None:
        """Give up the hold on a promise: the offices of other Asterisks may have it."""
        await until_stored(
            lambda: self._promises.let_go(promise_id, self._pbx, term),
            self._clock,
            partial(_told, "a promise that is let go waits for the database"),
        )

    async def write(self, promise_id: str, event: Event) -> None:
        """Advance a promise; one that others have moved on meanwhile stays as it is, and the line is told."""
        try:
            promise = await until_stored(
                lambda: self._promises.advance(promise_id, event),
                self._clock,
                partial(_told, "an outcome waits for the database"),
            )
        except RefusedTransitionError as error:
            log.warning("an outcome came too late", reason=str(error))
            await self._tell_line(promise_id)
        else:
            log.info("promise", state=promise.state.value, attempts_used=promise.attempts_used)

    async def _tell_line(self, promise_id: str) -> None:
        """Tell the line how a promise stands: where only the answer to a write was lost, nobody has told it."""
        with suppress(StoreUnavailableError):
            self._keeper.promise_changed(await self._promises.get(promise_id))


def _told(what: str, error: StoreUnavailableError, _retry_in_s: float) -> None:
    log.error(what, reason=str(error))
