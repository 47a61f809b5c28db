"""What agents did with their time, in the database."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.ports.agent_spans import SpanRecord
from controller.store import hook_owing
from controller.store.staff_tables import GOES_ON, agent_spans
from controller.store.tables import calls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database

_LAST = 1000
"""Of so many of the last spans, and calls, it is looked what was known last: whatever was busy is among them."""


class StoredAgentSpans:
    """`AgentSpans` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, spans: Sequence[SpanRecord]) -> None:
        """Write spans in one transaction, the later word on one span for the earlier. Raises StoreUnavailableError."""
        latest: dict[tuple[str, str, str, datetime, str], SpanRecord] = {}
        for span in spans:
            before = latest.get(span.identity)
            latest[span.identity] = span if before is None else replace(span, is_new=before.is_new)
        new = [_row_of(span) for span in latest.values() if span.is_new]
        known = [_key_of(span) for span in latest.values() if not span.is_new]
        if not latest:
            return

        async def work(connection: AsyncConnection) -> None:
            if known:
                await connection.execute(_END, known)
            if new:
                await connection.execute(insert(agent_spans), new)
            await hook_owing.owe_spans(connection, latest.values())

        await self._database.write(work)

    async def close_left_open(self, pbx: str, *, before: datetime) -> list[SpanRecord]:
        """Close what is open at an Asterisk since before an instant; return it. Raises StoreUnavailableError.

        Each ends with the last thing that is known of that Asterisk by then: the beginning or end of any agent's span,
        or what a call there came to.
        """
        left = select(agent_spans).where(GOES_ON, agent_spans.c.pbx == pbx, agent_spans.c.since < before)

        async def work(connection: AsyncConnection) -> list[SpanRecord]:
            found = [_span_from(row) for row in (await connection.execute(left)).mappings()]
            if not found:
                return []
            known_at = await _last_known_at(connection, pbx, before)
            closed = [replace(span, until=max(span.since, known_at), is_new=False) for span in found]
            await connection.execute(_END, [_key_of(span) for span in closed])
            return closed

        return await self._database.write(work)


async def _last_known_at(connection: AsyncConnection, pbx: str, before: datetime) -> datetime:
    spans = (
        select(agent_spans.c.since, agent_spans.c.until)
        .where(agent_spans.c.pbx == pbx, agent_spans.c.since < before)
        .order_by(agent_spans.c.since.desc())
        .limit(_LAST)
    )
    came = (
        select(calls.c.arrived_at, calls.c.joined_at, calls.c.answered_at, calls.c.ended_at)
        .where(calls.c.pbx == pbx, calls.c.arrived_at < before)
        .order_by(calls.c.arrived_at.desc())
        .limit(_LAST)
    )
    rows = [*(await connection.execute(spans)).all(), *(await connection.execute(came)).all()]
    known: list[datetime] = [at for row in rows for at in row if at is not None and at < before]
    return max(known)


_OF = agent_spans.c
_END = (
    update(agent_spans)
    .where(
        _OF.pbx == bindparam("its_pbx"),
        _OF.agent == bindparam("its_agent"),
        _OF.state == bindparam("its_state"),
        _OF.since == bindparam("its_since"),
        _OF.waiter_id == bindparam("its_waiter_id"),
    )
    .values(until=bindparam("its_until"))
)


def _key_of(span: SpanRecord) -> dict[str, Any]:
    return {
        "its_pbx": span.pbx,
        "its_agent": span.agent,
        "its_state": span.state.value,
        "its_since": span.since,
        "its_waiter_id": span.waiter_id,
        "its_until": span.until,
    }


def _row_of(span: SpanRecord) -> dict[str, Any]:
    return {
        "pbx": span.pbx,
        "agent": span.agent,
        "state": span.state.value,
        "reason": span.reason,
        "queues": json.dumps(sorted(span.queues)),
        "queue": span.queue,
        "waiter_id": span.waiter_id,
        "kind": "" if span.kind is None else span.kind.value,
        "since": span.since,
        "until": span.until,
    }


def _span_from(row: RowMapping) -> SpanRecord:
    return SpanRecord(
        agent=row[_OF.agent],
        state=AgentState(row[_OF.state]),
        since=row[_OF.since],
        until=row[_OF.until],
        reason=row[_OF.reason],
        queues=frozenset(json.loads(row[_OF.queues])),
        queue=row[_OF.queue],
        waiter_id=row[_OF.waiter_id],
        kind=WaiterKind(row[_OF.kind]) if row[_OF.kind] else None,
        pbx=row[_OF.pbx],
    )
