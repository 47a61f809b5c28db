"""Moves everything from one database to an empty one, of another engine or the same; the source stays as it is.

All of it is read from one state and written in one transaction, table by table, those first that others point to.
What was written is read back and compared, by count and by a sum over all rows that does not depend on their order:
two databases sort texts differently.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, func, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError

from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import connect_to, for_writing, hold_still
from controller.store.faults import as_unavailable
from controller.store.migrate import check_schema, migrate
from controller.store.sqlite import file_of
from controller.store.tables import leases, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_BATCH_ROWS = 1000
_BUSY_TIMEOUT_S = 5.0
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Moved:
    """A table that was copied: how many rows it has, and their sum."""

    table: str
    rows: int
    checksum: str


async def move(source_url: str, target_url: str, now: datetime, tell: Callable[[str, int], None]) -> list[Moved]:
    """Copy every table, and return them in the order in which they were copied.

    `tell` hears of a table and how many of its rows are written, after each batch. Nobody can write to the source
    meanwhile. Raises StoreUnavailableError: a database fails, a controller holds a lease of the source, the target has
    rows, or what was written is not what was read; the target has no row then, and the source is as it was.
    """
    path = file_of(make_url(source_url))
    if path is not None and not await asyncio.to_thread(Path(path).exists):
        raise StoreUnavailableError(f"There is no database {path}.")
    source = connect_to(source_url, busy_timeout_s=_BUSY_TIMEOUT_S)
    target = connect_to(target_url, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        await check_schema(source)
        await migrate(target)
        return await _copy(source, target, now, tell)
    finally:
        await source.dispose()
        await target.dispose()


async def _copy(
    source: AsyncEngine, target: AsyncEngine, now: datetime, tell: Callable[[str, int], None]
) -> list[Moved]:
    engine = source
    try:
        async with for_writing(source).connect() as origin:
            await hold_still(origin, list(metadata.tables))
            await _refuse_while_held(origin, now)
            engine = target
            async with for_writing(target).begin() as copy:
                await _refuse_unless_empty(copy)
                moved = [await _copy_table(origin, copy, table, tell) for table in metadata.sorted_tables]
            await origin.rollback()
            return moved
    except (DBAPIError, OSError) as error:
        told = as_unavailable(error, engine.url)
        if told is None:
            what = error.orig if isinstance(error, DBAPIError) else error
            told = StoreUnavailableError(
                f"The move to {_shown(target)} failed: {type(what).__name__}. Nothing was moved. "
                "Look into the server's log for the row that it refused."
            )
        raise told from error


async def _refuse_while_held(origin: AsyncConnection, now: datetime) -> None:
    held = select(leases.c.name, leases.c.holder).where(leases.c.expires_at > now).order_by(leases.c.name)
    found = (await origin.execute(held)).first()
    if found is not None:
        raise StoreUnavailableError(
            f"The controller {found.holder} works with {_shown(origin.engine)} (lease {found.name}). "
            "Stop every controller first; nothing was moved."
        )


async def _refuse_unless_empty(copy: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        if (await copy.execute(select(table).limit(1))).first() is not None:
            raise StoreUnavailableError(
                f"The database {_shown(copy.engine)} is not empty: {table.name} has rows. "
                "Name an empty one; nothing was moved."
            )


async def _copy_table(
    origin: AsyncConnection, copy: AsyncConnection, table: Table, tell: Callable[[str, int], None]
) -> Moved:
    read = _Sum()
    async with origin.stream(select(table), execution_options={"yield_per": _BATCH_ROWS}) as found:
        async for batch in found.mappings().partitions():
            rows = [dict(row) for row in batch]
            await copy.execute(insert(table), rows)
            read.add(rows)
            tell(table.name, read.rows)
    await _set_sequence(copy, table)
    written = _Sum()
    async with copy.stream(select(table), execution_options={"yield_per": _BATCH_ROWS}) as found:
        async for batch in found.mappings().partitions():
            written.add([dict(row) for row in batch])
    if (read.rows, read.checksum) != (written.rows, written.checksum):
        raise StoreUnavailableError(
            f"Of {table.name}, {read.rows} rows were read and {written.rows} written, or not the same ones. "
            "Nothing was moved. Report this."
        )
    return Moved(table.name, read.rows, read.checksum)


async def _set_sequence(copy: AsyncConnection, table: Table) -> None:
    """Let a server count on after the last number that was copied; a file does so by itself."""
    column = table.autoincrement_column
    if copy.dialect.name != "postgresql" or column is None or not isinstance(column.type, Integer):
        return
    last = (await copy.execute(select(func.max(column)))).scalar_one()
    if last is not None:
        named = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
        await copy.execute(named, {"table": table.name, "column": column.name, "last": last})


class _Sum:
    """Counts rows and adds up a hash of each, so that their order does not matter."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            words = "\x1f".join(f"{name}={_canonical(value)}" for name, value in row.items())
            digest = hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
            self._sum = (self._sum + int.from_bytes(digest, "big")) % (1 << 8 * _HASH_BYTES)
            self.rows += 1

    @property
    def checksum(self) -> str:
        return f"{self._sum:032x}"


def _canonical(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def _shown(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)
