"""What agents did, as facts for the figures: their time in each state, and their talks."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
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
    spans = (span for when in touching(start, end) for _, span in await read_spans_where(connection, when))
    return tuple([span async for span in spans if queue is None or queue in span.queues])


def touching(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the spans that go into [start, end), and for those that begin in it."""
    into = and_(_OF.id.in_(_before(start, 1)), or_(_OF.until.is_(None), _OF.until > start))
    return into, and_(_OF.since >= start, _OF.since < end)


async def read_spans_where(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[tuple[int, AgentSpan]]:
    """Return the spans of which something holds, with their ids."""
    query = select(_OF.id, _OF.agent, _OF.state, _OF.since, _OF.until, _OF.queues).where(condition)
    return [
        (nth, AgentSpan(agent, _STATES[state], since, until, _queues(queues)))
        for nth, agent, state, since, until, queues in await connection.execute(query)
    ]


async def read_talks(
    connection: AsyncConnection, start: datetime, end: datetime, as_of: datetime, queue: str | None
) -> tuple[TalkFact, ...]:
    """Return the talks that touch [start, end), wrap-ups included."""
    found = await read_talks_where(connection, talking(start, end), as_of, queue)
    return tuple(one.talk for one in found if one.touches(start, end, as_of) and one.talk is not None)


def talking(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the spans that may be talks which touch [start, end).

    The span before the one that goes into the time is among them: a talk whose wrap-up is that one.
    """
    return and_(_OF.since >= start, _OF.since < end), _OF.id.in_(_before(start, 2))


@dataclass(frozen=True, slots=True)
class OnCall:
    """An agent's time on the phone."""

    id: int
    """Of its span."""
    since: datetime
    until: datetime | None
    talk: TalkFact | None
    """None: nobody talked."""
    is_callback: bool
    has_wrap_up: bool
    """The wrap-up that follows is known, over or not."""
    call_goes_on: bool
    call_ended_at: datetime | None

    def touches(self, start: datetime, end: datetime, as_of: datetime) -> bool:
        """Tell whether it was a talk that shares something with [start, end)."""
        talk = self.talk
        return talk is not None and talk.began_at < end and (talk.wrapped_up_at or talk.ended_at or as_of) > start


async def read_talks_where(
    connection: AsyncConnection, either: Sequence[ColumnElement[bool]], as_of: datetime, queue: str | None = None
) -> list[OnCall]:
    """Return what became of agents' time on the phone, of spans of which either condition holds.

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
            *(_OF.id, wrapped.c.id.label("wrap_up"), calls.c.id.label("call_id"), calls.c.ended_at),
            *(calls.c.answered_at, calls.c.ending),
        )
        .outerjoin(wrapped, follows)
        .outerjoin(calls, of_call)
    )
    if queue is not None:
        query = query.where(_OF.queue == queue)
    rows = [row for when in either for row in await connection.execute(query.where(_IS_TALK, when))]
    joined = await _joined(connection, either)
    said_yes = await _said_yes(connection, either)
    return [_on_call(row, _talk(row, joined, said_yes, as_of)) for row in rows]


async def unsettled(connection: AsyncConnection, ids: Sequence[int]) -> set[int]:
    """Return which of these spans, all of talks that are over, may still turn out otherwise.

    Those whose attempt goes on, and those after which nothing is known of the agent: the wrap-up may come yet.
    """
    found: set[int] = set()
    for of_promise in (attempts.c.promise_id == _OF.waiter_id, attempts.c.id == attempt_in(_OF.waiter_id)):
        query = select(_OF.id).join(attempts, of_promise).where(_OF.id.in_(ids), attempts.c.ended_at.is_(None))
        found.update(await connection.scalars(query))
    later = agent_spans.alias("later")
    follows = select(later.c.id).where(later.c.agent == _OF.agent, later.c.since >= _OF.until, later.c.id != _OF.id)
    found.update(await connection.scalars(select(_OF.id).where(_OF.id.in_(ids), ~follows.exists())))
    return found


def _on_call(row: Row[*tuple[Any, ...]], talk: TalkFact | None) -> OnCall:
    return OnCall(
        id=row.id,
        since=row.since,
        until=row.until,
        talk=talk,
        is_callback=_is_callback(row),
        has_wrap_up=row.wrap_up is not None,
        call_goes_on=row.call_id is not None and row.ending is None,
        call_ended_at=row.ended_at,
    )


def _is_callback(row: Row[*tuple[Any, ...]]) -> bool:
    return row.kind == WaiterKind.PROMISE or bool(row.waiter_id.startswith(DIALLED_AHEAD))


def _talk(
    row: Row[*tuple[Any, ...]],
    joined: Mapping[str, Sequence[datetime]],
    said_yes: Mapping[str, datetime],
    as_of: datetime,
) -> TalkFact | None:
    """Return a time on the phone as a talk; None where nobody talked."""
    is_callback = _is_callback(row)
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
