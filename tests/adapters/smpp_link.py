"""A gateway at the lab's SMS centre, over TCP, by a clock that the test turns."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from controller.ports.promises import StoreUnavailableError
from controller.sms.smpp import SmppGateway
from controller.sms.smpp_account import SmppAccount
from lab.smsc.centre import LOCALHOST, Smsc
from tests.contract.store_under_test import HandClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.ports.sms import IncomingSms, Receipt, SendResult
    from lab.smsc.session import Session

SENDER, NUMBER = "03-1234-5678", "+819012345678"
OUR_ADDRESS, THEIR_ADDRESS = "81312345678", "819012345678"
OK, AGAIN, FULL, UNREADABLE = 0x00, 0x64, 0x14, 0x65
LONG_JAPANESE = (
    "【営業部】折り返しのお電話は明日の午前10時から10時30分の間にいたします。𠮷野家の前でお待ちください。" * 5
)


class Book:
    """Where receipts and replies are written down; the same `event_id` twice is one."""

    def __init__(self) -> None:
        self.receipts: dict[str, Receipt] = {}
        self.replies: dict[str, IncomingSms] = {}
        self.calls = 0
        self.is_away = False
        self.breaks = False
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.came: asyncio.Queue[Receipt | IncomingSms] = asyncio.Queue()

    async def on_receipt(self, receipt: Receipt) -> None:
        """Take a receipt."""
        await self._write()
        self.receipts.setdefault(receipt.event_id, receipt)
        self.came.put_nowait(receipt)

    async def on_reply(self, incoming: IncomingSms) -> None:
        """Take a reply."""
        await self._write()
        self.replies.setdefault(incoming.event_id, incoming)
        self.came.put_nowait(incoming)

    async def _write(self) -> None:
        self.calls += 1
        await self.may_write.wait()
        if self.is_away:
            raise StoreUnavailableError("the database is away")
        if self.breaks:
            raise RuntimeError("a mistake of ours")

    @property
    def texts(self) -> list[str]:
        """What people wrote."""
        return [reply.text for reply in self.replies.values()]


class Link:
    """A gateway and its centre."""

    def __init__(self, centre: Smsc, account: SmppAccount) -> None:
        self.centre = centre
        self.account = account
        self.book = Book()
        self.clock = HandClock()
        self.log = structlog.get_logger()
        self.gateway = SmppGateway(
            account, on_receipt=self.book.on_receipt, on_reply=self.book.on_reply, clock=self.clock, log=self.log
        )
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run the gateway."""
        self._running = asyncio.ensure_future(self.gateway.run())

    async def stop(self) -> None:
        """Cancel the gateway, as the process does at its end."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def bound(self) -> Session:
        """Wait for a session on which both sides agree."""
        session = await self.centre.bound.get()
        await self.gateway.ready()
        return session

    async def until_sleeping(self, delay_s: float) -> None:
        """Wait until somebody begins to wait for so long."""
        while await self.clock.slept.get() != delay_s:
            pass

    async def turned_once_sleeping(self, delay_s: float) -> None:
        """Let a wait of this length begin, and pass."""
        await self.until_sleeping(delay_s)
        self.clock.turn(delay_s)

    async def send(self, text: str, *, key: str = "k1", sender: str = SENDER, number: str = NUMBER) -> SendResult:
        """Send one text."""
        return await self.gateway.send(key=key, sender=sender, number=number, text=text)

    def sending(self, text: str, **named: Any) -> asyncio.Task[SendResult]:
        """Begin to send one text."""
        return asyncio.ensure_future(self.send(text, **named))


@asynccontextmanager
async def linked(*, connects: bool = True, **settings: Any) -> AsyncIterator[Link]:
    """Run a centre and a gateway with this account; it is bound unless `connects` is False."""
    async with Smsc() as centre:
        account = replace(SmppAccount(LOCALHOST, centre.port, *centre.account), **settings)
        link = Link(centre, account)
        try:
            if connects:
                link.start()
                await link.bound()
            yield link
        finally:
            await link.stop()
