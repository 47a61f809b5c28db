from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import insert

from controller.ports.call_log import Ending
from controller.ports.promises import StoreUnavailableError
from controller.store.tables import calls
from tests.contract.store_under_test import ENGINES, NOON, NUMBER, HandClock, rows, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store

LATER = NOON + timedelta(seconds=40)


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Open an empty database of each engine."""
    async with store_at(ENGINES[request.param](tmp_path), HandClock()) as opened:
        yield opened


async def test_a_call_is_recorded_from_its_arrival_to_its_end(store: Store) -> None:
    """Every column that the figures are made of."""
    await store.calls.arrived("call-1", queue="sales", number=NUMBER, arrived_at=NOON)
    await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=LATER)
    assert await rows(store, "SELECT id, queue, number, agent, ending FROM calls") == [
        {"id": "call-1", "queue": "sales", "number": NUMBER, "agent": "hanako", "ending": "served"}
    ]


async def test_a_caller_who_hides_the_number_is_recorded_without_one(store: Store) -> None:
    """Null, not a word that looks like a number."""
    await store.calls.arrived("call-1", queue="sales", number=None, arrived_at=NOON)
    assert await rows(store, "SELECT number FROM calls") == [{"number": None}]


async def test_an_arrival_said_twice_is_one_call_that_arrived_first(store: Store) -> None:
    """A restarted controller meets the same channel again."""
    await store.calls.arrived("call-1", queue="sales", number=NUMBER, arrived_at=NOON)
    before = await rows(store, "SELECT * FROM calls")
    await store.calls.arrived("call-1", queue="support", number=None, arrived_at=LATER)
    assert await rows(store, "SELECT * FROM calls") == before


async def test_the_first_answer_and_the_first_ending_stay(store: Store) -> None:
    """The answer that the caller waited for; the end that was seen when it happened."""
    await store.calls.arrived("call-1", queue="sales", number=NUMBER, arrived_at=NOON)
    await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
    before = await rows(store, "SELECT * FROM calls")
    await store.calls.answered("call-1", agent="taro", answered_at=LATER)
    await store.calls.ended("call-1", ending=Ending.FAILED, ended_at=LATER)
    assert await rows(store, "SELECT * FROM calls") == before


async def test_calls_that_ended_while_nobody_watched_get_the_ending_that_the_record_shows(store: Store) -> None:
    """Served when an agent had taken it, promised when it made a promise, else abandoned; live calls go on."""
    for call_id in ("talked", "booked", "gone", "live", "over"):
        await store.calls.arrived(call_id, queue="sales", number=NUMBER, arrived_at=NOON)
    await store.calls.answered("talked", agent="hanako", answered_at=NOON)
    await store.promises.make(wanted("booked"))
    await store.calls.ended("over", ending=Ending.FAILED, ended_at=NOON)
    assert await store.calls.close_orphans(frozenset({"live"}), ended_at=LATER) == 3
    endings = {row["id"]: row["ending"] for row in await rows(store, "SELECT id, ending FROM calls")}
    assert endings == {
        "talked": "served",
        "booked": "promised",
        "gone": "abandoned",
        "live": None,
        "over": "failed",
    }
    assert await store.calls.close_orphans(frozenset({"live"}), ended_at=LATER) == 0


async def test_three_thousand_orphans_and_live_calls_are_no_trouble(store: Store) -> None:
    """More than a statement takes parameters on any engine's worst day."""
    async with store.database.engine.begin() as connection:
        await connection.execute(
            insert(calls), [{"id": f"c{n}", "queue": "sales", "arrived_at": NOON} for n in range(3000)]
        )
    live = frozenset({f"x{n}" for n in range(40_000)} | {"c7"})
    assert await store.calls.close_orphans(live, ended_at=LATER) == 2999
    assert await rows(store, "SELECT id FROM calls WHERE ending IS NULL") == [{"id": "c7"}]


async def test_what_cannot_be_written_is_logged_and_does_not_disturb_the_call(tmp_path: Path) -> None:
    """A database that can be read only; the number does not appear in the log."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()):
        pass
    log = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[log])
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock(), log=logger) as store:
        async with store.database.engine.connect() as holder:
            await holder.exec_driver_sql("PRAGMA query_only = ON")
        await store.calls.arrived("call-1", queue="sales", number=NUMBER, arrived_at=NOON)
        await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
        await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
        assert await rows(store, "SELECT id FROM calls") == []
    assert [(entry["event"], entry["call_id"], entry["step"]) for entry in log.entries] == [
        ("call_not_recorded", "call-1", step) for step in ("arrived", "answered", "ended")
    ]
    assert all("can be read but not written" in entry["error"] for entry in log.entries)
    assert NUMBER not in repr(log.entries)


async def test_orphans_cannot_be_closed_without_the_database(tmp_path: Path) -> None:
    """Recovery tries again, so this one raises."""
    path = tmp_path / "orikaeshi.db"
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock()):
        pass
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock(), busy_timeout_s=0.05) as store:
        await store.database.engine.dispose()
        path.write_bytes(b"this is not a database" * 100)
        with pytest.raises(StoreUnavailableError, match="is not a database"):
            await store.calls.close_orphans(frozenset(), ended_at=LATER)
