"""What was written: a provider's own record of SMS and replies, and customers' of the booking page. Pure.

Each line is JSON with `time` and `event`: `taken`, `request`, `reply` (of the provider), `booked` (of a customer).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lab.ledger.facts import Fact, Kind, Means

if TYPE_CHECKING:
    from collections.abc import Mapping

DOUBTFUL = frozenset({"hang", "cut", "broken"})
"""Faults with which an SMS is not taken, and whoever asked cannot know."""
_ACKNOWLEDGED = range(200, 400)


def heard(line: Mapping[str, Any]) -> list[Fact]:
    """Return the facts in one line; none for what is of no interest. Raises KeyError, ValueError for no such line."""
    at_s = datetime.fromisoformat(line["time"]).timestamp()
    match line["event"]:
        case "taken":
            return [Fact(at_s, Kind.SMS, line["number"], line["key"], text=word_of(line["key"]))]
        case "request" if line.get("key") and line["fault"] in DOUBTFUL:
            return [Fact(at_s, Kind.SMS_OPEN, line["number"], line["key"], text=word_of(line["key"]))]
        case "reply" | "booked" if line.get("means") and line["status"] in _ACKNOWLEDGED:
            kind = Kind.REPLIED if line["event"] == "reply" else Kind.BOOKED
            means = Means(line["means"])
            later_s = datetime.fromisoformat(line["wants"]).timestamp() - at_s if means is Means.AT else 0.0
            return [Fact(at_s, kind, line["number"], text=means, later_s=later_s)]
    return []


def word_of(key: str) -> str:
    """Return the word of a key that says what the SMS is, as gave_up in `ab12:gave_up`."""
    return key.partition(":")[2].partition(":")[0]
