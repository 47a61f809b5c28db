"""Sessions of the console, in the database: all controllers know of each, and of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from controller.ports.people import Session
from controller.store.people import person_from
from controller.store.staff_tables import people, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.people import Person
    from controller.store.engine import Database


class StoredSessionBook:
    """`SessionBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, session: Session, *, instead_of: str = "", seen_after: datetime) -> bool:
        """Write a session down, and tidy up; False where nobody may have one. Raises StoreUnavailableError."""
        row = {
            "token_hash": session.token_hash,
            "person": session.person,
            "made_at": session.made_at,
            "seen_at": session.seen_at,
            "expires_at": session.expires_at,
            "subnet": session.subnet,
        }

        mine = select(people.c.enabled).where(people.c.name == session.person).with_for_update(read=True)

        async def work(connection: AsyncConnection) -> bool:
            if not (await connection.execute(mine)).scalar():
                return False
            of = sessions.c
            over = or_(of.token_hash == instead_of, of.expires_at <= session.made_at, of.seen_at <= seen_after)
            await connection.execute(delete(sessions).where(over))
            await connection.execute(insert(sessions).values(row))
            return True

        return await self._database.write(work)

    async def find(self, token_hash: str) -> tuple[Session, Person] | None:
        """Return a session and whose it is. Raises StoreUnavailableError."""
        theirs = select(sessions).where(sessions.c.token_hash == token_hash)

        async def work(connection: AsyncConnection) -> tuple[Session, Person] | None:
            session = (await connection.execute(theirs)).first()
            if session is None:
                return None
            person = (await connection.execute(select(people).where(people.c.name == session.person))).one()
            return _session(session), person_from(person)

        return await self._database.read(work)

    async def seen(self, token_hash: str, at: datetime) -> None:
        """Write down when a session was used. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))

        await self._database.write(work)

    async def end(self, token_hash: str) -> None:
        """Delete a session. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

        await self._database.write(work)

    async def end_all(self, person: str) -> int:
        """Delete all sessions of a person; return how many there were. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(delete(sessions).where(sessions.c.person == person))).rowcount

        return await self._database.write(work)

    async def of(self, person: str) -> list[Session]:
        """Return the sessions of a person, the oldest first. Raises StoreUnavailableError."""
        query = select(sessions).where(sessions.c.person == person).order_by(sessions.c.made_at, sessions.c.token_hash)

        async def work(connection: AsyncConnection) -> list[Session]:
            return [_session(row) for row in await connection.execute(query)]

        return await self._database.read(work)


def _session(row: Row[Any]) -> Session:
    return Session(
        token_hash=row.token_hash,
        person=row.person,
        made_at=row.made_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        subnet=row.subnet,
    )
