"""Slots (予約枠): windows of time that a callback can be booked in, each with a capacity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.opening_hours import in_utc, intersect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.gate import CallingHours
    from controller.domain.opening_hours import OpeningHours


@dataclass(frozen=True, slots=True)
class Slot:
    """One window, aware UTC: `starts_at` included, `ends_at` not. `starts_at` names it within its queue."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """How a queue's hours are cut into slots. Raises ValueError when a number makes no sense."""

    length_min: int
    capacity: int
    """How many callbacks may be booked in one slot."""
    lead_min: int = 0
    """No slot starts sooner than this from now."""
    horizon_days: int = 7
    """No slot starts this many times 24 h from now, or later."""

    def __post_init__(self) -> None:
        for name, least in (("length_min", 1), ("capacity", 1), ("lead_min", 0), ("horizon_days", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, and has to be {least} or more")


class DayGroup(StrEnum):
    """Which day a slot is on, as far as it matters to whoever chooses one."""

    TODAY = "today"
    TOMORROW = "tomorrow"
    LATER = "later"


def slots(plan: SlotPlan, hours: OpeningHours, calling: CallingHours, now: datetime) -> Iterator[Slot]:
    """Yield the slots that can be booked at `now` (aware), in order, none overlapping.

    Each is as long in elapsed minutes as the plan says, and lies as a whole in one span of the opening hours and in
    the calling hours. The first of a span starts where customers may first be rung in it, the others follow without
    a gap; so a slot keeps its start while time passes. What is left at the end of a span is no slot.
    """
    length = timedelta(minutes=plan.length_min)
    now = in_utc(now)
    earliest, end = now + timedelta(minutes=plan.lead_min), now + timedelta(days=plan.horizon_days)
    for stretch in intersect(hours, calling, earliest, end):
        too_soon = max(timedelta(0), earliest - stretch.since)
        starts_at = stretch.since - (-too_soon // length) * length
        while starts_at < end and starts_at + length <= stretch.until:
            yield Slot(starts_at, starts_at + length)
            starts_at += length


def free(slots: Iterable[Slot], plan: SlotPlan, booked: Mapping[datetime, int]) -> list[Slot]:
    """Return the slots with a place left, in the same order. `booked`: how many are in each, by `starts_at` in UTC."""
    return [slot for slot in slots if booked.get(slot.starts_at, 0) < plan.capacity]


def by_day(free_slots: Iterable[Slot], now: datetime, zone: ZoneInfo) -> Mapping[DayGroup, list[Slot]]:
    """Return the slots by the day on which they start in `zone`, seen from `now`. Each group is there, if empty."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    groups: dict[DayGroup, list[Slot]] = {group: [] for group in DayGroup}
    for slot in free_slots:
        day = slot.starts_at.astimezone(zone).date()
        group = DayGroup.LATER if day > tomorrow else DayGroup.TOMORROW if day == tomorrow else DayGroup.TODAY
        groups[group].append(slot)
    return groups


def pages(slots: Sequence[Slot], size: int = 3) -> list[tuple[Slot, ...]]:
    """Return the slots in the portions in which they are read out: `size` each, the last may have fewer.

    Raises ValueError when `size` is below 1.
    """
    if size < 1:
        raise ValueError(f"a page has at least one slot, not {size}")
    return [tuple(slots[start : start + size]) for start in range(0, len(slots), size)]
