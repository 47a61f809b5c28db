"""SMS by SMPP 3.4: a connection that is kept up to an SMS centre (SMSC) of a carrier or an aggregator.

Texts leave by it, and receipts and replies come by it: there are no webhooks.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from aiosmpplib.state import SmppCommandStatus

from controller.domain.phone_number import mask
from controller.ports.sms import Accepted, Refused, Unclear
from controller.sms import smpp_addresses, smpp_wire
from controller.sms.smpp_account import LongTexts
from controller.sms.smpp_parts import parts_of
from controller.sms.smpp_receipt import is_receipt, is_text
from controller.sms.smpp_receipts import Receipts, is_accepted
from controller.sms.smpp_replies import OK, Replies
from controller.sms.smpp_session import LinkError, NoAnswerError, SmppSession, connected

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.ports.sms import IncomingSms, Receipt, SendResult
    from controller.sms.smpp_account import SmppAccount
    from controller.sms.smpp_addresses import Address
    from controller.sms.smpp_parts import Part
    from controller.sms.smpp_session import Answer

RECONNECT_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
BUSY_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""How long to wait before an SMS is handed over again, the more often in a row the centre is busy."""
PART_TRIES = 4
"""For the parts after the first: what the customer has the beginning of is rather finished than left."""
_BUSY = frozenset(
    {
        *(SmppCommandStatus.ESME_RTHROTTLED, SmppCommandStatus.ESME_RMSGQFUL, SmppCommandStatus.ESME_RSYSERR),
        *(SmppCommandStatus.ESME_RX_T_APPN, SmppCommandStatus.ESME_RINVBNDSTS),
    }
)
"""Refused for now. Any other status is for good, a centre's own (from 0x400) too."""
_OFFLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class _Submission:
    """One SMS as it is handed over."""

    key: str
    sender: Address
    to: Address
    parts: list[Part]


class SmppGateway:
    """One account at one centre. `run` keeps it connected; without it nothing can be sent.

    `on_receipt` and `on_reply` return when what they were given is durable: only then the centre is told that we have
    it. Where they raise StoreUnavailableError it is asked to send it again.

    The reference of an SMS is the centre's id of its last part, and only of that part a receipt is asked for: a phone
    that has the last part of a text has, in all likelihood, the others. An answer to an SMS that comes too late is told
    as a receipt with the SMS's own key, `ON_ITS_WAY` or `UNDELIVERED`, and the reference that its real receipt will
    have. A receipt's `event_id` is made of the id, the state and the time in it: the same again is a repeat. That of a
    reply: `controller/sms/smpp_replies.py`.
    """

    def __init__(
        self,
        account: SmppAccount,
        *,
        on_receipt: Callable[[Receipt], Awaitable[None]],
        on_reply: Callable[[IncomingSms], Awaitable[None]],
        clock: Clock,
        log: FilteringBoundLogger,
        name: str = "smpp",
    ) -> None:
        self.name = name
        self._account = account
        self._clock = clock
        self._log = log.bind(gateway=name)
        self._receipts = Receipts(name, account.message_ids, on_receipt, clock, self._log)
        self._replies = Replies(name, on_reply, clock, self._log, home=account.home)
        self._session: SmppSession | None = None
        self._bound = asyncio.Event()
        self._problem = "not connected yet"
        self._window = asyncio.Semaphore(account.window)
        self._part_reference = 0
        self._busy_in_a_row = 0

    @property
    def problem(self) -> str | None:
        """One line that says why nothing can be sent; None while it can."""
        return None if self._session is not None else self._problem

    async def ready(self) -> None:
        """Return as soon as there is a session."""
        await self._bound.wait()

    async def run(self) -> None:
        """Keep connected until cancelled; on any failure say so and try again, after growing pauses."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._replies.run())
            tasks.create_task(self._receipts.run())
            tasks.create_task(self._keep_connected())

    async def _keep_connected(self) -> NoReturn:
        failures = 0
        while True:
            try:
                streams = await connected(self._account, self._clock)
                session = SmppSession(streams, self._account, self._take, clock=self._clock, log=self._log)
                was_bound = False

                def bound(session: SmppSession = session) -> None:
                    nonlocal was_bound
                    self._session, was_bound = session, True
                    self._bound.set()
                    self._log.info("smpp_up", host=self._account.host, port=self._account.port)

                session.on_bound = bound
                try:
                    await session.run()
                finally:
                    self._session = None
                    self._bound.clear()
                    failures = 0 if was_bound else failures
            except LinkError as error:
                pause_s = RECONNECT_S[-1] if error.refused else RECONNECT_S[min(failures, len(RECONNECT_S) - 1)]
                failures += 1
                self._problem = str(error)
                log = self._log.error if error.refused else self._log.warning
                log("smpp_down", problem=self._problem, next_try_in_s=pause_s)
                await self._clock.sleep(pause_s)

    async def send(self, *, key: str, sender: str, number: str, text: str) -> SendResult:
        """Hand over one text, in as many parts as it takes, one after the other.

        Unclear as soon as a part may have arrived and not all did.
        """
        try:
            submission = _Submission(
                key,
                smpp_addresses.sender(sender, self._account.home),
                smpp_addresses.recipient(number),
                parts_of(text, self._next_reference(), as_payload=self._account.long_texts is LongTexts.PAYLOAD),
            )
        except ValueError as error:
            return Refused(str(error), None)
        async with self._window:
            return await self._submit(submission)

    async def _submit(self, submission: _Submission) -> SendResult:
        count = len(submission.parts)
        reference = ""
        for number in range(1, count + 1):
            try:
                answer = await self._submit_part(submission, number)
            except LinkError as error:
                if number == 1:
                    return Refused(str(error), _OFFLINE_S)
                return Unclear(f"part {number} of {count}: {error}; those before it were taken")
            except NoAnswerError as error:
                if number == count:
                    error.late.add_done_callback(lambda late: self._receipts.note_late(submission.key, late))
                return Unclear(f"part {number} of {count}: {error}" if count > 1 else str(error))
            except ValueError as error:
                return Refused(f"it cannot be written as SMPP: {error}", None)
            if not is_accepted(answer):
                reason = smpp_wire.status_name(answer.status)
                if number > 1:
                    return Unclear(f"part {number} of {count} was refused ({reason}), those before it were taken")
                return Refused(reason, self._busy_for_s() if answer.status in _BUSY else None)
            reference = self._receipts.reference_of(answer)
        self._busy_in_a_row = 0
        return Accepted(reference)

    async def _submit_part(self, submission: _Submission, number: int) -> smpp_wire.Pdu:
        part = submission.parts[number - 1]
        is_last = number == len(submission.parts)

        def build(sequence: int) -> bytes:
            return smpp_wire.submit_sm(
                sequence,
                submission.sender,
                submission.to,
                part,
                wants_receipt=is_last,
                validity_s=self._account.validity_s,
            )

        tries = 1 if number == 1 else PART_TRIES
        for pause_s in BUSY_S[: tries - 1]:
            with suppress(LinkError):  # which is to say that it was not sent
                answer = await self._request(build)
                if answer.status not in _BUSY:
                    return answer
            await self._clock.sleep(pause_s)
        return await self._request(build)

    async def _request(self, build: Callable[[int], bytes]) -> smpp_wire.Pdu:
        if self._session is None:
            raise LinkError(f"no session with the SMS centre: {self._problem}")
        return await self._session.request(build)

    def _next_reference(self) -> int:
        self._part_reference = (self._part_reference + 1) % 256
        return self._part_reference

    def _busy_for_s(self) -> float:
        pause_s = BUSY_S[min(self._busy_in_a_row, len(BUSY_S) - 1)]
        self._busy_in_a_row += 1
        return pause_s

    async def _take(self, message: smpp_wire.DeliverSm, answer: Answer) -> None:
        if is_receipt(message):
            answer(await self._receipts.take(message))
        elif not is_text(message):
            answer(OK)  # a phone's own acknowledgement, which nobody asked for
        else:
            number = smpp_addresses.incoming(message.source, message.source_ton, self._account.home)
            if number is None:
                self._log.info("smpp_text_from_no_number", source=mask(message.source))
                answer(OK)
            else:
                await self._replies.take(message, number, answer)
