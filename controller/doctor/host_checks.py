"""Looks at the controller's own machine: the room on the disk, the strength of its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controller.doctor.findings import Finding, fault, ok, warning
from controller.doctor.passwords import weakness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from controller.settings import Settings

DISK_WARNING_MB = 500
DISK_FAULT_MB = 50


def check_host(settings: Settings, free_bytes: Callable[[Path], int]) -> list[Finding]:
    """Return what the machine shows. `free_bytes` tells the room on the disk that a folder lies on."""
    return [
        *_secrets(settings),
        *_opt_outs(settings),
        _network(settings),
        *_disks(settings, free_bytes),
    ]


def _secrets(settings: Settings) -> Iterator[Finding]:
    weak = [
        (variable, found)
        for variable, username, secret in (
            each
            for asterisk in settings.asterisks
            for each in (
                ("ORIKAESHI_ARI_PASSWORD", asterisk.ari_username, settings.ari_password_of(asterisk.name)),
                ("ORIKAESHI_AMI_PASSWORD", asterisk.ami_username, settings.ami_password_of(asterisk.name)),
            )
        )
        if (found := weakness(secret, username))
    ]
    for variable, found in dict.fromkeys(weak):
        yield fault(
            "passwords", f"{variable}: {found}", "draw a long one (openssl rand -base64 24), here and in Asterisk"
        )
    if not weak:
        yield ok("passwords", "long, and none that is known")


def _opt_outs(settings: Settings) -> Iterator[Finding]:
    if settings.number_key is None:
        yield warning(
            "do-not-call list",
            "ORIKAESHI_NUMBER_KEY is not set: whoever reads the database reads the numbers on the list",
            "`controller provision` draws one; keep it for ever, and with every backup (docs/privacy.md)",
        )


def _network(settings: Settings) -> Finding:
    hosts = []
    for asterisk in settings.asterisks:
        parts = urlsplit(asterisk.url)
        hosts += [asterisk.ami_host] if parts.scheme == "https" else [parts.hostname or "", asterisk.ami_host]
    outside = sorted({host for host in hosts if host not in {"127.0.0.1", "::1", "localhost"}})
    if outside:
        return warning(
            "network",
            f"passwords go to {', '.join(outside)} in the clear",
            "only over a private network between controller and PBX, or with TLS",
        )
    return ok("network", "ARI and AMI are reached over loopback or TLS")


def _disks(settings: Settings, free_bytes: Callable[[Path], int]) -> Iterator[Finding]:
    folders = {} if settings.store.path is None else {settings.store.path.parent: "database"}
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
