"""What a transaction on a file may do: everything at once, or nothing at all."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import text

from tests.contract.store_under_test import HandClock, make, store_at, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection


async def test_a_transaction_that_waits_for_something_else_writes_nothing(tmp_path: Path) -> None:
    """It would keep the file's one writer for as long as that takes; whoever writes such a one is told at once."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("DELETE FROM promise_requests"))
            await asyncio.sleep(0)

        await make(store, wanted())
        with pytest.raises(RuntimeError, match="something else than its database"):
            await store.database.write(work)
        assert await store.promises.made_on_call("call-1") is not None
        assert (await make(store, wanted("call-2"))).is_new is False


async def test_the_event_loop_runs_no_statement(tmp_path: Path) -> None:
    """A disk that is slow keeps nobody's call waiting; what is logged meanwhile says for whom all the same."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:

        async def work(connection: AsyncConnection) -> tuple[int, object]:
            await connection.execute(text("SELECT 1"))
            return threading.get_ident(), structlog.contextvars.get_contextvars().get("call_id")

        with structlog.contextvars.bound_contextvars(call_id="c-1"):
            seen = [await store.database.write(work), await store.database.read(work)]
        assert all(thread != threading.get_ident() and call_id == "c-1" for thread, call_id in seen)


async def test_reading_goes_on_while_somebody_writes(tmp_path: Path) -> None:
    """It sees what was committed before."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:
        await make(store, wanted())
        writes, may_end = threading.Event(), threading.Event()

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("DELETE FROM promise_requests"))
            writes.set()
            may_end.wait()

        writing = asyncio.ensure_future(store.database.write(work))
        await asyncio.to_thread(writes.wait)
        assert await store.promises.made_on_call("call-1") is not None
        may_end.set()
        await writing
        assert await store.promises.made_on_call("call-1") is None
