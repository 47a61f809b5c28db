from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import changing_schema, connect_to, for_writing
from controller.store.migrate import SCRIPTS, configuration, migrate, newest_schema
from controller.store.tables import metadata
from tests.contract.databases import ENGINES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

_SCHEMA = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version' ORDER BY type, name"

_NEUTRAL = str.maketrans(',"', "  ")
"""A table that was copied has its name in quotes; a column that was added has its comma elsewhere."""


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each engine."""
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    """Connect to it."""
    connected = connect_to(url, busy_timeout_s=1)
    yield connected
    await connected.dispose()


def move(connection: Connection, target: str) -> None:
    """Go up or down to a revision."""
    config = configuration()
    config.attributes["connection"] = connection
    (command.downgrade if target == "base" else command.upgrade)(config, target)


async def tables_in(engine: AsyncEngine) -> set[str]:
    """Return the names of all tables."""
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda it: inspect(it).get_table_names()))


async def test_the_migrations_build_the_tables_that_the_code_knows(engine: AsyncEngine) -> None:
    """Alembic finds nothing to change."""
    await migrate(engine)
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda it: compare_metadata(MigrationContext.configure(it, opts={"compare_type": True}), metadata)
        )
    assert found == []


async def test_the_migrations_build_every_index_with_its_condition(tmp_path: Path) -> None:
    """Alembic does not compare the conditions of partial indexes, on which two invariants stand; the text does."""
    schemas: list[list[str]] = []
    for name in ("migrated", "created"):
        engine = connect_to(f"sqlite+aiosqlite:///{tmp_path}/{name}.db", busy_timeout_s=1)
        if name == "migrated":
            await migrate(engine)
        async with for_writing(engine).begin() as connection:
            if name == "created":
                await connection.run_sync(metadata.create_all)
            found = (await connection.exec_driver_sql(_SCHEMA)).scalars()
            schemas.append([" ".join(sorted(statement.translate(_NEUTRAL).split())) for statement in found])
        await engine.dispose()
    migrated, created = schemas
    assert migrated == created
    assert len(created) > 10


async def test_going_up_down_and_up_again_works(engine: AsyncEngine) -> None:
    """Down leaves no table behind."""
    for target, left in (("head", set(metadata.tables)), ("base", set[str]()), ("head", set(metadata.tables))):
        async with changing_schema(engine) as connection:
            await connection.run_sync(move, target)
        assert await tables_in(engine) - {"alembic_version"} == left


async def test_migrating_a_database_that_is_up_to_date_changes_nothing(engine: AsyncEngine) -> None:
    """It happens at every start."""
    await migrate(engine)
    before = await tables_in(engine)
    await migrate(engine)
    assert await tables_in(engine) == before


async def test_two_controllers_that_start_at_once_migrate_once(url: str) -> None:
    """One waits for the other."""
    engines = [connect_to(url, busy_timeout_s=10) for _ in range(3)]
    try:
        await asyncio.gather(*(migrate(engine) for engine in engines))
        assert set(metadata.tables) <= await tables_in(engines[0])
    finally:
        for engine in engines:
            await engine.dispose()


async def test_a_migration_that_fails_half_way_leaves_nothing_behind(engine: AsyncEngine) -> None:
    """Another program's database, with a table of the same name as our fourth."""
    async with for_writing(engine).begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE sms_outbox (theirs TEXT)")
    with pytest.raises(
        StoreUnavailableError, match=r"Nothing in it was changed\. Check that it belongs to this program"
    ):
        await migrate(engine)
    assert await tables_in(engine) == {"sms_outbox"}


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(engine: AsyncEngine) -> None:
    """The text says what to do."""
    await migrate(engine)
    async with for_writing(engine).begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9876'")
    with pytest.raises(StoreUnavailableError, match=r"schema 9876, which a newer version .* Start that version"):
        await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalar() == "9876"


def test_alembic_reaches_the_database_by_url_for_whoever_writes_the_next_migration(tmp_path: Path) -> None:
    """Without a connection in hand, as from its command line."""
    config = configuration()
    config.set_main_option("sqlalchemy.url", f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db")
    command.upgrade(config, "head")
    command.check(config)


def test_alembic_without_a_url_says_what_to_set() -> None:
    """Not a traceback from its depths."""
    with pytest.raises(LookupError, match=r"set sqlalchemy\.url"):
        command.upgrade(configuration(), "head")


def test_the_newest_schema_is_the_one_at_the_end_of_that_line() -> None:
    """A start reads it off the names of the files, without Alembic."""
    assert newest_schema() == ScriptDirectory.from_config(configuration()).get_current_head()


def test_there_is_one_line_of_migrations() -> None:
    """Two heads would mean that two people added one at the same time."""
    assert len(ScriptDirectory.from_config(configuration()).get_heads()) == 1


def test_the_migrations_are_shipped_in_the_package() -> None:
    """Python files by their packages; the template is named in pyproject.toml."""
    root = SCRIPTS.parents[2]
    for package in (SCRIPTS, SCRIPTS / "versions"):
        assert (package / "__init__.py").exists()
    assert '"controller.store.migrations" = ["*.mako"]' in (root / "pyproject.toml").read_text(encoding="utf-8")
    assert (SCRIPTS / "script.py.mako").exists()
