from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.console.today import day_of
from controller.domain.access import Role, Scope
from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.csv_text import BYTE_ORDER_MARK
from controller.domain.figure_facts import AgentSpan, CallFact, Facts, TalkFact
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS, Language, headings
from controller.domain.figures import by_agent, figures
from controller.domain.staffing import Demand, Target, agents_needed
from tests.console.house import TOKYO, TUESDAY_TEN, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.console.house import Client, ConsoleSite

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=TOKYO)
FIGURES, STAFFING = "/api/v1/figures", "/api/v1/staffing"
DAY = day_of(NINE.date(), TOKYO)


def call(nth: int, queue: str, *, wait_s: float | None, talk_s: float = 240.0) -> CallFact:
    """Return a call of the first hour: answered after `wait_s`, or abandoned after 50 s."""
    came = NINE + timedelta(seconds=nth * 150)
    if wait_s is None:
        gone = came + timedelta(seconds=50)
        return CallFact(f"call-{nth}", came, queue, came, None, gone, Ending.ABANDONED)
    answered = came + timedelta(seconds=wait_s)
    over = answered + timedelta(seconds=talk_s)
    return CallFact(f"call-{nth}", came, queue, came, answered, over, Ending.SERVED, "agent-1")


CALLS = tuple(
    call(nth, "support" if nth % 3 else "sales", wait_s=None if nth % 5 == 0 else 8.0 * nth) for nth in range(24)
)
TALKS = tuple(
    TalkFact(one.agent, one.queue or "", one.answered_at, one.ended_at, one.ended_at + timedelta(seconds=30))
    for one in CALLS
    if one.answered_at and one.ended_at
)
SPANS = (AgentSpan("agent-1", AgentState.ON_CALL, NINE, NINE + timedelta(hours=1), frozenset({"support", "sales"})),)
FACTS = Facts(TUESDAY_TEN + timedelta(hours=2), CALLS, TALKS, spans=SPANS)


class WrittenFacts:
    """`FactsBook` of one day; it writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime, str | None]] = []

    async def facts(self, start: datetime, end: datetime, *, as_of: datetime, queue: str | None = None) -> Facts:
        """Return the facts of that day."""
        del as_of
        self.asked.append((start, end, queue))
        return FACTS.of_queue(queue) if queue else FACTS


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console whose facts are known."""
    async with site_at(tmp_path, facts=WrittenFacts()) as opened:
        yield opened


@pytest.fixture
async def reader(site: ConsoleSite) -> Client:
    """Return a program that may read figures."""
    return await site.key(Scope.FIGURES_READ)


async def rows(reader: Client, asked: str) -> list[dict[str, Any]]:
    """Return the rows of figures."""
    answer = await reader.get(f"{FIGURES}?{asked}")
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json["rows"]
    return found


async def test_the_api_tells_every_figure_by_its_key_as_it_is_shown_elsewhere(
    site: ConsoleSite, reader: Client
) -> None:
    """Today, all queues together, unless something else is asked for."""
    (row,) = await rows(reader, "")
    found = figures(FACTS, DAY, site.house.counting)
    assert row["figures"] == {column.key: column.cell(found) for column in COLUMNS}
    assert (row["from"], row["to"], row["queue"]) == ("2026-11-23T15:00:00Z", "2026-11-24T15:00:00Z", None)


async def test_intervals_are_told_one_by_one(reader: Client) -> None:
    """What they count adds up to what the day counts."""
    (whole,) = await rows(reader, "from=2026-11-24&to=2026-11-24")
    for interval, count in (("15m", 96), ("30m", 48), ("day", 1)):
        found = await rows(reader, f"from=2026-11-24&to=2026-11-24&interval={interval}")
        assert len(found) == count
        assert sum(row["figures"]["offered"] for row in found) == whole["figures"]["offered"] == 24


async def test_queues_are_told_one_by_one(reader: Client) -> None:
    """By name; and one alone when it is asked for."""
    found = {row["queue"]: row["figures"]["offered"] for row in await rows(reader, "by=queue")}
    assert found == {"sales": 8, "support": 16}
    assert [(row["queue"], row["figures"]["offered"]) for row in await rows(reader, "queue=sales")] == [("sales", 8)]


async def test_agents_are_told_one_by_one(reader: Client) -> None:
    """Of the whole time; there are no intervals of agents."""
    page = (await reader.get(f"{FIGURES}?by=agent")).json
    (found,) = by_agent(FACTS, DAY)
    assert page["agents"] == [
        {"agent": "agent-1", "figures": {column.key: column.cell(found) for column in AGENT_COLUMNS}}
    ]
    assert page["rows"] == []
    assert (await reader.get(f"{FIGURES}?by=agent&interval=30m")).status == 422


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        ("", "2026-11-23T15:00:00Z", "2026-11-24T15:00:00Z"),
        ("from=2026-11-20", "2026-11-19T15:00:00Z", "2026-11-24T15:00:00Z"),
        ("from=2026-11-20&to=2026-11-21", "2026-11-19T15:00:00Z", "2026-11-21T15:00:00Z"),
        ("from=2026-11-20T09:30:00%2B09:00&to=2026-11-20T01:00:00Z", "2026-11-20T00:30:00Z", "2026-11-20T01:00:00Z"),
        ("from=2026-12-01", "2026-11-30T15:00:00Z", "2026-12-01T15:00:00Z"),
    ],
)
async def test_a_time_is_of_days_on_the_wall_or_of_instants(
    site: ConsoleSite, reader: Client, asked: str, since: str, until: str
) -> None:
    """A last day is in it, a last instant is not; so are the facts that are looked up."""
    page = (await reader.get(f"{FIGURES}?{asked}")).json
    assert (page["from"], page["to"], page["time_zone"]) == (since, until, "Asia/Tokyo")
    assert isinstance(site.house.facts, WrittenFacts)
    start, end, _ = site.house.facts.asked[-1]
    assert (f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}") == (since, until)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ("from=2026-11-31", "query.from"),
        ("from=today", "query.from"),
        ("from=2026-11-20T09:30:00", "query.from"),
        ("from=1999-12-31", "query.from"),
        ("to=9999-12-31", "query.to"),
        ("from=2026-11-20&to=2026-11-19", "query.to"),
        ("from=2026-11-20T01:00:00Z&to=2026-11-20T01:00:00Z", "query.to"),
        ("from=2026-08-01&to=2026-11-24", "query.to"),
        ("from=2026-11-01&interval=15m", "query.interval"),
        ("interval=60m", "query.interval"),
        ("queue=nobody", "query.queue"),
    ],
)
async def test_a_time_that_is_none_is_refused(site: ConsoleSite, reader: Client, asked: str, where: str) -> None:
    """Nothing is looked up for it."""
    answer = await reader.get(f"{FIGURES}?{asked}")
    assert (answer.status, [mistake["where"] for mistake in answer.json["mistakes"]]) == (422, [where])
    assert isinstance(site.house.facts, WrittenFacts)
    assert site.house.facts.asked == []


@pytest.mark.parametrize("language", Language)
async def test_the_file_says_the_same(reader: Client, language: Language) -> None:
    """In both languages, with a byte order mark, as a download."""
    answer = await reader.get(f"/api/v1/figures.csv?by=queue&language={language.value}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="figures-20261124-queue.csv"'
    assert answer.text.startswith(BYTE_ORDER_MARK)
    heads, *lines = csv.reader(io.StringIO(answer.text.removeprefix(BYTE_ORDER_MARK)))
    assert heads == headings(language)
    told = await rows(reader, "by=queue")
    for line, row in zip(lines, told, strict=True):
        assert line[2] == row["queue"]
        assert line[3:] == ["" if value is None else str(value) for value in row["figures"].values()]


async def test_a_day_says_how_many_agents_it_would_have_taken(site: ConsoleSite, reader: Client) -> None:
    """By both formulas, for the target of the queue, with the patience of the day."""
    page = (await reader.get(f"{STAFFING}?queue=support&interval=30m")).json
    assert page["day"] == "2026-11-24"
    assert page["target"]["service_level_percent"] == 80.0
    assert len(page["rows"]) == 48
    support = FACTS.of_queue("support")
    whole = figures(support, DAY, site.house.counting)
    assert page["patience_s"] == whole.calls.patience_s
    row = next(one for one in page["rows"] if one["starts_at"] == "2026-11-24T00:00:00Z")
    demand = Demand(row["calls"], row["aht_s"], 1800)
    for name, patience_s in (("erlang_a", whole.calls.patience_s), ("erlang_c", None)):
        expected = agents_needed(demand, Target(), patience_s)
        assert expected is not None
        assert row[name]["agents"] == expected.agents > 0
        assert row[name]["service_level_percent"] == pytest.approx(expected.service_level * 100)
    night = page["rows"][0]
    assert (night["calls"], night["erlang_c"]["agents"]) == (0, 0)


async def test_a_day_without_talks_says_nothing_of_agents(tmp_path: Path) -> None:
    """Nobody knows how long one would have been."""
    async with site_at(tmp_path) as empty:
        supervisor = await empty.client(Role.SUPERVISOR)
        page = (await supervisor.get(f"{STAFFING}?queue=support")).json
        assert {row["erlang_a"] or row["erlang_c"] for row in page["rows"]} == {None}
        assert (await supervisor.get(STAFFING)).json["mistakes"][0]["where"] == "query.queue"
        assert (await supervisor.get(f"{STAFFING}?queue=nobody")).status == 422


async def test_windows_are_told_with_the_places_that_are_left(tmp_path: Path) -> None:
    """Of the plan, from its lead time on; full ones only when they are asked for; a number sees its own as free."""
    async with site_at(tmp_path) as site:
        crm = await site.key(Scope.PROMISES_READ, Scope.PROMISES_WRITE)

        async def slots(asked: str) -> list[dict[str, Any]]:
            return list((await crm.get(f"/api/v1/slots?{asked}")).json["slots"])

        first = (await slots("queue=support&days=1"))[0]
        assert first == {"starts_at": "2026-11-24T02:00:00Z", "ends_at": "2026-11-24T02:30:00Z", "places_left": 2}
        for nth in range(2):
            body = {"queue": "support", "number": f"+8190111{nth:05d}", "slot_starts_at": first["starts_at"]}
            assert (await crm.post("/api/v1/promises", body, Idempotency_Key=f"k{nth}")).status == 201
        assert (await slots("queue=support&days=1"))[0]["starts_at"] == "2026-11-24T02:30:00Z"
        assert (await slots("queue=support&days=1&full=true"))[0]["places_left"] == 0
        own = await slots("queue=support&days=1&number=%2B819011100001")
        assert own[0] == {**first, "places_left": 1}
        assert len(await slots("queue=support&days=2")) > len(await slots("queue=support&days=1"))
        assert (await slots("queue=sales&days=1"))[0]["places_left"] is None
        assert (await crm.get("/api/v1/slots?queue=nobody")).status == 422
