"""What a booking link shows, put into words: where the promise stands, and the windows by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.phone_number import as_printed
from controller.domain.promise import PromiseState
from controller.web.texts import days_of, say, told_heading, told_moment, told_times, told_window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.journeys.booking import View

FIRST_DAYS, FIRST_WINDOWS = 2, 6
"""So many days are shown, and more until there are so many windows; the others on request."""
FEW_LEFT = 3
_SOON = timedelta(minutes=1)
_HIDDEN = "*"
_FIRST_DIGITS, _LAST_DIGITS, _LEAST_HIDDEN = 3, 4, 3


@dataclass(frozen=True, slots=True)
class Choice:
    """One window that can be chosen."""

    id: str
    value: str
    label: str
    note: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The windows of one day."""

    heading: str
    choices: tuple[Choice, ...]


def masked(number: str, home: str) -> str:
    """Return a number so that its owner knows it, and nobody learns it: `090-****-5678`."""
    printed = as_printed(number, home)
    places = [place for place, sign in enumerate(printed) if sign.isdecimal()]
    group = next((count for count, place in enumerate(places[1:], 1) if place - places[count - 1] > 1), len(places))
    keep = {*places[: min(group, _FIRST_DIGITS)], *places[-_LAST_DIGITS:]}
    if len(places) - len(keep) < _LEAST_HIDDEN:
        keep = set(places[max(len(places) - 2, _LEAST_HIDDEN) :])
    return "".join(_HIDDEN if sign.isdecimal() and place not in keep else sign for place, sign in enumerate(printed))


def told_state(view: View, language: str, now: datetime) -> str:
    """Return in plain words where a promise stands."""
    if view.is_never_called:
        return say("state_blocked", language)
    if view.promise is None:
        return say("state_none", language)
    if view.promise.state is PromiseState.WAITING:
        return _told_waiting(view.promise, view, language, now)
    return say(f"state_{view.promise.state.value}", language)


def told_soon(view: View, language: str) -> str:
    """Return what a call as soon as possible would mean."""
    if not view.soon.opens_first:
        return say("call_help", language)
    return say("call_help_later", language, when=told_moment(view.soon.not_before, language, view.queue.hours.zone))


def shown_days(view: View, language: str, now: datetime, left: Mapping[datetime, int], *, more: bool) -> list[Day]:
    """Return the windows by day, the first days or all; `left`: places in each, where counted."""
    zone = view.queue.hours.zone
    own = view.promise.slot if view.promise else None
    capacity = view.queue.slots.capacity if view.queue.slots else 0
    today = now.astimezone(zone).date()
    days: list[Day] = []
    number = 0
    for day, windows in days_of(view.windows, zone).items():
        if not more and len(days) >= FIRST_DAYS and number >= FIRST_WINDOWS:
            break
        choices = []
        for window in windows:
            number += 1
            free = left.get(window.starts_at, capacity)
            note = say("few_left", language, left=free) if 0 < free < capacity and free <= FEW_LEFT else ""
            choices.append(
                Choice(
                    id=f"window-{number}",
                    value=window.starts_at.isoformat(),
                    label=told_times(window, language, zone),
                    note=say("own_window", language) if window == own else note,
                    is_own=window == own,
                )
            )
        days.append(Day(told_heading(day, today, language), tuple(choices)))
    return days


def count_days(view: View) -> int:
    """Return on how many days there are windows."""
    return len(days_of(view.windows, view.queue.hours.zone))


def _told_waiting(promise: Promise, view: View, language: str, now: datetime) -> str:
    zone, slot = view.queue.hours.zone, promise.slot
    if slot is not None and (promise.told_late or slot.ends_at <= now):
        return say("state_late", language, when=told_window(slot, language, zone))
    if slot is not None and promise.not_before < slot.ends_at:
        return say("state_window", language, when=told_window(slot, language, zone))
    if promise.not_before > now + _SOON:
        return say("state_from", language, when=told_moment(promise.not_before, language, zone))
    return say("state_soon", language)
