"""The command about webhooks: how each fares, one event sent by hand, and what was not taken sent again."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from controller.commands import (
    EXIT_FAILED,
    Report,
    listed,
    local,
    refused,
    settings_with_database,
    store_beside,
    with_secrets,
)
from controller.domain.hook_events import of_test
from controller.hooks.client import HookClient
from controller.hooks.signing import read_secrets
from controller.people_commands import note
from controller.ports.hooks import NotTaken
from controller.settings import load_settings
from controller.settings.hook_secrets import hook_variable
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.ports.hooks import HookStanding
    from controller.settings import Settings
    from controller.settings.hooks import Hook

EXAMPLE = "controller hooks test crm"
_MARK_BYTES = 8


def add_arguments(one: ArgumentParser) -> None:
    """Add what `controller hooks` takes."""
    one.add_argument(
        "action",
        choices=["list", "test", "retry"],
        help="list: how each fares; test: send one event now; retry: send again all that was not taken",
    )
    one.add_argument("hook", metavar="NAME", nargs="?", help="test, retry: the hook, by its name in the settings")


async def hooks(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Do what is asked about webhooks. Raises SettingsError, StoreUnavailableError, ProvisionError."""
    if arguments.action == "list":
        if arguments.hook is not None:
            return refused("`controller hooks list` takes no name")
        return await _list(settings_with_database(arguments, env))
    name = arguments.hook
    if name is None:
        return refused(f"say which: `controller hooks {arguments.action} NAME`")
    if arguments.action == "retry":
        return await _retry(settings_with_database(arguments, env), name)
    env = with_secrets(env, arguments.secrets)
    settings = load_settings(arguments.settings, env, needs_secrets=False)
    hook = next((hook for hook in settings.hooks if hook.name == name), None)
    return _unknown(settings) if hook is None else await _test(hook, env)


async def _list(settings: Settings) -> Report:
    async with store_beside(settings) as store:
        found = await store.hooks.standing()
    rows = [
        [
            one.wish.name,
            one.wish.shown_url,
            " ".join(one.wish.events),
            _state(one),
            str(one.backlog),
            str(one.delivered),
            str(one.not_delivered),
            local(one.last_delivered_at, settings.zone) if one.last_delivered_at else "-",
            one.last_error or "-",
        ]
        for one in found
    ]
    headings = ["hook", "address", "events", "state", "owed", "taken", "not taken", "last taken", "last error"]
    return Report(listed(headings, rows, "hooks in the settings"), {"hooks": [_data(one) for one in found]})


async def _retry(settings: Settings, name: str) -> Report:
    if name not in {wish.name for wish in settings.hook_wishes}:
        return _unknown(settings)
    async with store_beside(settings) as store:
        count = await store.hooks.retry(name, SystemClock().now())
        await note(store, "hooks retry", name, count=count)
    text = f"{name}: {count} to be sent again; a controller that runs begins within a minute"
    return Report(text, {"hook": name, "count": count})


async def _test(hook: Hook, env: Mapping[str, str]) -> Report:
    """Send one event from here, whether or not a controller runs. It is not retried, and nothing is written down."""
    variable = hook_variable(hook.name)
    try:
        signing = read_secrets(env.get(variable, ""))
    except ValueError as error:
        return refused(f"{variable} {error}")
    clock = SystemClock()
    event = replace(of_test(hook.name, clock.now()), mark=secrets.token_hex(_MARK_BYTES))
    client = HookClient(hook.url, signing, clock, allow_private=hook.allow_private)
    try:
        answer = await client.post(event.id, msgspec.json.encode(event.body(with_numbers=False)).decode())
    finally:
        await client.close()
    data = {"hook": hook.name, "event_id": event.id, "status": answer.status}
    if isinstance(answer, NotTaken):
        return Report(f"{hook.name}: {answer.reason}", {**data, "error": answer.reason}, EXIT_FAILED)
    return Report(f"{hook.name}: taken with {answer.status}", data)


def _state(one: HookStanding) -> str:
    if not one.wish.enabled:
        return "off"
    return "gone (410)" if one.is_gone else "on"


def _data(one: HookStanding) -> dict[str, Any]:
    return {
        "name": one.wish.name,
        "url": one.wish.shown_url,
        "events": list(one.wish.events),
        "with_numbers": one.wish.with_numbers,
        "state": _state(one),
        "backlog": one.backlog,
        "oldest_at": one.oldest_at and one.oldest_at.isoformat(),
        "delivered": one.delivered,
        "not_delivered": one.not_delivered,
        "last_delivered_at": one.last_delivered_at and one.last_delivered_at.isoformat(),
        "last_status": one.last_status,
        "last_error": one.last_error,
    }


def _unknown(settings: Settings) -> Report:
    names = ", ".join(wish.name for wish in settings.hook_wishes) or "none"
    return refused(f"there is no such hook in the settings; there are: {names}")
