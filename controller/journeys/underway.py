"""One attempt that is under way: claimed in the database, then the customer is rung and asked what they want."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.domain.lifecycle import CustomerConnected, RefusedTransitionError
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, Wish
from controller.journeys import prompts
from controller.journeys.dialled import Dialled, NotDialled, NotDialledReason
from controller.journeys.on_answer import ask_customer
from controller.journeys.race import first_of
from controller.journeys.tape import Whose
from controller.ports.calls import CallerHungUp
from controller.ports.promises import NotClaimed, NotClaimedReason, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.journeys.on_answer import Reply
    from controller.ports.calls import OutboundCall


WISHES = frozenset({Outcome.POSTPONED, Outcome.DECLINED})
"""Outcomes that a customer asks for, and hears acknowledged."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt that was written: from here on the customer may be dialled, once."""

    attempt: Attempt
    promise: Promise


async def claim(
    promise: Promise, attempt_id: str, house: House, *, agent: str = "", by_hand: bool = False
) -> Claimed | NotDialled:
    """Write the attempt, before anything is sent to the customer; or say why not. Raises StoreUnavailableError."""
    term = house.leadership.term
    if term is None:
        return NotDialled(NotDialledReason.NOT_CLAIMED, NotClaimed(NotClaimedReason.NO_LEASE))
    if house.line.is_withdrawn(promise.id):
        return NotDialled(NotDialledReason.WITHDRAWN)
    now = house.clock.now()
    attempt = Attempt(attempt_id, promise.id, promise.number, agent, now, term=term, by_hand=by_hand, pbx=house.pbx)
    claimed = await house.promises.open_attempt(promise, attempt, house.caps_for(promise.number))
    if isinstance(claimed, NotClaimed):
        # It may have been cancelled in this very moment: then that is why somebody else has moved it.
        is_withdrawn = claimed.reason is NotClaimedReason.MOVED and house.line.is_withdrawn(promise.id)
        return NotDialled(NotDialledReason.WITHDRAWN if is_withdrawn else NotDialledReason.NOT_CLAIMED, claimed)
    return Claimed(attempt, claimed)


@dataclass(slots=True)
class Underway:
    """A claimed attempt and the call to its customer.

    Until the customer has pressed a key, whoever withdraws the promise wins: they ring us, or it is cancelled.
    """

    attempt: Attempt
    promise: Promise
    customer: OutboundCall
    queue: Queue
    house: House
    later_s: float | None = None
    confirmed_at: datetime | None = None
    talked_with: str = ""
    """The agent, by name."""

    @property
    def whose(self) -> Whose:
        """Whose talk it will be."""
        return Whose(self.promise.id, WaiterKind.PROMISE, self.promise.number, self.attempt.id)

    async def ring(self) -> Outcome | None:
        """Ring the customer. Return None once they have answered, or how it ended."""
        # Asked again: nobody's phone rings who has come since the attempt was written.
        if self.house.line.is_withdrawn(self.promise.id):
            return Outcome.WITHDRAWN
        came, failure = await first_of(
            failure=self.customer.dial(), withdrawn=self.house.line.withdrawn(self.promise.id)
        )
        return Outcome.WITHDRAWN if came == "withdrawn" else failure

    async def ask(self) -> Outcome | None:
        """Ask the customer, who has answered, what they want. Return None if to be connected, or how it ended."""
        try:
            came, reply = await first_of(
                reply=ask_customer(self.customer, self.promise.number, self.queue, self.house),
                withdrawn=self.house.line.withdrawn(self.promise.id),
            )
        except CallerHungUp:
            return Outcome.DROPPED
        if came == "withdrawn":
            await self.part_with(prompts.CALLBACK_WITHDRAWN)
            return Outcome.WITHDRAWN
        if reply.outcome is None:
            self.confirmed_at = self.house.clock.now()
            return None
        self.later_s = reply.later_s
        await self.part_with(*await self.acknowledgement(reply))
        return Outcome(reply.outcome)

    async def acknowledgement(self, reply: Reply) -> tuple[str, ...]:
        """Return what the customer hears last. Never acknowledge what is not on disk: then it is a mere goodbye."""
        if reply.outcome not in WISHES:
            return reply.farewell
        try:
            await self.house.promises.note_wish(self.attempt.id, Wish(reply.outcome, reply.later_s))
        except StoreUnavailableError:
            return (prompts.GOODBYE,)
        return reply.farewell

    async def reach(self) -> Outcome | None:
        """Ring the customer and ask them. Return None if they want to be connected, or how it ended."""
        failure = await self.ring()
        return failure if failure is not None else await self.ask()

    async def part_with(self, *farewell: str) -> None:
        """Say goodbye to the customer, if they are still there, and hang up."""
        with suppress(CallerHungUp):
            if farewell:
                await self.customer.play(*farewell)
        await self.customer.hang_up()

    async def note_connected(self, agent: str = "") -> None:
        """Record that they talk, so that a crash from here on does not have the customer called again.

        A database that is away does not part them: the outcome is written when it is back. Nor does a promise that was
        cancelled in this very moment: a talk that has begun is never cut.
        """
        self.talked_with = agent
        with suppress(StoreUnavailableError, RefusedTransitionError):
            await self.house.promises.advance(self.promise.id, CustomerConnected())

    def ended(self, outcome: Outcome) -> Dialled:
        """Return what is written down of the attempt."""
        evidence = replace(self.customer.evidence, confirmed_at=self.confirmed_at)
        return Dialled(self.attempt, outcome, evidence, self.later_s, self.talked_with)


@asynccontextmanager
async def prepared(claimed: Claimed, queue: Queue, house: House) -> AsyncIterator[Underway]:
    """Prepare the call to the customer of a claimed attempt; it is hung up when the context is left."""
    promise = claimed.promise
    async with house.telephony.customer_leg(
        claimed.attempt,
        queue=queue.name,
        language=promise.language,
        since=promise.since,
        ring_timeout_s=queue.customer_ring_timeout_s,
    ) as customer:
        yield Underway(claimed.attempt, promise, customer, queue, house)
