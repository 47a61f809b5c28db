"""The commands that change promises: cancel one, and never call or text a number again.

They write to the database, whether or not a controller runs, and ring its doorbell: it takes back what is on its way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.commands import (
    EXIT_FAILED,
    EXIT_USAGE,
    Report,
    listed,
    local,
    refused,
    settings_with_database,
    store_beside,
    with_secrets,
)
from controller.domain.lifecycle import Cancelled, CancelReason, RefusedTransitionError
from controller.domain.phone_number import as_e164, mask
from controller.domain.promise import PromiseState
from controller.logs import hide_numbers
from controller.people_commands import note
from controller.promise_rings import ring

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.domain.promise import Promise
    from controller.settings import Settings

CANCEL_EXAMPLE = "controller cancel 5f1c9a0b7d3e2468"
DO_NOT_CALL_EXAMPLE = 'controller do-not-call add 090-1234-5678 --reason "asked by letter"'

_LONGEST_REASON = 200
_SPACED = re.compile(r"[\s()./-]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_UNHEARD = "no controller heard of it: a phone that rings already rings on"


def add_cancel_arguments(one: ArgumentParser) -> None:
    """Add what `controller cancel` takes."""
    one.add_argument("promise", metavar="PROMISE", help="its id, as `controller promises` lists it")


def add_do_not_call_arguments(one: ArgumentParser) -> None:
    """Add what `controller do-not-call` takes."""
    one.add_argument("action", choices=["add", "remove", "list"], help="put a number on the list, take it off, or look")
    one.add_argument("number", metavar="NUMBER", nargs="?", help="as at home (090-1234-5678) or with + and country")
    one.add_argument("--reason", default="by hand", metavar="TEXT", help="kept with the number (default: by hand)")
    one.add_argument(
        "--show-numbers", action="store_true", help="show whole phone numbers, where the list is kept in clear"
    )


async def cancel(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Cancel a promise; a call that is on its way is taken back. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, env)
    async with store_beside(settings) as store:
        try:
            before = await store.promises.get(arguments.promise)
            cancelled = await store.promises.advance(before.id, Cancelled(CancelReason.ADMIN))
        except LookupError:
            return _failed("there is no such promise; `controller promises` lists them")
        except RefusedTransitionError:
            return _failed(_why_not(await store.promises.get(arguments.promise)))
        was_heard = await ring(settings, [cancelled])
        await note(store, "cancel", cancelled.id, was=before.state.value)
    text = f"promise {cancelled.id} ({mask(cancelled.number)}) is cancelled"
    if before.state is PromiseState.DIALLING:
        text += "; the call that is on its way is taken back" if was_heard else f"; {_UNHEARD}"
    return Report(
        text,
        {
            "promise": cancelled.id,
            "number": mask(cancelled.number),
            "state": cancelled.state.value,
            "was": before.state.value,
            "heard": was_heard,
        },
    )


async def do_not_call(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Change or show the do-not-call list. Raises SettingsError, StoreUnavailableError, ProvisionError."""
    settings = settings_with_database(arguments, with_secrets(env, arguments.secrets))
    if arguments.action == "list":
        return await _show_list(arguments, settings)
    number = as_e164(arguments.number or "", settings.dialer.home_country)
    if number is None:
        return refused("this is no phone number")
    if arguments.action == "add":
        return await _add(number, arguments, settings)
    async with store_beside(settings) as store:
        if not await store.do_not_call.unblock(number):
            return _failed(f"{mask(number)} is not on the do-not-call list")
        await note(store, "do-not-call remove", mask(number))
    return Report(
        f"{mask(number)} is off the do-not-call list; what was cancelled stays cancelled",
        {"number": mask(number), "blocked": False},
    )


async def _add(number: str, arguments: Namespace, settings: Settings) -> Report:
    reason = arguments.reason.strip()
    if not reason.isprintable() or not 0 < len(reason) <= _LONGEST_REASON:
        why = f"the reason has to be one line of 1 to {_LONGEST_REASON} characters"
        return Report(why, {"error": why}, EXIT_USAGE)
    async with store_beside(settings) as store:
        cancelled = await store.do_not_call.block(number, reason=reason)
        was_heard = await ring(settings, cancelled)
        await note(store, "do-not-call add", mask(number), reason=hide_numbers(reason), cancelled=len(cancelled))
    text = f"{mask(number)} is on the do-not-call list; promises cancelled: {len(cancelled)}"
    if cancelled and not was_heard:
        text += f"; {_UNHEARD}"
    return Report(
        text,
        {
            "number": mask(number),
            "blocked": True,
            "cancelled": [promise.id for promise in cancelled],
            "heard": was_heard,
        },
    )


async def _show_list(arguments: Namespace, settings: Settings) -> Report:
    async with store_beside(settings) as store:
        found = await store.do_not_call.listed()
    zone = ZoneInfo(settings.dialer.time_zone)
    shown = [one.number if arguments.show_numbers else mask(one.number) for one in found]
    rows = [[number, one.reason, local(one.blocked_at, zone)] for number, one in zip(shown, found, strict=True)]
    data = [
        {"number": number, "reason": one.reason, "blocked_at": one.blocked_at.isoformat()}
        for number, one in zip(shown, found, strict=True)
    ]
    return Report(listed(["number", "reason", "since"], rows, "numbers on the list"), {"do_not_call": data})


def _why_not(promise: Promise) -> str:
    if promise.state is PromiseState.CONNECTED:
        return f"promise {promise.id} is being kept: they are talking, and a talk is not cut"
    return f"promise {promise.id} is over already: {promise.state.value}"


def _failed(why: str) -> Report:
    return Report(why, {"error": why}, EXIT_FAILED)
