"""What agents do with their time, from the desk to the database: in order, whole, and one talk for one talk."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import event

from controller.domain.agents import Agent, AgentEvent, AgentState
from controller.domain.line import Waiter, WaiterKind
from controller.journeys.house import Queue
from controller.ports.phones import DeviceState, PhoneStatus
from controller.workers.agent_desk import AgentDesk
from controller.workers.span_recorder import SpanRecorder
from controller.workers.supervisor import Supervisor
from tests.contract.store_under_test import NOON, HandClock, rows, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store
    from controller.workers.agent_desk import DeskReservation

SALES = Queue(name="sales", language="ja", wrap_up_s=30, missed_pause_s=60)
COLUMNS = ("agent", "state", "reason", "queue", "waiter_id", "kind")


class Office:
    """A desk with one agent, whose spans are recorded in a real database."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store, self.clock = store, clock
        self.log = structlog.testing.LogCapture()
        self.supervisor = Supervisor()
        hanako = Agent("hanako", "phone", frozenset({"sales"}), AgentState.SIGNED_OUT, clock.now())
        self.desk = AgentDesk([hanako], clock, self.supervisor)
        logger = structlog.wrap_logger(None, processors=[self.log])
        self.recorder = SpanRecorder(store.agent_spans, clock, logger)
        self.desk.on_changed = lambda _, after: self.recorder.note(after, self.desk.serving(after.name))
        self.commits: asyncio.Queue[None] = asyncio.Queue()
        self._is_committing = False
        self._loop = asyncio.get_running_loop()
        event.listen(store.database.sync_engine, "commit", self._commits)
        event.listen(store.database.sync_engine, "checkin", self._is_done)
        self.task = asyncio.create_task(self.recorder.run())

    def _commits(self, _connection: Any) -> None:
        self._is_committing = True

    def _is_done(self, *_connection: Any) -> None:
        if self._is_committing:
            self._is_committing = False
            self._loop.call_soon_threadsafe(self.commits.put_nowait, None)

    async def ready(self) -> Office:
        """Wait until what was left open is closed."""
        await self.commits.get()
        return self

    async def opens(self) -> Office:
        """Let the phone register, and wait until that is written: what was left open is known then."""
        await self.ready()
        self.phone()
        await self.commits.get()
        return self

    def phone(self, *, there: bool = True) -> None:
        """Let the agent's phone register, or go."""
        state = DeviceState.NOT_INUSE if there else DeviceState.UNAVAILABLE
        self.desk.phone_changed(PhoneStatus("phone", registered=there, device=state))

    def reserves(self, waiter_id: str, kind: WaiterKind = WaiterKind.LIVE) -> DeskReservation:
        """Set the agent aside."""
        waiter = Waiter(waiter_id, kind, "sales", NOON)
        return self.desk.reserve(self.desk.agent("hanako"), SALES, waiter)

    def talks(self, waiter_id: str) -> DeskReservation:
        """Let the agent be rung, and answer a second later."""
        reservation = self.reserves(waiter_id)
        reservation.rings()
        self.clock.turn(1)
        reservation.answered()
        return reservation

    async def leaves(self) -> None:
        """Close the office, as at the end of the process; once."""
        if self.task.done():
            return
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.supervisor.leave()
        event.remove(self.store.database.sync_engine, "commit", self._commits)
        event.remove(self.store.database.sync_engine, "checkin", self._is_done)

    async def spans(self) -> list[tuple[Any, ...]]:
        """Return what was written, oldest first; both ends in seconds after noon."""
        found = await rows(self.store, f"SELECT {', '.join(COLUMNS)}, since, until FROM agent_spans ORDER BY id")  # noqa: S608 - the names above
        return [
            (*(row[name] for name in COLUMNS if row[name]), seconds(row["since"]), seconds(row["until"]))
            for row in found
        ]


def seconds(kept: str | None) -> float | None:
    """Return an instant of the database as seconds after noon of the same hour."""
    if kept is None:
        return None
    minutes, rest = kept[14:].split(":")
    return round(int(minutes) * 60 + float(rest) - 0.123456, 3)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Open an empty database, which is waited for but briefly."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock(), busy_timeout_s=0.05) as opened:
        yield opened


@pytest.fixture
async def office(store: Store) -> AsyncIterator[Office]:
    """Open an office."""
    opened = await Office(store, HandClock()).ready()
    yield opened
    await opened.leaves()


async def test_every_state_is_a_span_that_ends_where_the_next_begins(office: Office) -> None:
    """With whom it was for. The time signed out is nobody's to keep."""
    office.phone()
    office.clock.turn(60)
    reservation = office.talks("call-1")
    office.clock.turn(100)
    reservation.give_back()
    office.clock.turn(20)
    office.desk.move("hanako", AgentEvent.PAUSE, reason="lunch")
    office.clock.turn(5)
    office.phone(there=False)
    office.clock.turn(5)
    await office.leaves()
    served = ("sales", "call-1", "live")
    assert await office.spans() == [
        ("hanako", "available", 0, 60),
        ("hanako", "reserved", *served, 60, 60),
        ("hanako", "ringing", *served, 60, 61),
        ("hanako", "on_call", *served, 61, 161),
        ("hanako", "wrap_up", *served, 161, 181),
        ("hanako", "paused", "lunch", 181, 186),
    ]


async def test_news_that_change_no_state_begin_no_span(office: Office) -> None:
    """A phone that is picked up and put down again."""
    office.phone()
    office.clock.turn(5)
    office.desk.phone_changed(PhoneStatus("phone", registered=True, device=DeviceState.INUSE))
    office.clock.turn(5)
    office.phone()
    await office.leaves()
    assert await office.spans() == [("hanako", "available", 0, 10)]


async def test_a_pause_after_a_call_that_was_missed_says_so(office: Office) -> None:
    """Nobody asked for it."""
    office.phone()
    reservation = office.reserves("call-1")
    reservation.rings()
    office.clock.turn(20)
    reservation.missed()
    await office.leaves()
    assert (await office.spans())[-1] == ("hanako", "paused", "missed", 20, 20)


async def test_a_span_stands_there_while_it_goes_on(office: Office) -> None:
    """Figures of this hour count it; its end is written when it comes."""
    office.phone()
    await office.commits.get()
    assert await office.spans() == [("hanako", "available", 0, None)]
    office.clock.turn(30)
    office.phone(there=False)
    await office.commits.get()
    assert await office.spans() == [("hanako", "available", 0, 30)]


async def test_spans_are_kept_while_the_database_is_away(office: Office, tmp_path: Path) -> None:
    """And written once it is back, as if nothing had been."""
    office.phone()
    await office.commits.get()
    holder = sqlite3.connect(tmp_path / "orikaeshi.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    office.clock.turn(10)
    office.phone(there=False)
    while await office.clock.slept.get() != 1.0:
        pass
    office.clock.turn(20)
    office.phone()
    holder.rollback()
    holder.close()
    office.clock.turn(1)
    await office.commits.get()
    assert await office.spans() == [("hanako", "available", 0, 10), ("hanako", "available", 30, None)]
    (warning,) = [entry for entry in office.log.entries if entry["event"] == "agent_spans_unavailable"]
    assert "is locked by another program" in warning["error"]


async def test_a_process_that_ends_in_order_ends_every_span_but_a_talk_that_goes_on_without_it(office: Office) -> None:
    """Calls stay on the PBX."""
    office.phone()
    office.talks("call-1")
    office.clock.turn(9)
    await office.leaves()
    assert [(span[1], *span[-2:]) for span in await office.spans()] == [
        ("available", 0, 0),
        ("reserved", 0, 0),
        ("ringing", 0, 1),
        ("on_call", 1, None),
    ]


async def test_a_talk_that_is_found_going_on_after_a_restart_is_one_talk(office: Office) -> None:
    """It ends when it ends. Of the time between, in which nobody watched, nothing is missing in it."""
    office.phone()
    office.talks("call-1")
    office.clock.turn(9)
    await office.leaves()
    office.clock.turn(50)
    again = await Office(office.store, office.clock).opens()
    reservation = again.desk.resume("hanako", SALES, "call-1", WaiterKind.LIVE)
    assert reservation is not None
    again.clock.turn(100)
    reservation.give_back()
    again.clock.turn(30)
    await again.leaves()
    assert [(span[1], *span[-2:]) for span in await office.spans()][3:] == [
        ("on_call", 1, 160),
        ("available", 60, 60),
        ("wrap_up", 160, 190),
    ]


async def test_a_talk_that_was_over_when_the_next_process_came_ends_with_the_last_thing_known(office: Office) -> None:
    """What the agent begins by hand afterwards, for the same customer, is another talk."""
    office.phone()
    office.talks("promise-1")
    await office.leaves()
    office.clock.turn(200)
    again = await Office(office.store, office.clock).opens()
    again.clock.turn(10)
    again.desk.resume("hanako", SALES, "promise-1", WaiterKind.PROMISE, goes_on=False)
    again.clock.turn(30)
    await again.leaves()
    assert [(span[1], *span[-2:]) for span in await office.spans()][3:] == [
        ("on_call", 1, 1),
        ("available", 201, 211),
        ("on_call", 211, None),
    ]


async def test_what_a_process_that_was_killed_left_open_is_closed_before_anything_new_is_written(
    office: Office,
) -> None:
    """An agent cannot be available twice."""
    office.phone()
    await office.commits.get()
    office.clock.turn(40)
    await office.store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=office.clock.now())
    office.clock.turn(60)
    again = await Office(office.store, HandClock(office.clock.now())).ready()
    again.phone()
    await again.leaves()
    assert await office.spans() == [("hanako", "available", 0, 40), ("hanako", "available", 100, 100)]
