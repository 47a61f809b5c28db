"""How an incoming call ended: for its story, for the record, and for the figures."""

from __future__ import annotations

from enum import StrEnum


class Ending(StrEnum):
    """What became of an incoming call."""

    SERVED = "served"
    """Talked with an agent."""
    PROMISED = "promised"
    """Left a number."""
    ABANDONED = "abandoned"
    """放棄呼: hung up before an agent or a promise."""
    GUIDED = "guided"
    """Web誘導: was sent the address of a page."""
    TRANSFERRED = "transferred"
    """Connected with a number outside, as an answering service."""
    INFORMED = "informed"
    """Heard an announcement, after which we hung up: closed, full, moved."""
    FAILED = "failed"
    """Our fault; apologised and hung up."""
