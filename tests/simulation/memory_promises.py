"""The book of promises in memory: the port `PromiseBook`, whose contract it passes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from controller.domain.caps import NO_CAPS
from controller.domain.lifecycle import (
    ALLOWED,
    AttemptEnded,
    AttemptStarted,
    Merged,
    RefusedTransitionError,
    advance,
)
from controller.domain.owed_texts import confirmation
from controller.domain.promise import DEFAULT_PBX, Promise, PromiseState
from controller.domain.retry_policy import RetryPolicy
from controller.ports.lease import lease_of_pbx
from controller.ports.promises import Made, NotClaimed, NotClaimedReason, NumberBlocked, OpenAttempt, SlotFull
from controller.store.promise_rows import detail_of, with_slot
from tests.simulation.memory_caps import count, full_until
from tests.simulation.memory_data import AttemptRow
from tests.simulation.memory_moves import require_room
from tests.simulation.memory_sms import queue_sms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt, Wish
    from controller.domain.slots import Slot
    from controller.ports.clock import Clock
    from controller.ports.promises import NewPromise
    from tests.simulation.memory_data import MemoryData

_DEFAULT_POLICY = RetryPolicy()


class MemoryPromiseBook:
    """Promises, attempts, history and the SMS they owe. A method is one step of the event loop: nothing comes between.

    Raises what the port says, except that it is never unavailable.
    """

    def __init__(
        self,
        data: MemoryData,
        *,
        policies: Mapping[str, RetryPolicy],
        clock: Clock,
        new_id: Callable[[], str],
        changed: Callable[[Promise], None],
        sms_queued: Callable[[], None],
    ) -> None:
        self._data = data
        self._policies = policies
        self._clock = clock
        self._new_id = new_id
        self._changed = changed
        self._sms_queued = sms_queued

    async def make(self, wanted: NewPromise) -> Made | SlotFull | NumberBlocked:
        """Write a promise, or let the one that the number holds take the request in."""
        asked_before = await self.made_on_call(wanted.call_id)
        if asked_before is not None:
            return Made(asked_before, is_new=False)
        if wanted.number in self._data.blocked:
            return NumberBlocked()
        now = self._clock.now()
        held = await self.open_for(wanted.queue, wanted.number)
        if held is not None and (held.state, Merged) not in ALLOWED:
            self._data.requests[wanted.call_id] = (held.id, now)
            return Made(held, is_new=False)
        if wanted.slot is not None and self._is_full(wanted, wanted.slot, held):
            return SlotFull()
        promise = self._draft(wanted, now)
        detail = with_slot(wanted.call_id, promise.slot)
        if held is None:
            self._data.made_at[promise.id] = now
            self._put(promise)
            self._note(promise, now, "Made", None, detail)
        else:
            again = Merged(promise.since, promise.not_before, promise.slot, promise.expires_at)
            promise = advance(held, again, now, self._policy(held.queue)).promise
            self._put(promise)
            self._note(promise, now, Merged.__name__, held.state, detail)
        self._data.requests[wanted.call_id] = (promise.id, now)
        owes = wanted.confirm and queue_sms(self._data, confirmation(promise), now)
        self._changed(promise)
        if owes:
            self._sms_queued()
        return Made(promise, is_new=held is None)

    async def made_on_call(self, call_id: str) -> Promise | None:
        """Return the promise that this call asked for."""
        found = self._data.requests.get(call_id)
        return None if found is None else self._data.promises[found[0]]

    async def open_for(self, queue: str, number: str) -> Promise | None:
        """Return the open promise of a number with a queue."""
        found = self._data.open_numbers.get((queue, number))
        return None if found is None else self._data.promises[found]

    async def booked(self, queue: str, *, start: datetime, end: datetime) -> Mapping[datetime, int]:
        """Return how many promises hold each slot that starts in [start, end)."""
        held = (each.slot.starts_at for each in self._data.promises.values() if each.slot and each.queue == queue)
        return dict(Counter(starts_at for starts_at in held if start <= starts_at < end))

    async def get(self, promise_id: str) -> Promise:
        """Return one promise. Raises LookupError."""
        if promise_id not in self._data.promises:
            raise LookupError(f"there is no promise {promise_id}")
        return self._data.promises[promise_id]

    async def waiting(self) -> list[Promise]:
        """Return what waits, oldest place first."""
        waits = [
            promise
            for promise_id in self._data.open_numbers.values()
            if (promise := self._data.promises[promise_id]).state is PromiseState.WAITING
        ]
        return sorted(waits, key=lambda each: (each.since, each.id))

    async def open_attempts(self, pbx: str = DEFAULT_PBX) -> list[OpenAttempt]:
        """Return every attempt through an Asterisk without an outcome."""
        rows = [self._data.attempts[attempt_id] for attempt_id in self._data.live.values()]
        return [
            OpenAttempt(self._data.promises[row.attempt.promise_id], row.attempt, row.wish)
            for row in rows
            if row.attempt.pbx == pbx
        ]

    async def note_wish(self, attempt_id: str, wish: Wish) -> None:
        """Write what the customer asked for on an open attempt."""
        if attempt_id in self._data.live.values():
            self._data.attempts[attempt_id].wish = wish

    async def open_attempt(self, promise: Promise, attempt: Attempt, caps: Caps = NO_CAPS) -> Promise | NotClaimed:
        """Write the attempt and return the promise, dialling; or say why not."""
        if (attempt.promise_id, attempt.number) != (promise.id, promise.number):
            raise ValueError(f"attempt {attempt.id} is not for promise {promise.id} and its number")
        now = self._clock.now()
        moved = advance(promise, AttemptStarted(), now, self._policy(promise.queue)).promise
        if not self._stands(promise):
            return NotClaimed(NotClaimedReason.MOVED)
        if not self._has_lease(attempt.pbx, attempt.term, now):
            return NotClaimed(NotClaimedReason.NO_LEASE)
        if not attempt.by_hand and self._is_held_elsewhere(promise, attempt.pbx, now):
            return NotClaimed(NotClaimedReason.HELD)
        against = self._objection(promise.number, caps, now)
        if against is not None or attempt.id in self._data.attempts:
            return against or NotClaimed(NotClaimedReason.MOVED)
        self._data.attempts[attempt.id] = AttemptRow(
            attempt,
            attempt.started_at,
            caps.reserved_milli,
            caps.tariff.per_call_milli,
            caps.tariff.per_minute_milli,
        )
        self._data.live[attempt.number] = attempt.id
        self._data.holds.pop(promise.id, None)
        self._put(moved)
        self._note(moved, now, AttemptStarted.__name__, promise.state, attempt.id)
        self._changed(moved)
        return moved

    async def hold(self, promise: Promise, pbx: str, term: int, caps: Caps = NO_CAPS) -> NotClaimed | None:
        """Keep other offices away from a promise; or say what speaks against an attempt."""
        now = self._clock.now()
        if not self._has_lease(pbx, term, now):
            return NotClaimed(NotClaimedReason.NO_LEASE)
        if await self.get(promise.id) != promise:
            return NotClaimed(NotClaimedReason.MOVED)
        if self._is_held_elsewhere(promise, pbx, now):
            return NotClaimed(NotClaimedReason.HELD)
        against = self._objection(promise.number, caps, now)
        if against is None:
            self._data.holds[promise.id] = (pbx, term)
        return against

    async def let_go(self, promise_id: str, pbx: str, term: int) -> None:
        """Give up a hold, if it is there."""
        if self._data.holds.get(promise_id) == (pbx, term):
            del self._data.holds[promise_id]
            self._changed(self._data.promises[promise_id])

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event`. Raises RefusedTransitionError, LookupError, NotMovedError; TypeError for AttemptStarted."""
        if isinstance(event, AttemptStarted):
            raise TypeError("an attempt is started with open_attempt, which writes its row before anything is dialled")
        now = self._clock.now()
        before = await self.get(promise_id)
        step = advance(before, event, now, self._policy(before.queue))
        is_cancelled = before.state is PromiseState.CANCELLED
        if isinstance(event, AttemptEnded) and is_cancelled and self._live(before) is None:
            raise RefusedTransitionError(before, event)
        require_room(self._data, before, step.promise, event)
        if step.promise.queue != before.queue:
            del self._data.open_numbers[before.queue, before.number]
        self._put(step.promise)
        if isinstance(event, AttemptEnded):
            self._close_attempt(step.promise, event, now)
        self._note(step.promise, now, type(event).__name__, before.state, detail_of(event, before))
        queued = [queue_sms(self._data, effect, now) for effect in step.effects]
        self._changed(step.promise)
        if any(queued):
            self._sms_queued()
        return step.promise

    def _stands(self, promise: Promise) -> bool:
        stands = self._data.promises.get(promise.id)
        return stands is not None and (stands.state, stands.version) == (promise.state, promise.version)

    def _has_lease(self, pbx: str, term: int, now: datetime) -> bool:
        lease = self._data.leases.get(lease_of_pbx(pbx))
        return lease is None or (lease.term == term and now < lease.expires_at)

    def _is_held_elsewhere(self, promise: Promise, pbx: str, now: datetime) -> bool:
        hold = self._data.holds.get(promise.id)
        return hold is not None and hold[0] != pbx and self._has_lease(*hold, now)

    def _objection(self, number: str, caps: Caps, now: datetime) -> NotClaimed | None:
        if number in self._data.live:
            return NotClaimed(NotClaimedReason.NUMBER_BUSY)
        if number in self._data.blocked:
            return NotClaimed(NotClaimedReason.BLOCKED)
        until = full_until(self._data, number, caps, now)
        return None if until is None else NotClaimed(NotClaimedReason.OVER_CAP, until)

    def _close_attempt(self, promise: Promise, event: AttemptEnded, now: datetime) -> None:
        row = self._live(promise)
        if row is None:
            return
        del self._data.live[promise.number]
        if event.agent and not row.attempt.agent:
            row.attempt = replace(row.attempt, agent=event.agent)
        row.outcome, row.ended_at, row.evidence = promise.last_outcome, now, event.evidence
        count(row, event, now)

    def _live(self, promise: Promise) -> AttemptRow | None:
        row = self._data.attempts.get(self._data.live.get(promise.number, ""))
        return row if row is not None and row.attempt.promise_id == promise.id else None

    def _is_full(self, wanted: NewPromise, slot: Slot, held: Promise | None) -> bool:
        holders = (
            each.id != (held and held.id)
            for each in self._data.promises.values()
            if each.queue == wanted.queue and each.slot is not None and each.slot.starts_at == slot.starts_at
        )
        return wanted.slot_capacity is not None and sum(holders) >= wanted.slot_capacity

    def _draft(self, wanted: NewPromise, now: datetime) -> Promise:
        not_before = wanted.slot.starts_at if wanted.slot else wanted.not_before or now
        return Promise(
            id=self._new_id(),
            queue=wanted.queue,
            number=wanted.number,
            language=wanted.language,
            since=(not_before if wanted.slot else wanted.since).astimezone(UTC),
            not_before=not_before.astimezone(UTC),
            expires_at=max(now, not_before) + timedelta(seconds=self._policy(wanted.queue).lifetime_s),
            slot=wanted.slot,
        )

    def _put(self, promise: Promise) -> None:
        key = promise.queue, promise.number
        if promise.state.is_final:
            if self._data.open_numbers.get(key) == promise.id:
                del self._data.open_numbers[key]
        else:
            self._data.open_numbers[key] = promise.id
        self._data.promises[promise.id] = replace(promise)

    def _note(self, promise: Promise, at: datetime, event: str, came_from: PromiseState | None, detail: str) -> None:
        self._data.history.append(
            {
                "promise_id": promise.id,
                "seq": promise.version,
                "at": at,
                "event": event,
                "from_state": came_from and came_from.value,
                "to_state": promise.state.value,
                "detail": detail,
            }
        )

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, _DEFAULT_POLICY)
