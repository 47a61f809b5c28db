"""The way to recordings and back, on each engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from controller.store.dialect import connect_to
from controller.store.migrate import migrate
from tests.contract.databases import ENGINES
from tests.migrations.test_kept_rows import move, rows, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

THEN = datetime(2030, 5, 5, 23, 0, tzinfo=UTC)
NUMBER = "+819011112222"
_PROMISE = {"id": "p1", "queue": "sales", "language": "ja", "number": NUMBER, "state": "fulfilled", "since": THEN}
_TIMES = {"made_at": THEN, "not_before": THEN, "expires_at": THEN, "attempts_used": 3, "version": 3}
_ATTEMPT = {"promise_id": "p1", "number": NUMBER, "started_at": THEN, "ended_at": THEN, "outcome": "talked"}
_RECORDING = {
    "id": "r1",
    "waiter_id": "p1",
    "kind": "promise",
    "queue": "sales",
    "agent": "hanako",
    "consent": "told",
    "began_at": THEN,
    "ended_at": THEN,
}
_ATTEMPTS = "SELECT * FROM attempts ORDER BY id"


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the seventh version left it: one attempt had an agent from the start, two had none."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0007")
    await write(connected, ("promises", {**_PROMISE, **_TIMES}))
    for name, agent in (("a1", "hanako"), ("a2", ""), ("a3", "")):
        await write(connected, ("attempts", {**_ATTEMPT, "id": name, "agent": agent}))
    yield connected
    await connected.dispose()


async def test_attempts_are_kept_and_those_without_an_agent_had_dialled_the_customer_first(engine: AsyncEngine) -> None:
    """Row for row; and what the way back knows nothing of is all that it takes away."""
    before = await rows(engine, _ATTEMPTS)
    await migrate(engine)
    after = await rows(engine, _ATTEMPTS)
    assert [bool(row["customer_first"]) for row in after] == [False, True, True]
    assert [{key: row[key] for key in row if key != "customer_first"} for row in after] == before
    await move(engine, "0007")
    assert await rows(engine, _ATTEMPTS) == before


async def test_an_attempt_that_says_nothing_of_it_dialled_the_agent_first(engine: AsyncEngine) -> None:
    """As a controller of the version before writes it, in the minutes of an upgrade."""
    await migrate(engine)
    await write(engine, ("attempts", {**_ATTEMPT, "id": "a9", "agent": "hanako"}))
    (row,) = await rows(engine, "SELECT customer_first FROM attempts WHERE id = 'a9'")
    assert not row["customer_first"]


@pytest.mark.parametrize("unwanted", [False, True])
async def test_there_is_no_way_back_while_sound_is_left(engine: AsyncEngine, unwanted: bool) -> None:
    """Nobody would erase it. It says so, and nothing was changed."""
    await migrate(engine)
    await write(engine, ("recordings", {**_RECORDING, "unwanted": unwanted}))
    before = await rows(engine, "SELECT * FROM recordings"), await rows(engine, _ATTEMPTS)
    with pytest.raises(RuntimeError, match="would never erase them"):
        await move(engine, "0007")
    assert (await rows(engine, "SELECT * FROM recordings"), await rows(engine, _ATTEMPTS)) == before
    assert await rows(engine, "SELECT version_num FROM alembic_version") == [{"version_num": "0008"}]


async def test_the_way_back_is_open_once_all_sound_is_gone(engine: AsyncEngine) -> None:
    """What is left is who talked with whom, which attempts and calls tell as well."""
    await migrate(engine)
    await write(engine, ("recordings", {**_RECORDING, "unwanted": True, "erased_at": THEN}))
    await move(engine, "0007")
    await migrate(engine)
    assert await rows(engine, "SELECT * FROM recordings") == []
