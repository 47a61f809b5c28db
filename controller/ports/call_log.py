"""The record of every incoming call: what the figures are made of."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from controller.domain.promise import DEFAULT_PBX

if TYPE_CHECKING:
    from datetime import datetime


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


class CallLog(Protocol):
    """Writes the record. A failure to write is logged and never disturbs the call."""

    async def arrived(
        self, call_id: str, *, dialled: str, number: str | None, arrived_at: datetime, pbx: str = DEFAULT_PBX
    ) -> None:
        """Note that a call came in to an Asterisk, by its name in the settings. Repeatable."""
        ...

    async def joined(self, call_id: str, *, queue: str, joined_at: datetime) -> None:
        """Note that the caller came to a queue, open or closed. The first time stays, and the last queue."""
        ...

    async def quoted(self, call_id: str, *, low_s: float, high_s: float, quoted_at: datetime) -> None:
        """Note the first expected wait that the caller was told, so that it can be held against the true one."""
        ...

    async def answered(self, call_id: str, *, agent: str, answered_at: datetime) -> None:
        """Note that an agent took it."""
        ...

    async def ended(self, call_id: str, *, ending: Ending, ended_at: datetime) -> None:
        """Note how it ended. The first ending stays."""
        ...

    async def close_orphans(self, live_call_ids: frozenset[str], *, ended_at: datetime, pbx: str = DEFAULT_PBX) -> int:
        """Give an ending to every call of an Asterisk that has none and is not live: it ended while nobody watched.

        Served when an agent had taken it, promised when it made a promise, else abandoned. Returns how many.
        """
        ...
