"""Promises and attempts as rows: the mapping, and the single statements that the book puts together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerRangIn
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, Promise, PromiseState
from controller.domain.slots import Slot
from controller.store.dialect import insert_if_new
from controller.store.tables import HAS_SLOT, IS_LIVE, IS_OPEN, attempts, promise_events, promise_requests, promises

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.lifecycle import Event

MADE = "Made"
"""The first entry of every history; the others are named after the events of `lifecycle.py`."""


def promise_from(row: RowMapping) -> Promise:
    """Return the promise in a row that has all of its columns."""
    outcome = row[promises.c.last_outcome]
    slot_starts_at = row[promises.c.slot_starts_at]
    return Promise(
        id=row[promises.c.id],
        queue=row[promises.c.queue],
        number=row[promises.c.number],
        language=row[promises.c.language],
        since=row[promises.c.since],
        not_before=row[promises.c.not_before],
        expires_at=row[promises.c.expires_at],
        state=PromiseState(row[promises.c.state]),
        attempts_used=row[promises.c.attempts_used],
        last_outcome=None if outcome is None else Outcome(outcome),
        slot=None if slot_starts_at is None else Slot(slot_starts_at, row[promises.c.slot_ends_at]),
        version=row[promises.c.version],
    )


def attempt_from(row: RowMapping) -> Attempt:
    """Return the attempt in a row that has all of its columns."""
    return Attempt(
        id=row[attempts.c.id],
        promise_id=row[attempts.c.promise_id],
        number=row[attempts.c.number],
        agent=row[attempts.c.agent],
        started_at=row[attempts.c.started_at],
    )


async def find_open(connection: AsyncConnection, queue: str, number: str, *, lock: bool = False) -> Promise | None:
    """Return the open promise of a number, if there is one; with its row locked where the database can."""
    query = select(promises).where(promises.c.queue == queue, promises.c.number == number, IS_OPEN)
    if lock:
        query = query.with_for_update()
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else promise_from(row)


async def find_requested(connection: AsyncConnection, call_id: str) -> Promise | None:
    """Return the promise that a call asked for, if there is one."""
    query = select(promises).join(promise_requests).where(promise_requests.c.call_id == call_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else promise_from(row)


async def add_request(connection: AsyncConnection, promise: Promise, *, call_id: str, requested_at: datetime) -> bool:
    """Write that a call asked for a promise; False when it asked for one before."""
    row = {"call_id": call_id, "promise_id": promise.id, "requested_at": requested_at}
    return (await connection.execute(insert_if_new(connection, promise_requests).values(row))).rowcount == 1


async def count_holders(connection: AsyncConnection, queue: str, slot: Slot, *, except_for: Promise | None) -> int:
    """Return how many promises of a queue hold a slot, but for one."""
    query = select(func.count()).where(promises.c.queue == queue, promises.c.slot_starts_at == slot.starts_at, HAS_SLOT)
    if except_for is not None:
        query = query.where(promises.c.id != except_for.id)
    return (await connection.execute(query)).scalar_one()


async def get(connection: AsyncConnection, promise_id: str, *, lock: bool = False) -> Promise:
    """Return a promise, with its row locked until the transaction ends where the database can. Raises LookupError."""
    query = select(promises).where(promises.c.id == promise_id)
    if lock:
        query = query.with_for_update()
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise LookupError(f"there is no promise {promise_id}")
    return promise_from(row)


async def add(connection: AsyncConnection, promise: Promise, *, made_at: datetime) -> bool:
    """Write a new promise; False when its number already holds one."""
    row = {
        **_changing(promise),
        "id": promise.id,
        "queue": promise.queue,
        "number": promise.number,
        "language": promise.language,
        "made_at": made_at,
    }
    return (await connection.execute(insert_if_new(connection, promises).values(row))).rowcount == 1


async def replace_if_unchanged(connection: AsyncConnection, before: Promise, after: Promise) -> bool:
    """Write `after` over `before`; False when the row is no longer `before`."""
    statement = (
        update(promises)
        .where(promises.c.id == before.id, promises.c.version == before.version, promises.c.state == before.state.value)
        .values(_changing(after))
    )
    return (await connection.execute(statement)).rowcount == 1


async def add_attempt(connection: AsyncConnection, attempt: Attempt) -> bool:
    """Write a new attempt; False when the number has a live one, or the id was used before."""
    row = {
        "id": attempt.id,
        "promise_id": attempt.promise_id,
        "number": attempt.number,
        "agent": attempt.agent,
        "started_at": attempt.started_at,
    }
    return (await connection.execute(insert_if_new(connection, attempts).values(row))).rowcount == 1


async def close_attempt(connection: AsyncConnection, promise: Promise, ended_at: datetime) -> None:
    """End the promise's live attempt with the outcome that the promise got from it."""
    outcome = None if promise.last_outcome is None else promise.last_outcome.value
    statement = (
        update(attempts).where(attempts.c.promise_id == promise.id, IS_LIVE).values(outcome=outcome, ended_at=ended_at)
    )
    await connection.execute(statement)


async def note(
    connection: AsyncConnection,
    promise: Promise,
    *,
    at: datetime,
    event: str,
    came_from: PromiseState | None,
    detail: str,
) -> None:
    """Add one entry to the promise's history, numbered by its version."""
    row = {
        "promise_id": promise.id,
        "seq": promise.version,
        "at": at,
        "event": event,
        "from_state": None if came_from is None else came_from.value,
        "to_state": promise.state.value,
        "detail": detail,
    }
    await connection.execute(insert(promise_events).values(row))


def detail_of(event: Event, before: Promise) -> str:
    """Return what the history says about an event beside its name.

    An outcome as it was seen; the call on which the customer talked; the start of a window that becomes free.
    """
    match event:
        case AttemptEnded(outcome):
            return outcome.value
        case CustomerRangIn(call_id):
            return with_slot(call_id, before.slot)
        case _:
            return with_slot("", before.slot if isinstance(event, Cancelled) else None)


def with_slot(detail: str, slot: Slot | None) -> str:
    """Return a detail of the history, with the start of a window if there is one."""
    return " ".join(part for part in (detail, slot and slot.starts_at.isoformat()) if part)


def _changing(promise: Promise) -> dict[str, Any]:
    return {
        "since": promise.since,
        "not_before": promise.not_before,
        "expires_at": promise.expires_at,
        "state": promise.state.value,
        "attempts_used": promise.attempts_used,
        "last_outcome": None if promise.last_outcome is None else promise.last_outcome.value,
        "slot_starts_at": promise.slot and promise.slot.starts_at,
        "slot_ends_at": promise.slot and promise.slot.ends_at,
        "version": promise.version,
    }
