"""What the telephone network saw: AMI events of the carrier, turned into facts. Pure: messages in, facts out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.ledger.facts import By, Fact, Kind, e164

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPANY_CONTEXT = "from-company"
TRUNK = "PJSIP/pbx-"
_ONE_OF_SEVERAL = re.compile(r"PJSIP/(pbx-\d+)-[0-9a-f]+")
"""Each Asterisk of a cluster proves by a name of its own who it is; the only one by `pbx`."""
CALLER = "caller-"
UP = "6"


class CarrierEar:
    """Follows each call from the company by its channel. Calls to it, and agents' desks, are let be."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._wanted: set[str] = set()

    def hear(self, message: Mapping[str, str]) -> list[Fact]:
        """Return the facts in one event; none for what is of no interest."""
        leg = message.get("Uniqueid", "")
        event = message.get("Event")
        at_s = float(message.get("Timestamp", 0))
        if event == "Newchannel" and self._is_from_company(message):
            self._numbers[leg] = number = e164(message["Exten"])
            found = _ONE_OF_SEVERAL.fullmatch(message["Channel"])
            return [Fact(at_s, Kind.INVITE, number, leg, pbx=found[1] if found else "")]
        number = self._numbers.get(leg, "")
        if not number:
            return []
        if event == "Newstate" and message.get("ChannelState") == UP:
            return [Fact(at_s, Kind.ANSWERED, number, leg)]
        if event == "UserEvent" and message.get("Deed") == "hangs-up":
            self._wanted.add(leg)
        if event == "UserEvent" and message.get("Deed") == "not-needed":
            return [Fact(at_s, Kind.PRESSED_NO, number, leg)]
        if event == "Hangup":
            del self._numbers[leg]
            is_theirs = leg in self._wanted or message.get("Context", "").startswith("refuses-")
            self._wanted.discard(leg)
            by = By.FAR_END if is_theirs else By.COMPANY
            return [Fact(at_s, Kind.ENDED, number, leg, by=by, cause=int(message.get("Cause", 0)))]
        return []

    @staticmethod
    def _is_from_company(message: Mapping[str, str]) -> bool:
        # A call that the network itself places to the company has a channel on the same trunk.
        return (
            message.get("Context") == COMPANY_CONTEXT
            and message.get("Channel", "").startswith(TRUNK)
            and not message.get("Uniqueid", "").startswith(CALLER)
            and message.get("Exten", "") not in {"", "s"}
        )
