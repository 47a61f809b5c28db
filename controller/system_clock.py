"""The one place that reads the machine's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """Wall time from the system, delays from the event loop's monotonic clock."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    async def sleep(self, delay_s: float) -> None:
        """Wait by the monotonic clock; a negative delay is none."""
        await asyncio.sleep(max(0.0, delay_s))
