"""A database for each test, on each engine: empty, or with this version's tables and no rows."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

from controller.store.dialect import connect_to
from controller.store.migrate import migrate
from lab.postgres import shared_postgres

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_made_for: dict[Path, list[str]] = {}
"""Which databases belong to which test, by its folder. Those of a test that is over go when the next one asks."""


def sqlite_file(folder: Path) -> str:
    """Return the address of a file that is not there yet."""
    return f"sqlite+aiosqlite:///{folder}/orikaeshi.db"


def empty_postgres(folder: Path) -> str:
    """Return the address of a new database without tables, for the test whose folder this is."""
    return _new(folder, None)


def migrated_postgres(folder: Path) -> str:
    """Return the address of a new database with this version's tables, for the test whose folder this is."""
    return _new(folder, _template())


ENGINES: dict[str, Callable[[Path], str]] = {"sqlite": sqlite_file, "postgresql": empty_postgres}
"""The address of an empty database, by engine. What holds is to hold on each."""

READY_ENGINES: dict[str, Callable[[Path], str]] = {"sqlite": sqlite_file, "postgresql": migrated_postgres}
"""Likewise, for a test that opens a store: on PostgreSQL a copy of a migrated one is made six times as quickly."""


def _new(folder: Path, template: str | None) -> str:
    server = shared_postgres()
    for over in [one for one in _made_for if one != folder]:
        for name in _made_for.pop(over):
            server.drop(name)
    name = server.create(template)
    _made_for.setdefault(folder, []).append(name)
    return server.url(name)


@cache
def _template() -> str:
    server = shared_postgres()
    name = server.create()

    async def make() -> None:
        engine = connect_to(server.url(name), busy_timeout_s=5)
        await migrate(engine)
        await engine.dispose()

    # A fixture may ask from inside an event loop, which could not run this one as well.
    with ThreadPoolExecutor(1) as another:
        another.submit(asyncio.run, make()).result()
    return name
