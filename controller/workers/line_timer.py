"""When the line has to be looked at again although nobody came and nobody went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.journeys.house import Queue
    from controller.ports.clock import Clock

CLOCK_CHECK_S = 60.0
"""A promise is never later than this after the wall clock was set forward."""


def next_promise_at(promises: Collection[Promise], queues: Mapping[str, Queue], now: datetime) -> datetime | None:
    """Return when one of these falls due or passes its deadline next; None when nothing is to be waited for."""
    instants = [promise.expires_at for promise in promises]
    instants += [promise.not_before for promise in promises if promise.not_before > now]
    for queue in {promise.queue for promise in promises} & queues.keys():
        hours = queues[queue].calling_hours
        if not hours.allow(now):
            instants.append(hours.next_opening(now))
    return min(instants, default=None)


async def change_or_time(changed: asyncio.Event, due_at: datetime | None, clock: Clock) -> None:
    """Wait until something has changed, or `due_at` has come; or sooner, to ask the clock again."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(changed.wait())]
    if due_at is not None:
        # The wall clock may be set, or the machine sleep, meanwhile: a timer would not know.
        delay_s = min(CLOCK_CHECK_S, (due_at - clock.now()).total_seconds())
        waits.append(asyncio.ensure_future(clock.sleep(delay_s)))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
