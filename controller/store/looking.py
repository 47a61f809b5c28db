"""A look into the database for the command line: reads only, so that it neither makes a file nor upgrades one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import connect_to, for_reading
from controller.store.faults import as_unavailable
from controller.store.postgresql import sqlstate_of
from controller.store.sqlite import file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection

T = TypeVar("T")

_PATIENCE_S = 5.0
_UNDEFINED = frozenset({"42P01", "42703"})  # table, column
_UNDEFINED_IN_FILE = ("no such table", "no such column")


async def look(url_text: str, work: Callable[[Connection], T]) -> T:
    """Return what `work` finds in one state of the database, whatever others commit meanwhile.

    Raises StoreUnavailableError, also when there is no database yet, or its tables are not this version's.
    """
    url = make_url(url_text)
    try:
        if url.get_backend_name() == "postgresql":
            return await _look_at_server(url_text, work)
        return await asyncio.to_thread(_look_at_file, url, work)
    except (DBAPIError, OSError) as error:
        told = _of_another_version(error, url) or as_unavailable(error, url)
        if told is None:
            raise
        raise told from error


async def _look_at_server(url_text: str, work: Callable[[Connection], T]) -> T:
    engine = connect_to(url_text, busy_timeout_s=_PATIENCE_S)
    try:
        async with for_reading(engine).connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _look_at_file(url: URL, work: Callable[[Connection], T]) -> T:
    # Without aiosqlite: after a file that cannot be opened, its thread outlives the command's event loop and says so.
    path = file_of(url)
    if path is None:
        raise StoreUnavailableError(f"{url.render_as_string()} cannot be looked into. Name a file, without options.")
    # mode=ro: https://sqlite.org/uri.html
    engine = create_engine(f"sqlite:///file:{quote(path)}?mode=ro&uri=true", hide_parameters=True, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")  # the driver itself begins none before a SELECT
            return work(connection)
    finally:
        engine.dispose()


def _of_another_version(error: Exception, url: URL) -> StoreUnavailableError | None:
    where = file_of(url) or url.render_as_string(hide_password=True)
    if sqlstate_of(error) not in _UNDEFINED and not any(said in str(error) for said in _UNDEFINED_IN_FILE):
        return None
    return StoreUnavailableError(
        f"The database {where} was made by an older version, or has no tables of ours. "
        "Start the controller once: it brings it up to date."
    )
