"""Time, as something that is handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Wall time for what is stored and spoken, a monotonic wait for delays."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait `delay_s` seconds by the monotonic clock, whatever happens to the wall clock."""
        ...
