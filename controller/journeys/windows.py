"""Which times somebody who writes, by SMS or on the web, can be called at; and what is then asked of the book."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.opening_hours import in_utc, intersect
from controller.domain.slots import Slot, SlotPlan, slots
from controller.journeys.choose_time import as_soon_as_possible, free_slots, planned_slots
from controller.ports.promises import NewPromise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.journeys.house import House, Queue

HALF_HOURS = SlotPlan(length_min=30, capacity=1)
"""How the hours of a queue are cut that has no plan; its capacity counts for nothing."""
_LENGTH = timedelta(minutes=HALF_HOURS.length_min)
_MINUTE = timedelta(minutes=1)


async def open_windows(queue: Queue, house: House, number: str) -> list[Slot]:
    """Return the windows in which a number (E.164) can be called and a place is free for it, soonest first.

    A place that it holds itself is free for it. A queue without a plan has each half hour of the next 7 days, with
    any number of places. Raises StoreUnavailableError.
    """
    if queue.slots is None:
        cut = slots(HALF_HOURS, queue.hours, queue.calling_hours, house.clock.now())
        return [window for window in cut if can_be_called_in(window, queue, house, number)]
    windows = await free_slots(queue, house, number)
    held = await house.promises.open_for(queue.name, number)
    own = held.slot if held else None
    if own is None or own in windows or own not in planned_slots(queue, house, number):
        return windows
    return sorted([*windows, own], key=lambda window: window.starts_at)


async def window_at(
    queue: Queue, house: House, number: str, starts_at: datetime, ends_at: datetime | None = None
) -> Slot | None:
    """Return the free window that fits a wish (aware times) best; None: there is none.

    For a time the one that it lies in, which begins just then where the queue has no plan; for a span the first that
    begins in it. Raises StoreUnavailableError.
    """
    if queue.slots is None and ends_at is None:
        window = window_from(starts_at, queue, house, number)
        if window is not None:
            return window
    return fitting(await open_windows(queue, house, number), starts_at, ends_at)


async def nearest(queue: Queue, house: House, number: str, starts_at: datetime) -> Slot | None:
    """Return the free window that begins closest to a time; None: there is none. Raises StoreUnavailableError."""
    windows = await open_windows(queue, house, number)
    return min(windows, key=lambda window: abs(window.starts_at - starts_at), default=None)


def fitting(windows: Iterable[Slot], starts_at: datetime, ends_at: datetime | None) -> Slot | None:
    """Return the one of `windows`, in order, that a time lies in; with `ends_at` the first that begins in that span."""
    if ends_at is None:
        return next((each for each in windows if each.starts_at <= starts_at < each.ends_at), None)
    return next((each for each in windows if starts_at <= each.starts_at < ends_at), None)


def window_from(starts_at: datetime, queue: Queue, house: House, number: str) -> Slot | None:
    """Return the half hour from a time on, at a full minute; None when it is too late, too far off, or out of hours."""
    starts_at = in_utc(starts_at)
    starts_at += -timedelta(seconds=starts_at.second, microseconds=starts_at.microsecond) % _MINUTE
    window, now = Slot(starts_at, starts_at + _LENGTH), house.clock.now()
    if not now <= starts_at < now + timedelta(days=HALF_HOURS.horizon_days):
        return None
    stretches = intersect(queue.hours, queue.calling_hours, window.starts_at, window.ends_at)
    is_in_hours = any(each.since <= window.starts_at and window.ends_at <= each.until for each in stretches)
    return window if is_in_hours and can_be_called_in(window, queue, house, number) else None


def can_be_called_in(window: Slot, queue: Queue, house: House, number: str) -> bool:
    """Tell whether a number (E.164) may be rung from the start of a window to its end."""
    ends = (window.starts_at, window.ends_at - timedelta.resolution)
    return all(house.may_be_called(number, queue, at) for at in ends)


def wanted(
    queue: Queue, house: House, *, number: str, language: str, call_id: str, slot: Slot | None, confirm: bool
) -> NewPromise:
    """Return what somebody who writes asks for; `slot` None: as soon as possible. Their place counts from now."""
    now = house.clock.now()
    soon = as_soon_as_possible(queue, now, house.line.expected_wait(queue.name)) if slot is None else None
    return NewPromise(
        queue=queue.name,
        number=number,
        language=language,
        since=now,
        call_id=call_id,
        not_before=soon.not_before if soon else None,
        slot=slot,
        slot_capacity=queue.slots.capacity if queue.slots else None,
        confirm=confirm,
    )
