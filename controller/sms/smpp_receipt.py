"""Delivery receipts: what an SMS centre says became of an SMS (SMPP 3.4 section 5.3.2 and appendix B)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from controller.domain.sms import Delivery
from controller.sms.smpp_parts import decoded
from controller.sms.smpp_wire import MESSAGE_STATE, NETWORK_ERROR_CODE, RECEIPTED_MESSAGE_ID, DeliverSm

_KIND, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20
"""Of `esm_class`: the bits that say what a deliver_sm is, section 5.2.12; none of them: a text."""
_STATES = ("", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED")
"""By `message_state`, section 5.2.28; the last one is SMPP 5.0's."""
_DELIVERIES = {
    "DELIVRD": Delivery.DELIVERED,
    "DELIVERED": Delivery.DELIVERED,
    "EXPIRED": Delivery.UNDELIVERED,
    "DELETED": Delivery.UNDELIVERED,
    "UNDELIV": Delivery.UNDELIVERED,
    "UNDELIVERABLE": Delivery.UNDELIVERED,
    "REJECTD": Delivery.UNDELIVERED,
    "REJECTED": Delivery.UNDELIVERED,
    "FAILED": Delivery.UNDELIVERED,
    "SKIPPED": Delivery.UNDELIVERED,
}
"""All others (ENROUTE, ACCEPTD, UNKNOWN, a centre's own) settle nothing."""
_ID = re.compile(r"\bid:([!-~]{1,64})", re.ASCII | re.IGNORECASE)
_STAT = re.compile(r"\bstat:([A-Z]{1,16})", re.ASCII | re.IGNORECASE)
_ERR = re.compile(r"\berr:([0-9A-Z]{1,8})", re.ASCII | re.IGNORECASE)
_DONE = re.compile(r"\bdone ?date:([0-9]{1,14})", re.ASCII | re.IGNORECASE)
_QUOTE = re.compile(r"\btext:", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReceiptText:
    """A receipt as read. `done` is when it happened, as the centre writes it; "" where it does not."""

    message_id: str
    state: str
    error: str
    done: str

    @property
    def delivery(self) -> Delivery:
        """What it says."""
        return _DELIVERIES.get(self.state, Delivery.ON_ITS_WAY)


def is_receipt(message: DeliverSm) -> bool:
    """Tell a receipt from a text by what the centre marks; never by the words, which anybody can write."""
    kind = message.esm_class & _KIND
    if kind in (_RECEIPT, _INTERMEDIATE):
        return True
    return kind == 0 and RECEIPTED_MESSAGE_ID in message.tlvs and MESSAGE_STATE in message.tlvs


def is_text(message: DeliverSm) -> bool:
    """Tell whether somebody wrote it: neither a receipt nor an acknowledgement by a phone."""
    return message.esm_class & _KIND == 0 and not is_receipt(message)


def receipt_in(message: DeliverSm) -> ReceiptText | None:
    """Read a receipt; None if it names no SMS. What is marked counts more than what is written in the text."""
    # What follows "text:" is the SMS itself, or the beginning of it.
    text = _QUOTE.split(decoded(message.message, message.data_coding), maxsplit=1)[0]
    message_id = _id_in(message) or _first(_ID, text)
    if not message_id:
        return None
    state = _state_in(message) or _first(_STAT, text).upper()
    # Everybody writes the same word in full or cut to 7 letters.
    return ReceiptText(message_id, state, _error_in(message) or _first(_ERR, text), _first(_DONE, text))


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _id_in(message: DeliverSm) -> str:
    octets = message.tlvs.get(RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0][:64]
    return octets.decode("ascii") if octets.isascii() else ""


def _state_in(message: DeliverSm) -> str:
    octets = message.tlvs.get(MESSAGE_STATE, b"")
    return _STATES[octets[0]] if len(octets) == 1 and octets[0] < len(_STATES) else ""


def _error_in(message: DeliverSm) -> str:
    octets = message.tlvs.get(NETWORK_ERROR_CODE, b"")
    return str(int.from_bytes(octets[1:], "big")) if len(octets) == 3 else ""  # noqa: PLR2004 - a network and a code
