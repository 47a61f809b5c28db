"""Keys of programs, in the database: a hash of each secret, never the secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from controller.domain.access import SCOPES_OF_KEYS, Scope
from controller.ports.people import ApiKey
from controller.store.staff_tables import api_keys

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database


class StoredKeyBook:
    """`KeyBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey) -> None:
        """Write a key down. Raises StoreUnavailableError; ValueError for scopes that no key may have."""
        if not key.scopes <= SCOPES_OF_KEYS:
            raise ValueError("a key may not have all of these scopes")
        row = {
            "id": key.id,
            "title": key.title,
            "secret_hash": key.secret_hash,
            "scopes": json.dumps(sorted(key.scopes)),
            "made_by": key.made_by,
            "made_at": key.made_at,
            "expires_at": key.expires_at,
            "used_at": key.used_at,
            "revoked_at": key.revoked_at,
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(api_keys).values(row))

        await self._database.write(work)

    async def find(self, key_id: str) -> ApiKey | None:
        """Return one key. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> ApiKey | None:
            row = (await connection.execute(select(api_keys).where(api_keys.c.id == key_id))).first()
            return None if row is None else _key(row)

        return await self._database.read(work)

    async def listed(self) -> list[ApiKey]:
        """Return all keys, the newest first. Raises StoreUnavailableError."""
        query = select(api_keys).order_by(api_keys.c.made_at.desc(), api_keys.c.id)

        async def work(connection: AsyncConnection) -> list[ApiKey]:
            return [_key(row) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Let a key open nothing any more. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> bool:
            good = api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)
            return (await connection.execute(update(api_keys).where(*good).values(revoked_at=at))).rowcount == 1

        return await self._database.write(work)

    async def used(self, key_id: str, at: datetime) -> None:
        """Write down when a key was used. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=at))

        await self._database.write(work)


def _key(row: Row[Any]) -> ApiKey:
    # A scope that a later version took away from keys is gone from those that were made before, too.
    known = {scope.value for scope in SCOPES_OF_KEYS}
    return ApiKey(
        id=row.id,
        title=row.title,
        scopes=frozenset(Scope(word) for word in json.loads(row.scopes) if word in known),
        made_by=row.made_by,
        made_at=row.made_at,
        secret_hash=row.secret_hash,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
