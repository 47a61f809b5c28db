"""The record of every incoming call: what the figures are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from controller.domain.promise import DEFAULT_PBX

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.call_ending import Ending


class CallLog(Protocol):
    """Writes the record. A failure to write is logged and never disturbs the call."""

    async def arrived(
        self, call_id: str, *, dialled: str, number: str | None, arrived_at: datetime, pbx: str = DEFAULT_PBX
    ) -> None:
        """Note that a call came in to an Asterisk, by its name in the settings. Repeatable."""
        ...

    async def joined(self, call_id: str, *, queue: str, joined_at: datetime, closed: bool = False) -> None:
        """Note that the caller came to a queue, open or closed. The first time stays, and of the queue the last one."""
        ...

    async def offered(self, call_id: str, *, offered_at: datetime) -> None:
        """Note that the caller was offered a callback in words. The first time stays."""
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
