"""What went wrong with the database, in one line for the person who has to mend it: what, where, what to do."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import file_of

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


def as_unavailable(error: Exception, url: URL) -> StoreUnavailableError | None:
    """Return `error` as a StoreUnavailableError, or None when it is not the database that failed but we did."""
    where = url.render_as_string(hide_password=True)
    if isinstance(error, PoolTimeoutError):
        return StoreUnavailableError(
            f"The database {where} is busy: no connection became free. Check the load on it and its disk."
        )
    if isinstance(error, OSError):
        return StoreUnavailableError(f"The database {where} cannot be reached: {error}. Check that it runs.")
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return None
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _sqlite_fault(cause, url)
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return StoreUnavailableError(f"The database {where} failed: {cause}. Check that it runs and has space.")
    return None


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
