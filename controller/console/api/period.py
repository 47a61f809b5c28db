"""Which time figures are asked for: days on the clock of the centre, or instants."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.problems import Refusal
from controller.console.today import day_of
from controller.domain.intervals import Interval, Length, split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
LONGEST_DAYS = 93
LONGEST_FINE_DAYS = 8

DayOrInstant = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d))?$",
        description="A day on the clock of the centre, 2026-11-23, or an instant, RFC 3339",
        examples=["2026-11-23"],
    ),
]


class Cut(StrEnum):
    """Into which intervals a time is cut."""

    QUARTER_HOUR = "15m"
    HALF_HOUR = "30m"
    DAY = "day"
    WHOLE = "whole"


_LENGTHS = {Cut.QUARTER_HOUR: Length.QUARTER_HOUR, Cut.HALF_HOUR: Length.HALF_HOUR, Cut.DAY: Length.DAY}


def period_of(since: str | None, until: str | None, now: datetime, zone: ZoneInfo) -> Interval:
    """Return the time from `since` to `until`: a last day is in it, a last instant is not. None: today.

    Raises Refusal for what is no day or instant, for a time that ends before it begins, and for one that is too long.
    """
    today = now.astimezone(zone).date()
    first = _read("query.from", since, zone) if since is not None else day_of(today, zone)
    last = _read("query.to", until, zone) if until is not None else day_of(max(today, _day(first.since, zone)), zone)
    begins = first.since
    ends = last.until
    if ends <= begins:
        raise Refusal.at("query.to", "is not after the beginning")
    if ends - begins > timedelta(days=LONGEST_DAYS, hours=1):
        raise Refusal.at("query.to", f"is more than {LONGEST_DAYS} days after the beginning")
    return Interval(begins, ends)


def cut_up(period: Interval, cut: Cut, zone: ZoneInfo) -> Sequence[Interval]:
    """Return the intervals of a time. Raises Refusal when there are too many."""
    if cut is Cut.WHOLE:
        return [period]
    if cut is not Cut.DAY and period.until - period.since > timedelta(days=LONGEST_FINE_DAYS, hours=1):
        raise Refusal.at("query.interval", f"of more than {LONGEST_FINE_DAYS} days only `day` or `whole`")
    return split(period, zone, _LENGTHS[cut])


def _read(where: str, text: str, zone: ZoneInfo) -> Interval:
    """Return a day, or an instant as a time without length. Raises Refusal."""
    try:
        if _DATE.fullmatch(text):
            found = day_of(_within(date.fromisoformat(text)), zone)
        elif _INSTANT.fullmatch(text):
            at = datetime.fromisoformat(text.upper())
            _within(at.date())
            found = Interval(at.astimezone(UTC), at.astimezone(UTC))
        else:
            raise Refusal.at(where, "is neither a day, as 2026-11-23, nor an instant with its offset (RFC 3339)")
    except ValueError as error:
        raise Refusal.at(where, str(error)) from None
    return found


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _within(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"has to be of the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return day
