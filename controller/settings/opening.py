"""When a queue is open, and the times that callbacks can be booked for."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from controller.domain.opening_hours import OpeningHours, Span, countries_with_holidays
from controller.domain.slots import SlotPlan
from controller.settings.mistakes import nearest
from controller.settings.values import Day, DaySpan, Section, TimeZone, parse_date, parse_span

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _holiday_country(text: str) -> str:
    known = countries_with_holidays()
    if text not in known:
        hint = nearest(text, known)
        raise ValueError(
            f"must be the two capital letters of a country whose public holidays are known,"
            f' as "JP", not "{text[:20]}"{hint}'
        )
    return text


Spans = tuple[DaySpan, ...]


class QueueHours(Section):
    """Opening hours: spans of each weekday; a day that is not named is closed, and a gap between two spans is lunch."""

    time_zone: TimeZone | None = None
    """None: that of the dialer."""
    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()
    holiday_country: Annotated[str, AfterValidator(_holiday_country)] | None = None
    holiday_subdivision: str | None = None
    on_holidays: Spans = ()
    exceptions: dict[Day, Spans] = Field(default_factory=dict)
    """One-off closures (empty) and special hours, by date."""

    @field_validator("holiday_subdivision")
    @classmethod
    def _is_known(cls, text: str | None, info: ValidationInfo) -> str | None:
        country = info.data.get("holiday_country", "")
        known = countries_with_holidays().get(country, ()) if country else ()
        if text is None or country == "" or text in known:
            return text  # a country that is wrong is told at its own place
        if country is None:
            raise ValueError("needs holiday_country: a part of which country?")
        if not known:
            raise ValueError(f"{country} has the same public holidays everywhere: leave it out")
        raise ValueError(f'must be one of {", ".join(known)}, not "{text[:20]}"')

    def opening_hours(self, zone: ZoneInfo) -> OpeningHours:
        """Return the hours as the domain counts them; `zone` is the clock where none is named."""
        return OpeningHours(
            weekly=tuple(spans_of(getattr(self, day)) for day in WEEKDAYS),
            zone=ZoneInfo(self.time_zone) if self.time_zone else zone,
            holiday_country=self.holiday_country,
            holiday_subdivision=self.holiday_subdivision,
            on_holidays=spans_of(self.on_holidays),
            exceptions={parse_date(day): spans_of(texts) for day, texts in self.exceptions.items()},
        )


def spans_of(texts: tuple[str, ...]) -> tuple[Span, ...]:
    """Return the spans of one day, in order of the clock. Raises ValueError, for a person, when one is none."""
    return tuple(sorted((parse_span(text) for text in texts), key=lambda span: span.opens))


class Slots(Section):
    """How the hours are cut into times that callbacks can be booked for."""

    length_min: Annotated[int, Field(ge=5, le=24 * 60)] = 30
    capacity: Annotated[int, Field(ge=1, le=10_000)] = 1
    lead_min: Annotated[int, Field(ge=0, le=30 * 24 * 60)] = 30
    horizon_days: Annotated[int, Field(ge=1, le=90)] = 7

    @property
    def slot_plan(self) -> SlotPlan:
        """The plan as the domain counts it."""
        return SlotPlan(
            length_min=self.length_min,
            capacity=self.capacity,
            lead_min=self.lead_min,
            horizon_days=self.horizon_days,
        )
