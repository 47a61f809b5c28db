"""What a company has promised to keep to, in numbers: what the judge holds the facts against."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN_NUMBER, BUSY, NO_ANSWER, CONGESTED = 1, 17, 19, 34


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits. Times are local to `zone`."""

    max_invites: int = 3
    """Calls for one request; those that our own network had no room for (cause 34) are not among them."""
    max_dials: int = 10
    """Calls for one request, all of them."""
    gap_s: float = 0
    """The least time between the end of a call and the next one to the same number."""
    gap_by_cause_s: Mapping[int, float] = field(default_factory=dict)
    """... and by how the first one ended, when nobody answered it."""
    tolerance_s: float = 0.05
    """What clocks and the way of an event may make of a gap."""
    allowed_prefixes: tuple[str, ...] = ("+81",)
    denied_prefixes: tuple[str, ...] = ()
    zone: str = "Asia/Tokyo"
    opens: time = time(0)
    closes: time | None = None
    """None: midnight."""
    max_concurrent: int = 10
    max_per_s: float | None = None
    max_per_number: int | None = None
    """In any 24 hours."""
    on_its_way_s: float = 1.0
    """What was on its way when a reply was acknowledged may still come: a call that left, an SMS."""
    in_time_s: float = 1800
    """Who asked for a time is called so soon after it, or told that nobody will, or when."""
    late_sms: str = "running_late"
    final_sms: tuple[str, ...] = ("gave_up", "expired")
    """The SMS after which nobody is called any more."""
