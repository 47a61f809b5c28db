"""One connection to the SMS centre."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.smsc import wire

if TYPE_CHECKING:
    from lab.smsc.centre import Smsc


class Session:
    """One connection."""

    def __init__(self, centre: Smsc, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._centre = centre
        self._reader = reader
        self.writer = writer
        self.codec = wire.Codec()
        self.is_bound = False
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self.enquiries = 0

    async def serve(self) -> None:
        """Answer until the connection ends."""
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await self._reader.readexactly(4)
                length = int.from_bytes(head, "big")
                if not wire.SHORTEST_PDU_BYTES <= length <= wire.LONGEST_PDU_BYTES:
                    break
                self._take(head + await self._reader.readexactly(length - 4))
                await self.writer.drain()
        self.cut()
        for waiting in self._waiting.values():
            waiting.cancel()

    def _take(self, octets: bytes) -> None:
        pdu = self.codec.read(octets)
        self._centre.note(pdu.command)
        if self._centre.orders.answers_nothing:
            return
        match pdu.command:
            case "bind_transceiver":
                self._bind(pdu)
            case "submit_sm":
                self._centre.submit(self, pdu)
            case "enquire_link":
                self.enquiries += 1
                self.writer.write(self.codec.answer("enquire_link_resp", pdu.sequence))
            case "unbind":
                self.writer.write(self.codec.answer("unbind_resp", pdu.sequence))
                self.writer.close()
            case "deliver_sm_resp" | "generic_nack" | "enquire_link_resp":
                waiting = self._waiting.pop(pdu.sequence, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(pdu.status)

    def _bind(self, pdu: Any) -> None:
        account = (pdu.system_id.decode(), pdu.password.decode())
        status = self._centre.orders.bind_status if account == self._centre.account else 0x0E
        self.writer.write(self.codec.answer("bind_transceiver_resp", pdu.sequence, status, system_id="lab"))
        if status == wire.OK:
            self.is_bound = True
            self._centre.bound.put_nowait(self)

    def deliver(self, **fields: Any) -> asyncio.Future[int]:
        """Send a deliver_sm; the future has the status of its answer, and is cancelled with the connection."""
        sequence, octets = self.codec.request("deliver_sm", **fields)
        answered = self._waiting[sequence] = asyncio.get_running_loop().create_future()
        self.writer.write(octets)
        return answered

    def enquired(self) -> asyncio.Future[int]:
        """Ask whether the other side is there; the future is done when it has answered."""
        sequence, octets = self.codec.request("enquire_link")
        answered = self._waiting[sequence] = asyncio.get_running_loop().create_future()
        self.writer.write(octets)
        return answered

    async def enquired_or_gone(self) -> None:
        """Wait until the other side has answered an enquiry, or the connection has ended."""
        await asyncio.wait([self.enquired()])

    def cut(self) -> None:
        """Drop the connection without a word."""
        self.writer.transport.abort()
