"""What went wrong with the database, in one line for the person who has to mend it: what, where, what to do."""

from __future__ import annotations

import os
import socket
import sqlite3
import ssl
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from controller.ports.promises import StoreUnavailableError
from controller.store.postgresql import sqlstate_of, was_cut_off
from controller.store.sqlite import file_of

if TYPE_CHECKING:
    from sqlalchemy import URL

_SQLITE: dict[str, tuple[str, str]] = {
    "SQLITE_BUSY": (
        "is locked by another program",
        "Stop the other program that has it open (a second controller, a backup, a database browser)",
    ),
    "SQLITE_LOCKED": (
        "is locked by another connection",
        "Stop the other program that has it open (a second controller, a backup, a database browser)",
    ),
    "SQLITE_READONLY": (
        "can be read but not written",
        "Give the controller's user write permission on the file and on its folder, or mount the disk read-write",
    ),
    "SQLITE_FULL": ("cannot grow: the disk is full", "Free space on that disk"),
    "SQLITE_IOERR": (
        "cannot be read or written: the disk reports an error",
        "Check the disk, its quota and the system log",
    ),
    "SQLITE_NOTADB": (
        "is not a database, or is encrypted",
        "Check the path in the settings; if it is right, restore the file from a backup",
    ),
    "SQLITE_CORRUPT": ("is damaged", "Stop the controller and restore the file from a backup"),
    "SQLITE_PERM": ("may not be opened", "Give the controller's user read and write permission on the file"),
    "SQLITE_AUTH": ("may not be opened", "Give the controller's user read and write permission on the file"),
    "SQLITE_NOMEM": ("cannot be used: memory is used up", "Free memory on this machine"),
    "SQLITE_PROTOCOL": (
        "is locked by another program",
        "Check that the file is on a local disk, not on a network share",
    ),
}
"""By primary result code, https://sqlite.org/rescode.html. The others are mistakes in our own statements."""

_POSTGRESQL: dict[str, tuple[str, str]] = {
    "28P01": (
        "refuses the password",
        "Set ORIKAESHI_DB_PASSWORD to the one that the role has: ALTER ROLE name PASSWORD '...'",
    ),
    "28": (
        "refuses this user or this machine",
        "Create the role (CREATE ROLE name LOGIN) and give it a line in pg_hba.conf",
    ),
    "3D000": ("does not exist", "Create it: CREATE DATABASE name OWNER role ENCODING 'UTF8' TEMPLATE template0"),
    "42501": ("does not let us do that", "Make our role its owner: ALTER DATABASE name OWNER TO role"),
    "3F000": ("has no schema that we may use", "Make our role its owner: ALTER DATABASE name OWNER TO role"),
    "53300": ("has no connection left", "Raise max_connections, or stop programs that hold connections"),
    "53100": ("cannot grow: the disk is full", "Free space on the server's disk"),
    "53": ("is short of memory or of something else", "Look into the server's log"),
    "25006": (
        "can be read but not written",
        "Name the server that writes, not a standby, and check default_transaction_read_only",
    ),
    "55P03": (
        "is locked by another program",
        "See who holds the lock: SELECT * FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
    ),
    "57014": ("took too long, or was told to stop", "Look at the load on the server and at its disk"),
    "57P03": ("is not ready: it starts, stops or recovers", "Wait, or look into the server's log"),
    "57P": ("was shut down", "Start it again"),
    "58": ("cannot be read or written: the server's disk reports an error", "Look into the server's log"),
    "XX": ("is damaged, or its server is faulty", "Look into the server's log; restore it from a backup"),
}
"""By SQLSTATE or its beginning, the longer ones first."""


def as_unavailable(error: Exception, url: URL) -> StoreUnavailableError | None:
    """Return `error` as a StoreUnavailableError, or None when it is not the database that failed but we did."""
    where = url.render_as_string(hide_password=True)
    if isinstance(error, PoolTimeoutError):
        return StoreUnavailableError(
            f"The database {where} is busy: no connection became free. Check the load on it and its disk."
        )
    if isinstance(error, OSError):
        return _not_reached(error, where)
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return None
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_fault(cause, url)
    return _server_fault(error, where)


def _not_reached(error: OSError, where: str) -> StoreUnavailableError:
    match error:
        case ssl.SSLError():
            told = f"cannot be spoken to by TLS: {error.reason or error}. Check sslmode and sslrootcert in store.url"
        case socket.gaierror():
            told = "cannot be reached: nobody knows its name. Check the host in store.url"
        case TimeoutError():
            told = "does not answer. Check the network and the server's load"
        case _:
            told = f"cannot be reached: {_one_line(error)}. Check that it runs"
    return StoreUnavailableError(f"The database {where} {told}.")


def _server_fault(error: DBAPIError, where: str) -> StoreUnavailableError | None:
    # The server's own words: without them, since they may quote what was to be written.
    code = sqlstate_of(error)
    for beginning, (what, remedy) in _POSTGRESQL.items():
        if code.startswith(beginning):
            return StoreUnavailableError(f"The database {where} {what} (SQLSTATE {code}). {remedy}.")
    if was_cut_off(error):
        return StoreUnavailableError(f"The database {where} broke the connection off. Check that it runs.")
    if isinstance(error.orig, Exception) and type(error.orig.__cause__).__name__ == "ClientConfigurationError":
        return StoreUnavailableError(
            f"The database {where} cannot be reached as store.url says: {_one_line(error.orig.__cause__)}."
        )
    return None


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split())


def _sqlite_fault(cause: sqlite3.Error, url: URL) -> StoreUnavailableError | None:
    name = getattr(cause, "sqlite_errorname", "")
    path = file_of(url) or str(url.database)
    if name.startswith("SQLITE_CANTOPEN"):
        return StoreUnavailableError(_why_not_opened(path))
    for code, (what, remedy) in _SQLITE.items():
        if name == code or name.startswith(f"{code}_"):
            return StoreUnavailableError(f"The database {path} {what} ({cause}). {remedy}.")
    return None


def _why_not_opened(path: str) -> str:
    folder = os.path.dirname(path) or "."  # noqa: PTH120 - text for a message; the file system is asked below
    if os.path.isdir(path):  # noqa: PTH112 - one stat, to explain a failure that has happened
        return f"The database {path} cannot be opened: it is a folder. Name a file in the settings."
    if not os.path.isdir(folder):  # noqa: PTH112 - as above
        return (
            f"The database {path} cannot be opened: there is no folder {folder}. Create it for the controller's user."
        )
    return (
        f"The database {path} cannot be opened. Give the controller's user read and write permission on the file "
        f"and on the folder {folder}."
    )
