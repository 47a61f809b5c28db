"""The commands about SMS: what each text looks like and costs, what became of those that were owed, and replies.

They read the settings and the database, whether or not a controller runs, and change nothing.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, refused, settings_with_database, store_beside
from controller.domain.effects import SmsTemplate
from controller.domain.phone_number import as_e164, mask
from controller.domain.sms import SmsStatus
from controller.logs import hide_numbers
from controller.settings import load_settings
from controller.sms.texts import LANGUAGES
from controller.sms_preview import ALL, preview
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.ports.sms_listing import ReplyLine, SmsLine
    from controller.settings import Settings

EXAMPLE = "controller sms preview not_reached --language ja"

DEAD_LETTERS = (SmsStatus.FAILED, SmsStatus.BLOCKED, SmsStatus.UNKNOWN, SmsStatus.UNDELIVERED)
"""What did not arrive, or may not have: they are listed first."""
_FITTING = {
    "preview": {"template", "language", "queue"},
    "list": {"status", "number"},
    "replies": {"needs_person"},
}
"""Which options belong to one action alone."""
_SPACED = re.compile(r"[\s()./-]+")
_LONGEST_SHOWN = 80


def add_arguments(one: ArgumentParser) -> None:
    """Add what `controller sms` takes, beside `--limit` and `--show-numbers` of every listing."""
    one.add_argument(
        "action",
        choices=list(_FITTING),
        help="preview: each text with its length; list: what became of SMS; replies: what customers wrote",
    )
    templates = [ALL, *(template.value for template in SmsTemplate)]
    one.add_argument(
        "template", nargs="?", choices=templates, metavar="TEMPLATE", help=f"preview: one of {', '.join(templates)}"
    )
    one.add_argument("--language", choices=LANGUAGES, help="preview: only in this language")
    one.add_argument("--queue", metavar="NAME", help="preview: as this queue signs (default: the first)")
    statuses = [status.value for status in SmsStatus]
    one.add_argument(
        "--status",
        action="append",
        choices=statuses,
        metavar="STATUS",
        help=f"list: only those that stand so; once more for another; {', '.join(statuses)}",
    )
    one.add_argument("--number", metavar="NUMBER", help="list: only those to this number")
    one.add_argument(
        "--needs-person", action="store_true", default=None, help="replies: only what we did not understand"
    )


async def sms(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Do what is asked about SMS. Raises SettingsError, StoreUnavailableError, UnknownTextError."""
    options = set().union(*_FITTING.values())
    unfit = [name for name in sorted(options - _FITTING[arguments.action]) if getattr(arguments, name) is not None]
    if unfit:
        names = ", ".join(name if name == "template" else f"--{name.replace('_', '-')}" for name in unfit)
        return refused(f"`controller sms {arguments.action}` does not take {names}")
    if arguments.action == "preview":
        return preview(
            load_settings(arguments.settings, env, needs_secrets=False),
            template=arguments.template or ALL,
            language=arguments.language,
            queue=arguments.queue,
            now=SystemClock().now(),
        )
    settings = settings_with_database(arguments, env)
    if arguments.action == "list":
        return await _list(settings, arguments)
    return await _replies(settings, arguments)


async def _list(settings: Settings, arguments: Namespace) -> Report:
    number = None if arguments.number is None else as_e164(arguments.number, settings.dialer.home_country)
    if arguments.number is not None and number is None:
        return refused("this is no phone number")
    limit = arguments.limit
    async with store_beside(settings) as store:
        if arguments.status:
            found = await store.sms_listing.listed([SmsStatus(one) for one in arguments.status], limit, number)
        else:
            found = await store.sms_listing.listed(DEAD_LETTERS, limit, number)
            others = [status for status in SmsStatus if status not in DEAD_LETTERS]
            if len(found) < limit:
                found += await store.sms_listing.listed(others, limit - len(found), number)
    shows = arguments.show_numbers
    zone = ZoneInfo(settings.dialer.time_zone)
    rows = [_row(one, zone, shows=shows) for one in found]
    headings = ["queued", "text", "queue", "number", "status", "settled", "tries", "promise", "why"]
    return Report(listed(headings, rows, "SMS"), {"sms": [_data(asdict(one), shows=shows) for one in found]})


def _row(one: SmsLine, zone: ZoneInfo, *, shows: bool) -> list[str]:
    return [
        local(one.queued_at, zone),
        one.template,
        one.queue,
        one.number if shows else mask(one.number),
        one.status.value,
        local(one.settled_at, zone) if one.settled_at else "-",
        str(one.tries),
        one.promise_id or "-",
        (one.error if shows else hide_numbers(one.error)) or "-",
    ]


async def _replies(settings: Settings, arguments: Namespace) -> Report:
    async with store_beside(settings) as store:
        found = await store.sms_listing.replies(needs_person_only=bool(arguments.needs_person), limit=arguments.limit)
    shows = arguments.show_numbers
    zone = ZoneInfo(settings.dialer.time_zone)
    rows = [_reply_row(one, zone, shows=shows) for one in found]
    headings = ["received", "number", "taken for", "person", "acted on", "text"]
    return Report(listed(headings, rows, "replies"), {"replies": [_data(asdict(one), shows=shows) for one in found]})


def _reply_row(one: ReplyLine, zone: ZoneInfo, *, shows: bool) -> list[str]:
    text = one.text if shows else hide_numbers(one.text)
    return [
        local(one.received_at, zone),
        one.number if shows else mask(one.number),
        one.meaning or "-",
        "needed" if one.needs_person else "-",
        local(one.handled_at, zone) if one.handled_at else "not yet",
        text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…",
    ]


def _data(row: dict[str, Any], *, shows: bool) -> dict[str, Any]:
    """Return a row for a program; what people and providers wrote keeps its numbers only where they are asked for."""
    shown = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    if not shows:
        shown["number"] = mask(row["number"])
        shown |= {key: hide_numbers(row[key]) for key in ("text", "error", "key") if key in row}
    return shown
