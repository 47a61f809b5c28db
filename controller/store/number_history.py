"""All that was written down of one number, for the agent who has its owner on the phone: newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, not_, or_, select

from controller.domain.card import Past, PastKind, newest
from controller.store.staff_tables import call_notes
from controller.store.tables import attempts, calls, promises, sms_outbox, sms_replies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection


async def past_of(
    connection: AsyncConnection, numbers: Sequence[str], *, limit: int, except_for: str, own_note_of: str
) -> tuple[tuple[Past, ...], bool]:
    """Return the `limit` newest lines of a number's history, newest first, and whether that is all.

    `numbers` are its spellings, E.164 first; none: nothing is known. Left out are the call or promise `except_for`,
    which is under way, and the note of it that the agent `own_note_of` is writing.
    """
    if not numbers:
        return (), True
    e164 = numbers[0]
    tellers = (
        (_call, select(calls).where(calls.c.number.in_(numbers), calls.c.id != except_for), calls.c.arrived_at),
        (
            _promise,
            select(promises).where(promises.c.number == e164, promises.c.id != except_for),
            promises.c.made_at,
        ),
        (
            _attempt,
            select(attempts, promises.c.queue)
            .join(promises, attempts.c.promise_id == promises.c.id)
            .where(attempts.c.number == e164),
            attempts.c.started_at,
        ),
        (_note, select(call_notes).where(*_worth_reading(numbers, except_for, own_note_of)), call_notes.c.written_at),
        (_sms, select(sms_outbox).where(sms_outbox.c.number == e164), sms_outbox.c.queued_at),
        (_reply, select(sms_replies).where(sms_replies.c.number == e164), sms_replies.c.received_at),
    )
    lines: list[Past] = []
    for teller, query, at in tellers:
        # One more than is shown, so that it can be told whether there is more.
        rows = await connection.execute(query.order_by(at.desc()).limit(limit + 1))
        lines += [teller(row) for row in rows]
    return newest(lines, limit)


def _worth_reading(numbers: Sequence[str], waiter_id: str, agent: str) -> Iterator[Any]:
    of = call_notes.c
    yield of.number.in_(numbers)
    yield or_(of.text != "", of.disposition != "")
    yield not_(and_(of.waiter_id == waiter_id, of.agent == agent))


def _call(row: Row[Any]) -> Past:
    held_until = row.answered_at or row.ended_at
    return Past(
        at=row.arrived_at,
        kind=PastKind.CALL,
        what=row.ending or "",
        queue=row.queue or "",
        agent=row.agent or "",
        about=row.id,
        waited_s=_between_s(row.joined_at or row.arrived_at, held_until),
        talked_s=_between_s(row.answered_at, row.ended_at),
    )


def _promise(row: Row[Any]) -> Past:
    return Past(
        at=row.made_at,
        kind=PastKind.PROMISE,
        what=row.state,
        queue=row.queue,
        about=row.id,
        slot_starts_at=row.slot_starts_at,
        slot_ends_at=row.slot_ends_at,
    )


def _attempt(row: Row[Any]) -> Past:
    return Past(
        at=row.started_at,
        kind=PastKind.ATTEMPT,
        what=row.outcome or "",
        queue=row.queue,
        agent=row.agent,
        about=row.promise_id,
        talked_s=_between_s(row.confirmed_at, row.ended_at),
    )


def _note(row: Row[Any]) -> Past:
    return Past(
        at=row.written_at,
        kind=PastKind.NOTE,
        what=row.disposition,
        queue=row.queue,
        agent=row.agent,
        text=row.text,
        about=row.waiter_id,
    )


def _sms(row: Row[Any]) -> Past:
    return Past(
        at=row.queued_at,
        kind=PastKind.SMS,
        what=row.template,
        queue=row.queue,
        status=row.status,
        about=row.promise_id or "",
    )


def _reply(row: Row[Any]) -> Past:
    return Past(at=row.received_at, kind=PastKind.REPLY, what=row.meaning or "", text=row.text)


def _between_s(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())
