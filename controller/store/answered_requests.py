"""Answers to requests that carry a key, in the database. While there is none yet, its place has the first begin."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from controller.ports.answered_requests import KEPT_S, STUCK_S, Begun, OtherRequest, Told, Underway
from controller.store.dialect import insert_if_new
from controller.store.engine import VersionConflictError
from controller.store.staff_tables import answered_requests

if TYPE_CHECKING:
    from sqlalchemy.engine import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database

_OF = answered_requests.c


class StoredAnsweredRequests:
    """`AnsweredRequests` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, fingerprint: str, now: datetime) -> Begun | Told | Underway | OtherRequest:
        """Write down that a request is being answered, or return what is known of it."""
        fresh = {"fingerprint": fingerprint, "asked_at": now, "status": None, "answer": now.isoformat()}

        async def work(connection: AsyncConnection) -> Begun | Told | Underway | OtherRequest:
            added = await connection.execute(insert_if_new(connection, answered_requests).values(key=key, **fresh))
            if added.rowcount == 1:
                return Begun(now)
            found = (await connection.execute(select(answered_requests).where(_OF.key == key))).one_or_none()
            if found is None:
                raise VersionConflictError  # it was forgotten between the two statements
            since = now
            if found.asked_at > now - timedelta(seconds=KEPT_S):
                if (known := _known(found, fingerprint, now)) is not None:
                    return known
                since = datetime.fromisoformat(found.answer)
            # Of two who find it so, one takes it over: the other one's row is no longer as it was seen.
            mine = _OF.status.is_(None) if found.status is None else _OF.status == found.status
            taken = await connection.execute(
                update(answered_requests)
                .where(_OF.key == key, _OF.asked_at == found.asked_at, mine)
                .values({**fresh, "answer": since.isoformat()})
            )
            if taken.rowcount != 1:
                raise VersionConflictError
            return Begun(since)

        return await self._database.write(work)

    async def settle(self, key: str, status: int, answer: str) -> None:
        """Write down what was answered; durable on return."""
        is_open = update(answered_requests).where(_OF.key == key, _OF.status.is_(None))
        statement = is_open.values(status=status, answer=answer)
        await self._database.write(lambda connection: connection.execute(statement))

    async def forget(self, key: str) -> None:
        """Let a request that is being answered be asked again."""
        statement = delete(answered_requests).where(_OF.key == key, _OF.status.is_(None))
        await self._database.write(lambda connection: connection.execute(statement))

    async def forget_before(self, at: datetime) -> int:
        """Delete whatever was asked before an instant (aware UTC); return how many those were."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(delete(answered_requests).where(_OF.asked_at < at))).rowcount

        return await self._database.write(work)


def _known(found: Row[tuple[object, ...]], fingerprint: str, now: datetime) -> Told | Underway | OtherRequest | None:
    """Return what is known of a request whose key is in use; None: it was given up, and may be begun anew."""
    if found.fingerprint != fingerprint:
        return OtherRequest()
    if found.status is not None:
        return Told(found.status, found.answer)
    return None if found.asked_at <= now - timedelta(seconds=STUCK_S) else Underway()
