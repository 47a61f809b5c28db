"""PDUs as smpplib reads and writes them, and texts as octets, with tables of the lab's own."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import count
from typing import Any

from smpplib import consts, gsm, smpp

UDHI = 0x40
SHORTEST_PDU_BYTES, LONGEST_PDU_BYTES = 16, 70_000
OK, QUEUE_FULL, THROTTLED, NO_SUCH_NUMBER, SYSTEM_ERROR = 0x00, 0x14, 0x58, 0x0B, 0x08
STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
_UCS_2, _GSM = 8, 0
# Two characters are missing in smpplib's table: the section sign, and the form feed of the extension.
_TABLE = (
    gsm.GSM_CHARACTER_TABLE[:0x5F] + "§" + gsm.GSM_CHARACTER_TABLE[0x60:0x8A] + "\f" + gsm.GSM_CHARACTER_TABLE[0x8B:]
)
_NO_CHARACTERS = frozenset("`\x1b")
"""What stands in the table where there is no character."""
_ESCAPE = 0x1B


class _Numbering:
    """Numbers requests, as smpplib's own client does."""

    def __init__(self) -> None:
        self.sequence = 0
        self._numbers = count(1)

    def next_sequence(self) -> int:
        """Return the next number."""
        self.sequence = next(self._numbers)
        return self.sequence


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submit_sm, as the lab read it."""

    message_id: str
    sender: str
    sender_ton: int
    sender_npi: int
    number: str
    number_ton: int
    data_coding: int
    esm_class: int
    registered_delivery: int
    validity_period: str
    reference: int
    part: int
    of: int
    octets: bytes
    """Without the header."""
    in_payload: bool

    @property
    def text(self) -> str:
        """What this part says."""
        return decoded(self.octets, self.data_coding)


class Codec:
    """Builds and reads the PDUs of one session."""

    def __init__(self) -> None:
        self._numbering = _Numbering()

    def read(self, octets: bytes) -> Any:
        """Return what smpplib makes of a whole PDU; raises what smpplib raises."""
        return smpp.parse_pdu(octets, client=self._numbering, allow_unknown_opt_params=True)

    def request(self, command: str, **fields: Any) -> tuple[int, bytes]:
        """Return a new request's number and its octets."""
        pdu = smpp.make_pdu(command, client=self._numbering, **fields)
        return pdu.sequence, pdu.generate()

    def answer(self, command: str, sequence: int, status: int = OK, **fields: Any) -> bytes:
        """Return the octets of an answer."""
        pdu = smpp.make_pdu(command, client=self._numbering, status=status, **fields)
        pdu.sequence = sequence
        octets: bytes = pdu.generate()
        return octets


def submitted(pdu: Any, message_id: str) -> Submitted:
    """Return a submit_sm as a value."""
    payload = getattr(pdu, "message_payload", None)
    octets = payload or pdu.short_message or b""
    reference, of, part = 0, 1, 1
    if pdu.esm_class & UDHI:
        header, octets = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
        kind, length, reference, of, part = struct.unpack(">BBBBB", header)
        if (kind, length) != (0, 3):
            raise ValueError(f"a header that no phone would understand: {header.hex()}")
    return Submitted(
        message_id=message_id,
        sender=pdu.source_addr.decode("ascii"),
        sender_ton=pdu.source_addr_ton,
        sender_npi=pdu.source_addr_npi,
        number=pdu.destination_addr.decode("ascii"),
        number_ton=pdu.dest_addr_ton,
        data_coding=pdu.data_coding,
        esm_class=pdu.esm_class,
        registered_delivery=pdu.registered_delivery,
        validity_period=pdu.validity_period.decode("ascii"),
        reference=reference,
        part=part,
        of=of,
        octets=octets,
        in_payload=bool(payload),
    )


def decoded(octets: bytes, data_coding: int) -> str:
    """Return a text; strict, for what is not right is to be found."""
    if data_coding == _UCS_2:
        return octets.decode("utf-16-be")
    if data_coding != _GSM:
        raise ValueError(f"data coding {data_coding} is none that we use")
    text, rest = "", iter(octets)
    for octet in rest:
        text += _TABLE[next(rest) + 0x80] if octet == _ESCAPE else _TABLE[octet]
    return text


def encoded(text: str) -> tuple[bytes, int]:
    """Return a text's octets and their data coding, as a phone would choose it."""
    basic = [_TABLE.find(character) for character in text]
    if all(place >= 0 for place in basic) and not _NO_CHARACTERS & set(text):
        octets = (bytes([place]) if place < 0x80 else bytes([_ESCAPE, place - 0x80]) for place in basic)  # noqa: PLR2004 - where the extension begins
        return b"".join(octets), consts.SMPP_ENCODING_DEFAULT
    return text.encode("utf-16-be"), consts.SMPP_ENCODING_ISO10646
