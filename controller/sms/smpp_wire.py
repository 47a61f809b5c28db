"""PDUs of SMPP 3.4: those we send are built by aiosmpplib, those we get are read here, with a limit on everything.

aiosmpplib's reader is not used: it waits for as many bytes as a peer announces, up to 4 GiB; refuses every PDU with a
status or data coding that it does not know, although centres have their own; decodes each part of a long text for
itself, and so fails where a character is cut in two; takes any user data header for one of a part; and fails for an
empty text. Its session is not used either: docs/decisions has why.

The specification: SMPP Protocol Specification v3.4, Issue 1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiosmpplib.protocol import (
    BindTransceiver,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from aiosmpplib.state import NPI, TON, PhoneNumber, SmppCommand, SmppCommandStatus

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from aiosmpplib.protocol import SmppMessage

    from controller.sms.smpp_account import SmppAccount
    from controller.sms.smpp_addresses import Address
    from controller.sms.smpp_parts import Part

HEADER = struct.Struct(">IIII")
LONGEST_PDU_BYTES = 70_000
"""A `message_payload` has up to 64 KiB."""
RESPONSE = 0x80000000
"""The bit that makes a request's command id that of its response."""
UDHI = 0x40
"""The bit of `esm_class` for a text that begins with a user data header."""
_TLV = struct.Struct(">HH")
_LONGEST_ADDRESS, _LONGEST_SERVICE, _LONGEST_TIME, _LONGEST_ID = 20, 5, 16, 64
MESSAGE_PAYLOAD, RECEIPTED_MESSAGE_ID, MESSAGE_STATE, NETWORK_ERROR_CODE = 0x0424, 0x001E, 0x0427, 0x0423
USER_MESSAGE_REFERENCE = 0x0204
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F


class WireError(Exception):
    """What came is not SMPP; the text says what, without anything that a stranger wrote."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it came. `command` and `status` may be numbers that no specification knows."""

    command: int
    status: int
    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DeliverSm:
    """A deliver_sm: a receipt, or a text that somebody sent to us. `message` is undecoded."""

    source_ton: int
    source: str
    destination: str
    esm_class: int
    data_coding: int
    message: bytes
    tlvs: Mapping[int, bytes]


def status_name(status: int) -> str:
    """Return a status by the name that the specification gives it, or by its number."""
    try:
        return str(SmppCommandStatus(status).name)
    except ValueError:
        return f"0x{status:08X}"


async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
    """Return the next PDU. Raises WireError, IncompleteReadError, OSError."""
    length, command, status, sequence = HEADER.unpack(await reader.readexactly(HEADER.size))
    if not HEADER.size <= length <= LONGEST_PDU_BYTES:
        raise WireError(f"it announced a PDU of {length} bytes")
    return Pdu(command, status, sequence, await reader.readexactly(length - HEADER.size))


def message_id_of(answer: Pdu) -> str:
    """Return the id in a submit_sm_resp; "" where there is none, as in one that refuses. Raises WireError."""
    return _Fields(answer.body).text(_LONGEST_ID) if answer.body else ""


def read_deliver_sm(body: bytes) -> DeliverSm:
    """Read the body of a deliver_sm. Raises WireError."""
    fields = _Fields(body)
    fields.text(_LONGEST_SERVICE)
    source_ton, _npi = fields.byte(), fields.byte()
    source = fields.text(_LONGEST_ADDRESS)
    fields.octets(2)
    destination = fields.text(_LONGEST_ADDRESS)
    esm_class = fields.byte()
    fields.octets(2)
    fields.text(_LONGEST_TIME)
    fields.text(_LONGEST_TIME)
    fields.octets(2)
    data_coding = fields.byte()
    fields.octets(1)
    message = fields.octets(fields.byte())
    tlvs = fields.tlvs()
    return DeliverSm(
        source_ton, source, destination, esm_class, data_coding, message or tlvs.get(MESSAGE_PAYLOAD, b""), tlvs
    )


class _Fields:
    """The fields of a body, one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octets(self, count: int) -> bytes:
        """Return the next `count` octets. Raises WireError."""
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise WireError("a PDU ends in the middle of a field")
        self._at += count
        return taken

    def byte(self) -> int:
        """Return the next octet. Raises WireError."""
        return self.octets(1)[0]

    def text(self, longest: int) -> str:
        """Return the text up to the next zero. Raises WireError."""
        end = self._body.find(b"\0", self._at, self._at + longest + 1)
        if end < 0:
            raise WireError(f"a field has no end within {longest} octets")
        found, self._at = self._body[self._at : end], end + 1
        if not found.isascii():
            raise WireError("a field has octets that are not ASCII")
        return found.decode("ascii")

    def tlvs(self) -> dict[int, bytes]:
        """Return all that is left as optional parameters, the first of each. Raises WireError."""
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found.setdefault(tag, self.octets(length))
        return found


def bind_transceiver(sequence: int, account: SmppAccount) -> bytes:
    """Build the PDU that opens a session for both directions."""
    return _built(
        BindTransceiver(
            sequence_num=sequence,
            system_id=account.system_id,
            password=account.password,
            system_type=account.system_type,
        )
    )


def submit_sm(
    sequence: int, sender: Address, to: Address, part: Part, *, wants_receipt: bool, validity_s: float | None
) -> bytes:
    """Build the PDU that hands over one part of a text, or a text whole. Raises ValueError."""
    message = SubmitSm(
        sequence_num=sequence,
        # A text is what the library wants, and encodes where it goes into the payload; parts are encoded already.
        short_message="" if part.is_payload else part.text,
        message_payload=part.text if part.is_payload else "",
        source=PhoneNumber(sender.digits, TON(sender.ton), NPI(sender.npi)),
        destination=PhoneNumber(to.digits, TON(to.ton), NPI(to.npi)),
        esm_class=UDHI if part.has_header else 0,
        registered_delivery=1 if wants_receipt else 0,
        validity_period=None if validity_s is None else timedelta(seconds=validity_s),
        encoding=part.encoding,
    )
    if not part.is_payload:
        message.set_encoded_message(part.octets)
    return _built(message)


def enquire_link(sequence: int) -> bytes:
    """Build the PDU that asks whether the other side is there."""
    return _built(EnquireLink(sequence_num=sequence))


def unbind(sequence: int) -> bytes:
    """Build the PDU that ends a session."""
    return _built(Unbind(sequence_num=sequence))


def enquire_link_resp(sequence: int) -> bytes:
    """Build the answer to enquire_link."""
    return _built(EnquireLinkResp(sequence_num=sequence))


def unbind_resp(sequence: int) -> bytes:
    """Build the answer to unbind."""
    return _built(UnbindResp(sequence_num=sequence))


def deliver_sm_resp(sequence: int, status: SmppCommandStatus) -> bytes:
    """Build the answer to deliver_sm."""
    return _built(DeliverSmResp(sequence_num=sequence, command_status=status))


def generic_nack(sequence: int, status: SmppCommandStatus) -> bytes:
    """Build the answer to what could not be read, or is not known here."""
    return _built(GenericNack(sequence_num=sequence, command_status=status))


def _built(message: SmppMessage) -> bytes:
    return bytes(message.pdu())


SUBMIT_SM_RESP, GENERIC_NACK = SmppCommand.SUBMIT_SM_RESP, SmppCommand.GENERIC_NACK
