"""When a reply by SMS asks to be called: dates, weekdays, times of day and parts of it, on the clock of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import TYPE_CHECKING

from controller.domain.opening_hours import first_instant, in_utc
from controller.domain.reply_vocabulary import Clock, Date, Daypart, InDays, InWeeks, Later, Number, Weekday, Word

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.reply_vocabulary import Token

HORIZON_DAYS = 30
WHOLE_DAY = (9, 18)
"""The hours of a day that is named without a time."""
DAYTIME = (8, 20)
"""What is meant by a time that can be before or after noon: the first hour is in it, the second is not."""

_TIME_WORDS = {Word.AT, Word.FROM, Word.TO, Word.UNTIL}
_HOUR, _TO, _UNTIL = "h", "t", "u"
_SHAPE = {Word.TO: _TO, Word.UNTIL: _UNTIL}
_WINDOWS = {_HOUR + _TO + _HOUR, _HOUR + _TO + _HOUR + _UNTIL}
"""16時から17時, 16時から17時まで."""
_FROM_THEN = {_HOUR + _TO}
"""16時から."""
_DAY, _DAYS_IN_WEEK = timedelta(days=1), 7
_LAST_HOUR, _HALF_DAY_H = 23, 12

Asked = tuple[datetime, datetime | None]
"""From when, and until when; None: exactly then. Aware UTC."""
_Minutes = tuple[int, int]
"""Minutes of the day, from and until; the same twice: exactly then."""


@dataclass(frozen=True, slots=True)
class _Hour:
    """A time of day, with the part of the day that it was named with."""

    clock: Clock
    part: Daypart | None

    @property
    def readings(self) -> list[int]:
        """The minutes of the day that can be meant: one, two, or none where the part contradicts."""
        hours = {self.clock.hour}
        if self.clock.is_open and self.clock.hour != _HALF_DAY_H:
            hours.add(self.clock.hour + _HALF_DAY_H)
        if self.clock.hour == 0 and self.part is not None:  # 午後0時30分 is half past twelve, at noon
            hours.add(_HALF_DAY_H)
        fitting = [hour for hour in hours if self.part is None or self.part.includes(hour)]
        return [hour * 60 + self.clock.minute for hour in fitting]


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the tokens say, put together. `part` is one without a time."""

    hours: list[_Hour]
    part: Daypart | None
    is_window: bool
    dates: set[Date | InDays]
    weekdays: set[Weekday]
    weeks: set[InWeeks]


def asked_for(tokens: Sequence[Token], now: datetime, zone: ZoneInfo) -> Asked | None:
    """Return the time that the tokens ask for, in the future; a window that has begun starts `now`.

    None: no time, several, one that is past, more than `HORIZON_DAYS` ahead, or that contradicts itself.
    Raises ValueError when `now` has no zone.
    """
    now = in_utc(now)
    if any(isinstance(token, Later) for token in tokens):
        return _later(tokens, now)
    wish = _wish(tokens)
    minutes = None if wish is None else _minutes(wish)
    if wish is None or minutes is None:
        return None
    for day in _days(wish, now.astimezone(zone).date()):
        starts_at, ends_at = (_instant(day, minute, zone) for minute in minutes)
        if minutes[0] == minutes[1]:
            if starts_at > now:
                return starts_at, None
        elif max(starts_at, now) < ends_at:
            return max(starts_at, now), ends_at
    return None


def _later(tokens: Sequence[Token], now: datetime) -> Asked | None:
    spans = {token for token in tokens if token is not Word.AT}
    if len(spans) != 1:
        return None
    (span,) = spans
    if not isinstance(span, Later) or not timedelta(0) < span.by <= HORIZON_DAYS * _DAY:
        return None
    return now + span.by, None


def _wish(tokens: Sequence[Token]) -> _Wish | None:
    """Put the tokens together; None when they make no time, or contradict each other."""
    if not {token for token in tokens if isinstance(token, Word)} <= _TIME_WORDS:
        return None
    shape = "".join(_SHAPE.get(token, "") if isinstance(token, Word) else _sign(token) for token in tokens)
    is_window = shape in _WINDOWS
    if not is_window and shape not in _FROM_THEN and set(shape) - {_HOUR}:
        return None
    is_announced = not {Word.AT, Word.FROM}.isdisjoint(tokens) or (
        is_window and any(isinstance(token, Clock) for token in tokens)
    )
    timed = _timed(tokens, is_announced=is_announced)
    if timed is None:
        return None
    return _Wish(
        *timed,
        is_window=is_window,
        dates={token for token in tokens if isinstance(token, Date | InDays)},
        weekdays={token for token in tokens if isinstance(token, Weekday)},
        weeks={token for token in tokens if isinstance(token, InWeeks)},
    )


def _sign(token: Token) -> str:
    return _HOUR if isinstance(token, Clock | Number) else ""


def _timed(tokens: Sequence[Token], *, is_announced: bool) -> tuple[list[_Hour], Daypart | None] | None:
    """Return the times, each with its part of the day, and the part that has none.

    A part belongs to the time behind it, and the last to those before it that have none (4 in the afternoon). A bare
    number is a time if something announces it, or a part of the day belongs to it.
    """
    part: Daypart | None = None
    hours: list[_Hour] = []
    are_bare: list[bool] = []
    for token in tokens:
        if isinstance(token, Daypart):
            if part not in {None, token}:
                return None
            part = token
        elif isinstance(token, Clock | Number):
            clock = token if isinstance(token, Clock) else _clock(token)
            if clock is None:
                return None
            hours.append(_Hour(clock, part))
            are_bare.append(isinstance(token, Number) and not is_announced)
            part = None
    if part is not None and hours:
        if all(hour.part for hour in hours):
            return None
        hours, part = [_Hour(hour.clock, hour.part or part) for hour in hours], None
    is_bare = any(bare and hour.part is None for bare, hour in zip(are_bare, hours, strict=True))
    return None if is_bare else (hours, part)


def _clock(number: Number) -> Clock | None:
    return Clock(number.value, is_open=1 <= number.value <= _HALF_DAY_H) if number.value <= _LAST_HOUR else None


def _minutes(wish: _Wish) -> _Minutes | None:
    """Return the minutes of the day that are meant."""
    if wish.is_window:
        return _window(*wish.hours)
    if wish.hours:
        meant = {_one(hour.readings) for hour in wish.hours}
        minute = meant.pop()
        return None if meant or minute is None else (minute, minute)
    if wish.part is not None:
        return _whole_hours(wish.part.hours)
    is_day_named = bool(wish.dates) or any(not weekday.is_short for weekday in wish.weekdays)
    return _whole_hours(WHOLE_DAY) if is_day_named else None


def _whole_hours(hours: tuple[int, int]) -> _Minutes:
    return hours[0] * 60, hours[1] * 60


def _one(readings: list[int]) -> int | None:
    """Return the reading by day, where there are two."""
    if len(readings) == 1:
        return readings[0]
    return next((minute for minute in readings if _is_by_day(minute)), None)


def _window(since: _Hour, until: _Hour) -> _Minutes | None:
    """Return the shortest window that can be meant, rather one that starts by day."""
    pairs = [
        (not _is_by_day(start), end - start, start, end)
        for start, end in product(since.readings, until.readings)
        if start < end
    ]
    return min(pairs)[2:] if pairs else None


def _is_by_day(minute: int) -> bool:
    return DAYTIME[0] * 60 <= minute < DAYTIME[1] * 60


def _days(wish: _Wish, today: date) -> list[date]:
    """Return the days that can be meant, the likeliest first; empty when they contradict each other or are too far."""
    weekdays = {weekday.index for weekday in wish.weekdays}
    if len(weekdays) > 1 or len(wish.weeks) > 1:
        return []
    weeks = next((week.weeks for week in wish.weeks), None)
    if wish.dates:
        found = {_on_calendar(day, today) for day in wish.dates}
        day = found.pop()
        if found or day is None or not weekdays <= {day.weekday()}:
            return []
        return [day] if weeks is None or _in_week(day.weekday(), weeks, today) == day else []
    if not weekdays:
        return [] if weeks is not None else [today, today + _DAY]
    (weekday,) = weekdays
    if weeks is not None:
        day = _in_week(weekday, weeks, today)
        return [] if day is None or day < today else [day]
    coming = today + (weekday - today.weekday()) % _DAYS_IN_WEEK * _DAY
    return [coming, coming + _DAYS_IN_WEEK * _DAY]


def _on_calendar(named: Date | InDays, today: date) -> date | None:
    """Return the next such day, today included; None when there is none, or none near."""
    if isinstance(named, InDays):
        return today + named.days * _DAY if named.days <= HORIZON_DAYS else None
    try:
        day = date(named.year or today.year, named.month or today.month, named.day)
        if day < today and named.year is None:
            day = day.replace(year=day.year + 1) if named.month else _next_month(day)
    except ValueError:
        return None
    return day if 0 <= (day - today).days <= HORIZON_DAYS else None


def _next_month(day: date) -> date:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)


def _in_week(weekday: int, weeks: int, today: date) -> date | None:
    """Return a weekday so many weeks ahead; None when it depends on whether weeks begin on Sundays or on Mondays."""
    from_monday = today + (weekday - today.weekday() + weeks * _DAYS_IN_WEEK) * _DAY
    after_sunday, today_after_sunday = ((day + 1) % _DAYS_IN_WEEK for day in (weekday, today.weekday()))
    from_sunday = today + (after_sunday - today_after_sunday + weeks * _DAYS_IN_WEEK) * _DAY
    return from_monday if from_monday == from_sunday else None


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when the clock first shows it; one that it skips is the instant of the skip, as for opening hours."""
    return first_instant(datetime.combine(day, time(minute // 60, minute % 60)), zone)
