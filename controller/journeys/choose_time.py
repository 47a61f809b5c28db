"""When to be called: as soon as possible, or in a window with a free place, three to a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.domain.opening_hours import Unending
from controller.domain.slots import DayGroup, by_day, free, pages, slots
from controller.journeys import prompts, spoken
from controller.journeys.announcements import is_soon_enough

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.slots import Slot
    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation

SOON, CHOOSE = "1", "2"
MORE, BACK = "9", "*"
MAX_TRIES = 3
GOODBYE_S = 8
"""How long a caller is left in peace after the promise: to hear it to its end, and to hang up."""

DAY_WORDS = {
    DayGroup.TODAY: prompts.TODAY,
    DayGroup.TOMORROW: prompts.TOMORROW,
    DayGroup.LATER: prompts.LATER_DAY,
}


@dataclass(frozen=True, slots=True)
class Soon:
    """As soon as possible, from `not_before` on."""

    not_before: datetime
    opens_first: bool = False
    """Not today in turn: once the queue has opened again."""


async def choose_time(
    call: Conversation, queue: Queue, house: House, *, number: str, expected: WaitRange | None
) -> Slot | Soon:
    """Return when the caller wants to be called at `number`; who says nothing is called as soon as possible.

    Raises StoreUnavailableError when it cannot be told which windows are free.
    """

    def soon() -> Soon:  # Asked at the end: the questions may take their time.
        return as_soon_as_possible(queue, house.clock.now(), expected)

    if soon().opens_first and queue.hours.is_open(house.clock.now()):
        await call.play(prompts.CLOSING_SOON)
    if queue.slots is None:
        return soon()
    for _ in range(MAX_TRIES):
        key = await call.ask(prompts.WHEN_MENU, keypad=ONE_KEY)
        if key == SOON:
            return soon()
        if key == CHOOSE:
            slot = await choose_slot(call, queue, house, number=number)
            if slot is not None:
                return slot
    return soon()


def as_soon_as_possible(queue: Queue, now: datetime, expected: WaitRange | None) -> Soon:
    """Return the earliest call that can be promised honestly: in turn today, else once the queue has opened again."""
    if queue.hours.is_open(now) and is_soon_enough(queue, now, expected):
        return Soon(now + timedelta(seconds=GOODBYE_S))
    closes_at = queue.hours.closes_at(now)
    after = now if closes_at is None or isinstance(closes_at, Unending) else closes_at
    opening = queue.hours.next_opening(after)
    return Soon(opening or now + timedelta(seconds=GOODBYE_S), opens_first=opening is not None)


async def choose_slot(call: Conversation, queue: Queue, house: House, *, number: str) -> Slot | None:
    """Offer the free windows, by day and then three at a time. None: there is none, or the caller went back."""
    choices = await free_slots(queue, house, number)
    if not choices:
        await call.play(prompts.NO_SLOTS)
        return None
    groups = by_day(choices, house.clock.now(), queue.hours.zone)
    days = [(group, found) for group in DayGroup if (found := groups.get(group))]
    if len(days) == 1:
        return await pick_slot(call, days[0][1], queue, house)
    question = [prompts.CHOOSE_DAY]
    for key_number, (group, _) in enumerate(days, start=1):
        question += [DAY_WORDS[group], press(key_number)]
    question.append(prompts.EARLIER_CHOICE)
    for _ in range(MAX_TRIES):
        key = await call.ask(*question, keypad=ONE_KEY)
        if key == BACK:
            return None
        if key.isdecimal() and 1 <= int(key) <= len(days):
            slot = await pick_slot(call, days[int(key) - 1][1], queue, house)
            if slot is not None:
                return slot
    return None


async def pick_slot(call: Conversation, choices: Sequence[Slot], queue: Queue, house: House) -> Slot | None:
    """Read out three windows, then the next three, until one is picked. None: the caller went back, or said nothing."""
    all_pages = pages(choices)
    page = silences = 0
    while silences < MAX_TRIES:
        here = all_pages[page]
        key = await call.ask(
            *page_words(here, queue, call.language, house, more=page + 1 < len(all_pages)), keypad=ONE_KEY
        )
        if key == BACK:
            return None
        if key == MORE and page + 1 < len(all_pages):
            page += 1
        elif key == MORE:
            await call.play(prompts.NO_MORE_SLOTS)
            page = 0
        elif key.isdecimal() and 1 <= int(key) <= len(here):
            return here[int(key) - 1]
        else:
            silences += 1
    return None


def page_words(here: Sequence[Slot], queue: Queue, language: str, house: House, *, more: bool) -> list[str]:
    """Return the prompts that read out one page of windows with their keys."""
    zone = queue.hours.zone
    today = house.clock.now().astimezone(zone).date()
    words = [prompts.CHOOSE_TIME]
    for number, slot in enumerate(here, start=1):
        words += spoken.window(slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone), today, language)
        words.append(press(number))
    return [*words, *([prompts.MORE_SLOTS] if more else []), prompts.EARLIER_CHOICE]


async def free_slots(queue: Queue, house: House, number: str) -> list[Slot]:
    """Return the windows in which a number can be called and a place is free, soonest first.

    Raises StoreUnavailableError.
    """
    planned = planned_slots(queue, house, number)
    if queue.slots is None or not planned:
        return []
    booked = await house.promises.booked(queue.name, start=planned[0].starts_at, end=planned[-1].ends_at)
    return free(planned, queue.slots, booked)


def planned_slots(queue: Queue, house: House, number: str) -> list[Slot]:
    """Return the windows of the queue's plan in which a number can be called, soonest first, full or not."""
    if queue.slots is None:
        return []
    cut = slots(queue.slots, queue.hours, queue.calling_hours, house.clock.now())
    return [slot for slot in cut if house.may_be_called(number, queue, slot.starts_at)]


def press(number: int) -> str:
    """Return the prompt that says which key to press."""
    return f"press-{number}"
