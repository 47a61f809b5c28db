"""The one place that reads the machine's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def monotonic_s() -> float:
    """Return seconds by a clock that nobody can set; it also counts while the process, or the machine, stands still."""
    return time.clock_gettime(_BOOT)


class SystemClock:
    """Wall time from the system, delays from the event loop's monotonic clock."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock

    async def sleep(self, delay_s: float) -> None:
        """Wait by the monotonic clock; a negative delay is none."""
        await asyncio.sleep(max(0.0, delay_s))
