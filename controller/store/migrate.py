"""Brings a database to the schema that this version knows. Applied at every start.

Alembic is imported only where there is something to migrate: otherwise callers would wait for it at every start.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import changing_schema, for_writing, wait_for_other_migrations
from controller.store.faults import as_unavailable

if TYPE_CHECKING:
    from alembic.config import Config
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
            found = await connection.run_sync(_schemas_of)
    except (DBAPIError, OSError) as error:
        unavailable = as_unavailable(error, engine.url)
        if unavailable is None:
            raise
        raise unavailable from error
    if found != {head}:
        raise StoreUnavailableError(
            f"The database {where} has the tables of another version. Start this version of the controller once: it "
            "brings them up to date."
        )


def newest_schema() -> str:
    """Return the revision that this version's tables are of: the number with which the last migration's file begins."""
    return max(path.name.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))


def configuration() -> Config:
    """Return Alembic's configuration; it needs no ini file."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    # Alembic would take the output that there was when it was imported.
    config = Config(stdout=sys.stdout)
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _touch(connection: Connection) -> bool:
    """Tell whether the tables are those of this version; then something is written all the same.

    A database that cannot be written is to be found out at the start, and SQLite lets BEGIN IMMEDIATE pass on one that
    is read-only. Only a change of the tables has all rows looked through afterwards: with a million promises 4 s.
    """
    if _schemas_of(connection) != {newest_schema()}:
        return False
    connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
    return True


def _schemas_of(connection: Connection) -> set[str]:
    """Return the revision that the tables are of, as Alembic noted it; none when there are no tables of ours yet."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    wait_for_other_migrations(connection)
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _schemas_of(connection)
    if unknown := found - known:
        where = connection.engine.url.render_as_string(hide_password=True)
        raise StoreUnavailableError(
            f"The database {where} has schema {', '.join(sorted(unknown))}, which a newer version of this program "
            "made. Start that version, or restore the backup from before the upgrade."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
