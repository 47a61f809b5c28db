"""How Alembic reaches the database: over the connection it is given, or else by the URL in its configuration."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alembic import context

from controller.store.dialect import changing_schema, connect_to
from controller.store.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BUSY_TIMEOUT_S = 5


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite changes a column by copying the table
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_migrate() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    if url is None:
        raise LookupError("set sqlalchemy.url, for example sqlite+aiosqlite:////path/to/orikaeshi.db")
    engine = connect_to(url, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        async with changing_schema(engine) as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(_connect_and_migrate())
else:
    _migrate(given)
