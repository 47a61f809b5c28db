"""The book of promises, in the database: a promise, its attempts, its history and the SMS it owes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller.domain.caps import NO_CAPS
from controller.domain.lifecycle import ALLOWED, AttemptStarted, Merged, advance
from controller.domain.promise import Promise
from controller.ports.promises import Made, NotClaimed, NotClaimedReason, NumberBlocked, OpenAttempt, SlotFull
from controller.store import attempt_rows, claims
from controller.store import promise_rows as rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.engine import VersionConflictError
from controller.store.promise_steps import DEFAULT_POLICY, take_step
from controller.store.tables import HAS_SLOT, IS_LIVE, IS_WAITING, attempts, promises

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt, Wish
    from controller.domain.retry_policy import RetryPolicy
    from controller.domain.slots import Slot
    from controller.ports.clock import Clock
    from controller.ports.promises import NewPromise
    from controller.store.engine import Database

_MOVED = NotClaimed(NotClaimedReason.MOVED)


class StoredPromiseBook:
    """`PromiseBook` on SQL. `changed` and `sms_queued` are called after a commit, whoever was cancelled meanwhile."""

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        clock: Clock,
        new_id: Callable[[], str],
        changed: Callable[[Promise], None],
        sms_queued: Callable[[], None],
    ) -> None:
        self._database = database
        self._policies = policies
        self._clock = clock
        self._new_id = new_id
        self._changed = changed
        self._sms_queued = sms_queued

    async def make(self, wanted: NewPromise) -> Made | SlotFull | NumberBlocked:
        """Write a promise, or let the one that the number holds take the request in; durable on return.

        A call that asked before gets the promise of then, as it now is. So does whoever is talking on theirs right now.
        """

        async def work(connection: AsyncConnection) -> tuple[Made | SlotFull | NumberBlocked, Promise | None]:
            # Looked for first: the promise may be over by now, and must not be made a second time.
            asked_before = await rows.find_requested(connection, wanted.call_id)
            if asked_before is not None:
                return Made(asked_before, is_new=False), None
            return await self._take_in(connection, wanted, self._clock.now())

        def tell(result: tuple[Made | SlotFull | NumberBlocked, Promise | None]) -> None:
            if result[1] is not None:
                self._changed(result[1])

        return (await self._database.write(work, then=tell))[0]

    async def _take_in(
        self, connection: AsyncConnection, wanted: NewPromise, now: datetime
    ) -> tuple[Made | SlotFull | NumberBlocked, Promise | None]:
        """Return the answer, and the promise if it was made or changed."""
        if await claims.is_listed(connection, wanted.number):
            return NumberBlocked(), None
        slot, changed = wanted.slot, True
        if slot is not None:
            # Before the promise's row is locked, everywhere: two who book at once can then not wait for each other.
            await wait_for_other_bookings(connection, f"{wanted.queue} {slot.starts_at.isoformat()}")
        held = await rows.find_open(connection, wanted.queue, wanted.number, lock=True)
        promise = self._draft(wanted, now)
        if held is not None and (held.state, Merged) not in ALLOWED:
            promise, changed = held, False
        elif slot is not None and await self._is_full(connection, wanted, slot, held):
            return SlotFull(), None
        elif held is not None:
            promise = await self._merge(connection, held, promise, wanted, now)
        else:
            await self._add(connection, promise, wanted, now)
        if not await rows.add_request(connection, promise, call_id=wanted.call_id, requested_at=now):
            raise VersionConflictError  # the same call asked at the same time, and its other request was quicker
        return Made(promise, is_new=held is None), promise if changed else None

    @staticmethod
    async def _is_full(connection: AsyncConnection, wanted: NewPromise, slot: Slot, held: Promise | None) -> bool:
        return await rows.count_holders(connection, wanted.queue, slot, except_for=held) >= wanted.slot_capacity

    @staticmethod
    async def _add(connection: AsyncConnection, promise: Promise, wanted: NewPromise, now: datetime) -> None:
        if not await rows.add(connection, promise, made_at=now):
            raise VersionConflictError  # the number got one since we looked
        detail = rows.with_slot(wanted.call_id, promise.slot)
        await rows.note(connection, promise, at=now, event=rows.MADE, came_from=None, detail=detail)

    async def _merge(
        self, connection: AsyncConnection, held: Promise, fresh: Promise, wanted: NewPromise, now: datetime
    ) -> Promise:
        """Let `held` take the request in, of which `fresh` would be the promise; return it as it then is."""
        again = Merged(fresh.since, fresh.not_before, fresh.slot, fresh.expires_at)
        merged = advance(held, again, now, self._policy(held.queue)).promise
        if not await rows.replace_if_unchanged(connection, held, merged):
            raise VersionConflictError
        detail = rows.with_slot(wanted.call_id, fresh.slot)
        await rows.note(connection, merged, at=now, event=Merged.__name__, came_from=held.state, detail=detail)
        return merged

    async def made_on_call(self, call_id: str) -> Promise | None:
        """Return the promise that was made on this call, or that took its request in, if any."""
        return await self._database.read(lambda connection: rows.find_requested(connection, call_id))

    async def open_for(self, queue: str, number: str) -> Promise | None:
        """Return the open promise that a number (E.164) holds with a queue, if any."""
        return await self._database.read(lambda connection: rows.find_open(connection, queue, number))

    async def booked(self, queue: str, *, start: datetime, end: datetime) -> Mapping[datetime, int]:
        """Return how many promises hold each slot that starts in [start, end), by the slot's start (aware UTC)."""
        starts_at = promises.c.slot_starts_at

        async def work(connection: AsyncConnection) -> Mapping[datetime, int]:
            query = (
                select(starts_at, func.count())
                .where(promises.c.queue == queue, HAS_SLOT, starts_at >= start, starts_at < end)
                .group_by(starts_at)
            )
            return {row[0]: row[1] for row in await connection.execute(query)}

        return await self._database.read(work)

    async def get(self, promise_id: str) -> Promise:
        """Return one promise. Raises LookupError when there is none."""
        return await self._database.read(lambda connection: rows.get(connection, promise_id))

    async def waiting(self) -> list[Promise]:
        """Return every promise in state waiting, oldest place first."""

        async def work(connection: AsyncConnection) -> list[Promise]:
            query = select(promises).where(IS_WAITING).order_by(promises.c.since, promises.c.id)
            return [rows.promise_from(row) for row in (await connection.execute(query)).mappings()]

        return await self._database.read(work)

    async def open_attempts(self) -> list[OpenAttempt]:
        """Return every attempt that has no outcome yet, with its promise."""

        async def work(connection: AsyncConnection) -> list[OpenAttempt]:
            query = select(attempts, promises).join(promises, attempts.c.promise_id == promises.c.id).where(IS_LIVE)
            found = (await connection.execute(query)).mappings()
            return [
                OpenAttempt(rows.promise_from(row), attempt_rows.attempt_from(row), attempt_rows.wish_from(row))
                for row in found
            ]

        return await self._database.read(work)

    async def note_wish(self, attempt_id: str, wish: Wish) -> None:
        """Write what the customer asked for on an open attempt, before it is acknowledged; durable on return."""
        await self._database.write(lambda connection: attempt_rows.note_wish(connection, attempt_id, wish))

    async def open_attempt(self, promise: Promise, attempt: Attempt, caps: Caps = NO_CAPS) -> Promise | NotClaimed:
        """Commit the attempt and move the promise to dialling, or say why not; then nothing is written.

        Told is the first thing that speaks against it: it was moved, the lease, the number is busy, on the list, a cap.
        An attempt id that was ever used is `MOVED` too. Raises RefusedTransitionError when `promise` as given is not
        waiting, ValueError when the attempt is for another promise or number.
        """
        if (attempt.promise_id, attempt.number) != (promise.id, promise.number):
            raise ValueError(f"attempt {attempt.id} is not for promise {promise.id} and its number")
        now = self._clock.now()
        moved = advance(promise, AttemptStarted(), now, self._policy(promise.queue)).promise

        async def work(connection: AsyncConnection) -> Promise:
            await wait_for_other_bookings(connection, claims.CLAIMS)
            if not await rows.replace_if_unchanged(connection, promise, moved):
                raise _NotClaimedError(_MOVED)
            # Whatever is raised from here on undoes the move.
            if not await claims.has_lease(connection, attempt.term, now):
                raise _NotClaimedError(NotClaimed(NotClaimedReason.NO_LEASE))
            if (against := await claims.objection(connection, promise.number, caps, now)) is not None:
                raise _NotClaimedError(against)
            if not await attempt_rows.add(connection, attempt, caps):
                raise _NotClaimedError(_MOVED)
            await rows.note(
                connection,
                moved,
                at=now,
                event=AttemptStarted.__name__,
                came_from=promise.state,
                detail=attempt.id,
            )
            return moved

        try:
            return await self._database.write(work, then=self._changed)
        except _NotClaimedError as error:
            return error.answer

    async def may_open(self, promise: Promise, caps: Caps = NO_CAPS) -> NotClaimed | None:
        """Ask the same without writing, but for the lease. Raises LookupError when there is no such promise."""
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> NotClaimed | None:
            if await rows.get(connection, promise.id) != promise:
                return _MOVED
            return await claims.objection(connection, promise.number, caps, now)

        return await self._database.read(work)

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event` to the promise as it stands, with its history, its SMS and the end of its attempt.

        Raises RefusedTransitionError, LookupError; TypeError for AttemptStarted, which has `open_attempt`.
        """
        if isinstance(event, AttemptStarted):
            raise TypeError("an attempt is started with open_attempt, which writes its row before anything is dialled")
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> tuple[Promise, bool]:
            before = await rows.get(connection, promise_id, lock=True)
            return await take_step(connection, before, event, now, self._policy(before.queue))

        def tell(result: tuple[Promise, bool]) -> None:
            self._changed(result[0])
            if result[1]:
                self._sms_queued()

        return (await self._database.write(work, then=tell))[0]

    def _draft(self, wanted: NewPromise, now: datetime) -> Promise:
        """Return the promise as a new one. Its lifetime counts from the first moment at which it can be kept."""
        not_before = wanted.not_before or now
        if wanted.slot is not None:
            not_before = wanted.slot.starts_at
        return Promise(
            id=self._new_id(),
            queue=wanted.queue,
            number=wanted.number,
            language=wanted.language,
            # Whoever chose a time stands in line as if they arrived then.
            since=wanted.since if wanted.slot is None else not_before,
            not_before=not_before,
            expires_at=max(now, not_before) + timedelta(seconds=self._policy(wanted.queue).lifetime_s),
            slot=wanted.slot,
        )

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, DEFAULT_POLICY)


class _NotClaimedError(Exception):
    """Something speaks against the attempt; undoes what was written for it."""

    def __init__(self, answer: NotClaimed) -> None:
        super().__init__(answer.reason)
        self.answer = answer
