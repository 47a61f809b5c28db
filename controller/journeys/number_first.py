"""Leaving a number without waiting first: a menu's or an overflow's way to a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.journeys.closed_queue import number_at_closed_door

if TYPE_CHECKING:
    from controller.domain.call_ending import Ending
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call


async def number_first(call: Call, queue: Queue, house: House) -> Ending:
    """Take a number for a call by `queue`, at whatever hour; the call is over then."""
    await call.remember(queue=queue.name)
    came_at = house.clock.now()
    closed = not queue.hours.is_open(came_at)
    await house.calls.joined(call.id, queue=queue.name, joined_at=came_at, closed=closed)
    return await number_at_closed_door(call, queue, house)
