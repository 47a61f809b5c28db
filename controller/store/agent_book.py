"""What agents set by phone, in the database: duties and PINs, and how many wrong ones there were."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, select, update

from controller.domain.agents import Duty
from controller.domain.pin import Guesses
from controller.ports.agents import KeptAgent
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import connect_to, insert_if_new
from controller.store.engine import Database
from controller.store.tables import agents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

_BUSY_TIMEOUT_S = 5.0


class StoredAgentBook:
    """`AgentBook` on SQL: one row for each agent who has set something by phone, or has a PIN."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def kept(self) -> list[KeptAgent]:
        """Return every agent of whom something is kept, by name. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> list[KeptAgent]:
            return [_kept(row) for row in await connection.execute(select(agents).order_by(agents.c.name))]

        return await self._database.read(work)

    async def find(self, name: str) -> KeptAgent | None:
        """Return what is kept of one agent. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> KeptAgent | None:
            row = (await connection.execute(select(agents).where(agents.c.name == name))).first()
            return None if row is None else _kept(row)

        return await self._database.read(work)

    async def keep_duty(self, name: str, duty: Duty, *, at: datetime) -> None:
        """Keep an agent's duty. Raises StoreUnavailableError; nothing was changed then."""
        await self._put(name, {**_duty(duty), "changed_at": at}, if_new={"pin_hash": None, **_guesses(Guesses())})

    async def keep_guesses(self, name: str, guesses: Guesses) -> None:
        """Keep how many wrong PINs there were; nothing for an agent of whom nothing is kept.

        Raises StoreUnavailableError.
        """

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(agents).where(agents.c.name == name).values(**_guesses(guesses)))

        await self._database.write(work)

    async def set_pin(self, name: str, pin_hash: str | None, *, duty_if_new: Duty, at: datetime) -> None:
        """Give an agent another PIN, or none, and forget wrong ones. Raises StoreUnavailableError."""
        changed = {"pin_hash": pin_hash, **_guesses(Guesses()), "changed_at": at}
        await self._put(name, changed, if_new=_duty(duty_if_new))

    async def _put(self, name: str, changed: dict[str, Any], *, if_new: dict[str, Any]) -> None:
        async def work(connection: AsyncConnection) -> None:
            new = await connection.execute(insert_if_new(connection, agents).values(name=name, **changed, **if_new))
            if new.rowcount == 0:
                await connection.execute(update(agents).where(agents.c.name == name).values(**changed))

        await self._database.write(work)


@asynccontextmanager
async def open_agent_book(url: str) -> AsyncIterator[StoredAgentBook]:
    """Open the book in the database at `url` for one command, beside a controller that may be running.

    Changes no tables. Raises StoreUnavailableError, also when the database has no such table yet.
    """
    database = Database(connect_to(url, busy_timeout_s=_BUSY_TIMEOUT_S))

    async def has_table(connection: AsyncConnection) -> bool:
        return await connection.run_sync(lambda sync: inspect(sync).has_table(agents.name))

    try:
        if not await database.read(has_table):
            raise StoreUnavailableError(
                f"The database {database.engine.url.render_as_string()} keeps nothing of agents yet. "
                "Start this version of the controller once: it makes the tables."
            )
        yield StoredAgentBook(database)
    finally:
        await database.close()


def _kept(row: Row[Any]) -> KeptAgent:
    return KeptAgent(
        name=row.name,
        duty=Duty(row.signed_in, row.pause_reason),
        pin_hash=row.pin_hash,
        guesses=Guesses(row.wrong_pins, row.locked_until),
        changed_at=row.changed_at,
    )


def _duty(duty: Duty) -> dict[str, Any]:
    return {"signed_in": duty.signed_in, "pause_reason": duty.pause_reason}


def _guesses(guesses: Guesses) -> dict[str, Any]:
    return {"wrong_pins": guesses.wrong, "locked_until": guesses.locked_until}
