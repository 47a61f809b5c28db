"""A request for a promise, taken in inside a transaction: by phone, by SMS and on the web it is the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.lifecycle import ALLOWED, Merged, advance
from controller.domain.owed_texts import confirmation
from controller.domain.promise import Promise
from controller.ports.promises import Made, NumberBlocked, SlotFull
from controller.store import claims, outbox
from controller.store import promise_rows as rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.engine import VersionConflictError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.retry_policy import RetryPolicy
    from controller.domain.slots import Slot
    from controller.ports.promises import NewPromise


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request; the promise, if it was made or changed; and whether a new SMS is owed."""

    answer: Made | SlotFull | NumberBlocked
    changed: Promise | None = None
    owes: bool = False


async def take_in(
    connection: AsyncConnection,
    wanted: NewPromise,
    now: datetime,
    *,
    new_id: Callable[[], str],
    policy: RetryPolicy,
) -> Taken:
    """Write a promise, or let the open one of the number take the request in; `policy` is the queue's.

    Nothing was written where the answer is not `Made`. Raises VersionConflictError.
    """
    # Looked for first: the promise may be over by now, and must not be made a second time.
    asked_before = await rows.find_requested(connection, wanted.call_id)
    if asked_before is not None:
        return Taken(Made(asked_before, is_new=False))
    if await claims.is_listed(connection, wanted.number):
        return Taken(NumberBlocked())
    slot, changed = wanted.slot, True
    if slot is not None:
        # Before the promise's row is locked, everywhere: two who book at once can then not wait for each other.
        await wait_for_other_bookings(connection, f"{wanted.queue} {slot.starts_at.isoformat()}")
    held = await rows.find_open(connection, wanted.queue, wanted.number, lock=True)
    promise = _draft(wanted, now, new_id, policy)
    if held is not None and (held.state, Merged) not in ALLOWED:
        promise, changed = held, False
    elif slot is not None and await _is_full(connection, wanted, slot, held):
        return Taken(SlotFull())
    elif held is not None:
        promise = await _merge(connection, held, promise, wanted, now, policy)
    else:
        await _add(connection, promise, wanted, now)
    if not await rows.add_request(connection, promise, call_id=wanted.call_id, requested_at=now):
        raise VersionConflictError  # the same call asked at the same time, and its other request was quicker
    owes = wanted.confirm and changed and await outbox.queue(connection, confirmation(promise), now)
    return Taken(Made(promise, is_new=held is None), promise if changed else None, owes)


async def _is_full(connection: AsyncConnection, wanted: NewPromise, slot: Slot, held: Promise | None) -> bool:
    if wanted.slot_capacity is None:
        return False
    return await rows.count_holders(connection, wanted.queue, slot, except_for=held) >= wanted.slot_capacity


async def _add(connection: AsyncConnection, promise: Promise, wanted: NewPromise, now: datetime) -> None:
    due_by = wanted.due_by if wanted.slot is None else wanted.slot.ends_at
    if not await rows.add(connection, promise, made_at=now, due_by=due_by):
        raise VersionConflictError  # the number got one since we looked
    detail = rows.with_slot(wanted.call_id, promise.slot)
    await rows.note(connection, promise, at=now, event=rows.MADE, came_from=None, detail=detail)


async def _merge(
    connection: AsyncConnection,
    held: Promise,
    fresh: Promise,
    wanted: NewPromise,
    now: datetime,
    policy: RetryPolicy,
) -> Promise:
    """Let `held` take the request in, of which `fresh` would be the promise; return it as it then is."""
    again = Merged(fresh.since, fresh.not_before, fresh.slot, fresh.expires_at)
    merged = advance(held, again, now, policy).promise
    if not await rows.replace_if_unchanged(connection, held, merged):
        raise VersionConflictError
    if fresh.slot is not None and fresh.slot != held.slot:
        await rows.renew_word(connection, merged, fresh.slot.ends_at)
    detail = rows.with_slot(wanted.call_id, fresh.slot)
    await rows.note(connection, merged, at=now, event=Merged.__name__, came_from=held.state, detail=detail)
    return merged


def _draft(wanted: NewPromise, now: datetime, new_id: Callable[[], str], policy: RetryPolicy) -> Promise:
    """Return the promise as a new one. Its lifetime counts from the first moment at which it can be kept."""
    not_before = wanted.not_before or now
    if wanted.slot is not None:
        not_before = wanted.slot.starts_at
    return Promise(
        id=new_id(),
        queue=wanted.queue,
        number=wanted.number,
        language=wanted.language,
        # Whoever chose a time stands in line as if they arrived then.
        since=wanted.since if wanted.slot is None else not_before,
        not_before=not_before,
        expires_at=max(now, not_before) + timedelta(seconds=policy.lifetime_s),
        slot=wanted.slot,
    )
