"""One step of one promise, inside a transaction: the row, its attempt's end, its history, and the SMS it owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from controller.domain.lifecycle import AttemptEnded, RefusedTransitionError, advance
from controller.domain.promise import PromiseState
from controller.domain.retry_policy import RetryPolicy
from controller.domain.supervising import Moved
from controller.ports.promises import NotMovedError, NotMovedReason
from controller.store import attempt_rows, outbox
from controller.store import promise_rows as rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.engine import VersionConflictError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.lifecycle import Event
    from controller.domain.promise import Promise

DEFAULT_POLICY = RetryPolicy()
"""For promises of a queue that was taken out of the settings: they come to an end like all others."""


async def take_step(
    connection: AsyncConnection, before: Promise, event: Event, now: datetime, policy: RetryPolicy
) -> tuple[Promise, bool]:
    """Write what `event` makes of `before`; return the promise as it then is, and whether it owes a new SMS.

    Raises RefusedTransitionError, also for the end of an attempt where none is open; NotMovedError;
    VersionConflictError.
    """
    step = advance(before, event, now, policy)
    if isinstance(event, Moved):
        await _require_room(connection, before, step.promise, event)
    try:
        was_unchanged = await rows.replace_if_unchanged(connection, before, step.promise)
    except IntegrityError as error:  # The number got a promise with the other queue since we looked.
        raise VersionConflictError from error
    if not was_unchanged:
        raise VersionConflictError
    if isinstance(event, AttemptEnded):
        was_open = await attempt_rows.close(connection, step.promise, event, now)
        # A cancelled promise looks the same before and after its dial has ended; its attempt does not.
        if not was_open and before.state is PromiseState.CANCELLED:
            raise RefusedTransitionError(before, event)
    await rows.note(
        connection,
        step.promise,
        at=now,
        event=type(event).__name__,
        came_from=before.state,
        detail=rows.detail_of(event, before),
    )
    queued = [await outbox.queue(connection, effect, now) for effect in step.effects]
    return step.promise, any(queued)


async def _require_room(connection: AsyncConnection, before: Promise, after: Promise, event: Moved) -> None:
    """Raise NotMovedError where the number has a promise with the other queue, or the window is full there."""
    if after.queue == before.queue:
        return
    if await rows.find_open(connection, after.queue, after.number) is not None:
        raise NotMovedError(NotMovedReason.NUMBER_HELD)
    if after.slot is None or event.slot_capacity is None:
        return
    await wait_for_other_bookings(connection, f"{after.queue} {after.slot.starts_at.isoformat()}")
    holders = await rows.count_holders(connection, after.queue, after.slot, except_for=before)
    if holders >= event.slot_capacity:
        raise NotMovedError(NotMovedReason.SLOT_FULL)
