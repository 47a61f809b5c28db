"""Promises, their calls and their SMS, as facts for the figures."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, union

from controller.domain.effects import SmsTemplate
from controller.domain.figure_facts import AttemptFact, PromiseFact, SmsFact
from controller.domain.lifecycle import CustomerConnected, CustomerRangIn
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus
from controller.store.tables import (
    attempts,
    booking_links,
    calls,
    promise_events,
    promise_requests,
    promises,
    sms_outbox,
    sms_replies,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    Wanted = Select[tuple[str]]
    Read = tuple[tuple[PromiseFact, ...], tuple[AttemptFact, ...], tuple[SmsFact, ...]]

_AT_ONCE = 500
"""So many values go into one statement."""
_TALKS = (CustomerConnected.__name__, CustomerRangIn.__name__)


async def read_promises(connection: AsyncConnection, start: datetime, end: datetime, queue: str | None) -> Read:
    """Return the promises that were asked for in [start, end), by phone or in writing, and all of their calls and SMS.

    Those too that were made before, and took in the request of a call that came then.
    """
    return await read_promises_of(connection, _asked_for(start, end, queue))


async def read_promises_of(connection: AsyncConnection, ids: Wanted) -> Read:
    """Return promises, and all of their calls and SMS; `ids` selects theirs."""
    tried = (
        await connection.execute(
            select(
                *(attempts.c.promise_id, attempts.c.started_at, attempts.c.outcome),
                *(attempts.c.confirmed_at, attempts.c.answered_at, attempts.c.ended_at),
            ).where(attempts.c.promise_id.in_(ids))
        )
    ).all()
    talked = await _talks(connection, ids, tried)
    found = await connection.execute(
        select(promises.c.id, promises.c.queue, promises.c.state, promises.c.due_by, promises.c.made_at).where(
            promises.c.id.in_(ids)
        )
    )
    arrived = await _arrivals(connection, ids)
    return (
        tuple(_promise(row, arrived, talked) for row in found),
        tuple(AttemptFact(row.promise_id, row.started_at, _outcome(row.outcome)) for row in tried),
        await _texts(connection, ids),
    )


def _asked_for(start: datetime, end: datetime, queue: str | None) -> Wanted:
    by_phone = (
        select(promise_requests.c.promise_id.label("id"))
        .join(calls, calls.c.id == promise_requests.c.call_id)
        .where(calls.c.arrived_at >= start, calls.c.arrived_at < end)
    )
    made = select(promises.c.id).where(promises.c.made_at >= start, promises.c.made_at < end)
    wanted = union(by_phone, made).subquery()
    if queue is None:
        return select(wanted.c.id)
    return select(promises.c.id).join(wanted, wanted.c.id == promises.c.id).where(promises.c.queue == queue)


def _promise(
    row: Row[*tuple[Any, ...]], arrived: Mapping[str, datetime], talked: Mapping[str, tuple[datetime, bool]]
) -> PromiseFact:
    talked_at, rang_in = talked.get(row.id, (None, False))
    return PromiseFact(
        id=row.id,
        queue=row.queue,
        arrived_at=arrived.get(row.id, row.made_at),
        state=PromiseState(row.state),
        due_by=row.due_by,
        talked_at=talked_at,
        rang_in=rang_in,
    )


def _outcome(written: str | None) -> Outcome | None:
    return None if written is None else Outcome(written)


async def _arrivals(connection: AsyncConnection, ids: Wanted) -> dict[str, datetime]:
    """Return when whoever first asked for each promise came in; of a request in writing, when that was read."""
    of = promise_requests.c
    query = (
        select(of.promise_id, of.requested_at, calls.c.arrived_at)
        .outerjoin(calls, calls.c.id == of.call_id)
        .where(of.promise_id.in_(ids))
    )
    first: dict[str, tuple[datetime, datetime]] = {}
    for promise_id, requested_at, arrived_at in await connection.execute(query):
        asked = requested_at, arrived_at or requested_at
        first[promise_id] = min(first.get(promise_id, asked), asked)
    return {promise_id: arrived_at for promise_id, (_, arrived_at) in first.items()}


async def _talks(
    connection: AsyncConnection, ids: Wanted, tried: Iterable[Row[*tuple[Any, ...]]]
) -> dict[str, tuple[datetime, bool]]:
    """Return when each customer first talked with an agent, and whether they had rung again.

    A talk that could not be written down while it went on is known from how its attempt ended.
    """
    of = promise_events.c
    query = select(of.promise_id, of.at, of.event, of.detail).where(of.promise_id.in_(ids), of.event.in_(_TALKS))
    rows = (await connection.execute(query)).all()
    answered = await _answers(connection, sorted({_call_in(row) for row in rows} - {""}))
    talks: defaultdict[str, list[tuple[datetime, bool]]] = defaultdict(list)
    for row in rows:
        call_id = _call_in(row)
        talks[row.promise_id].append((answered.get(call_id, row.at), bool(call_id)))
    for row in tried:
        if row.outcome == Outcome.TALKED and row.promise_id not in talks:
            talks[row.promise_id].append((row.confirmed_at or row.answered_at or row.ended_at, False))
    return {promise_id: min(each) for promise_id, each in talks.items()}


def _call_in(row: Row[*tuple[Any, ...]]) -> str:
    """Return the call on which a customer rang in; "" where we called them."""
    # The start of a window that became free may follow.
    return str(row.detail).partition(" ")[0] if row.event == CustomerRangIn.__name__ else ""


async def _answers(connection: AsyncConnection, call_ids: Sequence[str]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for begin in range(0, len(call_ids), _AT_ONCE):
        query = select(calls.c.id, calls.c.answered_at).where(
            calls.c.id.in_(call_ids[begin : begin + _AT_ONCE]), calls.c.answered_at.is_not(None)
        )
        found |= {row.id: row.answered_at for row in await connection.execute(query)}
    return found


async def _texts(connection: AsyncConnection, ids: Wanted) -> tuple[SmsFact, ...]:
    of = sms_outbox.c
    sent = select(of.id, of.promise_id, of.template, of.status, of.queued_at, of.sent_at, of.converted_at)
    rows = (await connection.execute(sent.where(of.promise_id.in_(ids)).order_by(of.id))).all()
    replied = (
        select(sms_replies.c.about_id, func.min(sms_replies.c.received_at))
        .join(sms_outbox, of.id == sms_replies.c.about_id)
        .where(of.promise_id.in_(ids))
        .group_by(sms_replies.c.about_id)
    )
    answers: defaultdict[int, list[datetime]] = defaultdict(list)
    for about_id, received_at in await connection.execute(replied):
        answers[about_id].append(received_at)
    used = select(booking_links.c.promise_id, booking_links.c.used_at).where(
        booking_links.c.promise_id.in_(ids), booking_links.c.used_at.is_not(None)
    )
    by_promise: defaultdict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in rows:
        by_promise[row.promise_id].append(row)
    for promise_id, used_at in await connection.execute(used):
        # A link does not tell in which SMS it was; the last one that left before is the one that they had at hand.
        left = [row for row in by_promise[promise_id] if row.sent_at is not None and row.sent_at <= used_at]
        if left:
            answers[left[-1].id].append(used_at)
    return tuple(
        SmsFact(
            promise_id=row.promise_id,
            template=SmsTemplate(row.template),
            status=SmsStatus(row.status),
            queued_at=row.queued_at,
            answered_at=min([*answers[row.id], *([row.converted_at] if row.converted_at else [])], default=None),
        )
        for row in rows
    )
