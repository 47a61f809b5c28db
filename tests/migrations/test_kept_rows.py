from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiosqlite
import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from sqlalchemy import String, column, table
from sqlalchemy.exc import IntegrityError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import changing_schema, connect_to, for_writing
from controller.store.migrate import configuration, migrate
from controller.store.tables import metadata
from tests.contract.databases import ENGINES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

_THEN = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
_LATER = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
_PROMISE = {
    "queue": "sales",
    "language": "ja",
    "since": _THEN,
    "made_at": _LATER,
    "not_before": _LATER,
    "expires_at": _LATER,
    "attempts_used": 1,
    "last_outcome": "busy",
    "version": 3,
}
_NUMBER = "+819011112222"
_ATTEMPT = {"promise_id": "p1", "number": _NUMBER, "agent": "hanako", "started_at": _THEN, "ended_at": _LATER}
_SMS = {"number": _NUMBER, "language": "ja", "status": "queued", "tries": 0, "queued_at": _THEN, "not_before": _THEN}
_CALL = {"number": _NUMBER, "arrived_at": _THEN, "ending": "promised", "ended_at": _LATER}
_ROWS = (
    ("promises", {**_PROMISE, "id": "p1", "number": _NUMBER, "state": "waiting", "call_id": "call-1"}),
    ("promises", {**_PROMISE, "id": "p2", "number": "+819033334444", "state": "fulfilled", "call_id": "call-2"}),
    ("attempts", {**_ATTEMPT, "id": "a1", "outcome": "busy"}),
    (
        "promise_events",
        {"promise_id": "p1", "seq": 0, "at": _THEN, "event": "Made", "to_state": "waiting", "detail": "call-1"},
    ),
    ("sms_outbox", {**_SMS, "id": 7, "key": "p1:not_reached", "template": "not_reached", "queue": "sales"}),
    ("calls", {**_CALL, "id": "call-1", "queue": "sales"}),
)
_TABLES = ("promises", "attempts", "promise_events", "sms_outbox", "calls")


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the first version left it, with rows in every table."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0001")
    await write(connected, *_ROWS)
    yield connected
    await connected.dispose()


async def move(engine: AsyncEngine, target: str) -> None:
    """Go up or down to a revision."""

    def go(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        found = MigrationContext.configure(connection).get_current_revision() or ""
        (command.downgrade if target < found else command.upgrade)(config, target)

    async with changing_schema(engine) as connection:
        await connection.run_sync(go)


async def write(engine: AsyncEngine, *new: tuple[str, Mapping[str, object]]) -> None:
    """Add rows, past every mapping of ours."""
    async with for_writing(engine).begin() as connection:
        for name, row in new:
            columns = (column(key, metadata.tables[name].c[key].type if key != "call_id" else String()) for key in row)
            await connection.execute(table(name, *columns).insert().values(row))


async def rows(engine: AsyncEngine, query: str) -> list[dict[str, Any]]:
    """Return what a query finds."""
    async with engine.connect() as connection:
        return [dict(row) for row in (await connection.exec_driver_sql(query)).mappings()]


async def contents(engine: AsyncEngine) -> dict[str, list[dict[str, Any]]]:
    """Return all that the tables of the first version hold."""
    return {name: await rows(engine, f"SELECT * FROM {name} ORDER BY 1") for name in _TABLES}  # noqa: S608 - the names above


async def test_the_second_migration_keeps_every_row_of_the_first(engine: AsyncEngine) -> None:
    """Nothing is lost but the column that has a table of its own now, and nothing gets a value that was not there."""
    before = await contents(engine)
    await move(engine, "0002")
    after = await contents(engine)
    for promise in before["promises"]:
        promise.update(slot_starts_at=None, slot_ends_at=None)
        del promise["call_id"]
    before["sms_outbox"][0]["details"] = "{}"
    before["calls"][0].update(
        dialled="", joined_at=before["calls"][0]["arrived_at"], quoted_low_s=None, quoted_high_s=None, quoted_at=None
    )
    assert after == before


async def test_each_promise_keeps_the_call_that_made_it(engine: AsyncEngine) -> None:
    """A caller whose call goes on over the upgrade is not promised a second time."""
    made = "SELECT call_id, id AS promise_id, made_at AS requested_at FROM promises ORDER BY call_id"
    before = await rows(engine, made)
    await migrate(engine)
    assert len(before) == 2
    assert await rows(engine, "SELECT * FROM promise_requests ORDER BY call_id") == before


async def test_the_way_back_keeps_what_the_first_version_knows(engine: AsyncEngine) -> None:
    """Also of a promise that took in a second call, of a call that came to no queue, and of an SMS nobody can write."""
    before = await contents(engine)
    await migrate(engine)
    await write(
        engine,
        ("promise_requests", {"call_id": "another", "promise_id": "p1", "requested_at": _LATER + timedelta(seconds=1)}),
        ("calls", {"id": "call-3", "dialled": "0312345678", "arrived_at": _THEN}),
        ("sms_outbox", {**_SMS, "key": "x", "template": "web_page", "queue": "", "valid_until": _LATER}),
    )
    await move(engine, "0001")
    after = await contents(engine)
    assert after["calls"].pop() == {
        **dict.fromkeys(before["calls"][0]),
        "id": "call-3",
        "queue": "",
        "arrived_at": before["calls"][0]["arrived_at"],
    }
    assert after == before


async def test_foreign_keys_are_on_again_after_a_migration(engine: AsyncEngine) -> None:
    """They are off while it copies tables, on the one connection that does."""
    await migrate(engine)
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        await write(engine, ("attempts", {**_ATTEMPT, "id": "a2", "promise_id": "nobody"}))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_rows_that_point_nowhere_stop_a_migration_and_nothing_is_changed(engine: AsyncEngine) -> None:
    """A file that was damaged before would otherwise be found out by the first callback that meets the row.

    PostgreSQL lets nobody but a superuser make such a row, and checks references in a migration too.
    """
    async with aiosqlite.connect(str(engine.url.database)) as another_program:
        await another_program.execute("UPDATE attempts SET promise_id = 'nobody'")
        await another_program.commit()
    before = await contents(engine)
    with pytest.raises(StoreUnavailableError, match=r"rows of attempts point to rows that are not there"):
        await migrate(engine)
    assert await contents(engine) == before
    assert await rows(engine, "SELECT version_num FROM alembic_version") == [{"version_num": "0001"}]
