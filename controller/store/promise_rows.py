"""Promises as rows: the mapping, and the single statements that the book puts together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerRangIn, Postponed, RunningLate
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.slots import Slot
from controller.domain.supervising import Assigned, Moved, Prioritised
from controller.ports.news import Kind
from controller.store import hook_owing
from controller.store.dialect import insert_if_new, tell_others
from controller.store.tables import HAS_SLOT, IS_OPEN, promise_events, promise_requests, promises

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
        dials=row[promises.c.dials],
        last_outcome=None if outcome is None else Outcome(outcome),
        slot=None if slot_starts_at is None else Slot(slot_starts_at, row[promises.c.slot_ends_at]),
        told_late=row[promises.c.told_late],
        urgent=row[promises.c.urgent],
        assigned_to=row[promises.c.assigned_to],
        version=row[promises.c.version],
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


async def open_of(connection: AsyncConnection, number: str) -> list[Promise]:
    """Return the open promises of a number with every queue, with their rows locked where the database can."""
    query = select(promises).where(promises.c.number == number, IS_OPEN).order_by(promises.c.id).with_for_update()
    return [promise_from(row) for row in (await connection.execute(query)).mappings()]


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


async def get_unless_taken(connection: AsyncConnection, promise_id: str) -> Promise | None:
    """Return a promise, with its row locked as in `get`; None when somebody else has it locked, or there is none."""
    query = select(promises).where(promises.c.id == promise_id).with_for_update(skip_locked=True, key_share=True)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else promise_from(row)


async def add(
    connection: AsyncConnection, promise: Promise, *, made_at: datetime, due_by: datetime | None = None
) -> bool:
    """Write a new promise; False when its number already holds one. `due_by`: the end of what was promised."""
    row = {
        **_changing(promise),
        "id": promise.id,
        "number": promise.number,
        "language": promise.language,
        "made_at": made_at,
        "due_by": due_by,
    }
    return (await connection.execute(insert_if_new(connection, promises).values(row))).rowcount == 1


async def renew_word(connection: AsyncConnection, promise: Promise, due_by: datetime) -> None:
    """Write that something else was promised, to the customer who asked anew: a talk by `due_by`."""
    await connection.execute(update(promises).where(promises.c.id == promise.id).values(due_by=due_by))


async def replace_if_unchanged(connection: AsyncConnection, before: Promise, after: Promise) -> bool:
    """Write `after` over `before`; False when the row is no longer `before`."""
    statement = (
        update(promises)
        .where(promises.c.id == before.id, promises.c.version == before.version, promises.c.state == before.state.value)
        .values(_changing(after))
    )
    return (await connection.execute(statement)).rowcount == 1


async def note(
    connection: AsyncConnection,
    promise: Promise,
    *,
    at: datetime,
    event: str,
    came_from: PromiseState | None,
    detail: str,
) -> None:
    """Add one entry to the promise's history, numbered by its version; let hooks and other processes know of it."""
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
    await hook_owing.owe_promise(connection, promise, event=event, before=came_from, at=at, detail=detail)
    await tell_others(connection, Kind.PROMISE, promise.id)


def detail_of(event: Event, before: Promise) -> str:
    """Return what the history says about an event beside its name: words, apart by one blank.

    An outcome as it was seen, by how many seconds the customer put it off, and whether another trunk is tried at once;
    the call on which they talked; on whose behalf it was cancelled; why it was postponed, and until when; when the call
    is likely to come instead; whether it is urgent, and whose it is; from where to where it was moved; the start of a
    window that becomes free.
    """
    match event:
        case AttemptEnded(outcome=outcome, later_s=later_s, at_once=at_once):
            words = (outcome.value, "" if later_s is None else f"{later_s:g}", "at_once" if at_once else "")
            return " ".join(word for word in words if word)
        case CustomerRangIn(call_id):
            return with_slot(call_id, before.slot)
        case Cancelled(reason):
            return with_slot(reason.value, before.slot)
        case Postponed(until=until, reason=reason):
            return f"{reason.value} {until.isoformat()}"
        case RunningLate(expected_at):
            return expected_at.isoformat()
        case _:
            return _detail_of_order(event, before)


def _detail_of_order(event: Event, before: Promise) -> str:
    match event:
        case Prioritised(urgent):
            return "urgent" if urgent else ""
        case Assigned(agent):
            return agent
        case Moved(queue, slot_capacity):
            return with_slot(f"{before.queue} {queue}", before.slot if slot_capacity == 0 else None)
        case _:
            return ""


def with_slot(detail: str, slot: Slot | None) -> str:
    """Return a detail of the history, with the start of a window if there is one."""
    return " ".join(part for part in (detail, slot and slot.starts_at.isoformat()) if part)


def _changing(promise: Promise) -> dict[str, Any]:
    return {
        "queue": promise.queue,
        "since": promise.since,
        "not_before": promise.not_before,
        "expires_at": promise.expires_at,
        "state": promise.state.value,
        "attempts_used": promise.attempts_used,
        "dials": promise.dials,
        "last_outcome": None if promise.last_outcome is None else promise.last_outcome.value,
        "slot_starts_at": promise.slot and promise.slot.starts_at,
        "slot_ends_at": promise.slot and promise.slot.ends_at,
        "told_late": promise.told_late,
        "urgent": promise.urgent,
        "assigned_to": promise.assigned_to,
        "version": promise.version,
    }
