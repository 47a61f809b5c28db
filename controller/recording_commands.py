"""The command about recordings of talks: which there are, the sound of one as a file, and one deleted by hand."""

from __future__ import annotations

import os
import random
from argparse import ArgumentTypeError
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.asterisk.ari.client import AriClient
from controller.asterisk.recordings import AriRecordingShelf
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
from controller.domain.phone_number import as_e164, mask
from controller.domain.spellings import spellings
from controller.people_commands import note
from controller.ports.calls import PbxUnavailableError
from controller.ports.recordings import WantedRecordings
from controller.settings import load_settings
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import BinaryIO

    from controller.domain.recording import Recording
    from controller.settings import Asterisk, Settings
    from controller.store import Store

EXAMPLE = "controller recordings save 5f1c9a0b7d3e2468 talk.wav"
_FITTING = {
    "list": {"number", "queue", "agent", "of", "days"},
    "save": {"id", "file"},
    "delete": {"id"},
}
"""Which arguments belong to which action; those of `save` and `delete` are needed."""
_WORDS = {"id": "ID", "file": "FILE"}
_ALL = {name for names in _FITTING.values() for name in names}
_MOST_DAYS = 3650
_NONE_SUCH = "there is no such recording; `controller recordings` lists them"
_GOES_ON = "the talk goes on; its recording is there when it is over"


def add_arguments(one: ArgumentParser) -> None:
    """Add what `controller recordings` takes, beside `--limit` and `--show-numbers` of every listing."""
    one.add_argument(
        "action",
        nargs="?",
        choices=list(_FITTING),
        default="list",
        help="list: which there are, newest first; save: the sound into a file (WAV); delete: for good (default: list)",
    )
    one.add_argument("id", metavar="ID", nargs="?", help="save, delete: which, as it is listed")
    one.add_argument("file", metavar="FILE", nargs="?", type=Path, help="save: a file that is not there yet")
    one.add_argument("--number", metavar="NUMBER", help="list: only talks with this number, however it was written")
    one.add_argument("--queue", metavar="NAME", help="list: only talks of this queue")
    one.add_argument("--agent", metavar="NAME", help="list: only talks of this agent")
    one.add_argument("--of", metavar="ID", help="list: only talks of this call or promise")
    one.add_argument("--days", type=_days, metavar="N", help="list: only of the last so many days")


async def recordings(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Do what is asked about recordings. Raises SettingsError, StoreUnavailableError, ProvisionError, OSError."""
    fitting = _FITTING[arguments.action]
    unfit = [name for name in sorted(_ALL - fitting) if getattr(arguments, name) is not None]
    if unfit:
        names = ", ".join(_WORDS.get(name, f"--{name}") for name in unfit)
        return refused(f"`controller recordings {arguments.action}` does not take {names}")
    if arguments.action != "list" and any(getattr(arguments, name) is None for name in fitting):
        wanted = " ".join(_WORDS[name] for name in sorted(fitting, key=list(_WORDS).index))
        return refused(f"say which: `controller recordings {arguments.action} {wanted}`")
    env = with_secrets(env, arguments.secrets)
    settings = settings_with_database(arguments, env)
    if arguments.action == "list":
        return await _list(settings, arguments)
    async with store_beside(settings) as store:
        found = await store.recordings.find(arguments.id)
        if found is None or found.unwanted or found.erased_at is not None:
            return refused(_NONE_SUCH)
        if found.ended_at is None:
            return refused(_GOES_ON)
        if arguments.action == "delete":
            return await _delete(store, found)
        # Only who has the PBX's password hears anything.
        return await _save(load_settings(arguments.settings, env), store, found, arguments.file)


async def _list(settings: Settings, arguments: Namespace) -> Report:
    home = settings.dialer.home_country
    number = None if arguments.number is None else as_e164(arguments.number, home)
    if arguments.number is not None and number is None:
        return refused("this is no phone number")
    wanted = WantedRecordings(
        since=None if arguments.days is None else SystemClock().now() - timedelta(days=arguments.days),
        queue=arguments.queue or "",
        agent=arguments.agent or "",
        spelled=() if number is None else spellings(number, home),
        waiter_id=arguments.of or "",
    )
    async with store_beside(settings) as store:
        found = await store.recordings.page(wanted, after=None, limit=arguments.limit)
    shows, zone = arguments.show_numbers, ZoneInfo(settings.dialer.time_zone)
    headings = ["recording", "began", "length", "queue", "agent", "number", "consent", "talk of", "Asterisk"]
    rows = [_row(one, zone, shows=shows) for one in found]
    return Report(listed(headings, rows, "recordings"), {"recordings": [_data(one, shows=shows) for one in found]})


def _row(one: Recording, zone: ZoneInfo, *, shows: bool) -> list[str]:
    return [
        one.id,
        local(one.began_at, zone),
        _length(one),
        one.queue,
        one.agent,
        one.number if shows and one.number else mask(one.number),
        one.consent.value,
        one.waiter_id,
        one.pbx,
    ]


def _length(one: Recording) -> str:
    if one.ended_at is None:
        return "paused" if one.paused_at is not None else "going on"
    minutes, seconds = divmod(int((one.ended_at - one.began_at).total_seconds()), 60)
    return f"{minutes}:{seconds:02}"


def _data(one: Recording, *, shows: bool) -> dict[str, Any]:
    row = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(one).items()}
    del row["unwanted"], row["erased_at"]  # such are not listed
    return row if shows or not one.number else row | {"number": mask(one.number)}


async def _delete(store: Store, found: Recording) -> Report:
    if not await store.recordings.delete(found.id):
        return refused(_NONE_SUCH)
    await note(store, "recordings delete", found.id, of=found.waiter_id)
    text = f"{found.id} is deleted; the controller that works for {found.pbx} erases the sound within a minute"
    return Report(text, {"id": found.id, "deleted": True})


async def _save(settings: Settings, store: Store, found: Recording, path: Path) -> Report:
    asterisk = next((each for each in settings.asterisks if each.name == found.pbx), None)
    if asterisk is None:
        return _failed(f"{found.pbx}, which has the sound, is not in the settings")
    try:
        with _new_file(path) as file:
            # Before the first byte: whoever hears it has been written down, whatever happens next.
            await note(store, "recordings save", found.id, of=found.waiter_id)
            async with _shelf(settings, asterisk) as shelf:
                async for piece in shelf.sound(found.id):
                    file.write(piece)
            size = file.tell()
    except FileExistsError:
        return refused(f"{path} is there already; nothing is written over it")
    except LookupError:
        return _failed(f"{found.pbx} has no sound of it any more")
    except PbxUnavailableError as error:
        return _failed(f"{found.pbx} cannot be asked for it: {error}")
    return Report(f"{path}: {size} bytes", {"id": found.id, "file": str(path), "bytes": size})


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Make a file that nobody else may read, and leave none that is not whole. Raises FileExistsError, OSError."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            path.unlink()
            raise


@asynccontextmanager
async def _shelf(settings: Settings, asterisk: Asterisk) -> AsyncIterator[AriRecordingShelf]:
    """Open the way to the sound of one Asterisk: plain requests, beside the controller that works for it."""
    client = AriClient(
        asterisk.url,
        asterisk.app,
        asterisk.ari_username,
        settings.ari_password_of(asterisk.name),
        on_event=lambda _: None,
        on_connected=lambda: None,
        on_disconnected=lambda: None,
        clock=SystemClock(),
        rng=random.Random(),  # noqa: S311 - spreads reconnects, of which there are none
    )
    try:
        yield AriRecordingShelf(client)
    finally:
        await client.close()


def _failed(why: str) -> Report:
    return Report(why, {"error": why}, EXIT_FAILED)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MOST_DAYS:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST_DAYS}")
    return int(text)
