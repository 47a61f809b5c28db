"""The audit, in the database. Rows are added, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, insert, select

from controller.ports.audit import AuditEntry, AuditLine
from controller.store.staff_tables import audit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database

_LONGEST_DETAIL = 4000
_LENGTHS = {each.name: each.type.length for each in audit.c if isinstance(each.type, String)}


class StoredAuditBook:
    """`AuditBook` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, entry: AuditEntry) -> None:
        """Write an entry down. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> None:
            await note_in(connection, entry)

        await self._database.write(work)

    async def listed(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        who: str | None = None,
        action: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditLine]:
        """Return the `limit` newest that fit, newest first. Raises StoreUnavailableError."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(audit.c.id < before_id)
        if who is not None:
            query = query.where(audit.c.who == who)
        if action is not None:
            query = query.where(audit.c.action == action)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if until is not None:
            query = query.where(audit.c.at < until)

        async def work(connection: AsyncConnection) -> list[AuditLine]:
            return [_line(row) for row in await connection.execute(query)]

        return await self._database.read(work)


async def note_in(connection: AsyncConnection, entry: AuditEntry) -> None:
    """Write an entry down in a transaction that does more."""
    detail = json.dumps(dict(entry.detail), ensure_ascii=False)
    row = {
        "at": entry.at,
        "kind": _cut("kind", entry.kind),
        "who": _cut("who", entry.who),
        "action": _cut("action", entry.action),
        "subject": _cut("subject", entry.subject),
        "outcome": _cut("outcome", entry.outcome),
        "detail": detail if len(detail) <= _LONGEST_DETAIL else json.dumps({"too_long": len(detail)}),
    }
    await connection.execute(insert(audit).values(row))


def _cut(column: str, text: str) -> str:
    """Return what fits: a server refuses what does not, and then nothing would be written at all."""
    return text.replace("\0", "")[: _LENGTHS[column]]


def _line(row: Row[Any]) -> AuditLine:
    entry = AuditEntry(
        at=row.at,
        kind=row.kind,
        who=row.who,
        action=row.action,
        outcome=row.outcome,
        subject=row.subject,
        detail=json.loads(row.detail),
    )
    return AuditLine(row.id, entry)
