"""What runs the service, and what all commands have in common: a Report, which the command line prints."""

from __future__ import annotations

import asyncio
import gc
import importlib
import re
import signal
import threading
from argparse import ArgumentTypeError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from controller.logs import configure_logs
from controller.ports.promises import StoreUnavailableError
from controller.provision import ProvisionError
from controller.provision.files import read_secrets
from controller.settings import load_settings
from controller.settings.values import name
from controller.store import open_beside
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from controller.settings import Settings
    from controller.store import Store

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
"""Bad usage, or settings with mistakes."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say: text for a person, `data` for `--json`."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = EXIT_OK


def add_run_arguments(one: ArgumentParser, env: Mapping[str, str]) -> None:
    """Add what `controller run` takes beside its files."""
    one.add_argument(
        "--member",
        type=_member,
        default=env.get("ORIKAESHI_MEMBER") or None,
        metavar="NAME",
        help="name of this controller over all its starts (default: $ORIKAESHI_MEMBER, or the host's name)",
    )
    one.add_argument("--dry-run", action="store_true", help="do everything for a callback but the call itself")


def _member(text: str) -> str:
    try:
        return name(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} {error}") from None


async def run(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Run the controller until SIGTERM or SIGINT; calls stay on the PBX. A second signal ends it at once.

    Raises what `controller.offices.run` raises.
    """
    settings = load_settings(arguments.settings, with_secrets(env, arguments.secrets))
    close_log = configure_logs(settings.log.level, path=settings.log.path)
    # Imported only here: a part that is missing must not keep anybody from `check` and `doctor`.
    offices = importlib.import_module("controller.offices")
    gc.freeze()
    gc.enable()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        stop.set()
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, leave)
    try:
        dry_run = arguments.dry_run or settings.dialer.dry_run
        await offices.run(settings, stop=stop, dry_run=dry_run, member=arguments.member)
    except Exception:
        if settings.log.path:  # else the command line says it on stderr, and twice is once too often
            structlog.get_logger().critical("the controller stops", exc_info=True)
        raise
    finally:
        await asyncio.to_thread(_join_database_threads)
        close_log()
    return Report("")


def _join_database_threads() -> None:
    """Wait for the threads of aiosqlite.

    After a file that could not be opened nobody else does (0.22), and one that reports to an event loop that was
    closed meanwhile prints a traceback behind our one clear line.
    """
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            thread.join(timeout=1.0)


def with_secrets(env: Mapping[str, str], path: Path | None) -> Mapping[str, str]:
    """Return `env` with the secrets in the file `path`; what is set in the environment goes first.

    Raises ProvisionError when the file is not there or is damaged, OSError when it may not be read.
    """
    if path is None:
        return env
    try:
        path.stat()
    except FileNotFoundError:
        raise ProvisionError(f"there is no {path}; `controller provision` makes it, as secrets.env") from None
    return {**read_secrets(path), **{key: value for key, value in env.items() if value}}


def settings_with_database(arguments: Namespace, env: Mapping[str, str]) -> Settings:
    """Return the settings, whose database is there. Raises SettingsError, StoreUnavailableError."""
    settings = load_settings(arguments.settings, env, needs_secrets=False)
    if settings.store.path is not None and not settings.store.path.exists():
        raise StoreUnavailableError(
            f"There is no database {settings.store.path} yet: the controller makes it when it first runs."
        )
    return settings


def store_beside(settings: Settings) -> AbstractAsyncContextManager[Store]:
    """Open the database for one command, beside a controller that may be running. Raises StoreUnavailableError."""
    return open_beside(
        settings.database_url,
        policies=settings.retry_policies,
        clock=SystemClock(),
        number_key=settings.number_key,
        hooks=settings.hook_wishes,
    )


def refused(why: str) -> Report:
    """Return the report of a command that was given something of no use."""
    return Report(why, {"error": why}, EXIT_USAGE)


def listed(headings: Sequence[str], rows: list[list[str]], what: str) -> str:
    """Return a table, or that there is nothing of the kind."""
    return table(headings, rows) if rows else f"no {what}"


def local(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant on the clock of `zone`, without the year."""
    return re.sub(r"^\d{4}-", "", instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"))
