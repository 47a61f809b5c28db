"""People, in the database. Whatever takes rights away ends their sessions in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from controller.domain.access import Role
from controller.domain.pin import Guesses
from controller.ports.people import Person
from controller.store.audit import note_in
from controller.store.dialect import insert_if_new
from controller.store.staff_tables import people, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.audit import AuditEntry
    from controller.ports.people import PersonChange
    from controller.store.engine import Database

_NO_GUESSES = {"wrong_passwords": 0, "locked_until": None}


class StoredPeopleBook:
    """`PeopleBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, name: str) -> Person | None:
        """Return one person. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> Person | None:
            row = (await connection.execute(select(people).where(people.c.name == name))).first()
            return None if row is None else person_from(row)

        return await self._database.read(work)

    async def listed(self) -> list[Person]:
        """Return everybody, by name. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> list[Person]:
            return [person_from(row) for row in await connection.execute(select(people))]

        # Sorted here: servers sort by a language's rules, and each by its own.
        return sorted(await self._database.read(work), key=lambda person: person.name)

    async def add(self, person: Person) -> bool:
        """Add a person; False when there is one of that name. Raises StoreUnavailableError."""
        row = {
            "name": person.name,
            "display_name": person.display_name,
            "role": person.role.value,
            "agent": person.agent,
            "language": person.language,
            "password_hash": person.password_hash,
            "enabled": person.is_enabled,
            "must_change": person.must_change,
            "made_at": person.made_at,
            "changed_at": person.changed_at,
            **_columns_of(person.guesses),
        }

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(insert_if_new(connection, people).values(row))).rowcount == 1

        return await self._database.write(work)

    async def change(self, name: str, change: PersonChange, *, at: datetime) -> Person | None:
        """Change a person and return them; None when there is none. Raises StoreUnavailableError."""
        given = {
            "display_name": change.display_name,
            "role": None if change.role is None else change.role.value,
            "agent": change.agent,
            "language": change.language,
            "enabled": change.is_enabled,
        }
        wanted = {column: value for column, value in given.items() if value is not None}

        async def work(connection: AsyncConnection) -> Person | None:
            mine = people.c.name == name
            done = await connection.execute(update(people).where(mine).values({**wanted, "changed_at": at}))
            if done.rowcount == 0:
                return None
            if change.ends_sessions:
                await connection.execute(delete(sessions).where(sessions.c.person == name))
            return person_from((await connection.execute(select(people).where(mine))).one())

        return await self._database.write(work)

    async def set_password(
        self, name: str, password_hash: str, *, must_change: bool, at: datetime, keep: str = ""
    ) -> bool:
        """Give a person another password, and end their sessions but `keep`. Raises StoreUnavailableError."""
        wanted = {"password_hash": password_hash, "must_change": must_change, "changed_at": at, **_NO_GUESSES}

        async def work(connection: AsyncConnection) -> bool:
            done = await connection.execute(update(people).where(people.c.name == name).values(wanted))
            others = sessions.c.person == name, sessions.c.token_hash != keep
            await connection.execute(delete(sessions).where(*others))
            return done.rowcount == 1

        return await self._database.write(work)

    async def rehash(self, name: str, was: str, password_hash: str) -> None:
        """Keep the same password in another way, unless it was changed meanwhile. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            mine = people.c.name == name, people.c.password_hash == was
            await connection.execute(update(people).where(*mine).values(password_hash=password_hash))

        await self._database.write(work)

    async def remove(self, name: str) -> bool:
        """Remove a person with their sessions; False when there is none. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(delete(people).where(people.c.name == name))).rowcount == 1

        return await self._database.write(work)

    async def unlock(self, name: str) -> bool:
        """Forget wrong passwords; False when there is no such person. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> bool:
            done = await connection.execute(update(people).where(people.c.name == name).values(_NO_GUESSES))
            return done.rowcount == 1

        return await self._database.write(work)

    async def tried(self, name: str, entry: AuditEntry, *, was_right: bool | None) -> None:
        """Write down a try to sign in, and what follows for the person. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            mine = people.c.name == name
            row = (await connection.execute(select(people).where(mine).with_for_update())).first()
            if row is not None and was_right is not None:
                guesses = Guesses() if was_right else _guesses(row).after_wrong(entry.at)
                await connection.execute(update(people).where(mine).values(_columns_of(guesses)))
            await note_in(connection, entry)

        await self._database.write(work)


def person_from(row: Row[Any]) -> Person:
    """Return the person in a row that has all columns of the table."""
    return Person(
        name=row.name,
        display_name=row.display_name,
        role=Role(row.role),
        made_at=row.made_at,
        changed_at=row.changed_at,
        agent=row.agent,
        language=row.language,
        password_hash=row.password_hash,
        is_enabled=row.enabled,
        must_change=row.must_change,
        guesses=_guesses(row),
    )


def _guesses(row: Row[Any]) -> Guesses:
    return Guesses(row.wrong_passwords, row.locked_until)


def _columns_of(guesses: Guesses) -> dict[str, Any]:
    return {"wrong_passwords": guesses.wrong, "locked_until": guesses.locked_until}
