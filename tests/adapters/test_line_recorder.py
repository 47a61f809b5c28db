from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import event

from controller.domain.line import Decision, WaiterKind
from controller.workers.line_recorder import LineRecorder
from tests.contract.store_under_test import NOON, HandClock, rows, store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store


def decision(n: int) -> Decision:
    """Return the n-th decision of the day."""
    return Decision(
        at=NOON + timedelta(seconds=n),
        queue="sales",
        waiter_id=f"call-{n}",
        kind=WaiterKind.LIVE,
        agent="hanako",
        since=NOON,
        place=1,
        urgent=False,
        starving=False,
        passed=(),
    )


class Desk:
    """A recorder at work on a real database, and what it logs."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store, self.path = store, path
        self.clock = HandClock()
        self.log = structlog.testing.LogCapture()
        logger = structlog.wrap_logger(None, processors=[self.log])
        self.recorder = LineRecorder(store.line_audit, self.clock, logger, keep=1000)
        self.commits: asyncio.Queue[None] = asyncio.Queue()
        self._is_committing = False
        self._loop = asyncio.get_running_loop()
        event.listen(store.database.sync_engine, "commit", self._commits)
        event.listen(store.database.sync_engine, "checkin", self._is_done)
        self.task: asyncio.Task[None] | None = None

    def _commits(self, _connection: Any) -> None:
        self._is_committing = True

    def _is_done(self, *_connection: Any) -> None:
        # The event named commit comes before the commit; when the connection is given back, it is over.
        if self._is_committing:
            self._is_committing = False
            self._loop.call_soon_threadsafe(self.commits.put_nowait, None)

    def start(self) -> None:
        """Let the recorder run."""
        self.task = asyncio.create_task(self.recorder.run())

    async def stop(self) -> None:
        """Cancel it, as at the end of the process."""
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    async def written(self) -> list[str]:
        """Return who was served, in the order of the rows."""
        return [row["waiter_id"] for row in await rows(self.store, "SELECT waiter_id FROM line_decisions ORDER BY id")]

    def logged(self, name: str) -> list[dict[str, Any]]:
        """Return its log lines of one name."""
        return [dict(entry) for entry in self.log.entries if entry["event"] == name]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Open an empty database, which is waited for but briefly."""
    path = tmp_path / "orikaeshi.db"
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock(), busy_timeout_s=0.05) as store:
        at_work = Desk(store, path)
        yield at_work
        await at_work.stop()


async def test_decisions_are_written_in_their_order_and_in_few_transactions(desk: Desk) -> None:
    """Those of one moment are one batch."""
    desk.start()
    for n in range(300):
        desk.recorder.note(decision(n))
    await desk.commits.get()
    await desk.stop()
    assert await desk.written() == [f"call-{n}" for n in range(300)]
    assert desk.commits.empty()


async def test_what_was_noted_before_the_recorder_runs_is_written_too(desk: Desk) -> None:
    """The line may decide first."""
    desk.recorder.note(decision(1))
    desk.start()
    await desk.commits.get()
    assert await desk.written() == ["call-1"]


async def test_decisions_are_kept_while_the_database_is_away(desk: Desk) -> None:
    """They are written once it is back, in their order, and what was said of it names the cause."""
    holder = sqlite3.connect(desk.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    desk.start()
    for n in range(2):
        desk.recorder.note(decision(n))
    assert await desk.clock.slept.get() == 1.0
    desk.recorder.note(decision(2))
    holder.rollback()
    holder.close()
    desk.clock.turn(1)
    await desk.commits.get()
    assert await desk.written() == ["call-0", "call-1", "call-2"]
    (warning,) = desk.logged("line_audit_unavailable")
    assert "is locked by another program" in warning["error"]
    assert (warning["kept"], warning["lost"]) == (2, 0)


async def test_only_so_many_are_kept_and_the_loss_is_told(desk: Desk) -> None:
    """The oldest go first: memory does not grow for as long as the database is away."""
    holder = sqlite3.connect(desk.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    desk.start()
    desk.recorder.note(decision(0))
    await desk.clock.slept.get()
    for n in range(1, 1101):
        desk.recorder.note(decision(n))
    holder.rollback()
    holder.close()
    desk.clock.turn(1)
    for _ in range(2):  # a thousand decisions are two batches
        await desk.commits.get()
    await desk.stop()
    assert await desk.written() == [f"call-{n}" for n in range(101, 1101)]
    assert [entry["count"] for entry in desk.logged("line_audit_lost")] == [101]


async def test_what_is_left_at_the_end_is_written_before_the_recorder_is_gone(desk: Desk) -> None:
    """Also when it never came to run in between."""
    desk.start()
    await asyncio.sleep(0)
    desk.recorder.note(decision(1))
    await desk.stop()
    assert await desk.written() == ["call-1"]


async def test_a_batch_that_is_being_written_at_the_end_is_written_once(desk: Desk) -> None:
    """Cancelled in the middle of its transaction."""
    desk.start()

    loop = asyncio.get_running_loop()

    def cancel(*_anything: Any) -> None:
        assert desk.task is not None
        loop.call_soon_threadsafe(desk.task.cancel)

    event.listen(desk.store.database.sync_engine, "before_cursor_execute", cancel)
    desk.recorder.note(decision(1))
    await desk.commits.get()
    await desk.stop()
    assert await desk.written() == ["call-1"]


async def test_what_cannot_be_written_at_the_end_is_told(desk: Desk) -> None:
    """How many, and why; the process goes all the same."""
    holder = sqlite3.connect(desk.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    desk.start()
    for n in range(3):
        desk.recorder.note(decision(n))
    await desk.clock.slept.get()
    await desk.stop()
    holder.rollback()
    holder.close()
    assert [entry["count"] for entry in desk.logged("line_audit_lost")] == [3]
    assert "is locked by another program" in desk.logged("line_audit_unavailable")[-1]["error"]
    assert await desk.written() == []
