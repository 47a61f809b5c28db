"""The same stories, taken up in the middle by a controller that was restarted while they went on."""

from __future__ import annotations

from contextlib import AsyncExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.menu import SayGoodbye
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.journeys import prompts
from controller.journeys.callback_to_customer import tell, with_agent
from controller.journeys.choose_time import GOODBYE_S, Soon
from controller.journeys.destinations import follow
from controller.journeys.in_line import enter_line, hold_for_agent
from controller.journeys.leave_number import acknowledge
from controller.journeys.on_deck import on_deck
from controller.journeys.ring_back import is_from_before, note_rang_in, open_promise
from controller.journeys.tape import Tape, Whose
from controller.journeys.underway import Underway
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.promises import Made, StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.menu import Destination, Entrance
    from controller.domain.promise import Promise, Wish
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, OutboundCall
    from controller.ports.line import Reservation
    from controller.ports.promises import OpenAttempt

MAY_HAVE_PROMISED = frozenset({None, Stage.LEAVING_NUMBER, Stage.BOOKED})
"""Stages in which the database is asked. Everybody else joins the line at once, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Found:
    """How far a caller had come when the controller was restarted."""

    stage: Stage | None
    queue: Queue | None
    """None: they had not come to a queue yet."""
    entrance: Entrance
    urgent: bool = False
    only_for: str = ""
    """The only agent, by name, who is to serve them."""


async def take_up_caller(
    call: Call, found: Found, partner: Call | None, reservation: Reservation | None, house: House
) -> Ending:
    """Go on with a caller from where they were. `partner` is the leg they are talking with, if any.

    Raises CallerHungUp when they left before an agent or a promise was reached.
    """
    if partner is not None:
        # It may not have been written that they talk; then they would be called as well.
        promise = await open_promise(call, found.queue, house) if reservation and found.queue else None
        # What was left by a call that came later is somebody else's: two of an office call from one number.
        if promise is not None and is_from_before(promise, call):
            await note_rang_in(promise, call, house)
        async with AsyncExitStack() as legs:
            legs.push_async_callback(partner.hang_up)
            with reservation or nullcontext(), suppress(CallerHungUp), Tape(call, Whose(call.id), house) as tape:
                await call.connect(partner, on_joined=tape.found)
        return Ending.SERVED if reservation is not None else Ending.TRANSFERRED
    if found.stage is Stage.TALKING:  # The other side hung up while nobody watched: the talk is over.
        return Ending.SERVED
    queue = found.queue
    if found.stage in MAY_HAVE_PROMISED and queue is not None:
        promise = await promise_made(call, house)
        if promise is not None:
            in_turn_by = house.clock.now() + timedelta(seconds=GOODBYE_S)
            when = Soon(promise.not_before, opens_first=promise.not_before > in_turn_by)
            await acknowledge(call, Made(promise, is_new=True), queue, house, when=when)
            return Ending.PROMISED
        if found.stage is Stage.BOOKED:  # It cannot be looked up; only the goodbye is left.
            with suppress(CallerHungUp):
                await call.play(prompts.PROMISE_EXISTS)
            return Ending.PROMISED
    await call.answer()
    if queue is None:
        return await follow(found.entrance.leads_to, call, house)
    # Who was in line when it closed keeps their place, as they would have without the restart.
    is_let_in = found.stage is Stage.IN_LINE or house.is_open(queue, house.clock.now())
    if found.stage is Stage.AT_CLOSED_DOOR or not is_let_in:
        return await go_on(await enter_line(call, queue, house, urgent=found.urgent), call, house)
    arrived = await hold_for_agent(call, queue, house, urgent=found.urgent, only_for=found.only_for)
    return await go_on(arrived, call, house)


async def go_on(arrived: Ending | Destination | None, call: Call, house: House) -> Ending:
    """Follow where the line led the caller, if it did."""
    return arrived if isinstance(arrived, Ending) else await follow(arrived or SayGoodbye(prompts.GOODBYE), call, house)


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
    stage: Stage | None = None,
) -> Dialled:
    """Go on with a callback whose customer is ringing, answered, waiting for an agent, or (`joined`) talking."""
    if opened.wish is not None:
        return await take_up_goodbye(opened, opened.wish, customer, agent, reservation, queue, house)
    underway = Underway(opened.attempt, opened.promise, customer, queue, house)
    async with AsyncExitStack() as legs:
        legs.push_async_callback(customer.hang_up)
        if agent is None:
            outcome = await without_agent(underway, stage)
        else:
            async with AsyncExitStack() as agent_side:
                agent_side.push_async_callback(agent.hang_up)
                with reservation or nullcontext():
                    outcome = await beside_agent(underway, agent, joined=joined)
        return underway.ended(outcome or await on_deck(underway))


async def take_up_goodbye(
    opened: OpenAttempt,
    wish: Wish,
    customer: OutboundCall,
    agent: Call | None,
    reservation: Reservation | None,
    queue: Queue,
    house: House,
) -> Dialled:
    """End a callback whose customer had said what they want: only the goodbye is left."""
    underway = Underway(opened.attempt, opened.promise, customer, queue, house, later_s=wish.later_s)
    with reservation or nullcontext():
        await underway.part_with(prompts.LATER_GOODBYE)
        if agent is not None:
            await agent.hang_up()
    return underway.ended(wish.outcome)


async def beside_agent(underway: Underway, agent: Call, *, joined: bool) -> Outcome | None:
    """Go on with a customer for whom there is an agent. None: the agent is gone, and the customer said yes."""
    promise = underway.promise

    async def note() -> None:
        await tape.found()
        if promise.state is not PromiseState.CONNECTED:
            await underway.note_connected()

    if joined:
        with suppress(CallerHungUp), Tape(underway.customer, underway.whose, underway.house) as tape:
            await underway.customer.connect(agent, on_joined=note)
        return Outcome.TALKED
    if promise.state is PromiseState.CANCELLED:
        await underway.part_with()
        await tell(agent, prompts.AGENT_WITHDRAWN)
        return Outcome.WITHDRAWN
    return await with_agent(underway, agent)


async def without_agent(underway: Underway, stage: Stage | None) -> Outcome | None:
    """Go on with a customer for whom there is no agent. None: they said yes, and wait for one."""
    state = underway.promise.state
    if state is PromiseState.CONNECTED or stage is Stage.TALKING:
        return Outcome.TALKED  # They talked, and the agent hung up while nobody watched.
    if stage is Stage.IN_LINE:
        return None
    return Outcome.WITHDRAWN if state is PromiseState.CANCELLED else await underway.reach()
