"""Attempts as rows: opened in the claim, closed with the facts that were seen and with what the call cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from controller.domain.caps import Tariff
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import Attempt, Wish
from controller.store.dialect import insert_if_new
from controller.store.tables import IS_LIVE, attempts

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import AttemptEnded
    from controller.domain.promise import Promise

_ANSWERED = frozenset(
    {
        Outcome.TALKED,
        Outcome.DECLINED,
        Outcome.NOT_CONFIRMED,
        Outcome.MACHINE,
        Outcome.POSTPONED,
        Outcome.DROPPED,
        Outcome.ABANDONED,
    }
)
"""Somebody or something had answered, whether or not the moment was seen."""


def attempt_from(row: RowMapping) -> Attempt:
    """Return the attempt in a row that has all of its columns."""
    return Attempt(
        id=row[attempts.c.id],
        promise_id=row[attempts.c.promise_id],
        number=row[attempts.c.number],
        agent=row[attempts.c.agent],
        started_at=row[attempts.c.started_at],
        term=row[attempts.c.term],
        by_hand=row[attempts.c.by_hand],
        pbx=row[attempts.c.pbx],
    )


def wish_from(row: RowMapping) -> Wish | None:
    """Return what the customer asked for on the attempt in a row, if they did."""
    outcome = row[attempts.c.wish]
    return None if outcome is None else Wish(Outcome(outcome), row[attempts.c.wish_later_s])


async def note_wish(connection: AsyncConnection, attempt_id: str, wish: Wish) -> None:
    """Write what the customer asked for on an attempt that is open."""
    change = update(attempts).where(attempts.c.id == attempt_id, IS_LIVE)
    await connection.execute(change.values(wish=wish.outcome.value, wish_later_s=wish.later_s))


async def is_number_busy(connection: AsyncConnection, number: str) -> bool:
    """Tell whether an attempt for the number is open, for whichever promise."""
    query = select(attempts.c.id).where(attempts.c.number == number, IS_LIVE)
    return (await connection.execute(query)).first() is not None


async def add(connection: AsyncConnection, attempt: Attempt, caps: Caps) -> bool:
    """Write a new attempt, counted with what is reserved for it.

    False when its number has a live one, or its id was used before.
    """
    row = {
        "id": attempt.id,
        "promise_id": attempt.promise_id,
        "number": attempt.number,
        "agent": attempt.agent,
        "started_at": attempt.started_at,
        "term": attempt.term,
        "by_hand": attempt.by_hand,
        "customer_first": not attempt.agent,
        "pbx": attempt.pbx,
        "counts_from": attempt.started_at,
        "cost_milli": caps.reserved_milli,
        "per_call_milli": caps.tariff.per_call_milli,
        "per_minute_milli": caps.tariff.per_minute_milli,
    }
    return (await connection.execute(insert_if_new(connection, attempts).values(row))).rowcount == 1


async def close(connection: AsyncConnection, promise: Promise, ended: AttemptEnded, now: datetime) -> bool:
    """End the promise's live attempt with the outcome that the promise got from it; False when it has none."""
    query = select(attempts).where(attempts.c.promise_id == promise.id, IS_LIVE)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        return False
    evidence = ended.evidence
    values: dict[str, Any] = {
        "outcome": None if promise.last_outcome is None else promise.last_outcome.value,
        "ended_at": now,
        "trunk": evidence.trunk,
        "cause": evidence.cause,
        "tech_cause": evidence.tech_cause,
        "rang": evidence.rang,
        "timed_out": evidence.timed_out,
        "placed_at": evidence.placed_at,
        "answered_at": evidence.answered_at,
        "answered_by": evidence.answered_by.value,
        "confirmed_at": evidence.confirmed_at,
        "counts_from": _counts_from(ended, now),
        "cost_milli": _cost_milli(row, ended, now),
    }
    if ended.agent and not row[attempts.c.agent]:
        values["agent"] = ended.agent
    await connection.execute(update(attempts).where(attempts.c.id == row[attempts.c.id]).values(values))
    return True


def _counts_from(ended: AttemptEnded, now: datetime) -> datetime | None:
    """Return when the caps' 24 hours of a call begin: as it was placed; where nobody saw that, at its end.

    It is claimed a moment before it is placed, so counted from the claim two calls could be less than 24 hours apart.
    """
    if ended.outcome in NEVER_SENT:
        return None
    return ended.evidence.placed_at or now


def _cost_milli(row: RowMapping, ended: AttemptEnded, now: datetime) -> int:
    """Return what a call has cost, as far as can be told; never less where something was not seen."""
    tariff = Tariff(row[attempts.c.per_call_milli], row[attempts.c.per_minute_milli])
    reserved: int = row[attempts.c.cost_milli]
    answered_at = ended.evidence.answered_at
    if ended.outcome in NEVER_SENT:
        return 0
    if answered_at is None and ended.outcome in _ANSWERED:
        answered_at = row[attempts.c.started_at]
    talked_milli = 0 if answered_at is None else tariff.cost_milli(max(0.0, (now - answered_at).total_seconds()))
    # Nobody saw how long it went on: what was set aside for it is not given back.
    return max(reserved, talked_milli) if ended.outcome is Outcome.UNKNOWN else talked_milli
