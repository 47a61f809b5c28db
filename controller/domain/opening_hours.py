"""Opening hours (営業時間): when a queue is open, on the clock of its zone, with holidays and exceptions.

The rule for days on which the clocks are changed: a span lasts from the first instant to the last at which the clock
shows a time inside it. So a time that the clocks skip (spring) counts as the instant of the skip, a span that lies in
the skipped hour alone does not open, and of a time that comes twice (autumn) the first opens and the second closes:
each span opens once and closes once a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from controller.domain.calling_hours import CallingHours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

HORIZON = timedelta(days=370)
"""How far ahead is looked: every weekday and every yearly holiday comes within it."""
_DAY = timedelta(days=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MIDNIGHT = time(0)
_SECOND = timedelta(seconds=1)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class ClosedReason(StrEnum):
    """Why a queue is closed at the moment."""

    AFTER_HOURS = "after hours"
    """Before the first span of the day, or after the last."""
    LUNCH = "lunch"
    """Between two spans of one day."""
    HOLIDAY = "holiday"
    """A public holiday without hours."""
    CLOSED_DAY = "closed day"
    """A weekday without hours, or a one-off closure."""


class Unending(Enum):
    """What is told instead of a closing time of a queue that stays open for as long as is looked ahead."""

    NEVER_CLOSES = "never closes"


class Stretch(NamedTuple):
    """An unbroken time in aware UTC: `since` included, `until` not."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Hours within one day, local times: `opens` included, `closes` not; a `closes` of 0:00 is the end of the day.

    Hours that pass midnight are two spans, on two days. Raises ValueError when it does not close after it opens.
    """

    opens: time
    closes: time

    def __post_init__(self) -> None:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError(f"{self} has a time zone of its own; the zone is that of the opening hours")
        if self.opens >= self.closes != _MIDNIGHT:
            raise ValueError(f"{self} closes before it opens; past midnight, write two: until 00:00, and from 00:00")

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{'24:00' if self.closes == _MIDNIGHT else f'{self.closes:%H:%M}'}"


WHOLE_DAY = Span(_MIDNIGHT, _MIDNIGHT)


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """Return the public holidays of a year, those in lieu included (Japan: 振替休日, 国民の休日).

    `country` is ISO 3166-1 alpha-2 ("JP"), `subdivision` the part of ISO 3166-2 behind the hyphen ("BY" of DE-BY).
    Raises ValueError for a country or a subdivision that the library `holidays` does not know. Of years that it does
    not cover, nothing is a holiday.
    """
    import holidays  # noqa: PLC0415 - it is large, and a site without public holidays starts without it

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False)
    except RuntimeError as unknown:  # of this kind is what the library says of a country that it lacks
        raise ValueError(f"no public holidays are known for {country!r}, subdivision {subdivision!r}") from unknown
    return frozenset(found)


def countries_with_holidays() -> Mapping[str, Sequence[str]]:
    """Return the countries (ISO 3166-1 alpha-2) whose public holidays are known, with the parts that have their own."""
    import holidays  # noqa: PLC0415 - as above

    return holidays.list_supported_countries(include_aliases=False)


def in_utc(at: datetime) -> datetime:
    """Return an instant in UTC. Raises ValueError when it has no zone: the machine's own must not be guessed."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When a queue is open, on the clock of `zone`.

    Every result is aware UTC. Raises ValueError when the week has not seven days, spans of a day overlap or are out
    of order, or the country is unknown; its methods raise ValueError for a time without a zone.
    """

    weekly: tuple[tuple[Span, ...], ...]
    """The spans of each weekday, Monday first; a gap between two spans of a day is lunch."""
    zone: ZoneInfo
    holiday_country: str | None = None
    """ISO 3166-1 alpha-2: on its public holidays `on_holidays` is what counts. None: there are no holidays."""
    holiday_subdivision: str | None = None
    on_holidays: tuple[Span, ...] = ()
    """Empty: closed."""
    exceptions: Mapping[date, tuple[Span, ...]] = field(default_factory=dict, hash=False)
    """One-off closures (empty) and special hours; they win over holidays and weekdays."""

    def __post_init__(self) -> None:
        if len(self.weekly) != len(_WEEKDAYS):
            raise ValueError(f"a week has seven days, not {len(self.weekly)}")
        days = [*zip(_WEEKDAYS, self.weekly, strict=True), ("holidays", self.on_holidays), *self.exceptions.items()]
        for day, spans in days:
            for before, after in pairwise(spans):
                if before.closes == _MIDNIGHT or before.closes > after.opens:
                    raise ValueError(f"{day}: {before} and {after} overlap or are out of order")
        if self.holiday_country is not None:
            public_holidays(self.holiday_country, self.holiday_subdivision, date.min.year)
        object.__setattr__(self, "exceptions", dict(self.exceptions))

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """Return the spans of a local day, in order; empty when it is a closed one."""
        if day in self.exceptions:
            return self.exceptions[day]
        return self.on_holidays if self.is_holiday(day) else self.weekly[day.weekday()]

    def is_holiday(self, day: date) -> bool:
        """Tell whether a local day is a public holiday, also when an exception gives it hours."""
        country = self.holiday_country
        return country is not None and day in public_holidays(country, self.holiday_subdivision, day.year)

    def stretches(self, since: datetime, until: datetime) -> Iterator[Stretch]:
        """Yield each span that is not over at `since` and opens before `until`: in order, whole, none overlapping.

        Spans that adjoin stay apart. Where a clock that is put back makes two overlap, the later gives way.
        """
        since, until = in_utc(since), in_utc(until)
        day = since.astimezone(self.zone).date() - _DAY
        over = _LONG_AGO
        while first_instant(datetime.combine(day, _MIDNIGHT), self.zone) < until:
            for stretch in self._stretches_on(day):
                opens = max(stretch.since, over)
                if max(opens, since) < stretch.until and opens < until:
                    yield Stretch(opens, stretch.until)
                over = max(over, stretch.until)
            day += _DAY

    def is_open(self, now: datetime) -> bool:
        """Tell whether the queue is open at `now`."""
        return self._current(now) is not None

    def closes_at(self, now: datetime) -> datetime | Literal[Unending.NEVER_CLOSES] | None:
        """Return when the queue that is open at `now` closes: at the end of the spans that adjoin, also over midnight.

        None when it is closed; NEVER_CLOSES when that end is not within 370 days.
        """
        now = in_utc(now)
        current = self._current(now)
        if current is None:
            return None
        closes = self._past_whole_days(current.until, now + HORIZON)
        for stretch in self.stretches(closes, now + HORIZON):
            if stretch.since > closes:
                return closes
            closes = stretch.until
        return closes if closes < now + HORIZON else Unending.NEVER_CLOSES

    def next_opening(self, now: datetime) -> datetime | None:
        """Return the first instant from `now` on at which the queue is open: `now` when it is.

        None when it does not open within 370 days.
        """
        now = in_utc(now)
        return next((max(now, stretch.since) for stretch in self.stretches(now, now + HORIZON)), None)

    def why_closed(self, now: datetime) -> ClosedReason | None:
        """Return why the queue is closed at `now`; None when it is open."""
        now = in_utc(now)
        if self.is_open(now):
            return None
        today = now.astimezone(self.zone).date()
        if not self.spans_on(today):
            is_planned = today in self.exceptions or not self.is_holiday(today)
            return ClosedReason.CLOSED_DAY if is_planned else ClosedReason.HOLIDAY
        stretches = list(self._stretches_on(today))
        is_between = any(each.until <= now for each in stretches) and any(each.since > now for each in stretches)
        return ClosedReason.LUNCH if is_between else ClosedReason.AFTER_HOURS

    def _current(self, now: datetime) -> Stretch | None:
        """Return the span that is open at `now`."""
        now = in_utc(now)
        return next(self.stretches(now, now + timedelta.resolution), None)

    def _past_whole_days(self, closes: datetime, limit: datetime) -> datetime:
        """Return the end of the whole days that adjoin `closes`: a year around the clock is walked through by days."""
        day, last = closes.astimezone(self.zone).date(), limit.astimezone(self.zone).date()
        while day <= last and self.spans_on(day) == (WHOLE_DAY,):
            day += _DAY
        return max(closes, _closing(datetime.combine(day, _MIDNIGHT), self.zone))

    def _stretches_on(self, day: date) -> Iterator[Stretch]:
        """Yield the spans of one local day; one that the clocks skip is left out."""
        for span in self.spans_on(day):
            ends_on = day + _DAY if span.closes == _MIDNIGHT else day
            opens = first_instant(datetime.combine(day, span.opens), self.zone)
            closes = _closing(datetime.combine(ends_on, span.closes), self.zone)
            if opens < closes:
                yield Stretch(opens, closes)


def always_open(zone: ZoneInfo) -> OpeningHours:
    """Return the hours of a queue that is open around the clock, also on holidays."""
    return OpeningHours(((WHOLE_DAY,),) * len(_WEEKDAYS), zone)


def intersect(hours: OpeningHours, calling: CallingHours, since: datetime, until: datetime) -> Iterator[Stretch]:
    """Yield the times in which the queue is open and customers may be rung, of every span from `since` to `until`.

    In order, none overlapping. As `OpeningHours.stretches` they are whole, so that where one begins does not depend
    on when it is asked for; the first may be over before `since`.
    """
    window = Stretch(_LONG_AGO, _LONG_AGO)
    for stretch in hours.stretches(since, until):
        at = stretch.since
        while at < stretch.until:
            if window.until <= at:
                opens = calling.next_opening(at)
                window = Stretch(opens, _calling_ends(calling, opens))
            if window.since < stretch.until:
                yield Stretch(max(at, window.since), min(stretch.until, window.until))
            at = window.until


def _calling_ends(calling: CallingHours, now: datetime) -> datetime:
    """Return when the calling hours that hold at `now` end: when the hours in which nobody is rung begin."""
    if calling.opens == calling.closes:
        return datetime.max.replace(tzinfo=UTC)
    return CallingHours(calling.closes, calling.opens, calling.zone).next_opening(now)


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clock of the zone shows `local`; or at which it skips it."""
    one, other = _readings(local, zone)
    return one if one <= other else _skip(other, one, zone)


def _closing(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clock has shown the times before `local` for good; or at which it skips them.

    It is not the last `local`: a day that ends at a midnight that comes twice (Havana) ends at the first.
    """
    one, other = _readings(local - timedelta.resolution, zone)
    return other + timedelta.resolution if one <= other else _skip(other, one, zone)


def _readings(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two instants that `local` can mean, mostly the same; in the wrong order if it is skipped (PEP 495)."""
    return local.replace(tzinfo=zone).astimezone(UTC), local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _skip(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, a whole second, at which the clock is put forward between these two."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        is_past = middle.astimezone(zone).utcoffset() == after.astimezone(zone).utcoffset()
        before, after = (before, middle) if is_past else (middle, after)
    return after.replace(microsecond=0)
