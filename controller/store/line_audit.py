"""The line's decisions, in the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from controller.domain.line import Decision, WaiterKind
from controller.store.tables import line_decisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database


class StoredLineAudit:
    """`LineAudit` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, decisions: Sequence[Decision]) -> None:
        """Write decisions in one transaction, in their order. Raises StoreUnavailableError."""
        if not decisions:
            return
        rows = [_row_of(decision) for decision in decisions]

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(line_decisions), rows)

        await self._database.write(work)


def decision_from(row: RowMapping) -> Decision:
    """Return the decision in a row that has all of its columns."""
    return Decision(
        at=row[line_decisions.c.at],
        queue=row[line_decisions.c.queue],
        waiter_id=row[line_decisions.c.waiter_id],
        kind=WaiterKind(row[line_decisions.c.kind]),
        agent=row[line_decisions.c.agent],
        since=row[line_decisions.c.since],
        place=row[line_decisions.c.place],
        urgent=row[line_decisions.c.urgent],
        starving=row[line_decisions.c.starving],
        passed=tuple(json.loads(row[line_decisions.c.passed])),
        due_at=row[line_decisions.c.due_at],
    )


def _row_of(decision: Decision) -> dict[str, Any]:
    return {
        "at": decision.at,
        "queue": decision.queue,
        "waiter_id": decision.waiter_id,
        "kind": decision.kind.value,
        "agent": decision.agent,
        "since": decision.since,
        "place": decision.place,
        "urgent": decision.urgent,
        "starving": decision.starving,
        "passed": json.dumps(decision.passed),
        "due_at": decision.due_at,
    }
