"""The page for Prometheus, over real HTTP, read by the official library: true, bounded, and of nobody in particular."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from controller.console.live import FiguresToday
from controller.console.metrics import MetricsPage, Sources
from controller.domain.call_ending import Ending
from controller.domain.figure_rows import COLUMNS
from controller.domain.lifecycle import AttemptEnded, Cancelled
from controller.domain.outcome import Outcome
from controller.ports.promises import StoreUnavailableError
from tests.console.metrics_site import CALLER, MetricsSite, metrics_at
from tests.contract.store_under_test import attempt_for, make, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.console.today import Today
    from controller.ports.backlog import Backlog

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[MetricsSite]:
    """Serve one."""
    async with metrics_at(tmp_path) as found:
        yield found


async def test_the_page_tells_the_floor_as_it_is(process: MetricsSite) -> None:
    """Line, agents, trunks, problems, offices."""
    await process.a_day()
    value = process.value
    assert await value("orikaeshi_line_waiting", queue="support", kind="live") == 1
    assert await value("orikaeshi_line_waiting", queue="support", kind="due") == 1
    assert await value("orikaeshi_line_waiting", queue="sales", kind="live") == 0
    assert await value("orikaeshi_line_longest_wait_seconds", queue="support") == 45
    assert await value("orikaeshi_line_longest_wait_seconds", queue="sales") == 0
    assert await value("orikaeshi_line_being_served", queue="support", state="talking") == 1
    assert await value("orikaeshi_expected_wait_seconds", queue="support", end="high") == 180
    assert await value("orikaeshi_expected_wait_seconds", queue="sales", end="high") is None
    assert await value("orikaeshi_queue_open", queue="sales") == 0
    assert await value("orikaeshi_agents", state="available") == 1
    assert await value("orikaeshi_agents", state="paused") == 1
    assert await value("orikaeshi_agents", state="on_call") == 0
    assert await value("orikaeshi_agent_phones", phone="away") == 1
    assert await value("orikaeshi_trunk_rests_seconds", pbx="asterisk", trunk="main") == 5
    assert await value("orikaeshi_problems", kind="trunk_down", severity="critical") == 1
    assert await value("orikaeshi_pbx_state", pbx="asterisk", state="in_control") == 1
    assert await value("orikaeshi_pbx_state", pbx="pbx-2", state="in_control") == 0
    assert await value("orikaeshi_lease_term", pbx="asterisk") == 7
    assert await value("orikaeshi_lease_term", pbx="pbx-2") is None


async def test_what_happens_is_counted_once_and_timed(process: MetricsSite) -> None:
    """Calls by how they ended, waits, rings, promises, attempts."""
    await process.a_day()
    value = process.value
    assert await value("orikaeshi_calls_arrived_total") == 3
    assert await value("orikaeshi_calls_total", queue="support", ending="served") == 1
    assert await value("orikaeshi_calls_total", queue="support", ending="abandoned") == 1
    assert await value("orikaeshi_hold_wait_seconds_sum", queue="support", end="answered") == 30
    assert await value("orikaeshi_hold_wait_seconds_count", queue="support", end="key") == 1
    assert await value("orikaeshi_true_wait_seconds_sum", queue="support", way="held") == pytest.approx(40.05)
    assert await value("orikaeshi_true_wait_seconds_sum", queue="support", way="called_back") == 300
    assert await value("orikaeshi_agent_ring_seconds_sum", result="answered") == 4
    assert await value("orikaeshi_agent_ring_seconds_sum", result="missed") == 20
    assert await value("orikaeshi_hand_over_seconds_sum") == pytest.approx(0.05)
    assert await value("orikaeshi_promises_total", queue="support", step="made") == 2
    assert await value("orikaeshi_promises_total", queue="support", step="fulfilled") == 1
    assert await value("orikaeshi_attempts_total", queue="support", outcome="talked") == 1
    assert await value("orikaeshi_attempts_total", queue="support", outcome="no_answer") == 1


async def test_each_transaction_is_timed_once(process: MetricsSite) -> None:
    """From its begin to its end, as one that writes; a scrape itself only reads."""
    count, total = (f"orikaeshi_database_transaction_seconds_{what}" for what in ("count", "sum"))
    before = [await process.value(each, kind="write") or 0.0 for each in (count, total)]

    async def ten_seconds(_connection: object) -> None:
        for _ in range(10):
            next(process.ticks)

    await process.store.database.write(ten_seconds)
    assert await process.value(count, kind="write") == before[0] + 1
    assert await process.value(total, kind="write") == before[1] + 11
    assert await process.value(count, kind="read") is not None


async def test_a_promise_that_is_cancelled_while_it_is_dialled_counts_its_attempt_when_that_ends(
    process: MetricsSite,
) -> None:
    """One promise, one end, one attempt; what is said twice counts once."""
    made = await make(process.store, wanted("c-1", queue="support"))
    promises = process.store.promises
    for _ in range(2):  # an office takes it in hand and lets go of it: it is not made anew
        await promises.hold(made.promise, "asterisk", 0)
        await promises.let_go(made.promise.id, "asterisk", 0)
    await promises.open_attempt(made.promise, attempt_for(made.promise))
    await promises.advance(made.promise.id, Cancelled())
    assert await process.value("orikaeshi_promises_total", queue="support", step="cancelled") == 1
    assert await process.value("orikaeshi_attempts_total", queue="support", outcome="withdrawn") is None
    await promises.advance(made.promise.id, AttemptEnded(Outcome.WITHDRAWN))
    assert await process.value("orikaeshi_promises_total", queue="support", step="made") == 1
    assert await process.value("orikaeshi_promises_total", queue="support", step="cancelled") == 1
    assert await process.value("orikaeshi_attempts_total", queue="support", outcome="withdrawn") == 1


async def test_todays_figures_are_those_of_the_wallboard_to_the_digit(process: MetricsSite) -> None:
    """The same reader, the same keys, the same rounding; what has nothing to tell is not there."""
    await process.a_day()
    today = await process.today.now()
    told = FiguresToday(
        at=today.as_of,
        queues={name: {each.key: each.cell(found) for each in COLUMNS} for name, found in today.totals.items()},
    )
    families = await process.families()
    for name, figures in told.queues.items():
        for key, number in figures.items():
            found = {each.labels["queue"]: each.value for each in families[f"orikaeshi_today_{key}"].samples}
            assert found.get(name or "*") == number, (name, key)
    assert told.queues[""]["offered"] == 3
    assert told.queues["support"]["abandoned"] == 1


async def test_there_is_no_number_and_no_name_on_the_page(process: MetricsSite) -> None:
    """Nor any id, by which one could be found: series stay as few as queues, trunks and words are."""
    await process.a_day()
    page = await process.text()
    assert CALLER[1:] not in page
    assert "0901234" not in page
    assert "agent-1" not in page
    labels = {
        label
        for family in (await process.families()).values()
        for each in family.samples
        for label in each.labels
        if each.name.startswith("orikaeshi_")
    }
    bounded = {"queue", "kind", "state", "end", "duty", "pbx", "trunk", "phone", "severity", "ending", "way", "result"}
    assert labels - bounded - {"step", "outcome", "template", "status", "le"} == set()


async def test_a_thousand_calls_make_no_more_series_than_ten(process: MetricsSite) -> None:
    """And nothing is kept of a call that is over."""

    async def series() -> set[str]:
        return {line.rpartition(" ")[0] for line in (await process.text()).splitlines() if not line.startswith("#")}

    for n in range(10):
        await process.a_caller(f"few-{n}", Ending.ABANDONED)
    few = await series()
    for n in range(200):
        process.meter.arrived(f"many-{n}", process.clock.now())
        process.meter.joined(f"many-{n}", "support")
        process.meter.ended(f"many-{n}", "abandoned")
    assert await series() == few
    assert process.meter.calls_that_go_on == 0


async def test_names_of_agents_are_there_where_the_settings_want_them(tmp_path: Path) -> None:
    """One state each."""
    async with metrics_at(tmp_path, with_agents=True) as process:
        assert await process.value("orikaeshi_agent_state", agent="agent-2", state="paused") == 1
        assert await process.value("orikaeshi_agent_state", agent="agent-2", state="available") is None


async def test_a_scraper_that_reads_openmetrics_gets_it(process: MetricsSite) -> None:
    """The newer text, with its end mark; the same families."""
    await process.a_day()
    async with process.http.get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    ) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert (await answer.text()).endswith("# EOF\n")
    async with process.http.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.headers["Cache-Control"] == "no-store"
    assert "orikaeshi_calls" in await process.openmetrics()


async def test_a_database_that_is_locked_or_away_costs_the_figures_and_not_the_page(process: MetricsSite) -> None:
    """What was read before is told with its age; the floor is as it is now."""
    await process.a_day()
    assert await process.value("orikaeshi_database_up") == 1
    process.clock.turn(30)
    (process.site.file).rename(process.site.file.with_suffix(".away"))
    floor = process.site.floor
    floor.changed(replace(floor.shown, queues=tuple(replace(each, live=7) for each in floor.shown.queues)))

    async def away() -> Today:
        raise StoreUnavailableError("the database does not answer")

    async def nothing() -> Backlog:
        raise StoreUnavailableError("the database does not answer")

    process.page.sources = Sources(lambda: process.process.offices, floor.now, away, nothing)
    assert await process.value("orikaeshi_database_up") == 0
    assert await process.value("orikaeshi_today_age_seconds") == 30
    assert await process.value("orikaeshi_line_waiting", queue="support", kind="live") == 7


async def test_a_database_that_is_silent_holds_nobody_up(process: MetricsSite) -> None:
    """One question at a time lies there, however often is scraped; its answer counts when it comes."""
    asked = 0
    answer = asyncio.Event()
    today = await process.today.now()

    async def slow() -> Today:
        nonlocal asked
        asked += 1
        await answer.wait()
        return today

    page = MetricsPage(
        process.meter,
        replace(process.page.sources, today=slow),
        process.clock,
        answers_in_s=0.01,
    )
    for _ in range(3):
        text, _ = await page.scrape()
        assert b"orikaeshi_database_up 0.0" in text
        assert b"orikaeshi_today_" not in text
    assert asked == 1
    answer.set()
    while b"orikaeshi_database_up 1.0" not in (await page.scrape())[0]:
        pass
    assert b"orikaeshi_today_offered" in (await page.scrape())[0]


async def test_what_waits_to_be_sent_is_counted(process: MetricsSite) -> None:
    """Of webhooks: those that are not settled, and how old the first is."""
    now = process.clock.now()
    with sqlite3.connect(process.site.file) as database:
        for n, settled in enumerate((None, None, now.isoformat(" "))):
            database.execute(
                "INSERT INTO hook_deliveries (hook, event_id, event, subject, body, made_at, not_before, settled_at) "
                "VALUES ('crm', ?, 'e', 'p', '{}', ?, ?, ?)",
                (str(n), "2026-11-24 00:59:00.000000", now.strftime("%Y-%m-%d %H:%M:%S.%f"), settled),
            )
    database.close()
    assert await process.value("orikaeshi_webhooks_waiting") == 2
    assert await process.value("orikaeshi_webhooks_oldest_seconds") == 60
    assert await process.value("orikaeshi_sms_queued") == 0


async def test_where_no_metrics_are_wanted_there_is_no_page(process: MetricsSite) -> None:
    """Probes are answered on the same port."""
    async with process.http.get("/livez") as answer:
        assert answer.status == 200
    async with process.http.post("/metrics") as answer:
        assert answer.status == 405


async def test_every_metric_is_documented_and_nothing_else_is(process: MetricsSite) -> None:
    """In docs/metrics.md, by the name under which Prometheus has it; today's by their keys."""
    await process.a_day()
    there = {
        f"{name}_total" if family.type == "counter" else name
        for name, family in (await process.families()).items()
        if name.startswith("orikaeshi_")
    }
    there |= {"orikaeshi_agent_state"}
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    rows = set(re.findall(r"^\| `(orikaeshi_[a-z0-9_]+)`", text, re.MULTILINE))
    keys = set(re.findall(r"^\| `([a-z0-9_]+)` \| ", text, re.MULTILINE)) - rows
    assert rows == {name for name in there if not name.startswith("orikaeshi_today_")} | {"orikaeshi_today_age_seconds"}
    assert keys == {column.key for column in COLUMNS}
