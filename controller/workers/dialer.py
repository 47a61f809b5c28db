"""The dialer: keeps promises whose turn has come, and writes down how each attempt ended."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from controller.domain.lifecycle import DeadlinePassed, Postponed, PostponeReason
from controller.domain.line import PassedOn
from controller.domain.outcome import Outcome
from controller.journeys.callback_to_customer import callback_to_customer
from controller.journeys.customer_first import customer_first, rehearse_callback
from controller.journeys.dialled import Dialled, NotDialled, NotDialledReason
from controller.journeys.house import DialMode
from controller.ports.promises import NotClaimed, NotClaimedReason, StoreUnavailableError
from controller.workers.outcome_writer import HOLD_BACK_S, OutcomeWriter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from controller.domain.line import Waiter
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.ports.promises import OpenAttempt
    from controller.workers.agent_desk import DeskReservation
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.supervisor import Supervisor

    Story = Callable[[], Awaitable[Dialled | NotDialled]]

log = structlog.get_logger(__name__)


class Dialer:
    """Takes promises from the line, most with an agent, and sees the callbacks through."""

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
        self.pen = OutcomeWriter(house.promises, keeper, house.clock, house.pbx)
        self._in_hand: Counter[str] = Counter()
        self._unconfirmed: dict[str, Promise] = {}
        self._kept: dict[str, DeskReservation] = {}
        self._held: dict[str, int] = {}
        self.room: Callable[[], bool] = lambda: True
        """Asked before a promise is taken from the line: does a trunk take one more call?"""
        self.mode_of: Callable[[str], DialMode] = lambda queue: self._queues[queue].callbacks.mode
        """How the customers of a queue, by name, are called back at the moment."""
        self.on_ended: Callable[[Promise, Dialled], None] = lambda _promise, _dialled: None
        """Told of each attempt that has ended, before that is written."""
        keeper.on_promise_turn = self.turn
        keeper.on_promise_expired = self.expire
        keeper.on_joined = self._joined

    @property
    def has_room(self) -> bool:
        """Whether one more outbound call may be placed at the same time, by this controller."""
        return self.is_below_limit and self._house.leadership.term is not None and self.room()

    @property
    def is_below_limit(self) -> bool:
        """Whether there may be one more call, by the limit of this controller alone."""
        return len(self._in_hand) < self._max_concurrent_calls

    @property
    def in_hand(self) -> frozenset[str]:
        """The ids of promises whose callback is on its way."""
        return frozenset(self._in_hand)

    def turn(self, promise: Promise, reservation: DeskReservation) -> None:
        """Keep `promise`, which the line has taken, with the agent that was reserved."""
        if promise.id in self._unconfirmed:
            self._keep(reservation, promise)
        elif self.mode_of(promise.queue) is DialMode.CUSTOMER_FIRST and not self._house.dry_run:
            self._keep(reservation, promise)
            self._ring_customer_first(promise)
        else:
            self._begin(promise, lambda: self._with_agent(promise, reservation))

    def start(self, promise_id: str) -> None:
        """Dial the customer of a promise, which stands in line, before it has an agent."""
        self._ring_customer_first(self._keeper.promises.take_ahead(promise_id))

    def take_up(self, opened: OpenAttempt, story: Story) -> None:
        """See through an attempt that was on its way when the controller was restarted."""
        if not opened.promise.state.is_final:
            self._keeper.promises.note(opened.promise)
        self._keeper.promises.take(opened.promise.id)
        self._begin(opened.promise, story, attempt_id=opened.attempt.id)

    async def let_all_go(self) -> None:
        """Give up what was held when everything was stopped; never raises. What is left ends with our lease."""
        with suppress(StoreUnavailableError):
            for promise_id, term in self._held.items():
                await self._house.promises.let_go(promise_id, self._house.pbx, term)

    async def follow(self, promise: Promise, story: Story) -> None:
        """See through a callback that somebody else began: an agent redials by hand. Returns once all is written.

        The line does not offer the promise meanwhile. A dial of ours that is on its way already stays so: whichever of
        the two writes its attempt first wins.
        """
        self._keeper.promises.take(promise.id)
        self._in_hand[promise.id] += 1
        with structlog.contextvars.bound_contextvars(promise_id=promise.id):
            await self._see_through(promise, story, by_hand=True)

    def expire(self, promise: Promise) -> None:
        """Close a promise whose deadline has passed; the customer is told by SMS."""
        self._supervisor.spawn(self._expire(promise), promise_id=promise.id)

    def _begin(self, promise: Promise, story: Story, **bound: str) -> None:
        # Counted at once, not when the task starts: the line asks for room before it gives the next promise an agent.
        self._in_hand[promise.id] += 1
        self._supervisor.spawn(self._see_through(promise, story), promise_id=promise.id, **bound)

    async def _expire(self, promise: Promise) -> None:
        await self.pen.write(promise.id, DeadlinePassed())
        self._keeper.let_go(promise.id)

    # -- the stories

    async def _with_agent(self, promise: Promise, reservation: DeskReservation) -> Dialled | NotDialled:
        queue = self._queues[promise.queue]
        try:
            # Before an agent's phone rings for nothing.
            against = await self._against(promise)
            if against is not None:
                return against
            if self._house.dry_run:
                with reservation:
                    pass  # Given back at once: no agent is needed.
                return await rehearse_callback(promise, queue, self._house)
            came = await callback_to_customer(promise, reservation, queue, self._house)
            if isinstance(came, NotDialled) and came.reason is NotDialledReason.PASSED:
                now = self._house.clock.now()
                until = now + timedelta(seconds=queue.callbacks.pass_pause_s)
                self._keeper.promises.pass_on(promise.id, reservation.agent.name, PassedOn(now, until))
            return came
        finally:
            # At once: whatever is waited for afterwards, others can have the agent.
            if not reservation.taken:
                reservation.give_back()

    def _ring_customer_first(self, promise: Promise) -> None:
        self._unconfirmed[promise.id] = promise
        self._begin(promise, lambda: self._customer_first(promise))

    async def _customer_first(self, promise: Promise) -> Dialled | NotDialled:
        try:
            against = await self._against(promise)
            return against or await customer_first(promise, self._queues[promise.queue], self._house)
        finally:
            self._no_longer_kept(promise)

    def _keep(self, reservation: DeskReservation, promise: Promise) -> None:
        """Keep an agent, whose phone does not ring yet, for a customer who is being dialled."""
        self._kept[promise.id] = reservation.__enter__()

    def _no_longer_kept(self, promise: Promise) -> None:
        self._unconfirmed.pop(promise.id, None)
        self._keeper.promises.needs_no_agent(promise.id)
        reservation = self._kept.pop(promise.id, None)
        if reservation is not None:
            reservation.give_back()

    def _joined(self, waiter: Waiter) -> None:
        """Let the agent go who was kept for a customer that has confirmed: they are at the front of the line now.

        Where that agent has left meanwhile, it is one who is kept for somebody that has said nothing yet.
        """
        place = (waiter.queue, waiter.since)
        for promise in self._unconfirmed.values():
            if waiter.urgent and (promise.queue, promise.since) == place:
                reservation = self._kept.get(promise.id)
                has_agent = reservation is not None and reservation.is_in_force
                self._no_longer_kept(promise)
                if not has_agent:
                    self._keep_no_longer_for_the_last(waiter.queue)
                return

    def _keep_no_longer_for_the_last(self, queue: str) -> None:
        """Let an agent of a queue go who is kept for a customer, the one who came last; that one gets the next."""
        for promise in sorted(self._unconfirmed.values(), key=lambda each: each.since, reverse=True):
            reservation = self._kept.get(promise.id)
            if reservation is not None and reservation.is_in_force and queue in reservation.agent.queues:
                del self._kept[promise.id]
                self._keeper.promises.needs_agent(promise)
                reservation.give_back()
                return

    async def _against(self, promise: Promise) -> NotDialled | None:
        """Ask the database whether the promise may be dialled and still is as the line thinks; then it is held."""
        term = self._house.leadership.term
        if term is None:
            return NotDialled(NotDialledReason.NOT_CLAIMED, NotClaimed(NotClaimedReason.NO_LEASE))
        # Noted first: where only the answer is lost, it is held all the same.
        self._held[promise.id] = term
        caps = self._house.caps_for(promise.number)
        refused = await self._house.promises.hold(promise, self._house.pbx, term, caps)
        if refused is None:
            return None
        del self._held[promise.id]
        return NotDialled(NotDialledReason.NOT_CLAIMED, refused)

    # -- what follows from them

    async def _see_through(self, promise: Promise, story: Story, *, by_hand: bool = False) -> None:
        try:
            hold_back_s = await self._told(promise, story)
            if not by_hand:
                await self._give_up_hold(promise.id)
                await self._house.clock.sleep(hold_back_s)
        finally:
            self._in_hand[promise.id] -= 1
            if not self._in_hand[promise.id]:
                del self._in_hand[promise.id]
            self._keeper.let_go(promise.id)

    async def _told(self, promise: Promise, story: Story) -> float:
        """Let a story happen and write what came of it; return for how long the line is not to offer the promise."""
        try:
            came = await story()
            if isinstance(came, NotDialled):
                return await self._not_dialled(promise, came)
            self._held.pop(promise.id, None)  # The attempt has taken its place.
            self.on_ended(promise, came)
            await self.pen.settle(
                promise.id,
                came.outcome,
                attempt_id=came.attempt.id,
                evidence=came.evidence,
                later_s=came.later_s,
                agent=came.agent,
            )
        except StoreUnavailableError as error:
            log.error("the promise could not be dialled; it stays in line", reason=str(error))  # noqa: TRY400 - expected
            await self._house.clock.sleep(HOLD_BACK_S)
            # The attempt may have been written, and only the answer lost; nobody was dialled for it.
            await self._settle_what_is_open(promise.id, Outcome.NOT_PLACED)
        except Exception:
            log.exception("a callback failed")
            await self._settle_what_is_open(promise.id, Outcome.UNKNOWN)
            # What failed before there was an attempt would fail again at once, and so on for ever.
            return HOLD_BACK_S
        return 0.0

    async def _give_up_hold(self, promise_id: str) -> None:
        try:
            if promise_id in self._held:
                await self.pen.let_go(promise_id, self._held[promise_id])
        except Exception:
            log.exception("a promise could not be let go; other offices have it when our lease is over")
        self._held.pop(promise_id, None)

    async def _settle_what_is_open(self, promise_id: str, outcome: Outcome) -> None:
        # What another story of the same promise (an agent redials by hand) has open is not ours to close.
        while self._in_hand[promise_id] > 1:
            await self._house.clock.sleep(HOLD_BACK_S)
        await self.pen.settle_what_is_open(promise_id, outcome)

    async def _not_dialled(self, promise: Promise, why: NotDialled) -> float:
        """Do what follows when nobody was dialled; return for how long the line is not to offer the promise."""
        refused = why.not_claimed and why.not_claimed.reason
        # That another office is quicker is nothing to tell of.
        tell = log.debug if refused is NotClaimedReason.HELD else log.info
        tell("not dialled", reason=why.reason.value, refused=refused and refused.value)
        if why.not_claimed is not None:
            return await self.pen.refused(promise, why.not_claimed)
        if why.reason is NotDialledReason.POSTPONED:
            now = self._house.clock.now()
            postpone = timedelta(seconds=self._queues[promise.queue].callbacks.postpone_s)
            # An agent cannot put a promise off until it is past its deadline.
            later = min(postpone, (promise.expires_at - now) / 2)
            await self.pen.write(promise.id, Postponed(now + later, PostponeReason.AGENT))
        return 0.0
