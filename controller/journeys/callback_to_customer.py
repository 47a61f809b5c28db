"""Keeping a promise, agent first: ring the agent, then the customer; let the customer confirm; join the two."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.domain.lifecycle import CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt
from controller.journeys import prompts
from controller.journeys.agent_phone import ring_agent
from controller.journeys.race import first_of
from controller.journeys.talk import Talk, wait_for_agent
from controller.ports.calls import CallerHungUp
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.line import Reservation

MAX_TRIES = 2


class Answer(StrEnum):
    """The keys that a called-back customer can press."""

    CONNECT = "1"
    NOT_NEEDED = "3"


@dataclass(frozen=True, slots=True)
class Dialled:
    """An attempt was made and ended so. Without one (None) the promise is as it was."""

    attempt: Attempt
    outcome: Outcome


async def callback_to_customer(
    promise: Promise, reservation: Reservation, queue: Queue, house: House
) -> Dialled | None:
    """Ring the reserved agent, then the customer. None: the customer was not dialled."""
    attempt = Attempt(house.new_id(), promise.id, promise.number, reservation.agent.name, house.clock.now())
    async with AsyncExitStack() as customer_side:
        with reservation:
            async with ring_agent(reservation, attempt.id, queue, house, shown_number=promise.number) as leg:
                # A customer who rings in meanwhile stands in line in the promise's place.
                came, answered = await first_of(answered=leg.answered(), withdrawn=house.line.withdrawn(promise.id))
                if came == "withdrawn" or not answered:
                    return None
                # Committed before anything is sent to the customer. None: the promise is no longer ours to keep.
                claimed = await house.promises.open_attempt(promise, attempt)
                if claimed is None:
                    return None
                customer = await customer_side.enter_async_context(
                    house.telephony.customer_leg(
                        attempt,
                        queue=queue.name,
                        language=promise.language,
                        since=promise.since,
                        ring_timeout_s=queue.customer_ring_timeout_s,
                    )
                )
                outcome = await with_agent(customer, leg.call, attempt, claimed, queue, house)
        if outcome is None:
            outcome = await without_agent(customer, claimed, queue, house)
        return Dialled(attempt, outcome)


async def with_agent(
    customer: OutboundCall, agent_call: Call, attempt: Attempt, promise: Promise, queue: Queue, house: House
) -> Outcome | None:
    """Ring the customer while the agent waits, and join them. None: the customer is there, the agent is not."""
    rang_at = house.clock.now()

    async def ring() -> Outcome | None:
        # They may have rung in since the agent answered: nobody's phone rings who is on it with us.
        return Outcome.WITHDRAWN if house.line.is_withdrawn(promise.id) else await customer.dial()

    try:
        came, failure = await first_of(
            failure=ring(),
            company=keep_company(agent_call, queue),
            withdrawn=house.line.withdrawn(promise.id),
        )
    except CallerHungUp:
        return Outcome.AGENT_LOST
    if came == "withdrawn" or failure is Outcome.WITHDRAWN:
        with suppress(CallerHungUp):
            await customer.hang_up()
            await agent_call.play(prompts.AGENT_WITHDRAWN)
        return Outcome.WITHDRAWN
    if failure is not None:
        with suppress(CallerHungUp):
            await agent_call.play(prompts.AGENT_NO_ANSWER)
        return Outcome(failure)
    ring_s = (house.clock.now() - rang_at).total_seconds()

    async def note(_: str) -> None:
        await note_connected(promise, house)

    try:
        refused = await confirm(customer)
        if refused is not None:
            return refused
        talk = Talk(customer, agent_call, queue.name, attempt.agent, hold_s=0, ring_s=ring_s, entered_as=promise.number)
        joined = await talk.until_hang_up(house, on_answer=note)
    except CallerHungUp:
        return Outcome.DROPPED
    return Outcome.TALKED if joined else None


async def without_agent(customer: Call, promise: Promise, queue: Queue, house: House) -> Outcome:
    """Hold a customer whose agent was lost, in the place of their promise, until another agent is free."""

    async def note_answer(_: str) -> None:
        await note_connected(promise, house)

    try:
        await wait_for_agent(customer, queue, house, since=promise.since, on_answer=note_answer)
    except CallerHungUp:
        return Outcome.DROPPED
    return Outcome.TALKED


async def confirm(customer: Call) -> Outcome | None:
    """Say who calls and why; return None once they press the key to be connected. A machine presses nothing."""
    for _ in range(MAX_TRIES):
        key = await customer.ask(prompts.CALLBACK_GREETING, prompts.CALLBACK_CONFIRM, keypad=ONE_KEY)
        match key:
            case Answer.CONNECT:
                return None
            case Answer.NOT_NEEDED:
                with suppress(CallerHungUp):
                    await customer.play(prompts.CANCELLED)
                return Outcome.DECLINED
    return Outcome.NOT_CONFIRMED


async def keep_company(agent: Call, queue: Queue) -> None:
    """Tell the agent whose call this is and let them hear music; raises CallerHungUp when they hang up."""
    await agent.play(prompts.AGENT_WHISPER)
    await agent.hold(queue.name)


async def note_connected(promise: Promise, house: House) -> None:
    """Record that they talk, so that a crash from here on does not have the customer called again.

    A database that is away does not part them: the outcome is written when it is back.
    """
    with suppress(StoreUnavailableError):
        await house.promises.advance(promise.id, CustomerConnected())
