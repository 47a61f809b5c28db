"""Calls and turns of the line, as facts for the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from controller.domain.call_ending import Ending
from controller.domain.fairness import Turn
from controller.domain.figure_facts import CallFact, Quote
from controller.domain.line import WaiterKind
from controller.store.tables import attempts, calls, line_decisions, promise_requests

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

DIALLED_AHEAD = "customer-"
"""How the id of somebody in line begins whom we have called (`Attempt.channel_id`); the id of the attempt follows."""


def attempt_in(waiter_id: ColumnElement[str]) -> ColumnElement[str]:
    """Return the id of the attempt in the id of somebody whom we have called."""
    return func.substr(waiter_id, len(DIALLED_AHEAD) + 1)


async def read_calls(
    connection: AsyncConnection, start: datetime, end: datetime, queue: str | None
) -> tuple[CallFact, ...]:
    """Return the calls that arrived in [start, end)."""
    of = calls.c
    query = (
        select(
            *(of.id, of.arrived_at, of.queue, of.joined_at, of.answered_at, of.ended_at, of.ending, of.agent),
            *(of.quoted_at, of.quoted_low_s, of.quoted_high_s, of.offered_at, of.was_closed),
            promise_requests.c.promise_id,
        )
        .outerjoin(promise_requests, promise_requests.c.call_id == of.id)
        .where(of.arrived_at >= start, of.arrived_at < end)
    )
    if queue is not None:
        query = query.where(of.queue == queue)
    return tuple(_call(row) for row in await connection.execute(query))


def _call(row: Row[*tuple[Any, ...]]) -> CallFact:
    return CallFact(
        id=row.id,
        arrived_at=row.arrived_at,
        queue=row.queue,
        joined_at=row.joined_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        ending=None if row.ending is None else Ending(row.ending),
        agent=row.agent or "",
        quote=None if row.quoted_at is None else Quote(row.quoted_at, row.quoted_low_s, row.quoted_high_s),
        was_offered_callback=row.offered_at is not None,
        promise_id=row.promise_id or "",
        was_closed=row.was_closed,
    )


async def read_turns(
    connection: AsyncConnection, start: datetime, end: datetime, queue: str | None
) -> tuple[Turn, ...]:
    """Return who got an agent in [start, end).

    A customer who is called before there is an agent may have one kept for them, who is let go when they have said yes
    and stand at the front of the line: the turn is the one that they have there.
    """
    of = line_decisions.c
    is_ahead = and_(of.waiter_id.startswith(DIALLED_AHEAD), attempts.c.id == attempt_in(of.waiter_id))
    query = (
        select(
            *(of.at, of.queue, of.waiter_id, of.kind, of.since, of.due_at),
            *(attempts.c.promise_id, attempts.c.confirmed_at),
        )
        .outerjoin(attempts, is_ahead)
        .where(of.at >= start, of.at < end)
        .order_by(of.at)
    )
    if queue is not None:
        query = query.where(of.queue == queue)
    turns: list[Turn] = []
    kept: dict[str, int] = {}
    for row in await connection.execute(query):
        turn = _turn(row)
        if row.promise_id is not None and row.promise_id in kept:
            turns[kept.pop(row.promise_id)] = turn
            continue
        if turn.kind is WaiterKind.PROMISE:
            kept[turn.waiter_id] = len(turns)
        turns.append(turn)
    return tuple(turns)


def _turn(row: Row[*tuple[Any, ...]]) -> Turn:
    is_ahead = row.promise_id is not None
    due_at = row.confirmed_at if is_ahead else row.due_at
    return Turn(
        waiter_id=row.promise_id if is_ahead else row.waiter_id,
        queue=row.queue,
        kind=WaiterKind.PROMISE if is_ahead else WaiterKind(row.kind),
        since=row.since,
        # The wall clock may have been set back meanwhile.
        due_at=min(row.at, max(row.since, due_at or row.since)),
        at=row.at,
    )
