"""The page of figures: a day, interval by interval, as tables and charts; and how many agents it would have taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from controller.console.api.staffing import staffing_rows
from controller.console.doors import Door, Way
from controller.console.pages import day_charts, texts_charts, texts_figures
from controller.console.pages.pages import language_for, render
from controller.console.pages.texts_formulas import FORMULAS
from controller.console.today import day_of
from controller.domain.access import Scope
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS, Language, Unit
from controller.domain.figures import by_agent, by_interval, figures
from controller.domain.intervals import Length, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiohttp import web

    from controller.console.api.staffing import StaffingRow
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal
    from controller.domain.figure_facts import Counting, Facts
    from controller.domain.figure_rows import Column
    from controller.domain.figures import AgentFigures, Figures
    from controller.domain.intervals import Interval
    from controller.domain.staffing import Target

WORDS = {**texts_charts.WORDS, **texts_figures.WORDS}
LENGTHS = {"30m": Length.HALF_HOUR, "15m": Length.QUARTER_HOUR}
GROUPS = {
    "calls": "incoming",
    "waits": "service_level_percent",
    "agents": "talks",
    "callbacks": "callbacks_offered",
    "fairness": "ranges_known",
}
"""The groups in which the columns are shown, each by its first one: they stand in this order."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is to show."""

    day: date
    queue: str
    """"" for all together."""
    length: str
    group: str
    is_wrong_day: bool = False

    def query(self, **changed: object) -> str:
        """Return the query of the page with something else chosen."""
        now = {"day": self.day, "queue": self.queue, "interval": self.length, "group": self.group}
        return "?" + urlencode({**now, **changed})


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Everything that is shown of a day."""

    day: Sequence[Figures]
    whole: Figures
    queues: Mapping[str, Figures]
    agents: Sequence[AgentFigures]
    staffing: Sequence[StaffingRow] | None


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the figures."""
    return (Door("GET", "/figures", partial(_show, house), Scope.FIGURES_READ, Way.PAGE),)


def asked_of(request: web.Request, house: ConsoleHouse) -> Asked:
    """Return what is asked for; what cannot be understood is today, all queues, half hours, calls."""
    today, given = house.now.astimezone(house.zone).date(), request.query
    try:
        day = date.fromisoformat(given["day"]) if given.get("day") else today
    except ValueError:
        day = date.min
    is_wrong = not _FIRST_YEAR <= day.year <= _LAST_YEAR
    only = next(iter(house.queues)) if len(house.queues) == 1 else ""
    return Asked(
        day=today if is_wrong else day,
        queue=given["queue"] if given.get("queue") in house.queues else only,
        length=given["interval"] if given.get("interval") in LENGTHS else "30m",
        group=given["group"] if given.get("group") in GROUPS else "calls",
        is_wrong_day=is_wrong,
    )


def columns_of(group: str) -> Sequence[Column[Figures]]:
    """Return the columns of a group. Raises KeyError."""
    keys, firsts = [column.key for column in COLUMNS], list(GROUPS.values())
    nth = firsts.index(GROUPS[group])
    end = keys.index(firsts[nth + 1]) if nth + 1 < len(firsts) else len(keys)
    return COLUMNS[keys.index(GROUPS[group]) : end]


async def _show(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    """Answer with the page. Raises StoreUnavailableError."""
    language, asked, now = Language(language_for(house, request, principal)), asked_of(request, house), house.now
    day = day_of(asked.day, house.zone)
    intervals = split(day, house.zone, LENGTHS[asked.length])
    shown = house.queues.get(asked.queue)
    counting, target = (shown.counting, shown.target) if shown else (house.counting, None)
    facts = await house.facts.facts(day.since, day.until, as_of=now, queue=asked.queue or None)
    # In a thread: what takes long here would keep callers waiting.
    each = {} if shown else {name: queue.counting for name, queue in house.queues.items()}
    found = await asyncio.to_thread(_reckoned, facts, day, intervals, counting, target, each)
    columns = columns_of(asked.group)
    return render(
        house,
        request,
        principal,
        "figures.html",
        words=WORDS,
        asked=asked,
        queues=[(name, queue.title(language)) for name, queue in house.queues.items()],
        lengths=LENGTHS,
        groups=GROUPS,
        before=asked.query(day=asked.day - _DAY),
        after=asked.query(day=asked.day + _DAY),
        as_of=f"{now.astimezone(house.zone):%H:%M}",
        table=_table(columns, found, house, language),
        by_agent=_agents(found.agents, language),
        formulas=[(column.heading(language), FORMULAS[column.key][language]) for column in columns],
        charts=_charts(found, house, language, target),
        with_tables=True,
        target=target,
        staffing=found.staffing,
        csv="/api/v1/figures.csv?" + _csv_query(asked, language, by="interval", interval=asked.length),
        csv_agents="/api/v1/figures.csv?" + _csv_query(asked, language, by="agent", interval="whole"),
    )


def _csv_query(asked: Asked, language: Language, **more: str) -> str:
    queue = {"queue": asked.queue} if asked.queue else {}
    return urlencode({"from": asked.day, "to": asked.day, **more, **queue, "language": language.value})


def _reckoned(
    facts: Facts,
    day: Interval,
    intervals: Sequence[Interval],
    counting: Counting,
    target: Target | None,
    each: Mapping[str, Counting],
) -> Reckoned:
    return Reckoned(
        day=by_interval(facts, intervals, counting),
        whole=figures(facts, day, counting),
        queues={name: figures(facts.of_queue(name), day, own) for name, own in each.items()},
        agents=by_agent(facts, day),
        staffing=staffing_rows(facts, day, intervals, counting, target)[0] if target else None,
    )


def _charts(found: Reckoned, house: ConsoleHouse, language: Language, target: Target | None) -> list[Any]:
    day, zone = day_charts.busy(found.day), house.zone
    goal = None if target is None else 100 * target.service_level
    charts = [
        day_charts.calls(day, zone, language),
        day_charts.waits(day, zone, language),
        day_charts.service_level(day, zone, language, goal),
    ]
    if found.staffing is None:
        return charts
    needed = {row.starts_at: row for row in found.staffing}
    rows = [needed[one.interval.since] for one in day]
    needed_a = [row.erlang_a.agents if row.erlang_a else None for row in rows]
    needed_c = [row.erlang_c.agents if row.erlang_c else None for row in rows]
    return [*charts, day_charts.staffing(day, needed_a, needed_c, zone, language)]


def _table(columns: Sequence[Column[Figures]], found: Reckoned, house: ConsoleHouse, language: Language) -> Any:
    """Return (headings with their formulas, rows of intervals, the row of the whole day, rows of queues)."""
    busy = day_charts.busy(found.day)
    labels = [slot.label for slot in day_charts.slots(busy, house.zone)]
    return {
        "headings": _headings(columns, language),
        "rows": [(label, _cells(columns, one)) for label, one in zip(labels, busy, strict=True)],
        "whole": _cells(columns, found.whole),
        "queues": [(_title(house, name, language), _cells(columns, one)) for name, one in found.queues.items()],
    }


def _title(house: ConsoleHouse, queue: str, language: Language) -> str:
    """Return what people call a queue; one that is no longer in the settings has its name alone."""
    shown = house.queues.get(queue)
    return queue if shown is None else shown.title(language)


def _agents(found: Sequence[AgentFigures], language: Language) -> Any:
    rows = [(one.agent, _cells(AGENT_COLUMNS, one)) for one in found]
    return {"headings": _headings(AGENT_COLUMNS, language), "rows": rows}


def _headings(columns: Iterable[Column[Any]], language: Language) -> list[tuple[str, str]]:
    return [(column.heading(language), FORMULAS[column.key][language]) for column in columns]


def _cells(columns: Iterable[Column[Any]], one: Any) -> list[str]:
    return [_cell(column, column.cell(one)) for column in columns]


def _cell(column: Column[Any], value: float | None) -> str:
    if value is None:
        return ""
    digits = {Unit.COUNT: 0, Unit.PERCENT: 1, Unit.SECONDS: 1, Unit.ERLANGS: 2}[column.unit]
    return f"{value:,.{digits}f}"
