"""Texts as octets, cut into parts and put together again (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiosmpplib.codec import GSM7BitCodec
from aiosmpplib.state import SmppDataCoding

from controller.sms.smpp_wire import SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL, UDHI, WireError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.sms.smpp_wire import DeliverSm

_GSM, _UCS_2 = SmppDataCoding.gsm0338.name, SmppDataCoding.ucs2.name
_ONE_OCTETS = {_GSM: 160, _UCS_2: 140}
_EACH_OCTETS = {_GSM: 153, _UCS_2: 134}
"""Alone, and each of several, beside a header of 6 octets. A centre takes one octet for each 7-bit character."""
_MOST_PARTS = 255
_HEADER = bytes((0x05, 0x00, 0x03))
_CODEC = GSM7BitCodec()
_CODINGS: dict[int, str] = {
    SmppDataCoding.ascii: "ascii",
    SmppDataCoding.latin_1: "latin-1",
    SmppDataCoding.octet_unspecified_I: "utf-8",
    SmppDataCoding.octet_unspecified_II: "utf-8",
    SmppDataCoding.iso2022_jp: "iso2022_jp",
    SmppDataCoding.iso8859_5: "iso8859_5",
    SmppDataCoding.iso8859_8: "iso8859_8",
    SmppDataCoding.ucs2: "utf-16-be",
    SmppDataCoding.shift_jis: "shift_jis",
    SmppDataCoding.iso2022jp: "iso2022_jp",
    SmppDataCoding.euc_kr: "euc_kr",
}
"""By data coding, SMPP 3.4 section 5.2.19; octets of no alphabet are, where they are a text, UTF-8."""
_FIRST_GSM_GROUP, _GENERAL_END, _CLASS_GROUP = 0x10, 0x80, 0xF
_ALPHABETS = {1: "utf-8", 2: "utf-16-be"}
_PART_8_BIT, _PART_16_BIT = 0x00, 0x08
"""Information elements: a part with a reference of one octet, and of two (3GPP TS 23.040 section 9.2.3.24)."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one submit_sm carries. `octets` begins with a header where there is one."""

    text: str
    encoding: str
    octets: bytes
    has_header: bool = False
    is_payload: bool = False


@dataclass(frozen=True, slots=True)
class PartOf:
    """Which part of which text: `number` of `total`, from 1; `reference` is the sender's own."""

    reference: int
    total: int
    number: int


def parts_of(text: str, reference: int, *, as_payload: bool = False) -> list[Part]:
    """Return a text as what is submitted, as few parts as it takes; a character is never cut in two.

    `reference`, 0 to 255, is the same in every part. Raises ValueError for an empty text, one that cannot be encoded,
    or one of more than 255 parts.
    """
    if not text:
        raise ValueError("an SMS has to have a text")
    encoding = _GSM if GSM7BitCodec.is_gsm_text(text) else _UCS_2
    whole = _encoded(text, encoding)
    if len(whole) <= _ONE_OCTETS[encoding]:
        return [Part(text, encoding, whole)]
    if as_payload:
        return [Part(text, encoding, whole, is_payload=True)]
    pieces = list(_cut(text, encoding))
    if len(pieces) > _MOST_PARTS:
        raise ValueError(f"an SMS has at most {_MOST_PARTS} parts; this text needs {len(pieces)}")
    return [
        Part(piece, encoding, _HEADER + bytes((reference, len(pieces), number)) + _encoded(piece, encoding), True)
        for number, piece in enumerate(pieces, start=1)
    ]


def _encoded(text: str, encoding: str) -> bytes:
    return _CODEC.encode(text)[0] if encoding == _GSM else text.encode("utf-16-be")


def _cut(text: str, encoding: str) -> Iterator[str]:
    piece, room = "", _EACH_OCTETS[encoding]
    for character in text:
        width = len(_encoded(character, encoding))
        if width > room:
            yield piece
            piece, room = "", _EACH_OCTETS[encoding]
        piece += character
        room -= width
    yield piece


def decoded(octets: bytes, data_coding: int) -> str:
    """Return a text; what cannot be read in it is replaced, never refused: somebody may have written STOP."""
    coding = _coding(data_coding)
    text = _CODEC.decode(octets, "replace")[0] if coding is None else codecs.decode(octets, coding, "replace")
    return text.replace("\0", "")


def _coding(data_coding: int) -> str | None:
    """Return Python's name for a data coding; None: the centre's own alphabet, which is GSM's."""
    if data_coding < _FIRST_GSM_GROUP:
        return _CODINGS.get(data_coding)
    # Groups of 3GPP TS 23.038 section 4, which some centres hand on as they are.
    alphabet = data_coding >> 2 & 3 if data_coding < _GENERAL_END else 0
    if data_coding >> 4 == _CLASS_GROUP:
        alphabet = data_coding >> 2 & 1
    return _ALPHABETS.get(alphabet)


def opened(message: DeliverSm) -> tuple[PartOf | None, bytes]:
    """Return which part of a text this is, None if it is whole, and its octets without the header. Raises WireError."""
    if not message.esm_class & UDHI:
        return _sar(message), message.message
    if not message.message or message.message[0] >= len(message.message):
        raise WireError("a text is shorter than its header")
    end = message.message[0] + 1
    return _part_in(message.message[1:end]), message.message[end:]


def _part_in(header: bytes) -> PartOf | None:
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        data = header[at + 2 : at + 2 + length]
        if len(data) < length:
            raise WireError("a text's header ends in the middle of an element")
        if (element, length) in ((_PART_8_BIT, 3), (_PART_16_BIT, 4)):
            return _checked(PartOf(int.from_bytes(data[:-2], "big"), data[-2], data[-1]))
        at += 2 + length
    return None


def _sar(message: DeliverSm) -> PartOf | None:
    found = [message.tlvs.get(tag) for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER)]
    if not all(found):
        return None
    return _checked(PartOf(*(int.from_bytes(octets or b"", "big") for octets in found)))


def _checked(part: PartOf) -> PartOf | None:
    """Return None for a part alone, or one that cannot be (3GPP TS 23.040: it is taken as if it had no such header)."""
    return part if 1 < part.total <= _MOST_PARTS and 1 <= part.number <= part.total else None
