"""What each command of the command line does. Each returns a Report; printing is the command line's business."""

from __future__ import annotations

import asyncio
import importlib
import re
import shutil
import signal
import threading
from argparse import ArgumentTypeError
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from controller.doctor import Level, examine, has_fault
from controller.domain.phone_number import mask
from controller.domain.promise import PromiseState
from controller.first_start import accounts_text, first_start
from controller.logs import configure_logs
from controller.ports.promises import StoreUnavailableError
from controller.provision import ProvisionError
from controller.provision.files import read_secrets
from controller.settings import load_settings
from controller.settings.values import name
from controller.store import open_beside
from controller.store.listing import list_calls, list_promises
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

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
    settings = load_settings(arguments.settings, _with_secrets(env, arguments.secrets))
    close_log = configure_logs(settings.log.level, path=settings.log.path)
    # Imported only here: a part that is missing must not keep anybody from `check` and `doctor`.
    offices = importlib.import_module("controller.offices")
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


async def check(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Check the settings file alone. Raises SettingsError."""
    settings = load_settings(arguments.settings, env, needs_secrets=False)
    unset = settings.unset_secrets(env)
    text = f"{arguments.settings}: in order ({len(settings.queues)} queues, {len(settings.agents)} agents)"
    if unset:
        text += f"\nnot set in this environment: {', '.join(unset)}; `controller run` needs them"
    return Report(text, {"ok": True, "unset_secrets": unset})


async def doctor(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Look at the whole installation."""
    findings = await examine(
        arguments.settings,
        _with_secrets(env, arguments.secrets),
        conf_folders=tuple(arguments.asterisk_conf or ()),
        now_s=lambda: SystemClock().now().timestamp(),
        free_bytes=lambda folder: shutil.disk_usage(folder).free,
    )
    lines = [table(["check", "", "found"], [[one.check, one.level.value, one.found] for one in findings])]
    to_do = [one for one in findings if one.level is not Level.OK]
    lines += [f"\nWhat to do ({len(to_do)}):"] if to_do else ["\nNothing to do."]
    lines += [f"- {one.check}: {one.found}\n  -> {one.remedy}" for one in to_do]
    if not arguments.asterisk_conf:
        lines.append("\nAsterisk's own files were not looked at; name their folder with --asterisk-conf DIR.")
    is_faulty = has_fault(findings)
    return Report(
        "\n".join(lines),
        {"ok": not is_faulty, "findings": [asdict(one) for one in findings]},
        EXIT_FAILED if is_faulty else EXIT_OK,
    )


async def provision_site(arguments: Namespace, _: Mapping[str, str]) -> Report:
    """Make what a new site needs: secrets, ports, Asterisk's site files, and the first settings file."""
    started = await asyncio.to_thread(
        first_start,
        arguments.home,
        bind=arguments.bind,
        agents=arguments.agents,
        customers=arguments.customers,
        language=arguments.language,
        simulated_network=arguments.simulated_network,
        template=arguments.template,
    )
    site, settings_path, is_new = started.site, started.settings, started.is_new
    ports = asdict(site.ports)
    rows = [
        ["settings", f"{settings_path}{'' if is_new else ' (kept as it was)'}"],
        ["secrets", f"{site.home}/secrets.env"],
    ]
    rows += [["Asterisk's site files", str(site.pbx_site)], ["address", site.bind]]
    rows += [[f"port {name}", str(port)] for name, port in ports.items()]
    data = {"home": str(site.home), "settings": str(settings_path), "is_new": is_new, "bind": site.bind, "ports": ports}
    text = table(["what", "where"], rows)
    if arguments.show_accounts:
        text += f"\n\n{accounts_text(site)}"
    return Report(text, data)


async def promises(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """List promises from the database."""
    settings = settings_with_database(arguments, env)
    state = PromiseState(arguments.state) if arguments.state else None
    found = await list_promises(settings.database_url, state=state, limit=arguments.limit)
    zone = ZoneInfo(settings.dialer.time_zone)
    rows = [
        [
            one.id,
            one.queue,
            _shown(one.number, arguments),
            one.state.value,
            str(one.attempts_used),
            one.last_outcome or "-",
            local(one.since, zone),
            local(one.not_before, zone),
            local(one.slot_starts_at, zone) if one.slot_starts_at else "-",
        ]
        for one in found
    ]
    headings = [
        "promise",
        "queue",
        "number",
        "state",
        "attempts",
        "last outcome",
        "in line since",
        "not before",
        "window",
    ]
    return Report(listed(headings, rows, "promises"), {"promises": [_as_data(asdict(one), arguments) for one in found]})


async def calls(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """List incoming calls from the database."""
    settings = settings_with_database(arguments, env)
    found = await list_calls(settings.database_url, limit=arguments.limit)
    zone = ZoneInfo(settings.dialer.time_zone)
    rows = [
        [
            one.id,
            one.dialled or "-",
            one.queue or "-",
            _shown(one.number, arguments),
            local(one.arrived_at, zone),
            one.agent or "-",
            one.ending or "going on",
            local(one.ended_at, zone) if one.ended_at else "-",
        ]
        for one in found
    ]
    headings = ["call", "dialled", "queue", "number", "arrived", "agent", "ending", "ended"]
    return Report(listed(headings, rows, "calls"), {"calls": [_as_data(asdict(one), arguments) for one in found]})


def _with_secrets(env: Mapping[str, str], path: Path | None) -> Mapping[str, str]:
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
    return open_beside(settings.database_url, policies=settings.retry_policies, clock=SystemClock())


def refused(why: str) -> Report:
    """Return the report of a command that was given something of no use."""
    return Report(why, {"error": why}, EXIT_USAGE)


def listed(headings: Sequence[str], rows: list[list[str]], what: str) -> str:
    """Return a table, or that there is nothing of the kind."""
    return table(headings, rows) if rows else f"no {what}"


def _shown(number: str | None, arguments: Namespace) -> str:
    return number if number and arguments.show_numbers else mask(number)


def _as_data(row: dict[str, Any], arguments: Namespace) -> dict[str, Any]:
    shown = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    if row["number"] is not None and not arguments.show_numbers:
        shown["number"] = mask(row["number"])
    return shown


def local(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant on the clock of `zone`, without the year."""
    return re.sub(r"^\d{4}-", "", instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"))
