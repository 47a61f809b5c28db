"""What an admin looks at first: the settings, the installation, a new site, promises and calls."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import EXIT_FAILED, EXIT_OK, Report, listed, local, settings_with_database, with_secrets
from controller.doctor import Level, examine, has_fault
from controller.domain.phone_number import mask
from controller.domain.promise import PromiseState
from controller.first_start import accounts_text, first_start
from controller.settings import load_settings
from controller.store.listing import list_calls, list_promises
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping


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
        with_secrets(env, arguments.secrets),
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


def _shown(number: str | None, arguments: Namespace) -> str:
    return number if number and arguments.show_numbers else mask(number)


def _as_data(row: dict[str, Any], arguments: Namespace) -> dict[str, Any]:
    shown = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    if row["number"] is not None and not arguments.show_numbers:
        shown["number"] = mask(row["number"])
    return shown
