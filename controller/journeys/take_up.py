"""The same stories, taken up in the middle by a controller that was restarted while they went on."""

from __future__ import annotations

from contextlib import AsyncExitStack, nullcontext, suppress
from typing import TYPE_CHECKING

from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.callback_to_customer import confirm, note_connected, with_agent, without_agent
from controller.journeys.inbound_caller import hold_for_agent
from controller.journeys.leave_number import acknowledge
from controller.ports.call_log import Ending
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.promises import Made, StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.line import Reservation
    from controller.ports.promises import OpenAttempt

MAY_HAVE_PROMISED = frozenset({None, Stage.LEAVING_NUMBER, Stage.BOOKED})
"""Stages in which the database is asked. Everybody else joins the line at once, in the order in which they came."""


async def take_up_caller(
    call: Call, stage: Stage | None, agent: Call | None, reservation: Reservation | None, queue: Queue, house: House
) -> Ending:
    """Go on with a caller from `stage`. `agent` is the leg they are talking with, if any.

    Raises CallerHungUp when they left before an agent or a promise was reached.
    """
    if agent is not None:
        async with AsyncExitStack() as legs:
            legs.push_async_callback(agent.hang_up)
            with reservation or nullcontext(), suppress(CallerHungUp):
                await call.connect(agent, on_joined=nothing)
        return Ending.SERVED
    if stage is Stage.TALKING:  # The agent hung up while nobody watched: the talk is over.
        return Ending.SERVED
    promise = await promise_made(call, house) if stage in MAY_HAVE_PROMISED else None
    if promise is not None:
        await acknowledge(call, Made(promise, is_new=True))
        return Ending.PROMISED
    if stage is Stage.BOOKED:  # The number held a promise already, made on an earlier call; only the goodbye is left.
        with suppress(CallerHungUp):
            await call.play(prompts.PROMISE_EXISTS)
        return Ending.PROMISED
    await call.answer()
    return await hold_for_agent(call, queue, house)


async def promise_made(call: Call, house: House) -> Promise | None:
    """Return the promise that the caller made before the controller was restarted; None when it cannot be looked up.

    Nobody is sent away because the database is: at worst somebody who is promised a call holds on for an agent.
    """
    try:
        return await house.promises.made_on_call(call.id)
    except StoreUnavailableError:
        return None


async def take_up_callback(
    opened: OpenAttempt,
    customer: OutboundCall,
    agent: Call | None,
    reservation: Reservation | None,
    queue: Queue,
    house: House,
    *,
    joined: bool,
) -> Outcome:
    """Go on with a callback whose customer is ringing, answered, or (`joined`) talking. Returns how it ended."""
    promise = opened.promise

    async def note() -> None:
        if promise.state is not PromiseState.CONNECTED:
            await note_connected(promise, house)

    async with AsyncExitStack() as legs:
        legs.push_async_callback(customer.hang_up)
        outcome: Outcome | None = None
        if agent is not None:
            async with AsyncExitStack() as agent_side:
                agent_side.push_async_callback(agent.hang_up)
                with reservation or nullcontext():
                    if joined:
                        with suppress(CallerHungUp):
                            await customer.connect(agent, on_joined=note)
                        outcome = Outcome.TALKED
                    else:
                        outcome = await with_agent(customer, agent, promise, queue, house)
        elif promise.state is PromiseState.CONNECTED:
            outcome = Outcome.TALKED  # They talked, and the agent hung up while nobody watched.
        else:
            outcome = await reach_without_agent(customer)
        return outcome or await without_agent(customer, promise, queue, house)


async def reach_without_agent(customer: OutboundCall) -> Outcome | None:
    """See whether a customer, whose agent is gone, answers and confirms. None: they do, and wait for an agent."""
    failure = await customer.dial()
    if failure is not None:
        return failure
    try:
        return await confirm(customer)
    except CallerHungUp:
        return Outcome.DROPPED


async def nothing() -> None:
    """Note nothing: it was noted before."""
