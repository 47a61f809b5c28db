"""Looks at the database: a file that can be written and is whole, or a server that promises can be entrusted to."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from controller.doctor.findings import Finding, fault, ok, warning
from controller.ports.promises import StoreUnavailableError
from controller.settings.database import is_local_server
from controller.store.inspection import inspect_server
from controller.store.postgresql import OLDEST_VERSION, POOL_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.settings import Settings
    from controller.store.inspection import ServerReport

_LOCK_TIMEOUT_S = 2.0
_CLOCK_WARNING_S = 0.5
_CLOCK_FAULT_S = 2.0
"""Half of the shortest usual lease: by then a controller may take away what another one still has."""


async def check_database(settings: Settings, now_s: Callable[[], float]) -> list[Finding]:
    """Return what the database shows. `now_s`: the wall clock, in seconds since 1970."""
    path = settings.store.path
    if path is not None:
        return [_file(path)]
    try:
        found = await inspect_server(settings.database_url)
    except StoreUnavailableError as error:
        return [fault("database", str(error), "mend that first; docs/postgresql.md has the steps")]
    ahead_s = found.clock.timestamp() - now_s()
    return [
        _server(found, settings.store.url),
        *_durability(found),
        *_network(found, settings.store.url),
        _clock(ahead_s),
    ]


def _server(found: ServerReport, where: str) -> Finding:
    if found.version < OLDEST_VERSION:
        return fault("database", f"PostgreSQL {found.version}", f"use {OLDEST_VERSION} or newer")
    if found.encoding != "UTF8":
        return fault(
            "database",
            f"its encoding is {found.encoding}",
            "make another one: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
        )
    if found.is_standby:
        return fault("database", f"{where} is a standby, which takes no writes", "name the server that writes")
    if found.schema is None and not found.may_create:
        return fault("database", "our role may make no tables in it", "ALTER DATABASE name OWNER TO role")
    if found.max_connections < 2 * (POOL_SIZE + 1):
        return warning(
            "database",
            f"the server has {found.max_connections} connections for all",
            f"raise max_connections: each controller may take {POOL_SIZE + 1}",
        )
    if found.schema is None:
        return ok("database", f"PostgreSQL {found.version}; its tables will be made at the first start")
    if found.schema != found.newest_schema:
        return warning(
            "database",
            f"its tables are of schema {found.schema}, this version's are {found.newest_schema}",
            "the next start of this version brings older ones up to date; newer ones need the newer version",
        )
    return ok("database", f"PostgreSQL {found.version}, schema {found.schema}, UTF8")


def _durability(found: ServerReport) -> Iterator[Finding]:
    if not found.fsync:
        yield fault("database (fsync)", "it is off: a power cut may destroy everything", "set fsync = on")
    elif found.synchronous_commit == "off":
        yield fault(
            "database (commits)",
            "synchronous_commit is off: promises that callers were told of may be lost with the power",
            "set it to on, or to what your standbys need",
        )
    else:
        yield ok(
            "database (commits)", f"are on disk when we are told so (synchronous_commit = {found.synchronous_commit})"
        )


def _network(found: ServerReport, url: str) -> Iterator[Finding]:
    if found.uses_tls or is_local_server(url):
        return
    yield warning(
        "database (network)",
        "phone numbers go to it in the clear",
        "only over a private network, or with TLS: add ?sslmode=verify-full&sslrootcert=/path/ca.pem to store.url",
    )


def _clock(ahead_s: float) -> Finding:
    told = f"the server's clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
    remedy = "let all of them follow one NTP server: leases are compared by these clocks"
    if abs(ahead_s) >= _CLOCK_FAULT_S:
        return fault("database (clock)", told, remedy)
    if abs(ahead_s) >= _CLOCK_WARNING_S:
        return warning("database (clock)", told, remedy)
    return ok("database (clock)", "agrees with ours")


def _file(path: Path) -> Finding:
    if not path.parent.is_dir():
        return fault(
            "database",
            f"there is no folder {path.parent}",
            "make it, writable for the controller's user, or change store.url",
        )
    if not path.exists():
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                return ok("database", f"{path} will be made at the first start")
        except OSError as error:
            return fault(
                "database",
                f"{path.parent} cannot be written: {error.strerror}",
                "give the folder to the controller's user",
            )
    try:
        uri = f"file:{quote(str(path))}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=_LOCK_TIMEOUT_S, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
            intact = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return fault("database", f"{path}: {error}", _file_remedy(str(error)))
    if intact != "ok":
        return fault(
            "database", f"{path} is damaged: {intact}", "stop the controller and restore the file from a backup"
        )
    return ok("database", f"{path} can be written and is intact")


def _file_remedy(error: str) -> str:
    if "locked" in error:
        return "another program holds it: a backup, or a second controller"
    if "not a database" in error or "malformed" in error:
        return "restore the file from a backup, or point store.url elsewhere"
    return "give file and folder to the controller's user, on a disk with room"
