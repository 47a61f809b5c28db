"""The commands about agents: what they have set by phone, and the PIN by which they prove themselves there."""

from __future__ import annotations

import asyncio
import secrets
import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, refused, settings_with_database, store_beside
from controller.domain.agents import Duty
from controller.domain.pin import LONGEST, SALT_BYTES, Guesses, hashed, refusal
from controller.people_commands import note
from controller.store.agent_book import open_agent_book
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from controller.ports.agents import KeptAgent
    from controller.settings import Settings

DRAWN_DIGITS = 6
_UNSEEN = """
It is kept only as a hash: note it now. It is asked for at the next sign-in (*11), and wrong PINs are forgotten."""
_LIVE = """
What agents set by phone and what survives a restart; who talks or rests at the moment is in the controller's log."""


def add_pin_arguments(one: ArgumentParser) -> None:
    """Add what `controller agent` takes."""
    one.add_argument("action", choices=["pin"], help="set the agent's PIN; unless --stdin is given, one is drawn")
    one.add_argument("name", metavar="NAME", help="the agent, as in the settings")
    how = one.add_mutually_exclusive_group()
    how.add_argument("--stdin", action="store_true", help="read the PIN from the first line of standard input")
    how.add_argument("--remove", action="store_true", help="take the PIN away")


async def pin(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Give an agent a PIN, or take it away. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    agent = next((one for one in settings.agents if one.name == arguments.name), None)
    if agent is None:
        names = ", ".join(one.name for one in settings.agents)
        return refused(f'there is no agent "{arguments.name}" in {arguments.settings}; there are: {names}')
    own = (agent.name, agent.endpoint)
    chosen: str | None = None
    if arguments.stdin:
        chosen = (await asyncio.to_thread(sys.stdin.readline, LONGEST + 2)).rstrip("\r\n")
        if why := refusal(chosen, own=own):
            return refused(f"this PIN is refused: {why.value}")
    elif not arguments.remove:
        chosen = drawn_pin(own)
    kept = None if chosen is None else await asyncio.to_thread(hashed, chosen, secrets.token_bytes(SALT_BYTES))
    async with open_agent_book(settings.database_url) as book:
        await book.set_pin(agent.name, kept, duty_if_new=first_duty(settings), at=SystemClock().now())
    async with store_beside(settings) as store:
        await note(store, "agent pin", agent.name, has_pin=kept is not None)
    if chosen is None:
        return Report(f"{agent.name} has no PIN any more", {"agent": agent.name, "has_pin": False})
    if arguments.stdin:
        return Report(f"the PIN of {agent.name} is set", {"agent": agent.name, "has_pin": True})
    return Report(
        f"the PIN of {agent.name} is {chosen}\n{_UNSEEN.strip()}",
        {"agent": agent.name, "has_pin": True, "pin": chosen},
    )


def drawn_pin(own: Iterable[str]) -> str:
    """Return a new PIN that is good enough, and that nobody can foresee."""
    own = tuple(own)
    while True:
        drawn = f"{secrets.randbelow(10**DRAWN_DIGITS):0{DRAWN_DIGITS}}"
        if refusal(drawn, own=own) is None:
            return drawn


async def agents(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """List the agents of the settings, with what is kept of each. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    async with open_agent_book(settings.database_url) as book:
        kept = {one.name: one for one in await book.kept()}
    now, zone = SystemClock().now(), ZoneInfo(settings.dialer.time_zone)
    duties = {one.name: kept[one.name].duty if one.name in kept else first_duty(settings) for one in settings.agents}
    rows = [
        [
            one.name,
            one.endpoint,
            " ".join(one.queues),
            _duty_word(duties[one.name]),
            *_cells(kept.get(one.name), now, zone),
        ]
        for one in settings.agents
    ]
    headings = ["agent", "phone", "queues", "duty", "PIN", "locked until", "set at"]
    data = [
        {
            "agent": one.name,
            "endpoint": one.endpoint,
            "queues": list(one.queues),
            "signed_in": duties[one.name].signed_in,
            "pause_reason": duties[one.name].pause_reason,
            **_data(kept.get(one.name), now),
        }
        for one in settings.agents
    ]
    return Report(f"{listed(headings, rows, 'agents')}\n{_LIVE}", {"agents": data})


def first_duty(settings: Settings) -> Duty:
    """Return the duty of an agent who has never set one: signed in, unless a PIN is required for that."""
    return Duty(signed_in=settings.agents_by_phone.sign_in == "registered")


def _duty_word(duty: Duty) -> str:
    if not duty.signed_in:
        return "signed out"
    return "signed in" if duty.pause_reason is None else f"paused: {duty.pause_reason}"


def _cells(kept: KeptAgent | None, now: datetime, zone: ZoneInfo) -> list[str]:
    if kept is None:
        return ["-", "-", "-"]
    until = _locked_until(kept.guesses, now)
    return ["set" if kept.pin_hash else "-", local(until, zone) if until else "-", local(kept.changed_at, zone)]


def _data(kept: KeptAgent | None, now: datetime) -> dict[str, Any]:
    until = _locked_until(kept.guesses, now) if kept else None
    return {
        "has_pin": kept is not None and kept.pin_hash is not None,
        "locked_until": until.isoformat() if until else None,
        "set_at": kept.changed_at.isoformat() if kept else None,
    }


def _locked_until(guesses: Guesses, now: datetime) -> datetime | None:
    return guesses.locked_until if guesses.is_locked(now) else None
