"""What the doctor asks a database server: is it one that promises can be entrusted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from controller.store.dialect import connect_to
from controller.store.faults import as_unavailable
from controller.store.migrate import newest_schema

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class ServerReport:
    """A server and our database in it. `schema`: None when there are no tables yet; `clock` is the server's."""

    version: int
    encoding: str
    schema: str | None
    newest_schema: str
    may_create: bool
    is_standby: bool
    synchronous_commit: str
    fsync: bool
    max_connections: int
    uses_tls: bool
    clock: datetime


async def inspect_server(url: str) -> ServerReport:
    """Look at the server at `url`, changing nothing. Raises StoreUnavailableError."""
    engine = connect_to(url, busy_timeout_s=_PATIENCE_S)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_inspect)
    except (DBAPIError, OSError) as error:
        told = as_unavailable(error, engine.url)
        if told is None:
            raise
        raise told from error
    finally:
        await engine.dispose()


def _inspect(connection: Connection) -> ServerReport:
    settings = {
        row.name: row.setting
        for row in connection.execute(
            text(
                "SELECT name, setting FROM pg_settings WHERE name IN "
                "('server_version_num', 'fsync', 'synchronous_commit', 'max_connections')"
            )
        )
    }
    asked = text(
        "SELECT pg_encoding_to_char(encoding) AS encoding, pg_is_in_recovery() AS is_standby, clock_timestamp() AS at, "
        "has_schema_privilege(current_schema(), 'CREATE') AS may_create, "
        "COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS tls "
        "FROM pg_database WHERE datname = current_database()"
    )
    found = connection.execute(asked).one()
    return ServerReport(
        version=int(settings["server_version_num"]) // 10000,
        encoding=found.encoding,
        schema=MigrationContext.configure(connection).get_current_revision(),
        newest_schema=newest_schema(),
        may_create=bool(found.may_create),
        is_standby=found.is_standby,
        synchronous_commit=settings["synchronous_commit"],
        fsync=settings["fsync"] == "on",
        max_connections=int(settings["max_connections"]),
        uses_tls=found.tls,
        clock=found.at,
    )
