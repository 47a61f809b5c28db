"""The dialer: keeps promises whose turn has come, and writes down how each attempt ended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from controller.domain.lifecycle import AttemptEnded, DeadlinePassed, RefusedTransitionError
from controller.domain.outcome import Outcome
from controller.journeys.callback_to_customer import callback_to_customer
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from controller.domain.lifecycle import Event
    from controller.domain.promise import Promise
    from controller.journeys.callback_to_customer import Dialled
    from controller.journeys.house import House, Queue
    from controller.ports.promises import OpenAttempt
    from controller.workers.agent_desk import DeskReservation
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.supervisor import Supervisor

log = structlog.get_logger(__name__)

STORE_RETRY_S = 1.0
"""How long to wait for a database that is away before an outcome is written again. It is never dropped."""


HOLD_BACK_S = 10.0
"""How long a promise that cannot be dialled now (no database, a call to its number is open) is kept from the line."""


class Dialer:
    """Takes a promise and an agent from the line and sees the callback through."""

    def __init__(
        self,
        house: House,
        queues: Mapping[str, Queue],
        keeper: LineKeeper,
        supervisor: Supervisor,
        *,
        max_concurrent_calls: int,
    ) -> None:
        self._house = house
        self._queues = queues
        self._keeper = keeper
        self._supervisor = supervisor
        self._max_concurrent_calls = max_concurrent_calls
        self._in_hand: set[str] = set()
        keeper.on_promise_turn = self.turn
        keeper.on_promise_expired = self.expire

    @property
    def has_room(self) -> bool:
        """Whether one more outbound call may be placed at the same time."""
        return len(self._in_hand) < self._max_concurrent_calls

    @property
    def in_hand(self) -> frozenset[str]:
        """The ids of promises whose callback is on its way."""
        return frozenset(self._in_hand)

    def turn(self, promise: Promise, reservation: DeskReservation) -> None:
        """Keep `promise` now, with the agent that was reserved."""
        # Counted at once, not when the task starts: the line asks for room before it gives the next promise an agent.
        self._in_hand.add(promise.id)
        self._supervisor.spawn(self._keep(promise, reservation), promise_id=promise.id)

    def take_up(self, opened: OpenAttempt, story: Callable[[], Awaitable[Dialled]]) -> None:
        """See through an attempt that was on its way when the controller was restarted."""
        promise = opened.promise
        self._in_hand.add(promise.id)
        self._supervisor.spawn(self._see_through(promise, story), promise_id=promise.id, attempt_id=opened.attempt.id)

    def expire(self, promise: Promise) -> None:
        """Close a promise whose deadline has passed; the customer is told by SMS."""
        self._supervisor.spawn(self._expire(promise), promise_id=promise.id)

    async def _expire(self, promise: Promise) -> None:
        await self._write(promise.id, DeadlinePassed())
        self._keeper.let_go(promise.id)

    async def _keep(self, promise: Promise, reservation: DeskReservation) -> None:
        async def story() -> Dialled | None:
            try:
                # Before an agent's phone rings for nothing: can the database be asked, is it still as the line thinks?
                if await self._house.promises.get(promise.id) != promise:
                    return None
                return await callback_to_customer(promise, reservation, self._queues[promise.queue], self._house)
            finally:
                # At once: whatever is waited for afterwards, others can have the agent.
                if not reservation.taken:
                    reservation.give_back()

        await self._see_through(promise, story)

    async def _see_through(self, promise: Promise, story: Callable[[], Awaitable[Dialled | None]]) -> None:
        try:
            dialled = await story()
            if dialled is not None:
                await self.settle(promise.id, dialled.outcome, attempt_id=dialled.attempt.id)
            else:
                await self._look_again(promise)
        except StoreUnavailableError as error:
            log.error("the promise could not be dialled; it stays in line", reason=str(error))  # noqa: TRY400 - expected
            await self._house.clock.sleep(HOLD_BACK_S)
            # The attempt may have been written, and only the answer lost; nobody was dialled for it.
            await self._settle_what_is_open(promise.id, Outcome.NOT_PLACED)
        except Exception:
            log.exception("a callback failed")
            await self._settle_what_is_open(promise.id, Outcome.UNKNOWN)
            # What failed before there was an attempt would fail again at once, and so on for ever.
            await self._house.clock.sleep(HOLD_BACK_S)
        finally:
            self._in_hand.discard(promise.id)
            self._keeper.let_go(promise.id)

    async def _look_again(self, promise: Promise) -> None:
        """Find out why a promise was not dialled: it was moved, or another call to its number is on the way."""
        # Moved by somebody else: the line must not go on offering what is settled.
        self._keeper.promise_changed(await self._house.promises.get(promise.id))
        if any(opened.attempt.number == promise.number for opened in await self._house.promises.open_attempts()):
            await self._house.clock.sleep(HOLD_BACK_S)

    async def settle(self, promise_id: str, outcome: Outcome, *, attempt_id: str) -> None:
        """Write down how an attempt ended, however long the database takes to come back."""
        log.info("attempt ended", attempt_id=attempt_id, outcome=outcome.value, fault=outcome.fault.value)
        await self._write(promise_id, AttemptEnded(outcome))

    async def _settle_what_is_open(self, promise_id: str, outcome: Outcome) -> None:
        while True:
            try:
                open_attempts = await self._house.promises.open_attempts()
                break
            except StoreUnavailableError as error:
                log.error("an attempt waits for the database", reason=str(error))  # noqa: TRY400 - expected
                await self._house.clock.sleep(STORE_RETRY_S)
        for found in open_attempts:
            if found.promise.id == promise_id:
                await self.settle(promise_id, outcome, attempt_id=found.attempt.id)

    async def _tell_line(self, promise_id: str) -> None:
        """Tell the line how a promise stands: where only the answer to a write was lost, nobody has told it."""
        with suppress(StoreUnavailableError):
            self._keeper.promise_changed(await self._house.promises.get(promise_id))

    async def _write(self, promise_id: str, event: Event) -> None:
        while True:
            try:
                promise = await self._house.promises.advance(promise_id, event)
            except StoreUnavailableError as error:
                log.error("an outcome waits for the database", reason=str(error))  # noqa: TRY400 - expected
                await self._house.clock.sleep(STORE_RETRY_S)
            except RefusedTransitionError as error:
                log.warning("an outcome came too late", reason=str(error))
                await self._tell_line(promise_id)
                return
            else:
                log.info("promise", state=promise.state.value, attempts_used=promise.attempts_used)
                return
