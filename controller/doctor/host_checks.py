"""Looks at the controller's own machine: the database file, the room on the disk, the strength of its secrets."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from controller.doctor.findings import Finding, fault, ok, warning
from controller.doctor.passwords import weakness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.settings import Settings

DISK_WARNING_MB = 500
DISK_FAULT_MB = 50

_LOCK_TIMEOUT_S = 2.0


def check_host(settings: Settings, free_bytes: Callable[[Path], int]) -> list[Finding]:
    """Return what the machine shows. `free_bytes` tells the room on the disk that a folder lies on."""
    return [
        *_secrets(settings),
        _network(settings),
        _database(settings.store.path),
        *_disks(settings, free_bytes),
    ]


def _secrets(settings: Settings) -> Iterator[Finding]:
    weak = [
        (variable, found)
        for variable, username, secret in (
            ("ORIKAESHI_ARI_PASSWORD", settings.asterisk.ari_username, settings.secrets.ari_password),
            ("ORIKAESHI_AMI_PASSWORD", settings.asterisk.ami_username, settings.secrets.ami_password),
        )
        if (found := weakness(secret.get_secret_value(), username))
    ]
    for variable, found in weak:
        yield fault(
            "passwords", f"{variable}: {found}", "draw a long one (openssl rand -base64 24), here and in Asterisk"
        )
    if not weak:
        yield ok("passwords", "long, and none that is known")


def _network(settings: Settings) -> Finding:
    parts = urlsplit(settings.asterisk.url)
    hosts = (
        [settings.asterisk.ami_host] if parts.scheme == "https" else [parts.hostname or "", settings.asterisk.ami_host]
    )
    outside = sorted({host for host in hosts if host not in {"127.0.0.1", "::1", "localhost"}})
    if outside:
        return warning(
            "network",
            f"passwords go to {', '.join(outside)} in the clear",
            "only over a private network between controller and PBX, or with TLS",
        )
    return ok("network", "ARI and AMI are reached over loopback or TLS")


def _database(path: Path) -> Finding:
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
        return fault("database", f"{path}: {error}", _database_remedy(str(error)))
    if intact != "ok":
        return fault(
            "database", f"{path} is damaged: {intact}", "stop the controller and restore the file from a backup"
        )
    return ok("database", f"{path} can be written and is intact")


def _database_remedy(error: str) -> str:
    if "locked" in error:
        return "another program holds it: a backup, or a second controller"
    if "not a database" in error or "malformed" in error:
        return "restore the file from a backup, or point store.url elsewhere"
    return "give file and folder to the controller's user, on a disk with room"


def _disks(settings: Settings, free_bytes: Callable[[Path], int]) -> Iterator[Finding]:
    folders = {settings.store.path.parent: "database"}
    folders.setdefault(settings.sms.outbox_path.parent, "SMS outbox")
    if settings.log.path:
        folders.setdefault(settings.log.path.parent, "log")
    for folder, what in folders.items():
        check = f"disk ({what})"
        try:
            free_mb = free_bytes(folder) // 1_000_000
        except OSError as error:
            yield fault(check, f"{folder}: {error.strerror}", "make the folder, or change the setting that names it")
            continue
        room = f"{free_mb} MB free in {folder}"
        if free_mb < DISK_FAULT_MB:
            yield fault(check, room, "make room now: a promise that cannot be written is refused to the caller")
        elif free_mb < DISK_WARNING_MB:
            yield warning(check, room, "make room, or move the database")
        else:
            yield ok(check, room)
