"""The command that moves everything to another database: `controller store move`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from controller.commands import Report, refused
from controller.settings import load_settings
from controller.settings.database import DB_PASSWORD, database_address, is_server, with_password
from controller.store.moving import move
from controller.system_clock import SystemClock
from controller.text_table import table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping
    from pathlib import Path

EXAMPLE = "controller store move --to postgresql+asyncpg://orikaeshi@db.example:5432/orikaeshi"


def add_store_arguments(one: ArgumentParser) -> None:
    """Add what `controller store` takes."""
    one.add_argument("action", choices=["move"], help="copy everything to another database, which has to be empty")
    one.add_argument("--to", required=True, metavar="URL", help="where to, as store.url; without a password")
    one.add_argument("--from", dest="source", metavar="URL", help="where from (default: store.url of the settings)")


async def store(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Move a database. Raises SettingsError, StoreUnavailableError.

    Both may be servers only with the same password: it comes from the environment, as everywhere.
    """
    settings = load_settings(arguments.settings, env, needs_secrets=False)
    folder, password = arguments.settings.resolve().parent, env.get(DB_PASSWORD, "")
    try:
        source = _address(arguments.source, folder) if arguments.source else settings.store.url
        target = _address(arguments.to, folder)
    except ValueError as error:
        return refused(str(error))
    if source == target:
        return refused("this is the same database: name another one with --to")
    shown: list[str] = []

    def tell(name: str, rows: int) -> None:
        if not arguments.json:
            ending = "" if not shown or shown[-1] == name else "\n"
            sys.stderr.write(f"{ending}\r{name}: {rows} rows")
            sys.stderr.flush()
            shown.append(name)

    try:
        moved = await move(with_password(source, password), with_password(target, password), SystemClock().now(), tell)
    finally:
        if shown:
            sys.stderr.write("\n")
    rows = [[one.table, str(one.rows), one.checksum] for one in moved]
    text = table(["table", "rows", "checksum"], rows)
    text += f"\n\nMoved to {target}.\nNow set store.url to it{_and_password(target, env)}, and start the controller."
    data = {"moved": [{"table": one.table, "rows": one.rows, "checksum": one.checksum} for one in moved], "to": target}
    return Report(text, data)


def _address(text: str, folder: Path) -> str:
    try:
        return database_address(text, folder)
    except ValueError as error:
        raise ValueError(f"the address {error}") from None


def _and_password(target: str, env: Mapping[str, str]) -> str:
    return f", with {DB_PASSWORD} in its environment" if is_server(target) and env.get(DB_PASSWORD) else ""
