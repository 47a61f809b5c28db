"""Sends what the outbox owes: woken when an SMS is queued and when the next one is due; never polls."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from controller.domain.phone_number import mask
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.journeys.race import first_of
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Accepted, Refused, Unclear
from controller.workers.blocked_log import BlockedLog
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from controller.domain.sms_gate import SmsGate
    from controller.ports.clock import Clock
    from controller.ports.sms import Claim, QueuedSms, SendResult, SmsGateway, SmsOutbox

T = TypeVar("T")

_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""After each refusal that may pass, at least so long; longer where the provider says so."""
_UNPAID = SmsBill(segments=0)
_LOST_CLAIM = "the database's answer to the claim was lost: somebody may be sending this"


@dataclass(frozen=True, slots=True)
class Postage:
    """What an SMS goes out as, and what has to allow it."""

    text_of: Callable[[QueuedSms, str | None], str]
    """Its text, with the address of its page if there is one; LookupError: it has none."""
    sender_of: Callable[[QueuedSms], str]
    bill: Callable[[QueuedSms, str], SmsBill]
    """What a text is paid as."""
    gate: SmsGate
    limits: SmsLimits
    link_for: Callable[[QueuedSms], Awaitable[str | None]] | None = None
    """Writes its link down and returns the address; None: there are no pages."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """An SMS with all that it takes to claim and send it."""

    sms: QueuedSms
    text: str
    bill: SmsBill
    fault: str = ""
    """Why there is no text: it is claimed all the same, and fails."""


class SmsSender:
    """One sender for one gateway. `wake` is cheap and may be called from any callback of the event loop.

    One SMS at a time: what is marked as being sent when the process dies is never sent again, so it is one, and not
    those behind it too. Each is marked so in the database before the gateway sees it. What happened is then written
    until it is written, database or no database: a text that was accepted is not sent again. A gateway that raises
    may have sent the text, so that counts as unclear.
    """

    def __init__(
        self,
        outbox: SmsOutbox,
        gateway: SmsGateway,
        postage: Postage,
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        max_tries: int = 8,
    ) -> None:
        self._outbox = outbox
        self._gateway = gateway
        self._postage = postage
        self._clock = clock
        self._log = log
        self._blocked = BlockedLog(clock, log)
        self._max_tries = max_tries
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Tell that an SMS may be due."""
        self._woken.set()

    async def run(self) -> None:
        """Keep the gateway running, settle what an earlier process left behind, then send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gateway.run())
            tasks.create_task(self._send_for_ever())

    async def _send_for_ever(self) -> None:
        interrupted = await self._stored(self._outbox.settle_interrupted, doing="settle_interrupted")
        if interrupted:
            self._log.warning("sms_interrupted", count=interrupted, status="unknown")
        while True:
            # Cleared before looking, so that what is queued while we look wakes us again.
            self._woken.clear()
            sms = await self._stored(lambda: self._outbox.due(self._clock.now()), doing="due")
            if sms is not None:
                await self._handle(sms)
                continue
            due_at = await self._stored(self._outbox.next_due_at, doing="next_due_at")
            await self._rest(None if due_at is None else (due_at - self._clock.now()).total_seconds())

    async def _handle(self, sms: QueuedSms) -> None:
        objection = self._postage.gate.objection(sms.number)
        if objection is not None:
            now = self._clock.now()
            status = await self._stored(lambda: self._outbox.block(sms, objection, now), doing="block")
            self._blocked.note(sms, status, objection)
            return
        letter = await self._stored(lambda: self._written(sms), doing="link")
        if await self._is_ours(letter):
            await self._send(letter)

    async def _written(self, sms: QueuedSms) -> _Letter:
        """Return an SMS with its text, whose link is durable. Raises StoreUnavailableError."""
        link = None if self._postage.link_for is None else await self._postage.link_for(sms)
        try:
            text = self._postage.text_of(sms, link)
        except LookupError as error:
            return _Letter(sms, "", _UNPAID, fault=str(error))
        return _Letter(sms, text, self._postage.bill(sms, text))

    async def _is_ours(self, letter: _Letter) -> bool:
        """Mark an SMS as being sent; tell whether it may be."""
        sms, has_failed = letter.sms, False

        async def claim() -> Claim:
            nonlocal has_failed
            try:
                return await self._outbox.claim(sms, letter.bill, self._postage.limits, self._clock.now())
            except StoreUnavailableError:
                has_failed = True
                raise

        claimed = await self._stored(claim, doing="claim")
        match claimed.status:
            case SmsStatus.SENDING:
                return True
            case SmsStatus.QUEUED if has_failed:
                # Claimed by us most likely, and sent by nobody; but it is not for us to guess.
                await self._settle(sms, Unclear(_LOST_CLAIM))
            case SmsStatus.BLOCKED:
                self._blocked.note(sms, claimed.status, claimed.reason)
            case _:
                self._log.info("sms_not_sent", sms=sms.key, status=claimed.status.value, reason=claimed.reason)
        return False

    async def _send(self, letter: _Letter) -> None:
        result = Refused(letter.fault, None) if letter.fault else await self._hand_over(letter)
        await self._settle(letter.sms, self._with_patience(letter.sms, result))

    async def _hand_over(self, letter: _Letter) -> SendResult:
        sms = letter.sms
        try:
            return await self._gateway.send(
                key=sms.key, sender=self._postage.sender_of(sms), number=sms.number, text=letter.text
            )
        except Exception as error:  # noqa: BLE001 - one gateway's mistake must not stop every other SMS
            self._log.exception("sms_gateway_raised", sms=sms.key, gateway=self._gateway.name)
            return Unclear(f"the gateway raised {type(error).__name__}")

    def _with_patience(self, sms: QueuedSms, result: SendResult) -> SendResult:
        """Return a refusal that may pass with a pause that grows, or as one for good after the last try."""
        if not isinstance(result, Refused) or result.retry_in_s is None:
            return result
        if sms.tries >= self._max_tries:
            return Refused(f"given up after {sms.tries} tries: {result.reason}", None)
        least_s = _PAUSES_S[min(sms.tries, len(_PAUSES_S)) - 1]
        return replace(result, retry_in_s=max(result.retry_in_s, least_s))

    async def _settle(self, sms: QueuedSms, result: SendResult) -> None:
        now = self._clock.now()
        status = await self._stored(lambda: self._outbox.record(sms, result, now), doing="record")
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

    async def _stored(self, attempt: Callable[[], Awaitable[T]], *, doing: str) -> T:
        return await until_stored(attempt, self._clock, partial(self._tell, doing), pauses_s=GROWING_S)

    def _tell(self, doing: str, error: StoreUnavailableError, retry_in_s: float) -> None:
        self._log.warning("sms_store_unavailable", doing=doing, error=str(error), retry_in_s=retry_in_s)

    async def _rest(self, delay_s: float | None) -> None:
        """Wait until woken, or for `delay_s` if that is sooner."""
        if delay_s is None:
            await self._woken.wait()
        elif delay_s > 0:
            await first_of(woken=self._woken.wait(), time=self._clock.sleep(delay_s))
