"""Holds: which Asterisk's office has a promise in hand, from before an agent is rung for it to its attempt.

Without them two offices that find the same promise due would each ring an agent, and one agent for nothing. A hold
forbids nothing but that: the claim stands on the promise's own row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from controller.store.claims import has_lease
from controller.store.tables import holds

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection


async def is_held_elsewhere(connection: AsyncConnection, promise_id: str, pbx: str, now: datetime) -> bool:
    """Tell whether a promise is held by the office of another Asterisk; one that is dead holds nothing."""
    row = (await connection.execute(select(holds).where(holds.c.promise_id == promise_id))).first()
    if row is None or row.pbx == pbx:
        return False
    return await has_lease(connection, row.pbx, row.term, now)


async def put(connection: AsyncConnection, promise_id: str, pbx: str, term: int) -> None:
    """Write a hold over what is left of another; the promise's row has to be locked."""
    await clear(connection, promise_id)
    await connection.execute(insert(holds).values(promise_id=promise_id, pbx=pbx, term=term))


async def clear(connection: AsyncConnection, promise_id: str) -> None:
    """Take away whatever hold a promise has."""
    await connection.execute(delete(holds).where(holds.c.promise_id == promise_id))


async def let_go(connection: AsyncConnection, promise_id: str, pbx: str, term: int) -> bool:
    """Give up the hold of an office; False when it has none."""
    ours = delete(holds).where(holds.c.promise_id == promise_id, holds.c.pbx == pbx, holds.c.term == term)
    return (await connection.execute(ours)).rowcount == 1


async def clear_of_pbx(connection: AsyncConnection, pbx: str) -> list[str]:
    """Take away every hold of an office; return the ids of its promises."""
    gone = await connection.execute(delete(holds).where(holds.c.pbx == pbx).returning(holds.c.promise_id))
    return list(gone.scalars())
