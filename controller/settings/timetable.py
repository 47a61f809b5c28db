"""Mistakes in hours and slots: spans that overlap, slots that fit nowhere, hours that nothing opens."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.domain.gate import CallingHours
from controller.domain.opening_hours import OpeningHours, Span, intersect
from controller.settings.opening import WEEKDAYS, Slots
from controller.settings.raw import Finding, table, tables, texts
from controller.settings.sections import Dialer
from controller.settings.values import parse_hours, parse_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

_MIDNIGHT = time(0)
_MINUTES_OF_A_DAY = 24 * 60
_WINTER, _SUMMER = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC)
"""Two weeks that stand for all: the clocks of two zones may lie differently to each other in them."""


def timetable_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each mistake in the hours and slots of the file."""
    for index, queue in tables(raw, "queues"):
        here: Path = ("queues", index)
        if isinstance(queue.get("hours"), dict):
            yield from _hours((*here, "hours"), queue["hours"])
        if isinstance(queue.get("slots"), dict):
            yield from _slots((*here, "slots"), queue, table(raw, "dialer"))


def _days(hours: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield (place, table that holds the day) of every list of spans."""
    for day in (*WEEKDAYS, "on_holidays"):
        yield (day,), dict(hours)
    for day in table(hours, "exceptions"):
        yield ("exceptions", day), table(hours, "exceptions")


def _spans(holder: Mapping[str, Any], key: str) -> list[tuple[Span, int]]:
    """Return the spans of a list that can be read, in the order of the clock, each with its place in the list."""
    found = []
    for place, text in texts(holder, key):
        try:
            found.append((parse_span(text), place))
        except ValueError:
            continue
    return sorted(found, key=lambda one: one[0].opens)


def _hours(here: Path, hours: Mapping[str, Any]) -> Iterator[Finding]:
    for path, holder in _days(hours):
        for (before, first), (after, second) in pairwise(_spans(holder, str(path[-1]))):
            if before.closes == _MIDNIGHT or before.closes > after.opens:
                spans = {first: before, second: after}
                last = max(spans)
                yield (*here, *path, last), f'"{spans[last]}" overlaps "{spans[min(spans)]}"'
    if not any(hours.get(day) for day in WEEKDAYS) and not any(table(hours, "exceptions").values()):
        yield here, 'is never open: name the days, as mon = ["09:00-18:00"]; without [queues.hours] it is always open'
    if "on_holidays" in hours and "holiday_country" not in hours:
        yield (*here, "on_holidays"), 'needs holiday_country, as "JP": else no day is a public holiday'


def _slots(here: Path, queue: Mapping[str, Any], dialer: Mapping[str, Any]) -> Iterator[Finding]:
    slots, hours = queue["slots"], queue.get("hours")
    if hours is None:
        yield here, "needs [queues.hours]: slots lie within the hours of the queue"
        return
    lead_min, days = slots.get("lead_min", Slots().lead_min), slots.get("horizon_days", Slots().horizon_days)
    if _is_whole(lead_min) and _is_whole(days) and lead_min >= days * _MINUTES_OF_A_DAY:
        first, last = f"{lead_min} minutes from now", f"{days} x 24 h (horizon_days)"
        yield (*here, "lead_min"), f"leaves no slot: the first would begin {first}, the last before {last}"
    length_min = slots.get("length_min", Slots().length_min)
    if not _is_whole(length_min) or not isinstance(hours, dict):
        return
    days_and_spans = [_spans(holder, str(path[-1])) for path, holder in _days(hours)]
    longest_min = max((_length_min(span) for day in days_and_spans for span, _ in day), default=0)
    if not longest_min:
        return  # told of the hours
    calling_hours = dialer.get("calling_hours", Dialer.model_fields["calling_hours"].default)
    where = f"the hours that are also calling hours ({calling_hours})"
    if length_min > longest_min:
        yield (*here, "length_min"), f"{length_min} minutes fit into no opening: the longest has {longest_min} minutes"
    elif not _fits(length_min, hours, calling_hours, dialer.get("time_zone", Dialer.model_fields["time_zone"].default)):
        yield (*here, "length_min"), f"{length_min} minutes fit nowhere into {where}: no slot could be offered"


def _fits(length_min: int, hours: Mapping[str, Any], calling_hours: Any, time_zone: Any) -> bool:
    """Tell whether a slot lies somewhere in opening and calling hours; also when they cannot be read."""
    try:
        zone = ZoneInfo(time_zone)
        opens, closes = parse_hours(calling_hours)
        queue_zone = ZoneInfo(hours["time_zone"]) if "time_zone" in hours else zone
        weekly = tuple(tuple(span for span, _ in _spans(hours, day)) for day in WEEKDAYS)
        exceptions = table(hours, "exceptions")
        special = [[span for span, _ in _spans(exceptions, day)] for day in exceptions]
        special.append([span for span, _ in _spans(hours, "on_holidays")])
        weeks = [OpeningHours(weekly, queue_zone), *(OpeningHours((tuple(day),) * 7, queue_zone) for day in special)]
    except (KeyError, ValueError, TypeError, OSError):
        return True  # told by the model, or as an overlap
    length = timedelta(minutes=length_min)
    calling = CallingHours(opens, closes, zone)
    return any(
        until - since >= length
        for week in weeks
        for start in (_WINTER, _SUMMER)
        for since, until in intersect(week, calling, start, start + timedelta(days=8))
    )


def _length_min(span: Span) -> int:
    closes_min = span.closes.hour * 60 + span.closes.minute or _MINUTES_OF_A_DAY
    return closes_min - span.opens.hour * 60 - span.opens.minute


def _is_whole(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)
