"""What is said in several prompts: numbers, places in line, waits, days and times. Each as the list to be played.

A place and a wait are whole sentences; all else is the middle of one. Japanese has an order of its own; every other
language has the English one. Times are told on the clock that they come with: the queue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.wait_estimate import WaitRange, spoken_range
from controller.journeys import prompts

if TYPE_CHECKING:
    from datetime import date, datetime, time

JAPANESE = "ja"
NOON_HOUR = 12
WHISPERED_DIGITS = 4


def number(printed: str) -> list[str]:
    """Say a phone number digit by digit, with a pause where `090-1234-5678` has its hyphens."""
    groups = "".join(character if character.isdigit() else " " for character in printed).split()
    spoken = [[f"digit-{digit}" for digit in group] for group in groups]
    return [prompt for index, group in enumerate(spoken) for prompt in ([prompts.PAUSE] if index else []) + group]


def place(position: int) -> list[str]:
    """Say the place in line; 1 is the next. Raises ValueError below 1."""
    if position < 1:
        raise ValueError(f"there is no place {position} in a line")
    if position == 1:
        return [prompts.NEXT_IN_LINE]
    if position not in prompts.PLACES:
        return [prompts.PLACE_MANY]
    return [prompts.PLACE_BEFORE, f"place-{position}", prompts.PLACE_AFTER]


def whisper(number: str, waited_s: float) -> list[str]:
    """Tell an agent whose callback it is: the last digits of the number, and how long they have waited."""
    last_digits = [f"digit-{digit}" for digit in number[-WHISPERED_DIGITS:]]
    minutes = max(1, round(waited_s / 60))
    waited = [prompts.WHISPER_WAIT_LONG]
    if minutes in prompts.MINUTES:
        waited = [prompts.WHISPER_WAIT_BEFORE, f"minute-{minutes}", prompts.WAIT_AFTER]
    return [prompts.AGENT_WHISPER, prompts.WHISPER_NUMBER_BEFORE, *last_digits, *waited]


def later(minutes: int) -> list[str]:
    """Say in how many minutes somebody will be called again: 10, 20, ... 90."""
    return [f"later-{minutes}"]


def wait(low_s: float, high_s: float) -> list[str]:
    """Say a wait of `low_s` to `high_s` seconds, in whole minutes, later every fifth: never narrower than it is."""
    low_min, high_min = spoken_range(WaitRange(low_s, high_s))
    if high_min not in prompts.MINUTES:
        return [prompts.WAIT_LONG]
    if high_min == 1:
        return [prompts.WAIT_SHORT]
    if low_min == 0:
        return [prompts.WAIT_MOST_BEFORE, f"minute-{high_min}", prompts.WAIT_MOST_AFTER]
    low = [f"minute-{low_min}", prompts.WAIT_TO] if low_min < high_min else []
    return [prompts.WAIT_BEFORE, *low, f"minute-{high_min}", prompts.WAIT_AFTER]


def time_of_day(at: time, language: str) -> list[str]:
    """Say a time to the minute, on the clock of twelve hours."""
    if (at.hour, at.minute) == (NOON_HOUR, 0):
        return [prompts.NOON]
    half = prompts.AM if at.hour < NOON_HOUR else prompts.PM
    clock = [f"hour-{at.hour % NOON_HOUR}", *([f"clock-{at.minute}"] if at.minute else [])]
    return [half, *clock] if language == JAPANESE else [*clock, half]


def day(on: date, today: date, language: str) -> list[str]:
    """Say today, tomorrow, or month, day and weekday."""
    if (on - today).days in (0, 1):
        return [prompts.TOMORROW if on > today else prompts.TODAY]
    weekday = f"weekday-{prompts.WEEKDAYS[on.weekday()]}"
    month_and_day = [f"month-{on.month}", f"day-{on.day}"]
    return [*month_and_day, weekday] if language == JAPANESE else [weekday, *month_and_day]


def moment(at: datetime, today: date, language: str) -> list[str]:
    """Say a day and a time."""
    link = [] if language == JAPANESE else [prompts.AT]
    return [*day(at.date(), today, language), *link, *time_of_day(at.time(), language)]


def window(start: datetime, end: datetime, today: date, language: str) -> list[str]:
    """Say from when to when, on the clock of `start`; the day of `end` only if it is another one."""
    end = end.astimezone(start.tzinfo)
    days = [day(at.date(), today, language) for at in (start, end)]
    first, last = (time_of_day(at.time(), language) for at in (start, end))
    if days[0] != days[1]:
        last = [*days[1], *last]
    if language == JAPANESE:
        return [*days[0], *first, prompts.FROM, *last]
    return [*days[0], prompts.FROM, *first, prompts.TO, *last]
