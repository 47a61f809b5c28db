"""Calls and turns of the line, as facts for the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from controller.domain.call_ending import Ending
from controller.domain.fairness import Turn
from controller.domain.figure_facts import CallFact, Quote
from controller.domain.line import WaiterKind
from controller.store.tables import attempts, calls, line_decisions, promise_requests

if TYPE_CHECKING:
    from collections.abc import Iterable
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
    when = and_(calls.c.arrived_at >= start, calls.c.arrived_at < end)
    return await read_calls_where(connection, when if queue is None else and_(when, calls.c.queue == queue))


async def read_calls_where(connection: AsyncConnection, condition: ColumnElement[bool]) -> tuple[CallFact, ...]:
    """Return the calls of which something holds."""
    of = calls.c
    query = (
        select(
            *(of.id, of.arrived_at, of.queue, of.joined_at, of.answered_at, of.ended_at, of.ending, of.agent),
            *(of.quoted_at, of.quoted_low_s, of.quoted_high_s, of.offered_at, of.was_closed),
            promise_requests.c.promise_id,
        )
        .outerjoin(promise_requests, promise_requests.c.call_id == of.id)
        .where(condition)
    )
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


@dataclass(frozen=True, slots=True)
class Given:
    """A decision of the line."""

    id: int
    turn: Turn
    promise_id: str
    """Whose customer got the agent; "" for a caller."""
    is_ahead: bool
    """The customer had been called before, and came to the front of the line."""
    is_settled: bool
    """Nothing that it was told by changes any more."""


async def read_turns(
    connection: AsyncConnection, start: datetime, end: datetime, queue: str | None
) -> tuple[Turn, ...]:
    """Return who got an agent in [start, end)."""
    of = line_decisions.c
    when = and_(of.at >= start, of.at < end)
    return turns_of(await read_given(connection, when if queue is None else and_(when, of.queue == queue)))


async def read_given(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Given]:
    """Return the line's decisions of which something holds, in order."""
    of = line_decisions.c
    is_ahead = and_(of.waiter_id.startswith(DIALLED_AHEAD), attempts.c.id == attempt_in(of.waiter_id))
    query = (
        select(
            *(of.id, of.at, of.queue, of.waiter_id, of.kind, of.since, of.due_at),
            *(attempts.c.promise_id, attempts.c.confirmed_at, attempts.c.ended_at),
        )
        .outerjoin(attempts, is_ahead)
        .where(condition)
        .order_by(of.at, of.id)
    )
    return [_given(row) for row in await connection.execute(query)]


def turns_of(given: Iterable[Given]) -> tuple[Turn, ...]:
    """Return the turns that decisions make, which are in order.

    A customer who is called before there is an agent may have one kept for them, who is let go when they have said yes
    and stand at the front of the line: the turn is the one that they have there.
    """
    turns: list[Turn] = []
    kept: dict[str, int] = {}
    for one in given:
        if one.is_ahead and one.promise_id in kept:
            turns[kept.pop(one.promise_id)] = one.turn
            continue
        if one.turn.kind is WaiterKind.PROMISE:
            kept[one.promise_id] = len(turns)
        turns.append(one.turn)
    return tuple(turns)


def _given(row: Row[*tuple[Any, ...]]) -> Given:
    is_ahead = row.promise_id is not None
    turn = _turn(row)
    return Given(
        id=row.id,
        turn=turn,
        promise_id=turn.waiter_id if turn.kind is WaiterKind.PROMISE else "",
        is_ahead=is_ahead,
        is_settled=not is_ahead or row.ended_at is not None,
    )


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
