"""When the line has to be looked at again although nobody came and nobody went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.journeys.race import first_of

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from controller.ports.clock import Clock

CLOCK_CHECK_S = 60.0
"""A promise is never later than this after the wall clock was set forward."""


async def change_or_time(changed: asyncio.Event, due_at: datetime | None, clock: Clock) -> None:
    """Wait until something has changed, or `due_at` has come; or sooner, to ask the clock again."""
    if due_at is None:
        await changed.wait()
        return
    # The wall clock may be set, or the machine sleep, meanwhile: a timer would not know.
    delay_s = min(CLOCK_CHECK_S, (due_at - clock.now()).total_seconds())
    await first_of(changed=changed.wait(), time=clock.sleep(delay_s))
