"""The book of promises, in the database: a promise, its attempts, its history and the SMS it owes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from controller.domain.lifecycle import AttemptEnded, AttemptStarted, advance
from controller.domain.promise import Promise
from controller.domain.retry_policy import RetryPolicy
from controller.ports.promises import Made, OpenAttempt
from controller.store import outbox
from controller.store import promise_rows as rows
from controller.store.engine import VersionConflictError
from controller.store.tables import IS_LIVE, IS_OPEN, IS_WAITING, attempts, promises

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.lifecycle import Event
    from controller.domain.promise import Attempt
    from controller.ports.clock import Clock
    from controller.ports.promises import NewPromise
    from controller.store.engine import Database

_DEFAULT_POLICY = RetryPolicy()


class StoredPromiseBook:
    """`PromiseBook` on SQL. `changed` and `sms_queued` are called after a commit, also when the caller was cancelled.

    A queue without a policy (taken out of the settings while it has promises) gets the default one, so that its
    promises come to an end like all others.
    """

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

    async def make(self, wanted: NewPromise) -> Made:
        """Write a promise, or return the one that the call made or the number holds; durable on return."""

        async def work(connection: AsyncConnection) -> Made:
            # Asked for first: the call's promise may be over by now, and must not be made a second time.
            existing = await rows.find(connection, promises.c.call_id == wanted.call_id)
            if existing is not None:
                return Made(existing, is_new=False)
            now = self._clock.now()
            promise = self._draft(wanted, now)
            if await rows.add(connection, promise, call_id=wanted.call_id, made_at=now):
                return Made(promise, is_new=True)
            same_number = (promises.c.queue == wanted.queue, promises.c.number == wanted.number)
            existing = await rows.find(connection, *same_number, IS_OPEN)
            if existing is None:
                raise VersionConflictError  # it was settled between the two statements
            return Made(existing, is_new=False)

        def tell(made: Made) -> None:
            if made.is_new:
                self._changed(made.promise)

        return await self._database.write(work, then=tell)

    async def made_on_call(self, call_id: str) -> Promise | None:
        """Return the promise that was made on this call, if any."""
        return await self._database.read(lambda connection: rows.find(connection, promises.c.call_id == call_id))

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
            return [OpenAttempt(rows.promise_from(row), rows.attempt_from(row)) for row in found]

        return await self._database.read(work)

    async def open_attempt(self, promise: Promise, attempt: Attempt) -> Promise | None:
        """Commit the attempt and move the promise to dialling, if it still is as given; else None, and nothing written.

        An attempt id that was ever used gives None too. Raises RefusedTransitionError when `promise` as given is not
        waiting, ValueError when the attempt is for another promise or number.
        """
        if (attempt.promise_id, attempt.number) != (promise.id, promise.number):
            raise ValueError(f"attempt {attempt.id} is not for promise {promise.id} and its number")
        now = self._clock.now()
        moved = advance(promise, AttemptStarted(), now, self._policy(promise.queue)).promise

        async def work(connection: AsyncConnection) -> Promise:
            if not await rows.replace_if_unchanged(connection, promise, moved):
                raise _TakenError
            if not await rows.add_attempt(connection, attempt):
                raise _TakenError  # undoes the move
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
        except _TakenError:
            return None

    async def advance(self, promise_id: str, event: Event) -> Promise:
        """Apply `event` to the promise as it stands, with its history, its SMS and the end of its attempt.

        Raises RefusedTransitionError, LookupError; TypeError for AttemptStarted, which has `open_attempt`.
        """
        if isinstance(event, AttemptStarted):
            raise TypeError("an attempt is started with open_attempt, which writes its row before anything is dialled")
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> tuple[Promise, bool]:
            before = await rows.get(connection, promise_id, lock=True)
            step = advance(before, event, now, self._policy(before.queue))
            if not await rows.replace_if_unchanged(connection, before, step.promise):
                raise VersionConflictError
            if isinstance(event, AttemptEnded):
                await rows.close_attempt(connection, step.promise, now)
            await rows.note(
                connection,
                step.promise,
                at=now,
                event=type(event).__name__,
                came_from=before.state,
                detail=rows.detail_of(event),
            )
            queued = [await outbox.queue(connection, effect, now) for effect in step.effects]
            return step.promise, any(queued)

        def tell(result: tuple[Promise, bool]) -> None:
            self._changed(result[0])
            if result[1]:
                self._sms_queued()

        return (await self._database.write(work, then=tell))[0]

    def _draft(self, wanted: NewPromise, now: datetime) -> Promise:
        return Promise(
            id=self._new_id(),
            queue=wanted.queue,
            number=wanted.number,
            language=wanted.language,
            since=wanted.since,
            not_before=wanted.not_before or now,
            expires_at=now + timedelta(seconds=self._policy(wanted.queue).lifetime_s),
        )

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, _DEFAULT_POLICY)


class _TakenError(Exception):
    """The promise was moved, or its number is being called, by somebody else."""
