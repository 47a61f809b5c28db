"""What the seam knows of SQLite: how its file is made, and how a connection and a transaction on it are set up.

Sources: https://sqlite.org/wal.html, https://sqlite.org/pragma.html, https://sqlite.org/lang_transaction.html.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
    from sqlalchemy.pool import ConnectionPoolEntry

WRITES = "orikaeshi_writes"
CHANGES_SCHEMA = "orikaeshi_changes_schema"
"""Options of an engine: what its transactions are going to do."""


def file_of(url: URL) -> str | None:
    """Return the path of a SQLite database; None for a server, and for a `file:` URI, whose options are the admin's."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return url.database


def options_of_file(busy_timeout_s: float) -> dict[str, Any]:
    """Return the options for SQLAlchemy to make an engine of."""
    # isolation_level None: the driver begins no transaction of its own; `_begin` below does.
    return {"connect_args": {"isolation_level": None, "timeout": busy_timeout_s}}


def set_up_file(engine: Engine) -> None:
    """Let every connection of an engine be set up, and every transaction begun as it says it will go on."""
    event.listen(engine, "connect", _set_up_connection)
    event.listen(engine, "begin", _begin)


def create_private_file(url: URL) -> None:
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
    if options.get(CHANGES_SCHEMA, False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    writes = options.get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
