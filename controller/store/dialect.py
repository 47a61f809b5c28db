"""The seam between databases: everything that SQLite does its own way, and nothing outside this file does.

SQLite: one file, one writer at a time. Sources: https://sqlite.org/wal.html, https://sqlite.org/pragma.html,
https://sqlite.org/lang_transaction.html.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import create_async_engine

from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import URL, Connection, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}
_WRITES = "orikaeshi_writes"
_CHANGES_SCHEMA = "orikaeshi_changes_schema"
_MIGRATION_LOCK = 0x6F72696B  # "orik"; any number will do that no other program on the same database uses
_BOOKING_LOCKS = 0x6F72696C  # locks by two numbers are others than those by one


def connect_to(url_text: str, *, busy_timeout_s: float) -> AsyncEngine:
    """Return an engine for `sqlite+aiosqlite:///path`. Opens no connection, but creates a missing SQLite file.

    Raises StoreUnavailableError when the address cannot be used at all.
    """
    url = _parse(url_text)
    # Parameters stay out of error texts: they hold phone numbers.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() != "sqlite":
        return _create(url, {**options, "pool_pre_ping": True})
    if _is_in_memory(url):
        raise StoreUnavailableError(
            f"The database address {url_text} is in memory, and would forget every promise at the next restart. "
            "Name a file: sqlite+aiosqlite:////var/lib/orikaeshi/orikaeshi.db"
        )
    _create_private_file(url)
    # isolation_level None: the driver begins no transaction of its own; `_begin` below does.
    engine = _create(url, {**options, "connect_args": {"isolation_level": None, "timeout": busy_timeout_s}})
    event.listen(engine.sync_engine, "connect", _set_up_connection)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine, on the same pool, whose transactions are going to write."""
    return engine.execution_options(**{_WRITES: True})


@asynccontextmanager
async def changing_schema(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection whose transaction may write and change tables; committed if the block ends well.

    SQLite changes a column by copying the table and dropping the old one, which its foreign keys would refuse. They
    can be switched off only before a transaction, so they are, and are looked through before it is committed
    (https://sqlite.org/lang_altertable.html#otheralter). Raises DBAPIError, StoreUnavailableError.
    """
    changing = engine.execution_options(**{_WRITES: True, _CHANGES_SCHEMA: True})
    async with changing.connect() as connection:
        try:
            async with connection.begin():
                yield connection
                await _check_foreign_keys(connection)
        finally:
            if connection.dialect.name == "sqlite":
                # This one has no foreign keys any more: nobody else may get it.
                await connection.invalidate()


async def _check_foreign_keys(connection: AsyncConnection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if broken:
        where = connection.engine.url.render_as_string(hide_password=True)
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise StoreUnavailableError(
            f"The database {where} could not be brought up to date: rows of {tables} point to rows that are not there. "
            "Nothing in it was changed. Restore the file from a backup, or report this."
        )


def has_one_writer(engine: AsyncEngine) -> bool:
    """Tell whether the database lets only one transaction write at a time."""
    return engine.dialect.name == "sqlite"


def insert_if_new(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that adds no row (`rowcount` 0) where a unique index already has one like it."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def wait_for_other_migrations(connection: Connection) -> None:
    """Let one program at a time change the schema, until the transaction ends. On SQLite one writer is all there is."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


async def wait_for_other_bookings(connection: AsyncConnection, what: str) -> None:
    """Let one transaction at a time count and add to `what`, until it ends. On SQLite one writer is all there is."""
    if connection.dialect.name == "postgresql":
        key = zlib.crc32(what.encode()) - 2**31  # two that share a key only wait for each other
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_BOOKING_LOCKS}, {key})")


def file_of(url: URL) -> str | None:
    """Return the path of a SQLite database; None for a server, and for a `file:` URI, whose options are the admin's."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return url.database


def _parse(url_text: str) -> URL:
    try:
        url = make_url(url_text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise StoreUnavailableError(
            "The database address cannot be read. Write sqlite+aiosqlite:////path/to/orikaeshi.db"
        ) from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None or url.drivername != f"{url.get_backend_name()}+{driver}":
        known = " or ".join(f"{backend}+{name}" for backend, name in DRIVERS.items())
        raise StoreUnavailableError(
            f"The database address starts with {url.drivername}, which is not supported. Start it with {known}."
        )
    return url


def _create(url: URL, options: dict[str, Any]) -> AsyncEngine:
    try:
        return create_async_engine(url, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        driver = DRIVERS[url.get_backend_name()]
        raise StoreUnavailableError(
            f"The driver for {url.drivername} is not installed ({error}). Install it: pip install {driver}"
        ) from error


def _is_in_memory(url: URL) -> bool:
    database = url.database or ":memory:"
    return database == ":memory:" or (
        database.startswith("file:") and ("mode=memory" in str(url) or ":memory:" in database)
    )


def _create_private_file(url: URL) -> None:
    """Create the file readable by its owner alone (it holds phone numbers); SQLite gives its -wal the same mode."""
    path = file_of(url)
    if path is None:
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError:
        # SQLite meets the same trouble when it connects, and the answer to it is made there.
        return


def _set_up_connection(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        # FULL: with WAL, only this makes a commit durable against loss of power.
        _use_wal(cursor)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _use_wal(cursor: DBAPICursor) -> None:
    """Switch to WAL. Of two who do so at once with a new file one is refused without being let wait, so it waits here.

    Writing nothing takes its turn like any writing, for as long as the busy timeout says.
    """
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA journal_mode = WAL")


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once, without waiting, when another one wrote
    # meanwhile (SQLITE_BUSY_SNAPSHOT); one that asks first waits its turn.
    options = connection.get_execution_options()
    if options.get(_CHANGES_SCHEMA, False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    writes = options.get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
