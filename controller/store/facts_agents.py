"""What agents did, as facts for the figures: their time in each state, and their talks."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, union

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.figure_facts import AgentSpan, TalkFact
from controller.domain.lifecycle import CustomerConnected
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.store.facts_calls import DIALLED_AHEAD, attempt_in
from controller.store.staff_tables import agent_spans
from controller.store.tables import attempts, calls, promise_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.engine import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

_OF = agent_spans.c
_IS_TALK = _OF.state == AgentState.ON_CALL.value
_STATES = {state.value: state for state in AgentState}


async def read_spans(
    connection: AsyncConnection, start: datetime, end: datetime, queue: str | None
) -> tuple[AgentSpan, ...]:
    """Return the spans that touch [start, end); of one queue, those of agents who served it then."""
    columns = (_OF.agent, _OF.state, _OF.since, _OF.until, _OF.queues)
    within = select(*columns).where(_OF.since >= start, _OF.since < end)
    into = select(*columns).where(_OF.id.in_(_before(start, 1)), or_(_OF.until.is_(None), _OF.until > start))
    rows = [*await connection.execute(into), *await connection.execute(within)]
    spans = (
        AgentSpan(agent, _STATES[state], since, until, _queues(queues)) for agent, state, since, until, queues in rows
    )
    return tuple(span for span in spans if queue is None or queue in span.queues)


async def read_talks(
    connection: AsyncConnection, start: datetime, end: datetime, as_of: datetime, queue: str | None
) -> tuple[TalkFact, ...]:
    """Return the talks that touch [start, end), wrap-ups included.

    An agent's time on the phone is a talk where they talked with somebody: a caller who was gone when the agent picked
    up, and a customer who could not be reached, were no talk. A talk on a callback began when the two were joined: what
    went before is ringing. The wrap-up is the one that follows at once.
    """
    wrapped = agent_spans.alias("wrapped")
    follows = and_(
        wrapped.c.agent == _OF.agent,
        wrapped.c.since == _OF.until,
        wrapped.c.state == AgentState.WRAP_UP.value,
        wrapped.c.waiter_id == _OF.waiter_id,
    )
    of_call = and_(_OF.kind == WaiterKind.LIVE.value, calls.c.id == _OF.waiter_id)
    query = (
        select(
            *(_OF.agent, _OF.queue, _OF.waiter_id, _OF.kind, _OF.since, _OF.until),
            wrapped.c.until.label("wrapped_up_at"),
            *(calls.c.answered_at, calls.c.ending),
        )
        .outerjoin(wrapped, follows)
        .outerjoin(calls, of_call)
    )
    if queue is not None:
        query = query.where(_OF.queue == queue)
    # The span before the one that goes into the time: a talk whose wrap-up is that one.
    either = (
        and_(_OF.since >= start, _OF.since < end),
        _OF.id.in_(_before(start, 2)),
    )
    rows = [row for when in either for row in await connection.execute(query.where(_IS_TALK, when))]
    joined = await _joined(connection, either)
    said_yes = await _said_yes(connection, either)
    found = (_talk(row, joined, said_yes, as_of) for row in rows)
    return tuple(
        one
        for one in found
        if one is not None and one.began_at < end and (one.wrapped_up_at or one.ended_at or as_of) > start
    )


def _talk(
    row: Row[*tuple[Any, ...]],
    joined: Mapping[str, Sequence[datetime]],
    said_yes: Mapping[str, datetime],
    as_of: datetime,
) -> TalkFact | None:
    """Return a time on the phone as a talk; None where nobody talked."""
    is_callback = row.kind == WaiterKind.PROMISE or row.waiter_id.startswith(DIALLED_AHEAD)
    began_at: datetime | None = row.since
    if is_callback:
        began_at = _joined_at(row, joined, said_yes, as_of)
    elif not _has_talked(row):
        began_at = None
    if began_at is None:
        return None
    return TalkFact(
        agent=row.agent,
        queue=row.queue,
        began_at=began_at,
        ended_at=row.until,
        wrapped_up_at=row.wrapped_up_at,
        kind=WaiterKind.PROMISE if is_callback else WaiterKind.LIVE,
    )


def _has_talked(row: Row[*tuple[Any, ...]]) -> bool:
    """Tell whether a caller talked with the agent whose time on the phone this is, and not later with another one."""
    if row.answered_at is None:  # The record may have been lost; or they are being joined.
        return row.ending in {None, Ending.SERVED}
    return row.until is None or row.answered_at <= row.until


def _joined_at(
    row: Row[*tuple[Any, ...]],
    joined: Mapping[str, Sequence[datetime]],
    said_yes: Mapping[str, datetime],
    as_of: datetime,
) -> datetime | None:
    """Return when a customer was joined with the agent, whose time on the phone this is; None: they were not."""
    until = row.until or as_of
    instants = joined.get(row.waiter_id, ())
    nth = bisect_left(instants, row.since)
    if nth < len(instants) and instants[nth] <= until:
        return instants[nth]
    # What could not be written down while they talked is known from their attempt.
    if not instants and row.waiter_id in said_yes:
        at = max(row.since, said_yes[row.waiter_id])
        return at if at <= until else None
    return None


async def _joined(connection: AsyncConnection, either: Sequence[ColumnElement[bool]]) -> dict[str, list[datetime]]:
    """Return when customers were joined with an agent, in order, by their ids in line."""
    joined: defaultdict[str, set[datetime]] = defaultdict(set)
    for of_promise in (attempts.c.promise_id == _OF.waiter_id, attempts.c.id == attempt_in(_OF.waiter_id)):
        asked = (
            select(_OF.waiter_id, promise_events.c.at)
            .join(attempts, of_promise)
            .join(promise_events, promise_events.c.promise_id == attempts.c.promise_id)
            .where(_IS_TALK, promise_events.c.event == CustomerConnected.__name__)
        )
        for when in either:
            for waiter_id, at in await connection.execute(asked.where(when)):
                joined[waiter_id].add(at)
    return {waiter_id: sorted(instants) for waiter_id, instants in joined.items()}


async def _said_yes(connection: AsyncConnection, either: Sequence[ColumnElement[bool]]) -> dict[str, datetime]:
    """Return when customers who talked had said yes, by their ids in line."""
    found: dict[str, datetime] = {}
    for of_promise in (attempts.c.promise_id == _OF.waiter_id, attempts.c.id == attempt_in(_OF.waiter_id)):
        asked = (
            select(_OF.waiter_id, attempts.c.confirmed_at)
            .join(attempts, of_promise)
            .where(_IS_TALK, attempts.c.outcome == Outcome.TALKED.value, attempts.c.confirmed_at.is_not(None))
        )
        for when in either:
            found |= {row.waiter_id: row.confirmed_at for row in await connection.execute(asked.where(when))}
    return found


def _before(start: datetime, count: int) -> Select[tuple[int]]:
    """Return the ids of each agent's last spans that began before an instant.

    An agent is in one state at a time, so no other span can reach into the time from there. The names are found one
    after the other by the index: a statement that counts them would read it whole.
    """
    names = select(func.min(_OF.agent).label("agent")).cte("names", recursive=True)
    following = select(func.min(_OF.agent)).where(_OF.agent > names.c.agent).scalar_subquery()
    names = names.union_all(select(following).where(names.c.agent.is_not(None)))
    last = [
        select(
            select(_OF.id)
            .where(_OF.agent == names.c.agent, _OF.since < start)
            .order_by(_OF.since.desc(), _OF.id.desc())
            .limit(1)
            .offset(nth)
            .scalar_subquery()
            .label("id")
        ).select_from(names)
        for nth in range(count)
    ]
    return select(union(*last).subquery().c.id)


@lru_cache(maxsize=256)
def _queues(written: str) -> frozenset[str]:
    return frozenset(json.loads(written))
