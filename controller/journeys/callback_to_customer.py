"""Keeping a promise, agent first: ring the agent, then the customer; let the customer confirm; join the two."""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from controller.domain.outcome import Outcome
from controller.journeys import prompts
from controller.journeys.agent_phone import ring_agent
from controller.journeys.consent import settle_consent
from controller.journeys.dialled import NotDialled, NotDialledReason
from controller.journeys.on_deck import on_deck
from controller.journeys.preview import win_over
from controller.journeys.race import first_of
from controller.journeys.talk import Talk
from controller.journeys.underway import claim, prepared
from controller.ports.calls import CallerHungUp
from controller.ports.promises import NotClaimedReason

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue
    from controller.journeys.underway import Underway
    from controller.ports.calls import Call
    from controller.ports.line import Reservation

WHY_NOT_CLAIMED = {
    NotClaimedReason.MOVED: prompts.AGENT_COLLEAGUE,
    NotClaimedReason.HELD: prompts.AGENT_COLLEAGUE,
    NotClaimedReason.NUMBER_BUSY: prompts.AGENT_COLLEAGUE,
    NotClaimedReason.BLOCKED: prompts.AGENT_MAY_NOT_DIAL,
    NotClaimedReason.OVER_CAP: prompts.AGENT_MAY_NOT_DIAL,
    NotClaimedReason.NO_LEASE: prompts.AGENT_NOT_POSSIBLE,
}
WHY_NOT_JOINED = {
    Outcome.WITHDRAWN: prompts.AGENT_WITHDRAWN,
    Outcome.MACHINE: prompts.AGENT_MACHINE,
    Outcome.DECLINED: prompts.AGENT_DECLINED,
    Outcome.POSTPONED: prompts.AGENT_POSTPONED,
    Outcome.NOT_ALLOWED: prompts.AGENT_MAY_NOT_DIAL,
    Outcome.OUTSIDE_HOURS: prompts.AGENT_MAY_NOT_DIAL,
    Outcome.BLOCKED: prompts.AGENT_MAY_NOT_DIAL,
    Outcome.OVER_CAP: prompts.AGENT_MAY_NOT_DIAL,
    Outcome.DRY_RUN: prompts.AGENT_NOT_POSSIBLE,
    Outcome.CONGESTION: prompts.AGENT_NOT_POSSIBLE,
    Outcome.NOT_PLACED: prompts.AGENT_NOT_POSSIBLE,
}
"""What the agent hears; after every other outcome, that the customer could not be reached."""


async def callback_to_customer(
    promise: Promise, reservation: Reservation, queue: Queue, house: House
) -> Dialled | NotDialled:
    """Ring the reserved agent, tell them (or, in preview, ask them), then ring the customer.

    Raises StoreUnavailableError when the attempt cannot be written; nobody was dialled then.
    """
    attempt_id = house.new_id()
    async with AsyncExitStack() as customer_side:
        with reservation:
            async with ring_agent(reservation, attempt_id, queue, house, shown_number=promise.number) as leg:
                # A customer who rings in meanwhile stands in line in the promise's place.
                _, refused = await first_of(
                    won_over=win_over(leg, promise, queue, house), withdrawn=withdrawn(promise, house)
                )
                if refused is not None:
                    if refused is NotDialledReason.WITHDRAWN and leg.is_up:
                        await tell(leg.call, prompts.AGENT_WITHDRAWN)
                    return NotDialled(refused)
                claimed = await claim(promise, attempt_id, house, agent=reservation.agent.name)
                if isinstance(claimed, NotDialled):
                    await tell(leg.call, why_not(claimed))
                    return claimed
                underway = await customer_side.enter_async_context(prepared(claimed, queue, house))
                outcome = await with_agent(underway, leg.call)
        return underway.ended(outcome or await on_deck(underway))


async def withdrawn(promise: Promise, house: House) -> NotDialledReason:
    """Wait until the promise may not be dialled any more."""
    await house.line.withdrawn(promise.id)
    return NotDialledReason.WITHDRAWN


async def with_agent(underway: Underway, agent_call: Call) -> Outcome | None:
    """Ring the customer while the agent hears music, and join them. None: the customer said yes, the agent is gone."""
    house, queue = underway.house, underway.queue
    rang_at = house.clock.now()
    try:
        _, failure = await first_of(failure=underway.ring(), company=agent_call.hold(queue.name))
    except CallerHungUp:
        return Outcome.AGENT_LOST
    ring_s = (house.clock.now() - rang_at).total_seconds()
    outcome: Outcome | None = failure if failure is not None else await underway.ask()
    if outcome is None:
        talk = Talk(
            underway.customer,
            agent_call,
            queue.name,
            underway.attempt.agent,
            hold_s=0,
            ring_s=ring_s,
            whose=underway.whose,
            entered_as=underway.promise.number,
        )
        try:
            await settle_consent(underway.customer, queue, house)
            return Outcome.TALKED if await talk.until_hang_up(house, on_answer=underway.note_connected) else None
        except CallerHungUp:
            outcome = Outcome.ABANDONED
    await underway.part_with()
    await tell(agent_call, WHY_NOT_JOINED.get(outcome, prompts.AGENT_NO_ANSWER))
    return outcome


def why_not(refusal: NotDialled) -> str:
    """Return what an agent hears whose customer is not dialled."""
    refused = refusal.not_claimed
    if refused is None or refusal.reason is NotDialledReason.WITHDRAWN:
        return prompts.AGENT_WITHDRAWN
    return WHY_NOT_CLAIMED[refused.reason]


async def tell(agent_call: Call, prompt: str) -> None:
    """Say something to the agent, if they are still there."""
    with suppress(CallerHungUp):
        await agent_call.play(prompt)
