"""The commands about keys of programs, and about who did what."""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, refused, settings_with_database, store_beside
from controller.domain.access import SCOPES_OF_KEYS
from controller.domain.api_key import ID_BYTES, SECRET_BYTES, scopes_of_key, secret_hash, written
from controller.people_commands import note
from controller.ports.audit import COMMAND
from controller.ports.people import ApiKey
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.ports.audit import AuditLine
    from controller.store import Store

KEY_EXAMPLE = 'controller key add --title "our CRM" --scope promises:read --scope numbers:read --days 365'
AUDIT_EXAMPLE = "controller audit --who hanako --limit 50"
_LONGEST_TITLE = 120
_MOST_DAYS = 3650
_SHOWN_ONCE = """It is kept only as a hash: note it now. A program sends it with each request:
    Authorization: Bearer """


def add_key_arguments(one: ArgumentParser) -> None:
    """Add what `controller key` takes."""
    one.add_argument("action", choices=["add", "list", "revoke"], help="what to do")
    one.add_argument("id", nargs="?", metavar="ID", help="revoke: the key, by the part between ori_ and the second _")
    one.add_argument("--title", metavar="TEXT", help="add: what it is for")
    scopes = ", ".join(sorted(scope.value for scope in SCOPES_OF_KEYS))
    one.add_argument(
        "--scope", action="append", default=[], metavar="SCOPE", help=f"add: what it may do, several times: {scopes}"
    )
    one.add_argument("--days", type=_days, metavar="N", help="add: good for so many days (default: until revoked)")


def add_audit_arguments(one: ArgumentParser) -> None:
    """Add what `controller audit` takes beside a limit."""
    one.add_argument("--who", metavar="NAME", help="only what this person, key or account did")
    one.add_argument("--action", metavar="TEXT", help="only this action, as sign-in")


async def key(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Look after keys. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    async with store_beside(settings) as store:
        match arguments.action:
            case "list":
                return _keys(await store.keys.listed(), ZoneInfo(settings.dialer.time_zone))
            case "add":
                return await _add(arguments, store)
            case _:
                return await _revoke(arguments, store)


async def audit(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Tell who did what, newest first. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    async with store_beside(settings) as store:
        lines = await store.audit.listed(limit=arguments.limit, who=arguments.who, action=arguments.action)
    zone = ZoneInfo(settings.dialer.time_zone)
    headings = ["at", "kind", "who", "action", "subject", "outcome", "detail"]
    return Report(
        listed(headings, [_row(line, zone) for line in lines], "entries"),
        {
            "audit": [
                {
                    "id": line.id,
                    "at": line.entry.at.isoformat(),
                    "kind": line.entry.kind,
                    "who": line.entry.who,
                    "action": line.entry.action,
                    "subject": line.entry.subject,
                    "outcome": line.entry.outcome,
                    "detail": dict(line.entry.detail),
                }
                for line in lines
            ]
        },
    )


async def _add(arguments: Namespace, store: Store) -> Report:
    title = (arguments.title or "").strip()
    if not title or len(title) > _LONGEST_TITLE or not title.isprintable():
        return refused(f"say what the key is for, in 1 to {_LONGEST_TITLE} characters: --title")
    try:
        scopes = scopes_of_key(arguments.scope)
    except ValueError as error:
        return refused(str(error))
    now = SystemClock().now()
    an_id, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
    made = ApiKey(
        id=an_id,
        title=title,
        scopes=scopes,
        made_by=COMMAND,
        made_at=now,
        secret_hash=secret_hash(secret),
        expires_at=None if arguments.days is None else now + timedelta(days=arguments.days),
    )
    await store.keys.add(made)
    await note(store, "key add", an_id, title=title, scopes=sorted(scopes), days=arguments.days)
    whole = written(an_id, secret)
    data = {
        "id": an_id,
        "key": whole,
        "title": title,
        "scopes": sorted(scopes),
        "expires_at": made.expires_at.isoformat() if made.expires_at else None,
    }
    return Report(f"the key is {whole}\n{_SHOWN_ONCE}{whole}", data)


async def _revoke(arguments: Namespace, store: Store) -> Report:
    key_id = (arguments.id or "").removeprefix("ori_").partition("_")[0]
    if not await store.keys.revoke(key_id, SystemClock().now()):
        return refused("there is no such key that is good; controller key list shows all")
    await note(store, "key revoke", key_id)
    return Report(f"the key {key_id} opens nothing any more", {"id": key_id, "revoked": True})


def _keys(keys: list[ApiKey], zone: ZoneInfo) -> Report:
    now = SystemClock().now()
    headings = ["key", "title", "scopes", "made by", "made", "good until", "used last"]
    rows = [
        [
            one.id,
            one.title,
            " ".join(sorted(one.scopes)),
            one.made_by,
            local(one.made_at, zone),
            _until(one, zone),
            local(one.used_at, zone) if one.used_at else "-",
        ]
        for one in keys
    ]
    data = [
        {
            "id": one.id,
            "title": one.title,
            "scopes": sorted(one.scopes),
            "made_by": one.made_by,
            "made_at": one.made_at.isoformat(),
            "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            "used_at": one.used_at.isoformat() if one.used_at else None,
            "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
            "is_good": one.is_good(now),
        }
        for one in keys
    ]
    return Report(listed(headings, rows, "keys"), {"keys": data})


def _until(one: ApiKey, zone: ZoneInfo) -> str:
    if one.revoked_at:
        return f"revoked {local(one.revoked_at, zone)}"
    return local(one.expires_at, zone) if one.expires_at else "it is revoked"


def _row(line: AuditLine, zone: ZoneInfo) -> list[str]:
    entry = line.entry
    detail = json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else ""
    return [local(entry.at, zone), entry.kind, entry.who, entry.action, entry.subject, entry.outcome, detail]


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MOST_DAYS:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST_DAYS}")
    return int(text)
