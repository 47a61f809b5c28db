"""One bound connection to an SMS centre: requests with their answers, and what the centre sends of its own accord."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aiosmpplib.state import SmppCommand, SmppCommandStatus

from controller.sms import smpp_wire as wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any, NoReturn

    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.sms.smpp_account import SmppAccount

_LAST_SEQUENCE = 0x7FFFFFFF
_MOST_UNANSWERED = 1000
"""Requests whose answers may still come. Of more the oldest are given up."""
_MOST_UNREAD = 100
"""What the centre sent and we have not written down yet. It keeps the rest itself: we say that we are full."""
_PROMPT_S = 5
"""An answer that takes longer may come after the centre has made up its mind to send the same again."""
_WRONG_ACCOUNT = frozenset(
    {
        *(SmppCommandStatus.ESME_RBINDFAIL, SmppCommandStatus.ESME_RINVPASWD, SmppCommandStatus.ESME_RINVSYSID),
        SmppCommandStatus.ESME_RINVSYSTYP,
    }
)


class LinkError(Exception):
    """The connection is of no use (any more); says why, and what to do about it."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused
        """The centre does not want us: it will not tomorrow, unless somebody changes the settings."""


class NoAnswerError(Exception):
    """A request may have arrived and was not answered. `late` holds the answer if it still comes."""

    def __init__(self, reason: str, late: asyncio.Future[wire.Pdu]) -> None:
        super().__init__(reason)
        self.late = late


@dataclass(frozen=True, slots=True)
class Ack:
    """An answer of ours that went out."""

    session: SmppSession
    number: int

    def is_read(self) -> bool:
        """Tell whether the centre has certainly read it: it answered what we sent after it."""
        return self.session.acks_read >= self.number


class Answer(Protocol):
    """Answers one deliver_sm. Where the connection is gone it does nothing: the centre sends it again."""

    def __call__(self, status: SmppCommandStatus, then: Callable[[Ack], None] | None = None, /) -> None:
        """Answer; `then` is told when it is out, unless it is so late that the centre may not care for it any more."""


async def within(clock: Clock, limit_s: float, awaited: asyncio.Future[Any]) -> bool:
    """Wait for a future for at most so long, and leave it be; tell whether it is done."""
    timer = asyncio.ensure_future(clock.sleep(limit_s))
    try:
        await asyncio.wait({awaited, timer}, return_when=asyncio.FIRST_COMPLETED)
        return awaited.done()
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)


class SmppSession:
    """A connection from its first byte to its last. Get it from `connected`; `run` keeps it until it breaks."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        account: SmppAccount,
        on_deliver: Callable[[wire.DeliverSm, Answer], Awaitable[None]],
        *,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._reader, self._writer = streams
        self._account = account
        self._on_deliver = on_deliver
        self._clock = clock
        self._log = log
        self._sequence = 0
        self._waiting: OrderedDict[int, asyncio.Future[wire.Pdu]] = OrderedDict()
        self._delivered: asyncio.Queue[wire.Pdu] = asyncio.Queue(_MOST_UNREAD)
        self._ping_now = asyncio.Event()
        self._acks_written = 0
        self.acks_read = 0
        self.on_bound: Callable[[], None] = lambda: None

    async def run(self) -> NoReturn:
        """Bind, then serve until the connection breaks. Raises LinkError, always."""
        parts: list[Coroutine[Any, Any, NoReturn]] = [self._read(), self._hand_on(), self._bind_and_watch()]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            raise _reason(next(iter(done)).exception())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    async def request(self, build: Callable[[int], bytes]) -> wire.Pdu:
        """Send a request and return its answer. Raises NoAnswerError; LinkError, ValueError before a byte is sent."""
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        pdu = build(self._sequence)
        answer: asyncio.Future[wire.Pdu] = asyncio.get_running_loop().create_future()
        if self._writer.is_closing():
            raise LinkError("the connection to the SMS centre was lost")
        # Registered before it is sent: an answer can be there before a slow peer lets us go on.
        self._waiting[self._sequence] = answer
        while len(self._waiting) > _MOST_UNANSWERED:
            self._waiting.popitem(last=False)[1].cancel()
        acks = self._acks_written
        self._writer.write(pdu)
        if not await within(self._clock, self._account.answer_timeout_s, answer):
            raise NoAnswerError(f"no answer within {self._account.answer_timeout_s:g} s", answer)
        if answer.cancelled():
            raise NoAnswerError("the connection to the SMS centre was lost", answer)
        self.acks_read = max(self.acks_read, acks)
        return answer.result()

    def ping(self) -> None:
        """Ask now whether the centre is there: its answer proves that it has read what we sent before."""
        self._ping_now.set()

    async def _bind_and_watch(self) -> NoReturn:
        try:
            bound = await self.request(lambda sequence: wire.bind_transceiver(sequence, self._account))
            if bound.status != SmppCommandStatus.ESME_ROK or bound.command == SmppCommand.GENERIC_NACK:
                raise _not_bound(bound)
            self.on_bound()
            while True:
                pinged = asyncio.ensure_future(self._ping_now.wait())
                try:
                    await within(self._clock, self._account.enquire_interval_s, pinged)
                finally:
                    pinged.cancel()
                self._ping_now.clear()
                await self.request(wire.enquire_link)
        except NoAnswerError as error:
            raise LinkError(f"the SMS centre is silent: {error}") from error

    async def _read(self) -> NoReturn:
        while True:
            pdu = await wire.read_pdu(self._reader)
            if pdu.command & wire.RESPONSE:
                self._take_answer(pdu)
            elif pdu.command == SmppCommand.DELIVER_SM:
                self._take_delivery(pdu)
            elif pdu.command == SmppCommand.ENQUIRE_LINK:
                self._writer.write(wire.enquire_link_resp(pdu.sequence))
            elif pdu.command == SmppCommand.UNBIND:
                self._writer.write(wire.unbind_resp(pdu.sequence))
                await self._writer.drain()
                raise LinkError("the SMS centre ended the session")
            elif pdu.command != SmppCommand.ALERT_NOTIFICATION:  # the one request that has no answer
                self._log.warning("smpp_unknown_command", command=f"0x{pdu.command:08X}")
                self._writer.write(wire.generic_nack(pdu.sequence, SmppCommandStatus.ESME_RINVCMDID))
            # Nothing more is read from a peer that does not read what we answer.
            await self._writer.drain()

    def _take_answer(self, pdu: wire.Pdu) -> None:
        waiting = self._waiting.pop(pdu.sequence, None)
        if waiting is None:
            self._log.warning("smpp_answer_to_nothing", command=f"0x{pdu.command:08X}", sequence=pdu.sequence)
        elif not waiting.done():
            waiting.set_result(pdu)

    def _take_delivery(self, pdu: wire.Pdu) -> None:
        try:
            self._delivered.put_nowait(pdu)
        except asyncio.QueueFull:
            self._writer.write(wire.deliver_sm_resp(pdu.sequence, SmppCommandStatus.ESME_RMSGQFUL))

    async def _hand_on(self) -> NoReturn:
        while True:
            pdu = await self._delivered.get()
            answer = self._answer_to(pdu.sequence)
            try:
                await self._on_deliver(wire.read_deliver_sm(pdu.body), answer)
            except wire.WireError as error:
                # It would be no better the next time, and a centre may send nothing else before it.
                self._log.warning("smpp_delivery_unreadable", reason=str(error))
                answer(SmppCommandStatus.ESME_RX_P_APPN)
            except Exception:  # noqa: BLE001 - what a stranger wrote must not end the process
                self._log.exception("smpp_delivery_failed")
                answer(SmppCommandStatus.ESME_RX_P_APPN)

    def _answer_to(self, sequence: int) -> Answer:
        came_at = self._clock.now()

        def answer(status: SmppCommandStatus, then: Callable[[Ack], None] | None = None, /) -> None:
            if self._writer.is_closing():
                return
            self._writer.write(wire.deliver_sm_resp(sequence, status))
            self._acks_written += 1
            if then is not None and (self._clock.now() - came_at).total_seconds() < _PROMPT_S:
                then(Ack(self, self._acks_written))
                self.ping()

        return answer

    async def _close(self) -> None:
        if not self._writer.is_closing():
            with suppress(OSError):
                self._writer.write(wire.unbind(self._sequence % _LAST_SEQUENCE + 1))
        self._writer.close()
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()
        closed = asyncio.ensure_future(self._writer.wait_closed())
        if not await within(self._clock, self._account.answer_timeout_s, closed):
            self._writer.transport.abort()
        await asyncio.gather(closed, return_exceptions=True)


async def connected(account: SmppAccount, clock: Clock) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection. Raises LinkError."""
    where = f"the SMS centre at {account.host}:{account.port}"
    try:
        context = await asyncio.to_thread(_tls, account) if account.tls else None
        opening = asyncio.ensure_future(asyncio.open_connection(account.host, account.port, ssl=context))
        try:
            if await within(clock, account.answer_timeout_s, opening):
                return opening.result()
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
    except (OSError, ValueError) as error:
        raise LinkError(f"{where} cannot be reached: {error}") from error
    raise LinkError(f"{where} did not answer within {account.answer_timeout_s:g} s")


def _tls(account: SmppAccount) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=account.ca_file)


def _not_bound(answer: wire.Pdu) -> LinkError:
    name = wire.status_name(answer.status)
    if answer.status in _WRONG_ACCOUNT:
        return LinkError(f"the SMS centre refuses our account ({name}): check system_id and password", refused=True)
    return LinkError(f"the SMS centre refuses to open a session ({name})")


def _reason(error: BaseException | None) -> LinkError:
    match error:
        case LinkError():
            return error
        case wire.WireError():
            return LinkError(f"what the SMS centre sent is not SMPP: {error}")
        case asyncio.IncompleteReadError() | OSError():
            return LinkError("the SMS centre closed the connection")
        case _:
            raise error or AssertionError("a session ended without a reason")
