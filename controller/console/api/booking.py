"""When a number can be promised a call: the windows of a queue with the places left in them, or as soon as possible.

The rules are those of the booking page and of the phone: the queue's plan or its half hours, the calling hours, and the
places that the transaction counts once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.slots import slots
from controller.domain.wait_estimate import WaitRange
from controller.journeys.choose_time import as_soon_as_possible
from controller.journeys.windows import HALF_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from controller.console.house import ConsoleHouse, ShownQueue
    from controller.domain.slots import Slot
    from controller.journeys.choose_time import Soon


@dataclass(frozen=True, slots=True)
class Window:
    """A window, and how many places are left in it; None: any number, since the queue has no plan."""

    slot: Slot
    places_left: int | None

    @property
    def is_free(self) -> bool:
        """There is a place left."""
        return self.places_left is None or self.places_left > 0


async def windows_of(house: ConsoleHouse, shown: ShownQueue, number: str | None) -> list[Window]:
    """Return the windows of a queue, soonest first, full ones too; of a number (E.164) those in which it may be rung.

    A place that the number holds itself is free for it. Raises StoreUnavailableError.
    """
    queue = shown.queue
    cut = [*_cut(house, shown, number)]
    if queue.slots is None or not cut:
        return [Window(slot, None) for slot in cut]
    promises = house.store.promises
    booked = await promises.booked(queue.name, start=cut[0].starts_at, end=cut[-1].ends_at)
    held = await promises.open_for(queue.name, number) if number is not None else None
    own = held.slot.starts_at if held is not None and held.slot is not None else None
    return [
        Window(slot, max(0, queue.slots.capacity - booked.get(slot.starts_at, 0) + (slot.starts_at == own)))
        for slot in cut
    ]


def soon_of(house: ConsoleHouse, shown: ShownQueue) -> Soon:
    """Return what "as soon as possible" would mean for a queue now."""
    entry = next((one for one in house.floor.now().queues if one.name == shown.queue.name), None)
    low_s, high_s = (entry.expected_low_s, entry.expected_high_s) if entry is not None else (None, None)
    expected = None if low_s is None or high_s is None else WaitRange(low_s, high_s)
    return as_soon_as_possible(shown.queue, house.now, expected)


def callable_from(house: ConsoleHouse, queue: str, number: str, since: datetime) -> datetime | None:
    """Return the first instant from `since` on, to the minute, at which a number may be rung; None: not in 8 days."""
    if house.may_be_called(number, queue, since):
        return since
    at = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(8 * 24 * 12):
        if house.may_be_called(number, queue, at):
            minutes = (at - timedelta(minutes=less) for less in range(4, 0, -1))
            return next((each for each in minutes if each > since and house.may_be_called(number, queue, each)), at)
        at += timedelta(minutes=5)
    return None


def _cut(house: ConsoleHouse, shown: ShownQueue, number: str | None) -> Iterator[Slot]:
    queue = shown.queue
    last = timedelta.resolution
    for slot in slots(queue.slots or HALF_HOURS, queue.hours, queue.calling_hours, house.now):
        # A queue with a plan promises the beginning of a window; without one, all of a half hour.
        ends = (slot.starts_at,) if queue.slots is not None else (slot.starts_at, slot.ends_at - last)
        if number is None or all(house.may_be_called(number, queue.name, at) for at in ends):
            yield slot
