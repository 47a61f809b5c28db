"""The book of promises, in the database: a promise, its attempts, its history and the SMS it owes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller.domain.caps import NO_CAPS
from controller.domain.lifecycle import AttemptStarted, advance
from controller.domain.promise import DEFAULT_PBX
from controller.ports.news import Kind
from controller.ports.promises import NotClaimed, NotClaimedReason, OpenAttempt
from controller.store import attempt_rows, claims, holds
from controller.store import promise_rows as rows
from controller.store.dialect import tell_others
from controller.store.promise_steps import DEFAULT_POLICY, take_step
from controller.store.tables import HAS_SLOT, IS_LIVE, IS_WAITING, attempts, promises
from controller.store.taking_in import Taken, take_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.caps import Caps
    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt, Promise, Wish
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.clock import Clock
    from controller.ports.promises import Made, NewPromise, NumberBlocked, SlotFull
    from controller.store.engine import Database

_MOVED = NotClaimed(NotClaimedReason.MOVED)
_NO_LEASE = NotClaimed(NotClaimedReason.NO_LEASE)
_HELD = NotClaimed(NotClaimedReason.HELD)


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
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> Taken:
            return await take_in(connection, wanted, now, new_id=self._new_id, policy=self._policy(wanted.queue))

        def tell(taken: Taken) -> None:
            if taken.changed is not None:
                self._changed(taken.changed)
            if taken.owes:
                self._sms_queued()

        return (await self._database.write(work, then=tell)).answer

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

    async def open_attempts(self, pbx: str = DEFAULT_PBX) -> list[OpenAttempt]:
        """Return every attempt through an Asterisk that has no outcome yet, with its promise."""

        async def work(connection: AsyncConnection) -> list[OpenAttempt]:
            query = select(attempts, promises).join(promises, attempts.c.promise_id == promises.c.id)
            found = (await connection.execute(query.where(IS_LIVE, attempts.c.pbx == pbx))).mappings()
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

        Told is the first thing that speaks against it: it was moved, the lease, another office holds it, the number is
        busy, on the list, a cap. A redial by hand asks no office: its agent sees the customer's number and wants to
        talk to them now, while a hold is but an intent, whose own claim will find the promise moved. An attempt id
        that was ever used is `MOVED` too. Raises RefusedTransitionError when `promise` as given is not waiting,
        ValueError when the attempt is for another promise or number.
        """
        if (attempt.promise_id, attempt.number) != (promise.id, promise.number):
            raise ValueError(f"attempt {attempt.id} is not for promise {promise.id} and its number")
        now = self._clock.now()
        moved = advance(promise, AttemptStarted(), now, self._policy(promise.queue)).promise

        async def work(connection: AsyncConnection) -> Promise:
            await claims.wait_for_other_claims(connection, promise.number, caps)
            if not await rows.replace_if_unchanged(connection, promise, moved):
                raise _NotClaimedError(_MOVED)
            # Whatever is raised from here on undoes the move.
            if not await claims.has_lease(connection, attempt.pbx, attempt.term, now, lock=True):
                raise _NotClaimedError(_NO_LEASE)
            if not attempt.by_hand and await holds.is_held_elsewhere(connection, promise.id, attempt.pbx, now):
                raise _NotClaimedError(_HELD)
            if (against := await claims.objection(connection, promise.number, caps, now)) is not None:
                raise _NotClaimedError(against)
            if not await attempt_rows.add(connection, attempt, caps):
                raise _NotClaimedError(_MOVED)
            await holds.clear(connection, promise.id)
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

    async def hold(self, promise: Promise, pbx: str, term: int, caps: Caps = NO_CAPS) -> NotClaimed | None:
        """Keep the offices of other Asterisks away from a promise; or return what speaks against an attempt now.

        Nobody queues up for a promise: who finds its row taken is told `HELD`, whatever is being done to it. Nothing is
        counted for good here, the claim does that. Raises LookupError when there is no such promise.
        """
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> NotClaimed | None:
            # Before the row is taken: who may not dial would keep it from who may.
            if not await claims.has_lease(connection, pbx, term, now):
                return _NO_LEASE
            stands = await rows.get_unless_taken(connection, promise.id)
            if stands is None:
                return _HELD if await rows.get(connection, promise.id) == promise else _MOVED
            if stands != promise:
                return _MOVED
            if await holds.is_held_elsewhere(connection, promise.id, pbx, now):
                return _HELD
            against = await claims.objection(connection, promise.number, caps, now)
            if against is None:
                await holds.put(connection, promise.id, pbx, term)
            return against

        return await self._database.write(work)

    async def let_go(self, promise_id: str, pbx: str, term: int) -> None:
        """Give up the hold of this Asterisk and term, if it is there; everybody else hears of the promise again."""

        async def work(connection: AsyncConnection) -> Promise | None:
            if not await holds.let_go(connection, promise_id, pbx, term):
                return None
            await tell_others(connection, Kind.PROMISE, promise_id)
            return await rows.get(connection, promise_id)

        def tell(promise: Promise | None) -> None:
            if promise is not None:
                self._changed(promise)

        await self._database.write(work, then=tell)

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event` to the promise as it stands, with its history, its SMS and the end of its attempt.

        Raises RefusedTransitionError, LookupError, NotMovedError; TypeError for AttemptStarted, which has
        `open_attempt`.
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

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, DEFAULT_POLICY)


class _NotClaimedError(Exception):
    """Something speaks against the attempt; undoes what was written for it."""

    def __init__(self, answer: NotClaimed) -> None:
        super().__init__(answer.reason)
        self.answer = answer
