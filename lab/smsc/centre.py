"""The SMS centre: takes texts, tells what became of them, and hands on what people write."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

from lab.smsc import wire
from lab.smsc.orders import ODD_ID, REFUSALS, Fault, Orders
from lab.smsc.session import Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

LOCALHOST = "127.0.0.1"


class Smsc:
    """The centre; a context manager. `account` is (system_id, password); 0 takes a free port of `port`.

    Everything that it takes stands in `taken`, in order, and as JSON lines in `record`.
    """

    def __init__(
        self,
        account: tuple[str, str] = ("lab", "secret"),
        *,
        port: int = 0,
        record: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.account = account
        self.port = port
        self.orders = Orders()
        self.taken: list[wire.Submitted] = []
        self.arrived: asyncio.Queue[wire.Submitted] = asyncio.Queue()
        """Each submit_sm, also one that is refused."""
        self.bound: asyncio.Queue[Session] = asyncio.Queue()
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        """The name of each PDU that came."""
        self._record = record
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._sessions: dict[asyncio.Task[None], Session] = {}
        self._late: list[Callable[[], None]] = []
        self._ids = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOCALHOST, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """Go away as a process does that is killed: the port is closed, and every connection gone."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - start_server gives each connection one
        session = self._sessions[task] = Session(self, reader, writer)
        try:
            await session.serve()
        finally:
            del self._sessions[task]

    @property
    def session(self) -> Session:
        """The bound session. Raises LookupError when there is none."""
        bound = [session for session in self._sessions.values() if session.is_bound]
        if not bound:
            raise LookupError("nobody is bound")
        return bound[-1]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """Who was sent what, put together as a phone does: every text of which all parts came."""
        parts: dict[tuple[str, str, int, int], dict[int, wire.Submitted]] = {}
        whole: list[tuple[str, str]] = []
        for one in self.taken:
            key = (one.sender, one.number, one.reference, one.of)
            found = parts.setdefault(key, {})
            found[one.part] = one
            if len(found) == one.of:
                octets = b"".join(found[number].octets for number in range(1, one.of + 1))
                whole.append((one.number, wire.decoded(octets, one.data_coding)))
                del parts[key]
        return whole

    def note(self, command: str) -> None:
        """Note what came."""
        self.heard.put_nowait(command)

    def cut(self) -> None:
        """Drop every connection."""
        for session in list(self._sessions.values()):
            session.cut()

    def answer_late(self) -> None:
        """Answer what was not answered."""
        for answer in self._late:
            answer()
        self._late.clear()

    def submit(self, session: Session, pdu: Any) -> None:
        """Take or refuse one submit_sm."""
        fault = self.orders.faults.popleft() if self.orders.faults else None
        number = self.orders.first_id + self._ids
        message_id = self.orders.id_format.format(number)
        one = wire.submitted(pdu, message_id)
        status = REFUSALS.get(fault, wire.OK) if fault else wire.OK
        is_taken = status == wire.OK and fault is not Fault.NACKED
        if is_taken:
            self._ids += 1
            self.taken.append(one)
        self._write_down(one, fault)
        answer = session.codec.answer("submit_sm_resp", pdu.sequence, status, message_id=message_id)
        match fault:
            case Fault.NACKED:
                answer = session.codec.answer("generic_nack", pdu.sequence, 0x02)
            case Fault.ODD_ID:
                answer = ODD_ID + pdu.sequence.to_bytes(4, "big") + b"no-end"[:5]
            case Fault.SILENT:
                self._late.append(lambda: session.writer.write(answer))
            case Fault.TAKEN_THEN_CUT:
                session.cut()
            case Fault.RECEIPT_FIRST:
                self.receipt(one, "DELIVRD")
        if fault not in (Fault.SILENT, Fault.TAKEN_THEN_CUT):
            session.writer.write(answer)
            if is_taken and self.orders.receipt and one.registered_delivery:
                self.receipt(one, self.orders.receipt)
        self.arrived.put_nowait(one)

    def receipt(
        self, about: wire.Submitted, state: str, *, as_text: bool = True, as_tlv: bool = False, **fields: Any
    ) -> asyncio.Future[int]:
        """Tell what became of a text."""
        shown = self.orders.receipt_id_format.format(self._number_of(about))
        text = (
            f"id:{shown} sub:001 dlvrd:001 submit date:2611221510 done date:2611221511 stat:{state} err:000 "
            f"text:{about.text[:20] if about.data_coding == 0 else ''}"
        )
        tlvs = {"receipted_message_id": shown, "message_state": wire.STATES[state]} if as_tlv else {}
        defaults = {"esm_class": 0x04, "short_message": wire.encoded(text)[0] if as_text else None}
        return self.session.deliver(
            **{**_addresses(about.number, about.sender), **defaults, **tlvs, **fields}  # what a test wants counts most
        )

    def _number_of(self, about: wire.Submitted) -> int:
        return self.orders.first_id + self.taken.index(about)

    def reply(self, number: str, to: str, text: str, *, ton: int = 1, **fields: Any) -> asyncio.Future[int]:
        """Send what somebody wrote, as one deliver_sm."""
        octets, data_coding = wire.encoded(text)
        return self.session.deliver(
            **{**_addresses(number, to, ton), "short_message": octets, "data_coding": data_coding, **fields}
        )

    def reply_in_parts(
        self, number: str, to: str, octets: Sequence[bytes], data_coding: int, reference: int
    ) -> list[asyncio.Future[int]]:
        """Send a long text's parts, each with its header."""
        return [self.part(number, to, octets, part, data_coding, reference) for part in range(1, len(octets) + 1)]

    def part(
        self, number: str, to: str, octets: Sequence[bytes], part: int, data_coding: int, reference: int
    ) -> asyncio.Future[int]:
        """Send one part, by its number from 1, of a long text."""
        header = bytes((5, 0, 3, reference, len(octets), part))
        return self.session.deliver(
            **_addresses(number, to),
            esm_class=wire.UDHI,
            data_coding=data_coding,
            short_message=header + octets[part - 1],
        )

    def _write_down(self, one: wire.Submitted, fault: Fault | None) -> None:
        if self._record is None:
            return
        line = {
            **{name: getattr(one, name) for name in ("message_id", "sender", "number", "reference", "part", "of")},
            "text": one.text,
            "fault": fault and fault.value,
        }
        with self._record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _addresses(source: str, destination: str, ton: int = 1) -> dict[str, Any]:
    return {
        "source_addr_ton": ton,
        "source_addr_npi": 1,
        "source_addr": source,
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": destination,
    }
