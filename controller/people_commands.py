"""The command about people who may come into the console. A password is asked for, or drawn and shown once."""

from __future__ import annotations

import asyncio
import getpass
import secrets
import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, refused, settings_with_database, store_beside
from controller.domain.access import Role
from controller.domain.login_name import RULE, login_name
from controller.domain.passwords import LONGEST, SALT_BYTES, PasswordRefusal, hashed, refusal
from controller.ports.audit import COMMAND, AuditEntry
from controller.ports.people import Person, PersonChange
from controller.settings.values import LANGUAGES
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.settings import Settings
    from controller.store import Store

EXAMPLE = "controller person add hanako --role supervisor"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what looks like another sign."""
_GROUPS, _GROUP = 4, 5
"""20 signs of 31: 99 bits."""
_SHOWN_ONCE = "It is kept only as a hash: note it now. Whoever signs in with it has to choose another first."
_WORDS = {
    PasswordRefusal.SHORT: "it needs 12 characters or more",
    PasswordRefusal.LONG: "it may have 128 characters at most",
    PasswordRefusal.OWN_NAME: "it is hardly more than a name of theirs",
    PasswordRefusal.COMMON: "it is made of what everybody tries first",
}


class PasswordRefusedError(Exception):
    """A password that was typed is not good enough; its text says why."""


def add_person_arguments(one: ArgumentParser) -> None:
    """Add what `controller person` takes."""
    one.add_argument("action", choices=["add", "list", "set", "remove"], help="what to do")
    one.add_argument("name", nargs="?", metavar="NAME", help="the login name; not for list")
    one.add_argument("--role", choices=[role.value for role in Role], help="what they may do; needed to add somebody")
    one.add_argument("--agent", metavar="AGENT", help="who they are at the phone, as in the settings; '' for nobody")
    one.add_argument("--display-name", metavar="TEXT", help="what they are called (default: the login name)")
    one.add_argument("--language", choices=[*LANGUAGES, ""], help="of their pages (default: the browser's)")
    one.add_argument("--new-password", action="store_true", help="set: give them another password")
    how = one.add_mutually_exclusive_group()
    how.add_argument("--ask", action="store_true", help="ask for the password instead of drawing one")
    how.add_argument("--stdin", action="store_true", help="read the password from the first line of standard input")
    one.add_argument("--unlock", action="store_true", help="set: forget wrong passwords, so that they can try again")
    able = one.add_mutually_exclusive_group()
    able.add_argument("--enable", action="store_true", help="set: let them in again")
    able.add_argument("--disable", action="store_true", help="set: sign them out and let them in no more")


async def person(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Look after people. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    if arguments.action == "list":
        async with store_beside(settings) as store:
            return _listed(await store.people.listed(), ZoneInfo(settings.dialer.time_zone))
    name = login_name(arguments.name or "")
    if name is None:
        return refused(f"a login name is {RULE}")
    known = {agent.name for agent in settings.agents}
    if arguments.agent and arguments.agent not in known:
        return refused(f'there is no agent "{arguments.agent}" in the settings; there are: {", ".join(sorted(known))}')
    async with store_beside(settings) as store:
        try:
            match arguments.action:
                case "add":
                    return await _add(arguments, settings, store, name)
                case "set":
                    return await _set(arguments, store, name)
                case _:
                    return await _remove(store, name)
        except PasswordRefusedError as error:
            return refused(str(error))


async def _add(arguments: Namespace, settings: Settings, store: Store, name: str) -> Report:
    if arguments.role is None:
        return refused(f"say what {name} may do: --role {' or '.join(role.value for role in Role)}")
    if await store.people.find(name) is not None:
        return refused(f"there is a {name} already; controller person set {name} changes them")
    shown = arguments.display_name or name
    password, is_drawn = await _password(arguments, (name, shown, arguments.agent or ""))
    now = SystemClock().now()
    person = Person(
        name=name,
        display_name=shown,
        role=Role(arguments.role),
        made_at=now,
        changed_at=now,
        agent=arguments.agent or "",
        language=arguments.language or "",
        password_hash=await _hash(password),
        must_change=is_drawn,
    )
    if not await store.people.add(person):
        return refused(f"there is a {name} already")
    await note(store, "person add", name, role=arguments.role, agent=arguments.agent or "")
    address = f"\n{name} signs in at {settings.console.address}/sign-in" if settings.console.enabled else ""
    return _with_password(f"{name} may come in as {arguments.role}{address}", name, password if is_drawn else None)


async def _set(arguments: Namespace, store: Store, name: str) -> Report:
    change = PersonChange(
        display_name=arguments.display_name,
        role=None if arguments.role is None else Role(arguments.role),
        agent=arguments.agent,
        language=arguments.language,
        is_enabled=True if arguments.enable else False if arguments.disable else None,
    )
    wants_password = arguments.new_password or arguments.ask or arguments.stdin
    if change == PersonChange() and not wants_password and not arguments.unlock:
        return refused("say what is to be different: --role, --agent, --new-password, --unlock, --disable ...")
    before = await store.people.find(name)
    if before is None:
        return refused(f"there is no {name}; controller person list shows everybody")
    password, is_drawn = "", False
    if wants_password:
        own = (name, change.display_name or before.display_name, change.agent or before.agent)
        password, is_drawn = await _password(arguments, own)
    if change != PersonChange():
        await store.people.change(name, change, at=SystemClock().now())
    if arguments.unlock:
        await store.people.unlock(name)
    if wants_password:
        await store.people.set_password(name, await _hash(password), must_change=is_drawn, at=SystemClock().now())
    told = {field: getattr(change, field) for field in PersonChange.__slots__ if getattr(change, field) is not None}
    await note(store, "person set", name, **told, new_password=wants_password, unlock=arguments.unlock)
    return _with_password(f"{name} is changed", name, password if is_drawn else None)


async def _remove(store: Store, name: str) -> Report:
    if not await store.people.remove(name):
        return refused(f"there is no {name}; controller person list shows everybody")
    await note(store, "person remove", name)
    return Report(f"{name} may not come in any more", {"person": name, "removed": True})


async def note(store: Store, action: str, subject: str, **detail: Any) -> None:
    """Write into the audit what was done here, and by whose account. Raises StoreUnavailableError."""
    account = await asyncio.to_thread(_account)
    entry = AuditEntry(SystemClock().now(), COMMAND, account, action, "ok", subject, detail)
    await store.audit.note(entry)


def drawn_password() -> str:
    """Return a password that nobody can foresee, easy to read out."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


async def _password(arguments: Namespace, own: tuple[str, ...]) -> tuple[str, bool]:
    """Return a password, and whether it was drawn. Raises PasswordRefusedError."""
    if arguments.stdin:
        typed = (await asyncio.to_thread(sys.stdin.readline, LONGEST + 2)).rstrip("\r\n")
    elif arguments.ask:
        typed = await asyncio.to_thread(getpass.getpass, "Password: ")
        if typed != await asyncio.to_thread(getpass.getpass, "Once more: "):
            raise PasswordRefusedError("the two passwords are not the same; nothing was changed")
    else:
        return drawn_password(), True
    why = refusal(typed, own=own)
    if why is not None:
        raise PasswordRefusedError(f"this password is refused: {_WORDS[why]}; nothing was changed")
    return typed, False


async def _hash(password: str) -> str:
    return await asyncio.to_thread(hashed, password, secrets.token_bytes(SALT_BYTES))


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"


def _with_password(text: str, name: str, drawn: str | None) -> Report:
    if drawn is None:
        return Report(text, {"person": name})
    return Report(f"{text}\nthe password is {drawn}\n{_SHOWN_ONCE}", {"person": name, "password": drawn})


def _listed(people: list[Person], zone: ZoneInfo) -> Report:
    now = SystemClock().now()
    headings = ["person", "name", "role", "agent", "may come in", "made", "changed"]
    rows = [
        [
            one.name,
            one.display_name,
            one.role.value,
            one.agent or "-",
            _standing(one, zone),
            local(one.made_at, zone),
            local(one.changed_at, zone),
        ]
        for one in people
    ]
    data = [
        {
            "person": one.name,
            "display_name": one.display_name,
            "role": one.role.value,
            "agent": one.agent,
            "language": one.language,
            "enabled": one.is_enabled,
            "must_change": one.must_change,
            "has_password": one.password_hash is not None,
            "locked_until": one.guesses.locked_until.isoformat()
            if one.guesses.locked_until and one.guesses.is_locked(now)
            else None,
            "made_at": one.made_at.isoformat(),
            "changed_at": one.changed_at.isoformat(),
        }
        for one in people
    ]
    return Report(listed(headings, rows, "people"), {"people": data})


def _standing(one: Person, zone: ZoneInfo) -> str:
    if not one.is_enabled:
        return "no: disabled"
    if one.password_hash is None:
        return "no: no password"
    if one.guesses.locked_until and one.guesses.is_locked(SystemClock().now()):
        return f"locked until {local(one.guesses.locked_until, zone)}"
    return "yes, with a new password" if one.must_change else "yes"
