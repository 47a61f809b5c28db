from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import insert

from controller.domain.call_ending import Ending
from controller.ports.promises import StoreUnavailableError
from controller.store.tables import calls
from tests.contract.databases import READY_ENGINES
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    HandClock,
    make,
    refuse_writes,
    rows,
    store_at,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store

LATER = NOON + timedelta(seconds=40)


@pytest.fixture(params=READY_ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Open an empty database of each engine."""
    async with store_at(READY_ENGINES[request.param](tmp_path), HandClock()) as opened:
        yield opened


async def test_a_call_is_recorded_from_its_arrival_to_its_end(store: Store) -> None:
    """Every column that the figures are made of."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON, pbx="pbx-2")
    await store.calls.joined("call-1", queue="sales", joined_at=NOON + timedelta(seconds=8))
    await store.calls.offered("call-1", offered_at=NOON + timedelta(seconds=9))
    await store.calls.quoted("call-1", low_s=60, high_s=180.5, quoted_at=NOON + timedelta(seconds=10))
    await store.calls.answered("call-1", agent="hanako", answered_at=NOON + timedelta(seconds=30))
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=LATER)
    assert await rows(store, "SELECT * FROM calls") == [
        {
            "id": "call-1",
            "dialled": "0312345678",
            "queue": "sales",
            "number": NUMBER,
            "arrived_at": "2030-05-06 03:00:00.123456",
            "joined_at": "2030-05-06 03:00:08.123456",
            "quoted_low_s": 60,
            "quoted_high_s": 180.5,
            "quoted_at": "2030-05-06 03:00:10.123456",
            "agent": "hanako",
            "answered_at": "2030-05-06 03:00:30.123456",
            "ending": "served",
            "ended_at": "2030-05-06 03:00:40.123456",
            "pbx": "pbx-2",
            "offered_at": "2030-05-06 03:00:09.123456",
            "was_closed": False,
        }
    ]


async def test_a_call_that_comes_to_no_queue_has_none(store: Store) -> None:
    """A menu answered it, say."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.ended("call-1", ending=Ending.GUIDED, ended_at=LATER)
    assert await rows(store, "SELECT queue, joined_at, quoted_at, ending FROM calls") == [
        {"queue": None, "joined_at": None, "quoted_at": None, "ending": "guided"}
    ]


async def test_who_goes_on_to_another_queue_has_stood_in_line_since_the_first(store: Store) -> None:
    """The wait that they feel began there; the agents who serve them are the last one's."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.joined("call-1", queue="sales", joined_at=NOON)
    await store.calls.joined("call-1", queue="support", joined_at=LATER)
    assert await rows(store, "SELECT queue, joined_at FROM calls") == [
        {"queue": "support", "joined_at": "2030-05-06 03:00:00.123456"}
    ]


async def test_the_first_offer_stays_and_one_that_is_not_recorded_was_made_to_nobody(store: Store) -> None:
    """It is said again and again."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.offered("call-1", offered_at=NOON)
    await store.calls.offered("call-1", offered_at=LATER)
    await store.calls.offered("call-2", offered_at=LATER)
    assert await rows(store, "SELECT id, offered_at FROM calls") == [
        {"id": "call-1", "offered_at": "2030-05-06 03:00:00.123456"}
    ]


async def test_a_queue_was_closed_or_open_when_the_caller_came_to_the_last_one(store: Store) -> None:
    """Who is sent on from a closed queue to an open one came to an open one."""
    for call_id, queues in (("stayed", [True]), ("went on", [True, False]), ("came late", [False, True])):
        await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=NOON)
        for nth, closed in enumerate(queues):
            await store.calls.joined(call_id, queue=f"queue-{nth}", joined_at=NOON, closed=closed)
    found = {row["id"]: bool(row["was_closed"]) for row in await rows(store, "SELECT id, was_closed FROM calls")}
    assert found == {"stayed": True, "went on": False, "came late": True}


async def test_the_first_wait_that_was_told_stays(store: Store) -> None:
    """The one that the caller decided by; later ones come nearer and are right too easily."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.quoted("call-1", low_s=240, high_s=600, quoted_at=NOON)
    await store.calls.quoted("call-1", low_s=0, high_s=60, quoted_at=LATER)
    assert await rows(store, "SELECT quoted_low_s, quoted_high_s, quoted_at FROM calls") == [
        {"quoted_low_s": 240, "quoted_high_s": 600, "quoted_at": "2030-05-06 03:00:00.123456"}
    ]


async def test_a_caller_who_hides_the_number_is_recorded_without_one(store: Store) -> None:
    """Null, not a word that looks like a number."""
    await store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=NOON)
    assert await rows(store, "SELECT number FROM calls") == [{"number": None}]


async def test_an_arrival_said_twice_is_one_call_that_arrived_first(store: Store) -> None:
    """A restarted controller meets the same channel again."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    before = await rows(store, "SELECT * FROM calls")
    await store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=LATER)
    assert await rows(store, "SELECT * FROM calls") == before


async def test_the_first_answer_and_the_first_ending_stay(store: Store) -> None:
    """The answer that the caller waited for; the end that was seen when it happened."""
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
    before = await rows(store, "SELECT * FROM calls")
    await store.calls.answered("call-1", agent="taro", answered_at=LATER)
    await store.calls.ended("call-1", ending=Ending.FAILED, ended_at=LATER)
    assert await rows(store, "SELECT * FROM calls") == before


async def test_calls_that_ended_while_nobody_watched_get_the_ending_that_the_record_shows(store: Store) -> None:
    """Served when an agent had taken it, promised when it asked for a promise, else abandoned; live calls go on."""
    for call_id in ("talked", "booked", "booked again", "gone", "live", "over"):
        await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=NOON)
    await store.calls.answered("talked", agent="hanako", answered_at=NOON)
    await make(store, wanted("booked"))
    await make(store, wanted("booked again"))
    await store.calls.ended("over", ending=Ending.FAILED, ended_at=NOON)
    assert await store.calls.close_orphans(frozenset({"live"}), ended_at=LATER) == 4
    endings = {row["id"]: row["ending"] for row in await rows(store, "SELECT id, ending FROM calls")}
    assert endings == {
        "talked": "served",
        "booked": "promised",
        "booked again": "promised",
        "gone": "abandoned",
        "live": None,
        "over": "failed",
    }
    assert await store.calls.close_orphans(frozenset({"live"}), ended_at=LATER) == 0


async def test_calls_of_another_asterisk_are_not_ours_to_end(store: Store) -> None:
    """Its office knows which of them are live; we do not."""
    for call_id, pbx in (("here", "pbx-1"), ("there", "pbx-2")):
        await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=NOON, pbx=pbx)
    await store.calls.arrived("nowhere said", dialled="0312345678", number=NUMBER, arrived_at=NOON)
    assert await store.calls.close_orphans(frozenset(), ended_at=LATER, pbx="pbx-2") == 1
    open_calls = await rows(store, "SELECT id, pbx FROM calls WHERE ending IS NULL ORDER BY id")
    assert open_calls == [{"id": "here", "pbx": "pbx-1"}, {"id": "nowhere said", "pbx": "asterisk"}]


async def test_three_thousand_orphans_and_live_calls_are_no_trouble(store: Store) -> None:
    """More than a statement takes parameters on any engine's worst day."""
    async with store.database.engine.begin() as connection:
        await connection.execute(insert(calls), [{"id": f"c{n}", "arrived_at": NOON} for n in range(3000)])
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
        await refuse_writes(store)
        await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=NOON)
        await store.calls.joined("call-1", queue="sales", joined_at=NOON)
        await store.calls.offered("call-1", offered_at=NOON)
        await store.calls.quoted("call-1", low_s=60, high_s=120, quoted_at=NOON)
        await store.calls.answered("call-1", agent="hanako", answered_at=NOON)
        await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
        assert await rows(store, "SELECT id FROM calls") == []
    assert [(entry["event"], entry["call_id"], entry["step"]) for entry in log.entries] == [
        ("call_not_recorded", "call-1", step)
        for step in ("arrived", "joined", "offered", "quoted", "answered", "ended")
    ]
    assert all("can be read but not written" in entry["error"] for entry in log.entries)
    assert NUMBER not in repr(log.entries)


async def test_orphans_cannot_be_closed_without_the_database(tmp_path: Path) -> None:
    """Recovery tries again, so this one raises."""
    path = tmp_path / "orikaeshi.db"
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock()):
        pass
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock(), busy_timeout_s=0.05) as store:
        store.database.sync_engine.dispose()
        path.write_bytes(b"this is not a database" * 100)
        with pytest.raises(StoreUnavailableError, match="is not a database"):
            await store.calls.close_orphans(frozenset(), ended_at=LATER)
