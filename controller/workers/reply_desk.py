"""The reply desk: acts on what customers wrote back, one reply after the other; woken when one was written down."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from controller.domain.phone_number import mask
from controller.journeys.race import first_of
from controller.journeys.sms_reply import Settled, answer
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.journeys.house import House
    from controller.ports.promises import StoreUnavailableError
    from controller.ports.sms import Reply, SmsInbox

T = TypeVar("T")

log = structlog.get_logger(__name__)

MAX_TRIES = 3
"""A reply that cannot be acted on so often is left to a person."""
RETRY_S = 5.0
FAILED = "failed"
"""The meaning under which such a reply is settled."""


class ReplyDesk:
    """Acts on the replies in the inbox, oldest first. `wake` may be called from any callback of the event loop.

    Acted on and settled are two transactions: after a crash between them a reply is acted on again, which changes
    nothing more. A reply that cannot be acted on holds up no other.
    """

    def __init__(
        self,
        inbox: SmsInbox,
        house: House,
        act: Callable[[Reply, House, SmsInbox], Awaitable[Settled]] = answer,
    ) -> None:
        self._inbox = inbox
        self._house = house
        self._act = act
        self._failures: Counter[int] = Counter()
        self._woken = asyncio.Event()
        self.caught_up = asyncio.Event()
        """Set once what an earlier process left was looked at: before it, a STOP may lie there that nobody has read."""

    def wake(self) -> None:
        """Tell that a reply was written down."""
        self._woken.set()

    async def run(self) -> None:
        """Act on what an earlier process left, then on what comes, until cancelled."""
        while True:
            # Cleared before looking, so that what is written down while we look wakes us again.
            self._woken.clear()
            for reply in await self._stored("unhandled", self._inbox.unhandled):
                with structlog.contextvars.bound_contextvars(reply_id=reply.id):
                    await self._take(reply)
            self.caught_up.set()
            if self._failures:
                await first_of(woken=self._woken.wait(), time=self._house.clock.sleep(RETRY_S))
            else:
                await self._woken.wait()

    async def _take(self, reply: Reply) -> None:
        try:
            settled = await self._stored("answer", lambda: self._act(reply, self._house, self._inbox))
        except Exception:
            self._failures[reply.id] += 1
            log.exception("a reply could not be acted on", tries=self._failures[reply.id])
            if self._failures[reply.id] < MAX_TRIES:
                return
            settled = Settled(FAILED, needs_person=True)
        now = self._house.clock.now()
        await self._stored(
            "settle",
            lambda: self._inbox.settle(reply.id, settled.meaning, needs_person=settled.needs_person, now=now),
        )
        self._failures.pop(reply.id, None)
        self._tell(reply, settled)

    def _tell(self, reply: Reply, settled: Settled) -> None:
        told = log.bind(number=mask(reply.incoming.number), meaning=settled.meaning)
        if settled.needs_person:
            told.warning("a reply needs a person; `controller sms replies --needs-person` shows it")
        else:
            told.info("a reply was acted on")

    async def _stored(self, doing: str, attempt: Callable[[], Awaitable[T]]) -> T:
        return await until_stored(attempt, self._house.clock, partial(_away, doing), pauses_s=GROWING_S)


def _away(doing: str, error: StoreUnavailableError, retry_in_s: float) -> None:
    log.warning("replies wait for the database", doing=doing, reason=str(error), retry_in_s=retry_in_s)
