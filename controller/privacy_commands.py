"""The commands for one person's data: tell all that is known of a number, and forget it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from controller.commands import EXIT_FAILED, Report, refused, settings_with_database, store_beside, with_secrets
from controller.domain.phone_number import as_e164, mask
from controller.domain.spellings import spellings
from controller.people_commands import note
from controller.promise_rings import ring
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

EXPORT_EXAMPLE = "controller export 090-1234-5678 > customer.json"
FORGET_EXAMPLE = "controller forget 090-1234-5678 --yes"

_YES = "yes"
_LEFT = "something with this number goes on (a call, a talk, an SMS or webhook on its way): say it again afterwards"


def add_number(one: ArgumentParser) -> None:
    """Add whose data it is about."""
    one.add_argument("number", metavar="NUMBER", help="as at home (090-1234-5678) or with + and country")


def add_forget_arguments(one: ArgumentParser) -> None:
    """Add what `controller forget` takes."""
    add_number(one)
    one.add_argument("--yes", action="store_true", help="do not ask: it cannot be taken back")


async def export(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Tell everything that is known of a number, as JSON. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, with_secrets(env, arguments.secrets))
    number = as_e164(arguments.number, settings.dialer.home_country)
    if number is None:
        return refused("this is no phone number")
    async with store_beside(settings) as store:
        known = await store.privacy.known(spellings(number, settings.dialer.home_country))
        await note(store, "export", mask(number))
    data: dict[str, Any] = {"number": number, "exported_at": SystemClock().now().isoformat(), "known": known}
    return Report(json.dumps(data, ensure_ascii=False, indent=2), data)


async def forget(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Erase a number everywhere; what it was promised is cancelled. Raises SettingsError, StoreUnavailableError."""
    settings = settings_with_database(arguments, with_secrets(env, arguments.secrets))
    number = as_e164(arguments.number, settings.dialer.home_country)
    if number is None:
        return refused("this is no phone number")
    if not arguments.yes and not _is_meant(number):
        return refused("nothing was erased; --yes does it without asking")
    async with store_beside(settings) as store:
        done = await store.privacy.forget(spellings(number, settings.dialer.home_country), SystemClock().now())
        await note(store, "forget", mask(number))
    was_heard = await ring(settings, done.cancelled)
    lines = [f"{mask(number)}: promises cancelled: {len(done.cancelled)}"]
    lines += [f"{name}: {count} erased" for name, count in done.erased.items()]
    if done.left:
        lines.append(_LEFT)
    return Report(
        "\n".join(lines),
        {
            "number": mask(number),
            "cancelled": [promise.id for promise in done.cancelled],
            "erased": dict(done.erased),
            "left": dict(done.left),
            "heard": was_heard,
        },
        EXIT_FAILED if done.left else 0,
    )


def _is_meant(number: str) -> bool:
    """Ask, where somebody can answer."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(f'Everything about {mask(number)} is erased for good. Write "{_YES}" to do it: ')
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == _YES
