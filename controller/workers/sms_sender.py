"""Sends what the outbox owes: woken when an SMS is queued and when the next one is due; never polls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from controller.domain.phone_number import mask
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Accepted, Refused, Unclear

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.ports.sms import QueuedSms, SendResult, SmsGateway, SmsOutbox

T = TypeVar("T")

_AT_A_TIME = 1
"""What is marked as being sent when the process dies is never sent again: so it is one, and not those behind it too."""
_STORE_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class SmsSender:
    """One sender for one gateway. `wake` is cheap and may be called from any callback of the event loop.

    Each SMS is marked as being sent, in the database, before the gateway sees it. What happened is then written until
    it is written, database or no database: a text that was accepted is not sent again. A gateway that raises may have
    sent the text, so that counts as unclear.
    """

    def __init__(
        self,
        outbox: SmsOutbox,
        gateway: SmsGateway,
        render: Callable[[QueuedSms], str],
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        max_tries: int = 8,
    ) -> None:
        self._outbox = outbox
        self._gateway = gateway
        self._render = render
        self._clock = clock
        self._log = log
        self._max_tries = max_tries
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Tell that an SMS may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Settle what an earlier process left behind, then send until cancelled."""
        interrupted = await self._until_stored(self._outbox.settle_interrupted, doing="settle_interrupted")
        if interrupted:
            self._log.warning("sms_interrupted", count=interrupted, status="unknown")
        while True:
            # Cleared before looking, so that what is queued while we look wakes us again.
            self._woken.clear()
            if not await self._until_stored(self._send_due, doing="send_due"):
                due_at = await self._until_stored(self._outbox.next_due_at, doing="next_due_at")
                await self._rest(None if due_at is None else (due_at - self._clock.now()).total_seconds())

    async def _send_due(self) -> int:
        taken = await self._outbox.take_due(self._clock.now(), _AT_A_TIME)
        for sms in taken:
            await self._send(sms)
        return len(taken)

    async def _send(self, sms: QueuedSms) -> None:
        result = await self._hand_over(sms)
        if isinstance(result, Refused) and result.retry_in_s is not None and sms.tries >= self._max_tries:
            result = Refused(f"given up after {sms.tries} tries: {result.reason}", None)
        now = self._clock.now()
        status = await self._until_stored(lambda: self._outbox.record(sms, result, now), doing="record")
        log = self._log.bind(sms=sms.key, number=mask(sms.number), tries=sms.tries, gateway=self._gateway.name)
        match result:
            case Accepted(reference):
                log.info("sms_sent", status=status.value, reference=reference)
            case Refused(reason, None):
                log.error("sms_failed", status=status.value, reason=reason)
            case Refused(reason, retry_in_s):
                log.warning("sms_refused", status=status.value, reason=reason, retry_in_s=retry_in_s)
            case Unclear(reason):
                log.warning("sms_unclear", status=status.value, reason=reason)

    async def _hand_over(self, sms: QueuedSms) -> SendResult:
        try:
            text = self._render(sms)
        except LookupError as error:
            return Refused(str(error), None)
        try:
            return await self._gateway.send(key=sms.key, number=sms.number, text=text)
        except Exception as error:  # noqa: BLE001 - one gateway's mistake must not stop every other SMS
            self._log.exception("sms_gateway_raised", sms=sms.key, gateway=self._gateway.name)
            return Unclear(f"the gateway raised {type(error).__name__}")

    async def _until_stored(self, attempt: Callable[[], Awaitable[T]], *, doing: str) -> T:
        failures = 0
        while True:
            try:
                return await attempt()
            except StoreUnavailableError as error:
                delay_s = _STORE_RETRY_S[min(failures, len(_STORE_RETRY_S) - 1)]
                failures += 1
                self._log.warning("sms_store_unavailable", doing=doing, error=str(error), retry_in_s=delay_s)
                await self._clock.sleep(delay_s)

    async def _rest(self, delay_s: float | None) -> None:
        """Wait until woken, or for `delay_s` if that is sooner."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._woken.wait())]
        if delay_s is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(max(delay_s, 0))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
