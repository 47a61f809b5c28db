"""What becomes of the SMS that were handed over: receipts, and answers that come too late."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NoReturn

from aiosmpplib.state import SmppCommand, SmppCommandStatus

from controller.domain.sms import Delivery
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Receipt
from controller.sms import smpp_wire
from controller.sms.smpp_account import MessageIds
from controller.sms.smpp_receipt import receipt_in
from controller.sms.smpp_replies import AGAIN, OK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock

_REMEMBERED_IDS = 1000
_MISFITS = 3
"""One may be chance: an SMS of before our start whose id looks like another's written differently."""
_MOST_LATE = 1000
_STORE_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


def is_accepted(answer: smpp_wire.Pdu) -> bool:
    """Tell whether an answer to submit_sm says that the SMS was taken."""
    return bool(answer.command == SmppCommand.SUBMIT_SM_RESP and answer.status == SmppCommandStatus.ESME_ROK)


class Receipts:
    """Tells `on_receipt`, which returns when it is durable, and knows by which reference an SMS goes."""

    def __init__(
        self,
        provider: str,
        message_ids: MessageIds,
        on_receipt: Callable[[Receipt], Awaitable[None]],
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._provider = provider
        self._ids = message_ids
        self._on_receipt = on_receipt
        self._clock = clock
        self._log = log
        self._in_answers: deque[str] = deque(maxlen=_REMEMBERED_IDS)
        self._in_receipts: deque[str] = deque(maxlen=_REMEMBERED_IDS)
        self._misfits = 0
        self._late: asyncio.Queue[Receipt] = asyncio.Queue(_MOST_LATE)

    def reference_of(self, answer: smpp_wire.Pdu) -> str:
        """Return the reference of an SMS that was taken, as its receipt will have it; "" if it cannot be known."""
        try:
            message_id = smpp_wire.message_id_of(answer)
        except smpp_wire.WireError as error:
            # Taken all the same: only its receipt will not be known for what it is.
            self._log.warning("smpp_message_id_unreadable", reason=str(error))
            message_id = ""
        self._in_answers.append(message_id)
        self._compare([message_id], self._in_receipts)
        return self._ids.in_answer(message_id)

    async def take(self, message: smpp_wire.DeliverSm) -> SmppCommandStatus:
        """Take a receipt; return how to answer it."""
        read = receipt_in(message)
        if read is None:
            self._log.warning("smpp_receipt_unreadable")
            return OK
        self._in_receipts.append(read.message_id)
        self._compare(self._in_answers, [read.message_id])
        reference = self._ids.in_receipt(read.message_id)
        is_bad = read.delivery is Delivery.UNDELIVERED
        receipt = Receipt(
            provider=self._provider,
            event_id=f"{reference}:{read.state}:{read.done}",
            reference=reference,
            delivery=read.delivery,
            error=f"{read.state} {read.error}".strip() if is_bad else "",
        )
        return await self._store(receipt)

    async def _store(self, receipt: Receipt) -> SmppCommandStatus:
        try:
            await self._on_receipt(receipt)
        except StoreUnavailableError:
            return AGAIN
        except Exception:  # noqa: BLE001 - sent again rather than lost
            self._log.exception("smpp_receipt_not_taken")
            return AGAIN
        return OK

    def _compare(self, in_answers: Iterable[str], in_receipts: Iterable[str]) -> None:
        """Say once if receipts write ids in another way than the settings have it."""
        pairs = [(one, other) for one in in_answers for other in in_receipts if one]
        if self._misfits >= _MISFITS or any(
            self._ids.in_answer(one) == self._ids.in_receipt(two) for one, two in pairs
        ):
            return
        fitting = next(filter(None, (MessageIds.fitting(*pair) for pair in pairs)), None)
        if fitting is not None:
            self._misfits += 1
            if self._misfits == _MISFITS:
                self._log.error("smpp_receipts_not_matched", to_do=f'set message_ids = "{fitting.value}"')

    def note_late(self, key: str, late: asyncio.Future[smpp_wire.Pdu]) -> None:
        """Keep an answer that came after nobody waited for it any more; for `Future.add_done_callback`."""
        if late.cancelled() or self._late.full():
            return
        answer = late.result()
        was_taken = is_accepted(answer)
        self._late.put_nowait(
            Receipt(
                provider=self._provider,
                event_id=f"answer-{key}"[:150],
                reference=self.reference_of(answer) if was_taken else "",
                delivery=Delivery.ON_ITS_WAY if was_taken else Delivery.UNDELIVERED,
                key=key,
                error="" if was_taken else smpp_wire.status_name(answer.status),
            )
        )

    async def run(self) -> NoReturn:
        """Tell late answers until cancelled."""
        while True:
            receipt = await self._late.get()
            self._log.info("smpp_late_answer", sms=receipt.key, delivery=receipt.delivery.value)
            failures = 0
            # The centre will not tell it again, so it is kept here until it is written.
            while await self._store(receipt) != OK:
                await self._clock.sleep(_STORE_RETRY_S[min(failures, len(_STORE_RETRY_S) - 1)])
                failures += 1
