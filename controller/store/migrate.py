"""Brings a database to the schema that this version knows. Applied at every start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import changing_schema, for_writing, wait_for_other_migrations
from controller.store.faults import as_unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

SCRIPTS = Path(__file__).parent / "migrations"


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that are missing, all of them in one transaction or none.

    Raises StoreUnavailableError when the database cannot be written, or has a schema that this version does not know.
    """
    try:
        async with for_writing(engine).begin() as connection:
            is_newest = await connection.run_sync(_touch)
        if not is_newest:
            async with changing_schema(engine) as connection:
                await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as error:
        unavailable = as_unavailable(error, engine.url)
        if unavailable is None:
            where = engine.url.render_as_string(hide_password=True)
            cause = error.orig if isinstance(error, DBAPIError) else error
            unavailable = StoreUnavailableError(
                f"The database {where} could not be brought up to date: {cause}. Nothing in it was changed. "
                "Check that it belongs to this program and not to another one."
            )
        raise unavailable from error


async def check_schema(engine: AsyncEngine) -> None:
    """Check, without writing, that the tables are those of this version. Raises StoreUnavailableError."""
    where = engine.url.render_as_string(hide_password=True)
    head = newest_schema()
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_heads())
    except (DBAPIError, OSError) as error:
        unavailable = as_unavailable(error, engine.url)
        if unavailable is None:
            raise
        raise unavailable from error
    if found != (head,):
        raise StoreUnavailableError(
            f"The database {where} has the tables of another version. Start this version of the controller once: it "
            "brings them up to date."
        )


def newest_schema() -> str:
    """Return the revision that this version's tables are of."""
    return str(ScriptDirectory.from_config(configuration()).get_current_head())


def configuration() -> Config:
    """Return Alembic's configuration; it needs no ini file."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _touch(connection: Connection) -> bool:
    """Tell whether the tables are those of this version; then something is written all the same.

    A database that cannot be written is to be found out at the start, and SQLite lets BEGIN IMMEDIATE pass on one that
    is read-only. Only a change of the tables has all rows looked through afterwards: with a million promises 4 s.
    """
    if MigrationContext.configure(connection).get_current_heads() != (newest_schema(),):
        return False
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    return True


def _upgrade(connection: Connection) -> None:
    wait_for_other_migrations(connection)
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := found - known:
        where = connection.engine.url.render_as_string(hide_password=True)
        raise StoreUnavailableError(
            f"The database {where} has schema {', '.join(sorted(unknown))}, which a newer version of this program "
            "made. Start that version, or restore the backup from before the upgrade."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
