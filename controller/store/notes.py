"""What agents write of their talks, in the database; and the card of whom they serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update

from controller.domain.card import About, Arrival, Note, Promised, next_version, spellings
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.ports.notes import NotTheirs, Overtaken
from controller.store.dialect import insert_if_new
from controller.store.engine import VersionConflictError
from controller.store.number_history import past_of
from controller.store.staff_tables import agent_spans, call_notes
from controller.store.tables import attempts, calls, line_decisions, promise_requests, promises

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.notes import NoteWanted
    from controller.store.engine import Database


class StoredNoteBook:
    """`NoteBook` on SQL: one note for each agent and each caller or promise that they have served."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def about(self, waiter_id: str, agent: str, *, home: str, limit: int) -> About | None:
        """Return what is known of a caller or a promise, all of one moment. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> About | None:
            found = await _found(connection, waiter_id)
            if found is None:
                return None
            arrival, promised = found
            numbers = spellings(arrival.number, home)
            past, is_all = await past_of(connection, numbers, limit=limit, except_for=waiter_id, own_note_of=agent)
            return About(arrival, promised, await _note(connection, waiter_id, agent), past, is_all)

        return await self._database.read(work)

    async def has_served(self, waiter_id: str, agent: str, *, since: datetime) -> bool:
        """Tell whether an agent was given a caller or a promise since then. Raises StoreUnavailableError."""
        return await self._database.read(lambda connection: _has_served(connection, waiter_id, agent, since))

    async def write(self, wanted: NoteWanted, *, at: datetime, served_since: datetime) -> Note | Overtaken | NotTheirs:
        """Write a note, or change it; durable on return. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> Note | Overtaken | NotTheirs:
            before = await _note(connection, wanted.waiter_id, wanted.agent, lock=True)
            if before is not None and (before.disposition, before.text) == (wanted.disposition, wanted.text):
                return before
            if before is not None and before.changed_at != wanted.seen:
                return Overtaken(before)
            is_theirs = wanted.serving is not None or (before is not None and before.written_at >= served_since)
            if not is_theirs and not await _has_served(connection, wanted.waiter_id, wanted.agent, served_since):
                return NotTheirs()
            found = await _found(connection, wanted.waiter_id)
            # A call that could not be written down when it came is still somebody's.
            arrival = found[0] if found else wanted.serving
            return NotTheirs() if arrival is None else await _put(connection, wanted, before, arrival, at)

        return await self._database.write(work)


async def _put(connection: AsyncConnection, wanted: NoteWanted, before: Note | None, of: Arrival, at: datetime) -> Note:
    """Write a note over `before`, or a new one. Raises VersionConflictError when somebody else was quicker."""
    changed = {
        "disposition": wanted.disposition,
        "text": wanted.text,
        "changed_at": next_version(at, before.changed_at if before is not None else None),
    }
    if before is None:
        row = {
            "waiter_id": wanted.waiter_id,
            "agent": wanted.agent,
            "kind": of.kind.value,
            "queue": of.queue,
            "number": of.number,
            "written_at": at,
            **changed,
        }
        if (await connection.execute(insert_if_new(connection, call_notes).values(row))).rowcount == 0:
            raise VersionConflictError
    else:
        is_it = (call_notes.c.waiter_id == wanted.waiter_id, call_notes.c.agent == wanted.agent)
        await connection.execute(update(call_notes).where(*is_it).values(changed))
    written = await _note(connection, wanted.waiter_id, wanted.agent)
    if written is None:
        raise VersionConflictError
    return written


async def _note(connection: AsyncConnection, waiter_id: str, agent: str, *, lock: bool = False) -> Note | None:
    of = call_notes.c
    query = select(call_notes).where(of.waiter_id == waiter_id, of.agent == agent)
    row = (await connection.execute(query.with_for_update() if lock else query)).first()
    if row is None:
        return None
    return Note(row.waiter_id, row.agent, row.disposition, row.text, row.written_at, row.changed_at)


async def _found(connection: AsyncConnection, waiter_id: str) -> tuple[Arrival, Promised | None] | None:
    """Return how a caller or the customer of a promise came, and what they were promised; None: there is none."""
    call = (await connection.execute(select(calls).where(calls.c.id == waiter_id))).first()
    if call is not None:
        return _of_call(call), None
    promise = (await connection.execute(select(promises).where(promises.c.id == waiter_id))).first()
    if promise is None:
        return None
    asked = (await connection.execute(_first_call_for(waiter_id))).first()
    arrival = Arrival(
        kind=WaiterKind.PROMISE,
        queue=promise.queue,
        number=promise.number,
        since=promise.since,
        dialled=asked.dialled if asked else "",
        joined_at=asked.joined_at if asked else None,
        left_at=asked.ended_at if asked else None,
        quoted_low_s=asked.quoted_low_s if asked else None,
        quoted_high_s=asked.quoted_high_s if asked else None,
    )
    return arrival, _promised(promise)


def _first_call_for(promise_id: str) -> Select[Any]:
    """Return the call that first asked for a promise; none where it was an SMS, the web, or an agent."""
    of = promise_requests.c
    return (
        (select(calls).join(promise_requests, of.call_id == calls.c.id).where(of.promise_id == promise_id))
        .order_by(of.requested_at, of.call_id)
        .limit(1)
    )


def _of_call(call: Row[Any]) -> Arrival:
    return Arrival(
        kind=WaiterKind.LIVE,
        queue=call.queue or "",
        number=call.number or "",
        since=call.arrived_at,
        dialled=call.dialled,
        joined_at=call.joined_at,
        left_at=call.answered_at or call.ended_at,
        answered_at=call.answered_at,
        quoted_low_s=call.quoted_low_s,
        quoted_high_s=call.quoted_high_s,
    )


def _promised(promise: Row[Any]) -> Promised:
    return Promised(
        state=PromiseState(promise.state),
        made_at=promise.made_at,
        not_before=promise.not_before,
        due_by=promise.due_by,
        slot_starts_at=promise.slot_starts_at,
        slot_ends_at=promise.slot_ends_at,
        told_late=promise.told_late,
        attempts_used=promise.attempts_used,
        last_outcome=promise.last_outcome or "",
    )


async def _has_served(connection: AsyncConnection, waiter_id: str, agent: str, since: datetime) -> bool:
    """Tell whether anything says that the agent was given them: a talk, an attempt, the line's decision, their time."""
    of_call, of_attempt, of_line, of_time = calls.c, attempts.c, line_decisions.c, agent_spans.c
    proofs = (
        select(of_call.id).where(
            of_call.id == waiter_id,
            of_call.agent == agent,
            or_(of_call.ended_at.is_(None), of_call.ended_at >= since),
        ),
        select(of_attempt.id).where(
            of_attempt.promise_id == waiter_id,
            of_attempt.agent == agent,
            or_(of_attempt.ended_at.is_(None), of_attempt.ended_at >= since),
        ),
        select(of_line.id).where(of_line.at >= since, of_line.waiter_id == waiter_id, of_line.agent == agent),
        select(of_time.id).where(of_time.since >= since, of_time.waiter_id == waiter_id, of_time.agent == agent),
    )
    for proof in proofs:
        if (await connection.execute(proof.limit(1))).first() is not None:
            return True
    return False
