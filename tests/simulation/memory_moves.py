"""Promises that go to another queue, as far as books in memory have to look whether there is room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.supervising import Moved
from controller.ports.promises import NotMovedError, NotMovedReason

if TYPE_CHECKING:
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Promise
    from tests.simulation.memory_data import MemoryData


def require_room(data: MemoryData, before: Promise, after: Promise, event: Event) -> None:
    """Raise NotMovedError where the number has a promise with the other queue, or the window is full there."""
    if not isinstance(event, Moved) or after.queue == before.queue:
        return
    if (after.queue, after.number) in data.open_numbers:
        raise NotMovedError(NotMovedReason.NUMBER_HELD)
    if after.slot is None or event.slot_capacity is None:
        return
    starts_at = after.slot.starts_at
    holders = sum(
        each.queue == after.queue and each.slot is not None and each.slot.starts_at == starts_at
        for each in data.promises.values()
    )
    if holders >= event.slot_capacity:
        raise NotMovedError(NotMovedReason.SLOT_FULL)
