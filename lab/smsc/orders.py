"""What an SMS centre is told to do wrong, and how."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from lab.smsc import wire


class Fault(StrEnum):
    """What can go wrong with one submit_sm."""

    THROTTLED = "throttled"
    QUEUE_FULL = "queue_full"
    SYSTEM_ERROR = "system_error"
    NO_SUCH_NUMBER = "no_such_number"
    OWN_STATUS = "own_status"
    """A status that the specification does not know."""
    NACKED = "nacked"
    SILENT = "silent"
    """Taken, and not answered before `answer_late`."""
    TAKEN_THEN_CUT = "taken_then_cut"
    RECEIPT_FIRST = "receipt_first"
    """The receipt overtakes the answer."""
    ODD_ID = "odd_id"
    """Taken, with an id that has no end."""


REFUSALS = {
    Fault.THROTTLED: wire.THROTTLED,
    Fault.QUEUE_FULL: wire.QUEUE_FULL,
    Fault.SYSTEM_ERROR: wire.SYSTEM_ERROR,
    Fault.NO_SUCH_NUMBER: wire.NO_SUCH_NUMBER,
    Fault.OWN_STATUS: 0x0455,
}
ODD_ID = bytes.fromhex("00000015 80000004 00000000".replace(" ", ""))


@dataclass
class Orders:
    """How the centre behaves; change it at any time."""

    faults: deque[Fault] = field(default_factory=deque)
    """One for each submit_sm to come; then all is well."""
    bind_status: int = wire.OK
    answers_nothing: bool = False
    """It hangs: not even enquire_link gets an answer."""
    receipt: str | None = None
    """The state of the receipt that follows each text of which one is asked for."""
    id_format: str = "{:d}"
    """Of the id in the answer; in a receipt it is `receipt_id_format`."""
    receipt_id_format: str = "{:d}"
    first_id: int = 1000
