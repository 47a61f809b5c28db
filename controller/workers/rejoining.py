"""After a restart: who was in line comes back to it before anybody is served, so that all keep their order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

REJOIN_LIMIT_S = 2.0
"""Nobody waits longer than this for somebody who does not come back: the database may be slow, or they hung up."""


class Rejoining:
    """Those who were found on hold, and have not joined the line again yet."""

    def __init__(self) -> None:
        self._missing: set[str] = set()
        self._ends_at: datetime | None = None
        self._whole = asyncio.Event()
        self._whole.set()

    def expect(self, call_ids: Iterable[str], now: datetime) -> None:
        """Wait for these calls, for a while."""
        self._missing.update(call_ids)
        self._ends_at = now + timedelta(seconds=REJOIN_LIMIT_S) if self._missing else None
        if self._missing:
            self._whole.clear()

    def came(self, call_id: str) -> None:
        """Wait for this call no longer: it stands in line, or is over."""
        self._missing.discard(call_id)
        if not self._missing:
            self._ends_at = None
            self._whole.set()

    async def over(self) -> None:
        """Return when all are there, or the time is over: who has an agent can wait that long for the database."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REJOIN_LIMIT_S):
                await self._whole.wait()

    def ends_at(self, now: datetime) -> datetime | None:
        """Return until when nobody is served; None when all are there, or the time is over."""
        return self._ends_at if self._ends_at is not None and now < self._ends_at else None
