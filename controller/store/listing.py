"""What the database holds, for a person at the command line. Reads only: no file is made, no table is changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine, make_url, select
from sqlalchemy.exc import DBAPIError

from controller.domain.promise import PromiseState
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import file_of
from controller.store.faults import as_unavailable
from controller.store.tables import calls, promises

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Row


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One promise. Times are aware UTC, `number` is E.164."""

    id: str
    queue: str
    number: str
    state: PromiseState
    attempts_used: int
    last_outcome: str | None
    since: datetime
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CallRow:
    """One incoming call. `ending` is None while it goes on; `number` is None when it was withheld."""

    id: str
    queue: str
    number: str | None
    arrived_at: datetime
    agent: str | None
    answered_at: datetime | None
    ending: str | None
    ended_at: datetime | None


async def list_promises(url: str, *, state: PromiseState | None, limit: int) -> list[PromiseRow]:
    """Return the `limit` newest promises, newest first, of one state or of all.

    Raises StoreUnavailableError, also when there is no database yet.
    """
    query = select(*(promises.c[name] for name in PromiseRow.__slots__)).order_by(promises.c.since.desc()).limit(limit)
    if state is not None:
        query = query.where(promises.c.state == state.value)
    rows = await _read(url, query)
    return [PromiseRow(**{**row._asdict(), "state": PromiseState(row.state)}) for row in rows]


async def list_calls(url: str, *, limit: int) -> list[CallRow]:
    """Return the `limit` newest incoming calls, newest first. Raises StoreUnavailableError as `list_promises`."""
    query = select(*(calls.c[name] for name in CallRow.__slots__)).order_by(calls.c.arrived_at.desc()).limit(limit)
    return [CallRow(**row._asdict()) for row in await _read(url, query)]


async def _read(url_text: str, query: Select[Any]) -> list[Row[Any]]:
    return await asyncio.to_thread(_read_now, url_text, query)


def _read_now(url_text: str, query: Select[Any]) -> list[Row[Any]]:
    # Without aiosqlite: after a file that cannot be opened, its thread outlives the command's event loop and says so.
    url = make_url(url_text)
    path = file_of(url)
    if path is None:
        raise StoreUnavailableError(f"Only a SQLite file can be listed, not {url.render_as_string()}.")
    # mode=ro: a look must neither make a file nor upgrade one (https://sqlite.org/uri.html).
    engine = create_engine(f"sqlite:///file:{quote(path)}?mode=ro&uri=true", hide_parameters=True, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return list(connection.execute(query))
    except DBAPIError as error:
        if "no such table" in str(error):
            raise StoreUnavailableError(
                f"The database {path} has no tables of ours. Start the controller once: it makes them."
            ) from error
        unavailable = as_unavailable(error, url)
        if unavailable is None:
            raise
        raise unavailable from error
    finally:
        engine.dispose()
