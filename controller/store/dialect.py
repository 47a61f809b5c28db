"""The seam between databases: what each does its own way. Only this file, `sqlite.py` and `postgresql.py` know.

SQLite: one file, one writer at a time. PostgreSQL: many writers, row locks; readers wait for nobody.
"""

from __future__ import annotations

import secrets
import zlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, cast, create_engine, func, literal, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import create_async_engine

from controller.ports.promises import StoreUnavailableError
from controller.store import postgresql as server
from controller.store import sqlite as file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sqlalchemy import URL, Connection, Engine, Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}
_MIGRATION_LOCK = 0x6F72696B  # "orik"; any number will do that no other program on the same database uses
_BOOKING_LOCKS = 0x6F72696C  # locks by two numbers are others than those by one
_ORIGIN = "orikaeshi_origin"
_OPENED = "orikaeshi_opened"
NUMBER_KEY = "orikaeshi_number_key"
"""Under which an engine's option has the key of the do-not-call list (`opt_outs.py`)."""
HOOKS = "orikaeshi_hooks"
"""Likewise: who wants to hear of what happens (`hook_owing.py`)."""
CHANNEL = "orikaeshi"
"""On which processes tell each other of changes, on a server."""


def connect_to(url_text: str, *, busy_timeout_s: float) -> AsyncEngine:
    """Return an engine for `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user:password@host/name`.

    Opens no connection, but creates a missing SQLite file. `busy_timeout_s`: how long a lock is waited for. Raises
    StoreUnavailableError when the address cannot be used at all.
    """
    url = _parse(url_text)
    # Parameters stay out of error texts: they hold phone numbers.
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        return _connect_to_server(url, busy_timeout_s=busy_timeout_s, changes_schema=False)
    if _is_in_memory(url):
        raise StoreUnavailableError(
            f"The database address {url_text} is in memory, and would forget every promise at the next restart. "
            "Name a file: sqlite+aiosqlite:////var/lib/orikaeshi/orikaeshi.db"
        )
    file.create_private_file(url)
    engine = _create(url, {**options, **file.options_of_file(busy_timeout_s)})
    file.set_up_file(engine.sync_engine)
    return engine.execution_options(**{_OPENED: (url, busy_timeout_s)})


def open_file(engine: AsyncEngine) -> Engine:
    """Return an engine for the same file, to be used in threads."""
    options = engine.sync_engine.get_execution_options()
    url, busy_timeout_s = options[_OPENED]
    same = create_engine(url.set(drivername="sqlite"), hide_parameters=True, **file.options_of_file(busy_timeout_s))
    file.set_up_file(same)
    same.update_execution_options(**{name: options.get(name) for name in (NUMBER_KEY, HOOKS)})
    return same


def for_writing_file(engine: Engine) -> Engine:
    """Return the same engine, on the same pool, whose transactions are going to write."""
    return engine.execution_options(**{file.WRITES: True})


def _connect_to_server(url: URL, *, busy_timeout_s: float, changes_schema: bool) -> AsyncEngine:
    address, options = server.session_options(url, busy_timeout_s=busy_timeout_s, changes_schema=changes_schema)
    engine = _create(address, {"hide_parameters": True, **options})
    server.pass_over_dead_connections(engine)
    return engine.execution_options(**{_ORIGIN: secrets.token_hex(8), _OPENED: (url, busy_timeout_s)})


def for_writing(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine, on the same pool, whose transactions are going to write.

    On PostgreSQL each statement sees what others committed before it (READ COMMITTED, the server's own default): who
    has waited for a lock must count what its holder before wrote. With one view for the whole transaction, which the
    waiting statement itself would fix, they would count as if that was not there.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="READ COMMITTED", **{file.WRITES: True})
    return engine.execution_options(**{file.WRITES: True})


def for_reading(engine: AsyncEngine) -> AsyncEngine:
    """Return the same engine, on the same pool, whose transactions see one state of the database and change nothing."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


@asynccontextmanager
async def changing_schema(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection whose transaction may write and change tables; committed if the block ends well.

    SQLite changes a column by copying the table and dropping the old one, which its foreign keys would refuse. They
    can be switched off only before a transaction, so they are, and are looked through before it is committed
    (https://sqlite.org/lang_altertable.html#otheralter). Raises DBAPIError, StoreUnavailableError.
    """
    if engine.dialect.name == "postgresql":
        url, busy_timeout_s = engine.sync_engine.get_execution_options()[_OPENED]
        patient = _connect_to_server(url, busy_timeout_s=busy_timeout_s, changes_schema=True)
        try:
            async with for_writing(patient).begin() as connection:
                yield connection
        finally:
            await patient.dispose()
            await engine.dispose()  # what its connections have prepared may be of no use any more
        return
    changing = engine.execution_options(**{file.WRITES: True, file.CHANGES_SCHEMA: True})
    async with changing.connect() as connection:
        try:
            async with connection.begin():
                yield connection
                await _check_foreign_keys(connection)
        finally:
            # This one has no foreign keys any more: nobody else may get it.
            await connection.invalidate()


async def _check_foreign_keys(connection: AsyncConnection) -> None:
    broken = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if broken:
        where = connection.engine.url.render_as_string(hide_password=True)
        tables = ", ".join(sorted({str(row[0]) for row in broken}))
        raise StoreUnavailableError(
            f"The database {where} could not be brought up to date: rows of {tables} point to rows that are not there. "
            "Nothing in it was changed. Restore the file from a backup, or report this."
        )


async def hold_still(connection: AsyncConnection, tables: Sequence[str]) -> None:
    """Let nobody else write, and read one state, until this transaction ends. On SQLite it is to be one that writes."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"LOCK TABLE {', '.join(tables)} IN SHARE MODE")
    else:
        await connection.begin()


def has_one_writer(engine: AsyncEngine) -> bool:
    """Tell whether the database lets only one transaction write at a time."""
    return engine.dialect.name == "sqlite"


def origin_of(engine: AsyncEngine) -> str:
    """Return the name under which an engine tells news, 16 hexadecimal digits; empty where there are none to tell."""
    return str(engine.sync_engine.get_execution_options().get(_ORIGIN, ""))


async def tell_others(connection: AsyncConnection, kind: str, what: str = "") -> None:
    """Let other processes know what this transaction changed, once it is committed; nothing on SQLite.

    `kind` is one of `controller.ports.news.Kind`, `what` an id or a name; the same twice is told once.
    """
    if connection.dialect.name == "postgresql":
        payload = f"{kind} {origin_of(connection.engine)} {what}"
        await connection.execute(select(func.pg_notify(literal(CHANNEL), literal(payload))))


def insert_if_new(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that adds no row (`rowcount` 0) where a unique index already has one like it."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def wait_for_other_migrations(connection: Connection) -> None:
    """Let one program at a time change the schema, until the transaction ends. On SQLite one writer is all there is."""
    if connection.dialect.name == "postgresql":
        server.wait_for_other_migrations(connection, _MIGRATION_LOCK)


async def wait_for_other_bookings(connection: AsyncConnection, what: str, *, shared: bool = False) -> None:
    """Let one transaction at a time count and add to `what`, until it ends. On SQLite one writer is all there is.

    Those that are `shared` count nothing: they go side by side, and wait for whoever counts alone.
    """
    if connection.dialect.name == "postgresql":
        key = zlib.crc32(what.encode()) - 2**31  # two that share a key only wait for each other
        # With parameters: a text of its own for each key would push all others out of the driver's cache.
        both = (cast(literal(number), Integer) for number in (_BOOKING_LOCKS, key))
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        await connection.execute(select(lock(*both)))


def was_cut_off(connection: AsyncConnection, error: Exception) -> bool:
    """Tell whether a server broke the connection off, or is silent; a file does neither."""
    return connection.dialect.name == "postgresql" and server.was_cut_off(error)


async def receipt_of(connection: AsyncConnection) -> str:
    """Return by what `was_committed` knows this transaction; empty where its end is known for certain, as with a file.

    To be asked last, before the commit.
    """
    return await server.receipt_of(connection) if connection.dialect.name == "postgresql" else ""


def _parse(url_text: str) -> URL:
    try:
        url = make_url(url_text)
    except ArgumentError:
        # The text may hold a password, so it is not repeated.
        raise StoreUnavailableError(
            "The database address cannot be read. Write sqlite+aiosqlite:////path/to/orikaeshi.db or "
            "postgresql+asyncpg://user@host:5432/database"
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
