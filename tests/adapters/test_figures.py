from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.call_ending import Ending
from controller.domain.line import Decision, WaiterKind
from controller.domain.promise import PromiseState
from controller.domain.quote_coverage import QuotedWait
from controller.ports.promises import StoreUnavailableError
from controller.settings.first_file import DEFAULT_TEMPLATE
from controller.store.dialect import changing_schema, connect_to
from controller.store.listing import list_calls, list_promises, list_waits
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, slot_after, store_at, wanted
from tests.migrations.test_kept_rows import move

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store

DAY = timedelta(days=1)
HEADINGS = ("queue", "announced", "known", "in the range", "sooner", "later", "mean width")


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Return the command line."""
    return CommandLine(capsys)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Return a settings file with the default settings, whose database is beside it."""
    path = tmp_path / "controller.toml"
    path.write_text(DEFAULT_TEMPLATE.read_text("utf-8"), "utf-8")
    return path


def url_beside(settings: Path) -> str:
    """Return the address of the database."""
    return f"sqlite+aiosqlite:///{settings.parent}/orikaeshi.db"


async def quoted(store: Store, call_id: str, queue: str, told_at: datetime, waited_s: float, *, served: bool) -> None:
    """Record a call that was told one to three minutes."""
    over_at = told_at + timedelta(seconds=waited_s)
    await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=told_at)
    await store.calls.joined(call_id, queue=queue, joined_at=told_at)
    await store.calls.quoted(call_id, low_s=60, high_s=180, quoted_at=told_at)
    if served:
        await store.calls.answered(call_id, agent="hanako", answered_at=over_at)
        over_at += timedelta(hours=1)
    await store.calls.ended(call_id, ending=Ending.SERVED if served else Ending.ABANDONED, ended_at=over_at)


async def test_waits_are_read_from_the_announcement_to_the_answer_or_the_end(tmp_path: Path) -> None:
    """Of calls that are over or answered, and were told something in the span."""
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    async with store_at(url, HandClock()) as store:
        await quoted(store, "late", "sales", NOON + timedelta(seconds=9), 200, served=True)
        await quoted(store, "left", "support", NOON, 20, served=False)
        await quoted(store, "the day after", "sales", NOON + DAY, 20, served=True)
        await store.calls.arrived("told nothing", dialled="0312345678", number=None, arrived_at=NOON)
        await store.calls.ended("told nothing", ending=Ending.INFORMED, ended_at=NOON)
        await store.calls.arrived("waits", dialled="0312345678", number=None, arrived_at=NOON)
        await store.calls.quoted("waits", low_s=0, high_s=60, quoted_at=NOON)
    assert await list_waits(url, since=NOON, until=NOON + DAY) == [
        QuotedWait("support", 60, 180, 20, was_answered=False),
        QuotedWait("sales", 60, 180, 200, was_answered=True),
    ]


async def test_a_promise_is_listed_with_its_window_and_a_call_without_a_queue(tmp_path: Path) -> None:
    """As they were written."""
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    slot = slot_after(2)
    async with store_at(url, HandClock()) as store:
        await make(store, wanted(slot=slot, slot_capacity=1))
        await store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=NOON)
    (promise,) = await list_promises(url, state=PromiseState.WAITING, limit=9)
    assert (promise.slot_starts_at, promise.slot_ends_at) == (slot.starts_at, slot.ends_at)
    (call,) = await list_calls(url, limit=9)
    assert (call.dialled, call.queue, call.joined_at, call.quoted_low_s) == ("0312345678", None, None, None)


async def test_a_database_of_an_older_version_is_left_as_it_is_and_says_what_to_do(tmp_path: Path) -> None:
    """A look does not upgrade it."""
    url = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    engine = connect_to(url, busy_timeout_s=1)
    await move(engine, "0001")
    await engine.dispose()
    for looked in (list_calls(url, limit=1), list_waits(url, since=NOON, until=NOON)):
        with pytest.raises(StoreUnavailableError, match=r"made by an older version, .* Start the controller once"):
            await looked
    async with changing_schema(engine) as connection:
        found = await connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        assert found.scalar_one() == "0001"
    await engine.dispose()


@pytest.fixture
async def busy_week(settings: Path) -> Path:
    """Give settings whose database holds announcements of this week and one decision."""
    now = SystemClock().now()
    async with store_at(url_beside(settings), HandClock()) as store:
        for n, (waited_s, served) in enumerate([(100, True), (120, True), (10, True), (300, False), (5, False)]):
            await quoted(store, f"call-{n}", "support", now - timedelta(hours=3), waited_s, served=served)
        await quoted(store, "call-9", "sales", now - 20 * DAY, 100, served=True)
        served_first = Decision(
            at=datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC),
            queue="support",
            waiter_id="call-7",
            kind=WaiterKind.LIVE,
            agent="hanako",
            since=datetime(2026, 11, 20, 1, 0, 0, tzinfo=UTC),
            place=3,
            urgent=True,
            starving=False,
            passed=("call-5", "promise-6"),
        )
        await store.line_audit.record([served_first])
    return settings


def test_the_announced_waits_are_held_against_the_true_ones(controller: CommandLine, busy_week: Path) -> None:
    """Of five, four can be judged: two within, one sooner, one later."""
    said = controller("waits", "--settings", busy_week)
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[0] == " ".join(HEADINGS).split()
    assert lines[2] == ["support", "5", "4", "50.0", "%", "25.0", "%", "25.0", "%", "2.0", "min"]
    assert lines[3][:3] == ["all", "5", "4"]
    assert NUMBER not in said.out


def test_more_days_show_more_and_as_json_for_a_program(controller: CommandLine, busy_week: Path) -> None:
    """Each queue, and all together."""
    data = controller("waits", "--settings", busy_week, "--days", "30", "--json").data
    assert list(data["queues"]) == ["sales", "support"]
    assert data["all"] == {
        "within": 3,
        "below": 1,
        "above": 1,
        "unknown": 1,
        "mean_width_s": 120.0,
        "known": 5,
        "within_percent": 60.0,
        "below_percent": 20.0,
        "above_percent": 20.0,
    }


def test_the_lines_decisions_are_listed_with_who_was_passed(controller: CommandLine, busy_week: Path) -> None:
    """In local time, with the reason."""
    said = controller("line", "--settings", busy_week)
    assert said.code == 0
    row = said.out.splitlines()[2].split("  ")
    assert [cell.strip() for cell in row if cell.strip()] == [
        "11-20 10:02:03",
        "support",
        "live",
        "call-7",
        "hanako",
        "11-20 10:00:00",
        "3",
        "urgent",
        "call-5 promise-6",
    ]
    (found,) = controller("line", "--settings", busy_week, "--queue", "support", "--json").data["decisions"]
    assert found == {
        "at": "2026-11-20T01:02:03+00:00",
        "queue": "support",
        "waiter_id": "call-7",
        "kind": "live",
        "agent": "hanako",
        "since": "2026-11-20T01:00:00+00:00",
        "place": 3,
        "urgent": True,
        "starving": False,
        "passed": ["call-5", "promise-6"],
        "due_at": None,
        "reason": "urgent",
    }
    assert controller("line", "--settings", busy_week, "--queue", "sales").out == "no decisions\n"


async def test_without_announcements_it_says_so(controller: CommandLine, settings: Path) -> None:
    """Not an empty table, nor a hundred per cent of nothing."""
    async with store_at(url_beside(settings), HandClock()):
        pass
    assert controller("waits", "--settings", settings, "--days", "2").out == "no announced waits in the last 2 days\n"
    assert controller("waits", "--settings", settings, "--json").data["all"]["within_percent"] is None
