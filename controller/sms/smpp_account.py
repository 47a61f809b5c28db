"""An account at an SMS centre (SMSC), and what differs from one centre to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = {"system_id": 15, "password": 8, "system_type": 12}
"""SMPP 3.4 section 5.2.1 to 5.2.3, without the closing zero."""


class LongTexts(StrEnum):
    """How a text goes out that is too long for one SMS."""

    UDH = "udh"
    """As several submit_sm, each with a header that says which part it is (3GPP TS 23.040 section 9.2.3.24.1)."""
    PAYLOAD = "payload"
    """As one submit_sm with the whole text in `message_payload`; the centre cuts it. Not every centre can."""


class MessageIds(StrEnum):
    """How the id in a receipt is written, beside the id in the answer to submit_sm that it means."""

    SAME = "same"
    DECIMAL = "decimal"
    """Both decimal; leading zeros do not count."""
    HEX_THEN_DECIMAL = "hex_then_decimal"
    """Hexadecimal in the answer and decimal in the receipt: SMPP 3.3's habit, which many centres kept."""
    DECIMAL_THEN_HEX = "decimal_then_hex"

    def in_answer(self, message_id: str) -> str:
        """Return the reference that an answer's id stands for; what is no number stays as it is."""
        match self:
            case MessageIds.SAME:
                return message_id
            case MessageIds.HEX_THEN_DECIMAL:
                return _number(message_id, 16)
            case MessageIds.DECIMAL | MessageIds.DECIMAL_THEN_HEX:
                return _number(message_id, 10)

    def in_receipt(self, message_id: str) -> str:
        """Return the reference that a receipt's id stands for."""
        match self:
            case MessageIds.SAME:
                return message_id
            case MessageIds.DECIMAL_THEN_HEX:
                return _number(message_id, 16)
            case MessageIds.DECIMAL | MessageIds.HEX_THEN_DECIMAL:
                return _number(message_id, 10)

    @staticmethod
    def fitting(in_answer: str, in_receipt: str) -> MessageIds | None:
        """Return the setting under which the two are one id; None: they are not."""
        fits = (ids for ids in MessageIds if ids.in_answer(in_answer) == ids.in_receipt(in_receipt))
        return next(fits, None)


def _number(text: str, base: int) -> str:
    # int() takes signs, underscores, blanks and every script's digits; an id has none of these.
    if not text.isascii() or not text.isalnum():
        return text
    try:
        return str(int(text, base))
    except ValueError:
        return text


@dataclass(frozen=True, slots=True)
class SmppAccount:
    """Where the centre is and who we are. Raises ValueError for what SMPP 3.4 has no room for."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    tls: bool = False
    """Without it, texts and password cross the network as they are: only inside a VPN, then."""
    ca_file: Path | None = None
    """Who vouches for the centre's certificate; None: those that the system trusts."""
    home: str = "JP"
    """ISO 3166 code of the country that a number without `+` belongs to."""
    long_texts: LongTexts = LongTexts.UDH
    message_ids: MessageIds = MessageIds.SAME
    validity_s: float | None = 4 * 3600
    """How long the centre tries to deliver; None: as long as it likes."""
    enquire_interval_s: float = 30
    answer_timeout_s: float = 10
    """For every request. An SMS that got no answer within it may have been sent, and is not sent again."""
    window: int = 10
    """How many SMS may be on their way to the centre without an answer."""

    def __post_init__(self) -> None:
        for name, longest in _LONGEST.items():
            value = getattr(self, name)
            if not value.isascii() or not value.isprintable() or len(value) > longest:
                raise ValueError(f"SMPP {name}: at most {longest} printable ASCII characters")
