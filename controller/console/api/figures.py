"""Figures over the API, and as CSV: those of `domain/figures.py`, by the keys of `domain/figure_rows.py`."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.period import Cut, DayOrInstant, cut_up, period_of
from controller.console.api.problems import Refusal
from controller.console.api.shapes import Asked, At, Frozen, QueueName
from controller.domain.access import Scope
from controller.domain.csv_text import csv_text
from controller.domain.figure_rows import (
    AGENT_COLUMNS,
    COLUMNS,
    Column,
    Language,
    Unit,
    agent_headings,
    agent_rows,
    headings,
    rows,
)
from controller.domain.figures import by_agent, by_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from controller.console.house import ConsoleHouse
    from controller.domain.figure_facts import Counting, Facts
    from controller.domain.figures import AgentFigures, Figures
    from controller.domain.intervals import Interval


class By(StrEnum):
    """Of what there is a row each."""

    INTERVAL = "interval"
    QUEUE = "queue"
    AGENT = "agent"


class OfFigures(Asked, frozen=True):
    """Which figures."""

    since: DayOrInstant | None = msgspec.field(default=None, name="from")
    until: DayOrInstant | None = msgspec.field(default=None, name="to")
    interval: Annotated[Cut, Meta(description="By agent only `whole`")] = Cut.WHOLE
    by: By = By.INTERVAL
    queue: QueueName | None = None


class OfFiguresFile(OfFigures, frozen=True):
    """Which figures, and in which language their headings are."""

    language: Language = Language.EN


def _struct(name: str, columns: Iterable[Column[Any]], doc: str) -> type[msgspec.Struct]:
    fields = [
        (column.key, Annotated[_kind(column.unit), Meta(description=f"{column.heading(Language.EN)}; {column.ja}")])
        for column in columns
    ]
    kind: type[msgspec.Struct] = msgspec.defstruct(name, fields, frozen=True, kw_only=True, module=__name__)
    kind.__doc__ = doc
    return kind


def _kind(unit: Unit) -> Any:
    return int | None if unit is Unit.COUNT else float | None


FIGURES = _struct("Figures", COLUMNS, "Each figure by its key; null: there is nothing to tell. See docs/figures.md.")
AGENT_FIGURES = _struct("AgentFigures", AGENT_COLUMNS, "Each figure of an agent by its key; null: nothing to tell.")
_ROW: Any = msgspec.defstruct(
    "FiguresRow",
    [
        ("since", At, msgspec.field(name="from")),
        ("until", At, msgspec.field(name="to")),
        ("queue", str | None),
        ("figures", FIGURES),
    ],
    bases=(Frozen,),
    module=__name__,
)
_AGENT_ROW: Any = msgspec.defstruct(
    "AgentFiguresRow", [("agent", str), ("figures", AGENT_FIGURES)], bases=(Frozen,), module=__name__
)
FIGURES_PAGE: Any = msgspec.defstruct(
    "FiguresPage",
    [
        ("since", At, msgspec.field(name="from")),
        ("until", At, msgspec.field(name="to")),
        ("as_of", At),
        ("time_zone", str),
        ("rows", tuple[_ROW, ...]),
        ("agents", tuple[_AGENT_ROW, ...]),
    ],
    bases=(Frozen,),
    module=__name__,
)
"""Rows of intervals and queues, or of agents; the others are empty."""
_Found = list[tuple[str | None, "Figures"]]


async def get_figures(ask: Ask[OfFigures, Nothing]) -> Any:
    """Return figures. Raises Refusal, StoreUnavailableError."""
    period, facts, found, agents = await _reckoned(ask.house, ask.query)
    return FIGURES_PAGE(
        since=period.since,
        until=period.until,
        as_of=facts.as_of,
        time_zone=ask.house.zone.key,
        rows=tuple(
            _ROW(since=one.interval.since, until=one.interval.until, queue=queue, figures=cells(FIGURES, COLUMNS, one))
            for queue, one in found
        ),
        agents=tuple(_AGENT_ROW(agent=one.agent, figures=cells(AGENT_FIGURES, AGENT_COLUMNS, one)) for one in agents),
    )


async def get_figures_csv(ask: Ask[OfFiguresFile, Nothing]) -> web.Response:
    """Return figures as a file for spreadsheets. Raises Refusal, StoreUnavailableError."""
    asked, zone = ask.query, ask.house.zone
    period, _, found, agents = await _reckoned(ask.house, asked)
    if asked.by is By.AGENT:
        text = csv_text(agent_headings(asked.language), agent_rows(agents))
    else:
        text = csv_text(headings(asked.language), rows(found, zone, asked.language))
    name = f"figures-{period.since.astimezone(zone):%Y%m%d}-{asked.by.value}.csv"
    return web.Response(
        body=text.encode(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def cells(kind: Any, columns: Iterable[Column[Any]], figures: Any) -> Any:
    """Return all figures of one row by their keys, rounded as they are shown."""
    return kind(**{column.key: column.cell(figures) for column in columns})


async def _reckoned(
    house: ConsoleHouse, asked: OfFigures
) -> tuple[Interval, Facts, Sequence[tuple[str | None, Figures]], Sequence[AgentFigures]]:
    """Return the time, the facts, and the rows. Raises Refusal, StoreUnavailableError."""
    if asked.queue is not None and asked.queue not in house.queues:
        raise Refusal.at("query.queue", "there is no such queue")
    if asked.by is By.AGENT and asked.interval is not Cut.WHOLE:
        raise Refusal.at("query.interval", "figures of agents are of the whole time")
    now = house.now
    period = period_of(asked.since, asked.until, now, house.zone)
    intervals = cut_up(period, asked.interval, house.zone)
    facts = await house.facts.facts(period.since, period.until, as_of=now, queue=asked.queue)
    # In a thread: what takes long here would keep callers waiting.
    if asked.by is By.AGENT:
        return period, facts, [], await asyncio.to_thread(by_agent, facts, period)
    countings = {name: shown.counting for name, shown in house.queues.items()}
    found = await asyncio.to_thread(_rows, facts, intervals, countings, house.counting, asked)
    return period, facts, found, []


def _rows(
    facts: Facts,
    intervals: Sequence[Interval],
    countings: Mapping[str, Counting],
    together: Counting,
    asked: OfFigures,
) -> _Found:
    if asked.by is By.INTERVAL and asked.queue is None:
        return [(None, one) for one in by_interval(facts, intervals, together)]
    # A queue of the settings is told also when nothing happened, and one that is no longer there when something did.
    names = sorted({*countings, *facts.queues}) if asked.queue is None else [asked.queue]
    return [
        (name, one)
        for name in names
        for one in by_interval(facts.of_queue(name), intervals, countings.get(name, together))
    ]


_WHICH = (
    "Of a time of up to 93 days, in quarters of an hour and half hours of up to 8. Without `from` and `to`: today. A "
    "last day is in it, a last instant is not. The same numbers as on every screen."
)
OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET",
        "/figures",
        get_figures,
        tag=Tag.FIGURES,
        summary="Show figures",
        description=_WHICH,
        answer=FIGURES_PAGE,
        scope=Scope.FIGURES_READ,
        query=OfFigures,
    ),
    Operation(
        "GET",
        "/figures.csv",
        get_figures_csv,
        tag=Tag.FIGURES,
        summary="Download figures as CSV",
        description=_WHICH
        + " With a byte order mark, and with whatever a spreadsheet would take for a formula escaped.",
        answer=str,
        scope=Scope.FIGURES_READ,
        query=OfFiguresFile,
        media="text/csv",
    ),
)
