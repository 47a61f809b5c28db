"""What a supervisor wants of somebody who holds: remembered on their channel, so that a restart keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.journeys.house import House, Queue
    from controller.journeys.talk import Stay
    from controller.ports.calls import Call
    from controller.ports.line import Order


async def follow_order(order: Order, call: Call, stay: Stay, queue: Queue, house: House) -> Queue:
    """Take note of what is wanted, and return the queue that the caller holds for from now on. Raises CallerHungUp."""
    await call.remember(queue=order.queue, urgent="1" if order.urgent else "", agent=order.only_for)
    if order.queue == queue.name:
        return queue
    now = house.clock.now()
    stay.move_to(order.queue, now)
    await house.calls.joined(call.id, queue=order.queue, joined_at=now)
    return house.queues[order.queue]
