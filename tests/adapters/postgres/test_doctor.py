"""The doctor's look at a server, and what commands show of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.doctor import Finding, Level, examine
from controller.domain.lifecycle import DeadlinePassed
from controller.ports.promises import StoreUnavailableError
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store.history import StoredHistory
from controller.store.listing import list_calls, list_promises
from controller.store.migrate import newest_schema
from controller.system_clock import SystemClock
from lab.postgres import PASSWORD, Postgres, open_postgres
from tests.adapters.test_doctor import ENV
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, store_at, wanted

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store


async def look(folder: Path, url: str, *, ahead_s: float = 0, password: str = "") -> dict[str, Finding]:
    """Examine an installation with this database; the findings about it. `ahead_s`: of the server's clock to ours."""
    path = folder / "controller.toml"
    path.write_text(with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"'), encoding="utf-8")
    findings = await examine(
        path,
        ENV | {"ORIKAESHI_DB_PASSWORD": password},
        conf_folders=(),
        now_s=lambda: SystemClock().now().timestamp() - ahead_s,
        free_bytes=lambda _: 10**11,
    )
    return {one.check: one for one in findings if one.check.startswith("database")}


async def test_a_new_database_and_a_migrated_one_are_in_order(tmp_path: Path, server: Postgres, name: str) -> None:
    """By the socket; fsync is off here, and that is told."""
    found = await look(tmp_path, server.url(name))
    assert "will be made at the first start" in found["database"].found
    async with store_at(server.url(name), HandClock()):
        pass
    found = await look(tmp_path, server.url(name))
    assert (found["database"].level, found["database (clock)"].level) == (Level.OK, Level.OK)
    assert f"schema {newest_schema()}, UTF8" in found["database"].found
    assert found["database (fsync)"].level is Level.FAULT
    assert "database (network)" not in found


async def test_the_password_comes_from_the_environment(tmp_path: Path, server: Postgres, name: str) -> None:
    """And a wrong one is told, not shown."""
    url = f"postgresql+asyncpg://orikaeshi@127.0.0.1:{server.port}/{name}"
    assert (await look(tmp_path, url, password=PASSWORD))["database"].level is Level.OK
    found = await look(tmp_path, url, password="hunter2-hunter2")
    assert "refuses the password" in found["database"].found
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("ahead_s", "level"),
    [(0.1, Level.OK), (1, Level.WARNING), (-1, Level.WARNING), (5, Level.FAULT), (-5, Level.FAULT)],
)
async def test_clocks_that_differ_are_told(
    tmp_path: Path, server: Postgres, name: str, ahead_s: float, level: Level
) -> None:
    """Leases are compared by them."""
    clock = (await look(tmp_path, server.url(name), ahead_s=ahead_s))["database (clock)"]
    assert clock.level is level
    if level is not Level.OK:
        assert ("ahead of" in clock.found) is (ahead_s > 0)


async def test_what_promises_cannot_be_entrusted_to_is_told(tmp_path: Path, server: Postgres, name: str) -> None:
    """Another encoding, another version's tables, commits that are not waited for."""
    async with store_at(server.url(name), HandClock()):
        pass
    server.sql("UPDATE alembic_version SET version_num = '0001'", database=name)
    assert "of schema 0001" in (await look(tmp_path, server.url(name)))["database"].found
    server.sql("DROP DATABASE IF EXISTS latin; CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "encoding is LATIN1" in (await look(tmp_path, server.url("latin")))["database"].found
    assert (
        "cannot be reached"
        in (await look(tmp_path, "postgresql+asyncpg://u@127.0.0.1:1/d", password="x"))["database"].found
    )


async def test_commits_that_nobody_waits_for_are_a_fault(tmp_path: Path) -> None:
    """And a server that waits for the disk is in order."""
    with open_postgres(is_durable=True) as durable:
        url = durable.url(durable.create())
        assert (await look(tmp_path, url))["database (commits)"].level is Level.OK
        durable.sql("ALTER ROLE orikaeshi SET synchronous_commit = off")
        assert (await look(tmp_path, url))["database (commits)"].level is Level.FAULT


async def test_commands_look_into_a_server_as_into_a_file(store: Store, server: Postgres, name: str) -> None:
    """Promises, calls, and one promise's story; reading only."""
    url = server.url(name)
    promise = (await make(store, wanted())).promise
    await store.promises.advance(promise.id, DeadlinePassed())
    await store.calls.arrived("call-1", dialled="1", number=NUMBER, arrived_at=NOON)
    assert [one.id for one in await list_promises(url, state=None, limit=9)] == [promise.id]
    assert [one.id for one in await list_calls(url, limit=9)] == ["call-1"]
    told = await StoredHistory(url).history(promise.id)
    assert [step.event for step in told.steps] == ["Made", "DeadlinePassed"]
    with pytest.raises(LookupError):
        await StoredHistory(url).history("nobody")


async def test_a_database_without_our_tables_says_what_to_do(server: Postgres, name: str) -> None:
    """A look makes none."""
    with pytest.raises(StoreUnavailableError, match="Start the controller once"):
        await list_calls(server.url(name), limit=9)
    assert server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=name) == "0"
