"""The commands that show a day in figures: what became of its calls, and how many agents it would have wanted."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from controller import from_settings
from controller.commands import Report, refused, settings_with_database, store_beside
from controller.domain.csv_text import csv_text
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS, Language, agent_headings, agent_rows, headings, rows
from controller.domain.figures import by_agent, by_interval
from controller.domain.intervals import Interval, Length, split
from controller.domain.opening_hours import first_instant
from controller.domain.staffing import MOST_AGENTS, Demand, day_plan, rostered
from controller.figures_table import FEW, NOTHING, in_rows, of_agents, side_by_side
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from controller.domain.figure_facts import Counting, Facts
    from controller.domain.figure_rows import Column
    from controller.domain.figures import AgentFigures, Figures
    from controller.domain.staffing import Needed
    from controller.settings import Settings

EXAMPLE = "controller figures --day 2026-11-23 --by interval --interval 30m --queue support --csv > figures.csv"
STAFFING_EXAMPLE = "controller staffing --queue support --day 2026-11-23"
LENGTHS = {"15m": Length.QUARTER_HOUR, "30m": Length.HALF_HOUR, "day": Length.DAY}
_MIDNIGHT = time(0)
_BAR = 40
"""So many blocks at most; up to then one for each agent."""
_MANY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Day:
    """A day on the clock of the house, and what is known of it."""

    interval: Interval
    zone: ZoneInfo
    facts: Facts


def add_figures_arguments(one: ArgumentParser) -> None:
    """Add what `controller figures` takes."""
    _add_day(one)
    one.add_argument("--by", choices=["queue", "agent", "interval"], default="queue", help="what a row is of")
    one.add_argument("--interval", choices=list(LENGTHS), help="how the day is cut (default: day; by interval 30m)")
    one.add_argument("--queue", metavar="NAME", help="only of this queue (default: each, and all together)")
    one.add_argument("--language", choices=[each.value for each in Language], default="en", help="of the headings")
    one.add_argument("--csv", action="store_true", help="print CSV with all columns, for a spreadsheet")


def add_staffing_arguments(one: ArgumentParser) -> None:
    """Add what `controller staffing` takes."""
    _add_day(one)
    one.add_argument("--queue", metavar="NAME", required=True, help="for the calls of this queue")
    one.add_argument("--interval", choices=list(LENGTHS)[:2], default="30m", help="how the day is cut (default: 30m)")
    one.add_argument(
        "--aht", type=_length_s, metavar="SECONDS", help="talk and wrap-up of a call (default: the mean of the day)"
    )


async def figures(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Show the figures of a day, by queue, by agent or by interval."""
    settings = settings_with_database(arguments, env)
    why_not = _no_such_queue(arguments.queue, settings)
    if why_not or (arguments.csv and arguments.json):
        return refused(why_not or "--csv and --json are two ways to print the same: choose one")
    language = Language(arguments.language)
    if arguments.by == "agent":
        if arguments.interval not in {None, "day"}:
            return refused("the figures of agents are of the whole day: leave --interval away")
        day = await _day(arguments, settings, arguments.queue)
        return _agents(by_agent(day.facts, day.interval), day, language, as_csv=arguments.csv)
    day = await _day(arguments, settings, arguments.queue)
    length = LENGTHS[arguments.interval or ("30m" if arguments.by == "interval" else "day")]
    names = [arguments.queue] if arguments.queue or arguments.by == "interval" else _queues(day.facts, settings)
    shown = [(name, each) for name in names for each in _cut(day, length, name, _counting(settings, name))]
    data = {"day": _date_of(day), "time_zone": day.zone.key, "rows": [_data(name, each) for name, each in shown]}
    if arguments.csv:
        # What prints it ends it with a line feed.
        return Report(csv_text(headings(language), rows(shown, day.zone, language)).removesuffix("\n"), data)
    if len(shown) <= FEW:
        return Report(side_by_side(shown, day.zone, language), data)
    return Report(in_rows(shown, day.zone, language, names_queue=len(names) > 1), data)


async def staffing(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Show how many agents the calls of a day would have wanted in each interval."""
    settings = settings_with_database(arguments, env)
    why_not = _no_such_queue(arguments.queue, settings)
    if why_not:
        return refused(why_not)
    day = await _day(arguments, settings, arguments.queue)
    counting = _counting(settings, arguments.queue)
    (whole,) = _cut(day, Length.DAY, arguments.queue, counting)
    aht_s = arguments.aht or whole.handling.aht_s
    if aht_s is None:
        return refused("No talk of that day shows how long one is, wrap-up included. Say it: --aht SECONDS.")
    cut = _cut(day, LENGTHS[arguments.interval], arguments.queue, counting)
    # What is not over yet has not shown its calls.
    demands = [
        (each.interval, Demand(each.calls.offered, aht_s, each.interval.length_s))
        for each in cut
        if each.interval.until <= day.facts.as_of
    ]
    patience_s = from_settings.patience_s(settings, arguments.queue) or whole.calls.patience_s
    plan = day_plan(_busy(demands), from_settings.target(settings, arguments.queue), patience_s)
    shrinkage = from_settings.shrinkage(settings, arguments.queue)
    data = {
        "day": _date_of(day),
        "queue": arguments.queue,
        "aht_s": aht_s,
        "patience_s": patience_s,
        "rows": [_plan_data(one, shrinkage) for one in plan],
    }
    if not plan:
        return Report(f"no calls for {arguments.queue} on {data['day']}", data)
    formula = (
        "Erlang C: nobody gave up" if patience_s is None else f"Erlang A: callers hold {patience_s:.0f} s on average"
    )
    return Report(f"{_plan_table(plan, day.zone, shrinkage)}\n\nA call takes {aht_s:.0f} s. {formula}.", data)


def _add_day(one: ArgumentParser) -> None:
    one.add_argument("--day", type=_date, metavar="YYYY-MM-DD", help="on the clock of the house (default: today)")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-23") from None


def _length_s(text: str) -> float:
    if not text.isascii() or not text.replace(".", "", 1).isdecimal() or not 0 < float(text) <= _MANY_S:
        raise ArgumentTypeError(f"{text!r} is no length in seconds, up to a day")
    return float(text)


def _no_such_queue(queue: str | None, settings: Settings) -> str:
    names = [each.name for each in settings.queues]
    return "" if queue is None or queue in names else f"There is no queue {queue!r}; there are: {', '.join(names)}."


async def _day(arguments: Namespace, settings: Settings, queue: str | None) -> Day:
    now, zone = SystemClock().now(), settings.zone
    day = arguments.day or now.astimezone(zone).date()
    since, until = (first_instant(datetime.combine(each, _MIDNIGHT), zone) for each in (day, day + timedelta(days=1)))
    async with store_beside(settings) as store:
        return Day(Interval(since, until), zone, await store.facts.facts(since, until, as_of=now, queue=queue))


def _date_of(day: Day) -> str:
    return day.interval.since.astimezone(day.zone).date().isoformat()


def _queues(facts: Facts, settings: Settings) -> list[str | None]:
    """Return every queue, those that were taken out of the settings last, and then all together."""
    names = [queue.name for queue in settings.queues]
    return [*names, *(name for name in facts.queues if name not in names), None]


def _counting(settings: Settings, queue: str | None) -> Counting:
    known = any(each.name == queue for each in settings.queues)
    return from_settings.counting(settings, queue if known else None)


def _cut(day: Day, length: Length, queue: str | None, counting: Counting) -> list[Figures]:
    facts = day.facts if queue is None else day.facts.of_queue(queue)
    return by_interval(facts, split(day.interval, day.zone, length), counting)


def _agents(found: Sequence[AgentFigures], day: Day, language: Language, *, as_csv: bool) -> Report:
    data = {
        "day": _date_of(day),
        "time_zone": day.zone.key,
        "rows": [{"agent": each.agent, **_cells(AGENT_COLUMNS, each)} for each in found],
    }
    if as_csv:
        return Report(csv_text(agent_headings(language), agent_rows(found)).removesuffix("\n"), data)
    return Report(of_agents(found, language) if found else "no agents", data)


def _data(queue: str | None, each: Figures) -> dict[str, Any]:
    since, until = each.interval.since.isoformat(), each.interval.until.isoformat()
    return {"queue": queue, "since": since, "until": until, **_cells(COLUMNS, each)}


def _cells(columns: Iterable[Column[Any]], each: object) -> dict[str, Any]:
    return {column.key: column.cell(each) for column in columns}


def _busy(demands: Sequence[tuple[Interval, Demand]]) -> Sequence[tuple[Interval, Demand]]:
    """Return the demands from the first with a call to the last."""
    with_calls = [nth for nth, (_, demand) in enumerate(demands) if demand.calls]
    return demands[with_calls[0] : with_calls[-1] + 1] if with_calls else []


def _plan_data(one: Needed, shrinkage: float) -> dict[str, Any]:
    expected = one.expected
    return {
        "since": one.interval.since.isoformat(),
        "until": one.interval.until.isoformat(),
        "calls": one.demand.calls,
        "erlangs": round(one.demand.traffic, 2),
        "agents": None if expected is None else expected.agents,
        "rostered": None if expected is None else rostered(expected.agents, shrinkage),
        "service_level_percent": None if expected is None else round(100 * expected.service_level, 1),
        "abandon_percent": None if expected is None else round(100 * expected.abandon_share, 1),
        "occupancy_percent": None if expected is None else round(100 * expected.occupancy, 1),
    }


def _plan_table(plan: Sequence[Needed], zone: ZoneInfo, shrinkage: float) -> str:
    most = max((one.expected.agents for one in plan if one.expected is not None), default=0)
    titles = ["From", "Calls", "Erlangs", "Agents", "On the roster", "Service level", "Give up", "Occupancy", ""]
    return table(titles, [_plan_cells(one, zone, shrinkage, most) for one in plan])


def _plan_cells(one: Needed, zone: ZoneInfo, shrinkage: float, most: int) -> list[str]:
    start = [
        f"{one.interval.since.astimezone(zone):%H:%M}",
        f"{one.demand.calls:g}",
        f"{one.demand.traffic:.2f}",
    ]
    found = one.expected
    if found is None:
        return [*start, f"> {MOST_AGENTS}", *[NOTHING] * 4, ""]
    shares = (found.service_level, found.abandon_share, found.occupancy)
    blocks = found.agents if most <= _BAR else -(-found.agents * _BAR // most)
    return [
        *start,
        str(found.agents),
        str(rostered(found.agents, shrinkage)),
        *(f"{100 * share:.1f} %" for share in shares),
        "█" * blocks,
    ]
