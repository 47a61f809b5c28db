"""How many agents a day would have taken, over the API: Erlang A and C, interval by interval."""

from __future__ import annotations

import asyncio
from datetime import date  # noqa: TC003 - msgspec reads the annotations when it runs
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.period import period_of
from controller.console.api.problems import Refusal
from controller.console.api.shapes import Asked, At, Frozen, QueueName
from controller.domain.access import Scope
from controller.domain.figures import by_interval, figures
from controller.domain.intervals import Length, split
from controller.domain.staffing import Demand, agents_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controller.domain.figure_facts import Counting, Facts
    from controller.domain.intervals import Interval
    from controller.domain.staffing import Expected, Target


class Fine(StrEnum):
    """How long the intervals are."""

    QUARTER_HOUR = "15m"
    HALF_HOUR = "30m"


class OfStaffing(Asked, frozen=True):
    """Which day."""

    queue: QueueName
    day: Annotated[date | None, Meta(description="On the clock of the centre; null: today")] = None
    interval: Fine = Fine.HALF_HOUR


class Needed(Frozen, frozen=True):
    """So many agents reach the target, and then this is to be expected."""

    agents: int
    service_level_percent: float
    asa_s: Annotated[float | None, Meta(description="Null: it grows without end")]
    abandon_percent: float
    occupancy_percent: float


class StaffingRow(Frozen, frozen=True):
    """One interval."""

    starts_at: At
    ends_at: At
    calls: Annotated[int, Meta(description="Calls offered")]
    aht_s: Annotated[float | None, Meta(description="Of the interval; where it had no talk, of the day")]
    erlangs: float | None
    erlang_a: Annotated[Needed | None, Meta(description="With the callers' patience; null: it is not known")]
    erlang_c: Annotated[Needed | None, Meta(description="If nobody gave up; null: there is nothing to reckon with")]


class StaffingTarget(Frozen, frozen=True):
    """What is to be reached."""

    service_level_percent: float
    answer_within_s: float
    asa_s: float | None
    abandon_percent: float | None
    occupancy_percent: float | None


class Staffing(Frozen, frozen=True):
    """How many agents the day would have taken."""

    queue: str
    day: date
    target: StaffingTarget
    patience_s: Annotated[float | None, Meta(description="Of the day's callers; null: nobody gave up")]
    rows: tuple[StaffingRow, ...]


async def get_staffing(ask: Ask[OfStaffing, Nothing]) -> Staffing:
    """Return how many agents a day would have taken. Raises Refusal, StoreUnavailableError."""
    house, asked = ask.house, ask.query
    shown = house.queues.get(asked.queue)
    if shown is None:
        raise Refusal.at("query.queue", "there is no such queue")
    now = house.now
    text = asked.day.isoformat() if asked.day else None
    day = period_of(text, text, now, house.zone)
    facts = await house.facts.facts(day.since, day.until, as_of=now, queue=asked.queue)
    length = Length.QUARTER_HOUR if asked.interval is Fine.QUARTER_HOUR else Length.HALF_HOUR
    intervals = split(day, house.zone, length)
    rows, patience_s = await asyncio.to_thread(
        staffing_rows, facts.of_queue(asked.queue), day, intervals, shown.counting, shown.target
    )
    return Staffing(
        queue=asked.queue,
        day=day.since.astimezone(house.zone).date(),
        target=_target(shown.target),
        patience_s=patience_s,
        rows=rows,
    )


def staffing_rows(
    facts: Facts, day: Interval, intervals: Sequence[Interval], counting: Counting, target: Target
) -> tuple[tuple[StaffingRow, ...], float | None]:
    """Return how many agents each interval would have taken, and the patience of the callers of the day."""
    whole = figures(facts, day, counting)
    patience_s = whole.calls.patience_s
    usable_s = patience_s if patience_s is not None and patience_s > 0 and isfinite(patience_s) else None
    rows = []
    for one in by_interval(facts, intervals, counting):
        aht_s = one.handling.aht_s if one.handling.aht_s is not None else whole.handling.aht_s
        calls, length_s = one.calls.offered, one.interval.length_s
        demand = Demand(calls, aht_s, length_s) if aht_s is not None and aht_s > 0 else None
        rows.append(
            StaffingRow(
                starts_at=one.interval.since,
                ends_at=one.interval.until,
                calls=calls,
                aht_s=aht_s,
                erlangs=demand.traffic if demand else None,
                erlang_a=_needed(agents_needed(demand, target, usable_s)) if demand and usable_s is not None else None,
                erlang_c=_needed(agents_needed(demand, target)) if demand else None,
            )
        )
    return tuple(rows), patience_s


def _needed(expected: Expected | None) -> Needed | None:
    if expected is None:
        return None
    return Needed(
        agents=expected.agents,
        service_level_percent=expected.service_level * 100,
        asa_s=expected.asa_s if isfinite(expected.asa_s) else None,
        abandon_percent=expected.abandon_share * 100,
        occupancy_percent=expected.occupancy * 100,
    )


def _target(target: Target) -> StaffingTarget:
    return StaffingTarget(
        service_level_percent=target.service_level * 100,
        answer_within_s=target.answer_within_s,
        asa_s=target.asa_s,
        abandon_percent=None if target.abandon_share is None else target.abandon_share * 100,
        occupancy_percent=None if target.occupancy is None else target.occupancy * 100,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/staffing",
        get_staffing,
        tag=Tag.FIGURES,
        summary="Show how many agents a day would have taken",
        description="For the traffic of that day and the target of the queue, by Erlang A and Erlang C.",
        answer=Staffing,
        scope=Scope.FIGURES_READ,
        query=OfStaffing,
    ),
)
