"""An agent who calls a customer back by hand, from their own phone: the same claim, the same call to the customer."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from controller.domain.phone_number import DialableNumber, check
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.callback_to_customer import tell, why_not, with_agent
from controller.journeys.dialled import NotDialled, NotDialledReason
from controller.journeys.on_deck import on_deck
from controller.journeys.underway import claim, prepared
from controller.ports.calls import CallerHungUp
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.promise import Promise
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, Conversation
    from controller.ports.line import Reservation

REDIAL = "46"
"""What an agent dials after the star; the customer's number follows."""


async def promise_to_redial(call: Conversation, entered: str, queues: Iterable[str], house: House) -> Promise | None:
    """Return the promise that a number holds with one of these queues, the oldest first.

    None: there is none to be dialled now, and the agent was told so. Only a customer who asked for it can be called:
    a stolen phone account telephones nowhere else. Raises CallerHungUp.
    """
    number = check(entered, house.plan)
    if not isinstance(number, DialableNumber):
        await call.play(prompts.REDIAL_BAD_NUMBER)
        return None
    try:
        found = [await house.promises.open_for(queue, number.e164) for queue in queues]
    except StoreUnavailableError:
        await call.play(prompts.AGENT_NOT_POSSIBLE)
        return None
    promises = [promise for promise in found if promise is not None]
    waiting = [promise for promise in promises if promise.state is PromiseState.WAITING]
    if len(waiting) < len(promises):
        await call.play(prompts.AGENT_COLLEAGUE)
        return None
    if not waiting:
        await call.play(prompts.REDIAL_NONE)
        return None
    return min(waiting, key=lambda promise: promise.since)


async def redial_by_hand(
    call: Call, promise: Promise, reservation: Reservation, queue: Queue, house: House
) -> Dialled | NotDialled:
    """Dial the customer for the agent on `call`, who is hung up in the end. Raises StoreUnavailableError."""
    attempt_id, agent = house.new_id(), reservation.agent.name
    async with AsyncExitStack() as customer_side:
        with reservation:
            async with AsyncExitStack() as agent_side:
                agent_side.push_async_callback(call.hang_up)
                try:
                    # From here on a controller that was restarted takes this phone for the leg of the attempt.
                    await call.remember(agent=agent, call=attempt_id)
                    await call.play(prompts.REDIAL_DIALLING)
                except CallerHungUp:
                    return NotDialled(NotDialledReason.AGENT_MISSED)
                claimed = await claim(promise, attempt_id, house, agent=agent, by_hand=True)
                if isinstance(claimed, NotDialled):
                    await tell(call, why_not(claimed))
                    return claimed
                underway = await customer_side.enter_async_context(prepared(claimed, queue, house))
                outcome = await with_agent(underway, call)
        return underway.ended(outcome or await on_deck(underway))
