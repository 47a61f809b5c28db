"""Sends what hooks are owed: one event after the other to each of them, several hooks side by side."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from controller.domain.hook_retries import LIFETIME, next_try_at, rest_s
from controller.journeys.race import first_of
from controller.ports.hooks import GONE, NotTaken, Taken
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.ports.hooks import Delivery, HookBook, HookPost, HookWish
    from controller.ports.promises import StoreUnavailableError

T = TypeVar("T")

LOOK_AGAIN_S = 60.0
"""However long nothing is due: a command beside us may owe a hook something anew, and a file tells nobody."""
_TOO_OLD = "it was not taken within three days"
_IS_GONE = "the receiver had said that it is gone (410)"


class HookSender:
    """One courier for each hook that is switched on. `wake` is cheap and may be called from any callback of the loop.

    At least once: what was sent when the process dies, before it was written that it arrived, is sent again under the
    same id. To be run where the lease of the mail is, so that in a cluster it is one who sends.
    """

    def __init__(self, book: HookBook, posts: Mapping[str, HookPost], clock: Clock, log: FilteringBoundLogger) -> None:
        """Take a post for each hook that is switched on, by its name."""
        self._book = book
        self._clock = clock
        self._log = log
        self._couriers = [
            _Courier(wish, book, posts[wish.name], clock, log) for wish in book.wishes if wish.name in posts
        ]

    def wake(self) -> None:
        """Tell that something may be owed."""
        for courier in self._couriers:
            courier.woken.set()

    async def run(self) -> None:
        """Settle what hooks are owed that are no more, then send until cancelled."""
        left = await until_stored(
            lambda: self._book.abandon_unknown(self._clock.now()),
            self._clock,
            partial(_tell_unavailable, self._log, "settle"),
            pauses_s=GROWING_S,
        )
        if left:
            self._log.warning("hooks_removed", not_delivered=left)
        async with asyncio.TaskGroup() as tasks:
            for courier in self._couriers:
                tasks.create_task(courier.run())


class _Courier:
    """Brings one hook what it is owed. An event that is not taken holds back those of its own subject alone.

    A receiver that is away is left alone for a while that grows, whatever else it is owed.
    """

    def __init__(self, wish: HookWish, book: HookBook, post: HookPost, clock: Clock, log: FilteringBoundLogger) -> None:
        self._wish = wish
        self._book = book
        self._post = post
        self._clock = clock
        self._log = log.bind(hook=wish.name)
        self._is_gone = False
        self._failures = 0
        self.woken = asyncio.Event()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            self._is_gone = await self._stored(lambda: self._book.is_gone(self._wish), doing="look")
            while True:
                self.woken.clear()
                idle_s = await self._send_next()
                if idle_s > 0:
                    await first_of(woken=self.woken.wait(), time=self._clock.sleep(idle_s))
        finally:
            await self._post.close()

    async def _send_next(self) -> float:
        """Send what is due the longest, if there is something; return for how long nothing will be."""
        if self._is_gone:
            await self._look_whether_gone()
            if self._is_gone:
                return LOOK_AGAIN_S
        delivery = await self._stored(lambda: self._book.next(self._wish.name), doing="look")
        if delivery is None:
            return LOOK_AGAIN_S
        early_s = (delivery.not_before - self._clock.now()).total_seconds()
        if early_s > 0:
            return min(early_s, LOOK_AGAIN_S)
        await self._send(delivery)
        return 0.0

    async def _look_whether_gone(self) -> None:
        self._is_gone = await self._stored(lambda: self._book.is_gone(self._wish), doing="look")
        if not self._is_gone:
            self._log.info("hook_back")
            return
        lost = await self._abandon(_IS_GONE)
        if lost:
            self._log.error("hook_not_delivered", reason=_IS_GONE, count=lost)

    async def _send(self, delivery: Delivery) -> None:
        answer = await self._answer_to(delivery)
        now = self._clock.now()
        if isinstance(answer, Taken):
            self._failures = 0
            await self._stored(lambda: self._book.taken(delivery, answer.status, now), doing="record")
            self._log.debug("hook_taken", event_id=delivery.event_id, type=delivery.event, tries=delivery.tries + 1)
        elif answer.status == GONE:
            await self._stored(lambda: self._book.gone(self._wish, delivery, now), doing="record")
            self._is_gone = True
            remedy = "change its url in the settings, or `controller hooks retry`"
            self._log.error("hook_gone", event_id=delivery.event_id, type=delivery.event, remedy=remedy)
        else:
            await self._try_again(delivery, answer)

    async def _try_again(self, delivery: Delivery, why: NotTaken) -> None:
        now, tries = self._clock.now(), delivery.tries + 1
        log = self._log.bind(event_id=delivery.event_id, type=delivery.event, tries=tries, reason=why.reason)
        again_at = next_try_at(delivery.made_at, now, tries=tries, event_id=delivery.event_id, told_s=why.told_s)
        if again_at is None:
            await self._stored(lambda: self._book.given_up(delivery, why, now), doing="record")
            # A receiver that has been away for so long is not asked for each of the others, too.
            others = await self._abandon(_TOO_OLD) if why.is_away else 0
            log.error("hook_not_delivered", count=1 + others)
        else:
            await self._stored(lambda: self._book.put_off(delivery, why, again_at), doing="record")
            log.warning("hook_put_off", retry_in_s=round((again_at - now).total_seconds()))
        self._failures = self._failures + 1 if why.is_away else 0
        if self._failures:
            await self._clock.sleep(rest_s(self._failures))

    async def _abandon(self, reason: str) -> int:
        now = self._clock.now()
        made_before = None if self._is_gone else now - LIFETIME
        return await self._stored(
            lambda: self._book.abandon(self._wish.name, reason, now, made_before=made_before), doing="settle"
        )

    async def _answer_to(self, delivery: Delivery) -> Taken | NotTaken:
        try:
            return await self._post.post(delivery.event_id, delivery.body)
        except Exception as error:  # noqa: BLE001 - one hook's mistake must not stop the others
            # Not with its story: an address may be part of it.
            self._log.error("hook_client_raised", event_id=delivery.event_id, error=type(error).__name__)
            return NotTaken(f"the client raised {type(error).__name__}")

    async def _stored(self, attempt: Callable[[], Awaitable[T]], *, doing: str) -> T:
        tell = partial(_tell_unavailable, self._log, doing)
        return await until_stored(attempt, self._clock, tell, pauses_s=GROWING_S)


def _tell_unavailable(log: FilteringBoundLogger, doing: str, error: StoreUnavailableError, retry_in_s: float) -> None:
    log.warning("hook_store_unavailable", doing=doing, error=str(error), retry_in_s=retry_in_s)
