"""A caller, from the first ring to an agent, a promise, or a hang-up."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.journeys import prompts
from controller.journeys.agent_phone import ring_agent
from controller.journeys.leave_number import leave_number
from controller.journeys.race import first_of
from controller.ports.call_log import Ending
from controller.ports.calls import CallerHungUp, Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.line import Reservation

LEAVE_NUMBER_KEY = "1"


async def inbound_caller(call: Call, queue: Queue, house: House) -> Ending:
    """Greet the caller and see them through the line.

    Raises CallerHungUp when they left before an agent or a promise was reached: an abandoned call (放棄呼).
    """
    await call.remember(stage=Stage.GREETING, queue=queue.name)
    await call.answer()
    await call.play(prompts.WELCOME)
    return await hold_for_agent(call, queue, house)


async def hold_for_agent(call: Call, queue: Queue, house: House) -> Ending:
    """Hold the caller, who may leave a number at any time. Also where a restarted controller takes up a caller."""

    async def note_answer(agent: Agent) -> None:
        await house.calls.answered(call.id, agent=agent.name, answered_at=house.clock.now())

    with house.line.join(call.id, queue.name, call.facts.arrived_at) as place:
        await call.remember(stage=Stage.IN_LINE)
        announcement = announce(call, prompts.HOLD_OFFER, after_s=0, house=house)
        while True:
            happened = await first_of(
                turn=place.turn(),
                key=call.hold(queue.name, until_keys=LEAVE_NUMBER_KEY),
                announced=announcement,
            )
            match happened:
                case "turn", reservation:
                    if await talk_with_agent(call, reservation, queue, house, on_answer=note_answer):
                        return Ending.SERVED
                case "key", _:
                    with place.step_aside():
                        if await leave_number(call, queue, house):
                            return Ending.PROMISED
            announcement = announce(call, prompts.OFFER, after_s=queue.reminder_interval_s, house=house)


async def wait_for_agent(
    call: Call, queue: Queue, house: House, *, since: datetime, on_answer: Callable[[Agent], Awaitable[None]]
) -> None:
    """Hold somebody who already holds a promise, in its place, until they have talked with an agent."""
    with house.line.join(call.id, queue.name, since) as place:
        while True:
            _, reservation = await first_of(turn=place.turn(), music=call.hold(queue.name))
            if await talk_with_agent(call, reservation, queue, house, on_answer=on_answer):
                return


async def talk_with_agent(
    call: Call,
    reservation: Reservation,
    queue: Queue,
    house: House,
    *,
    on_answer: Callable[[Agent], Awaitable[None]],
) -> bool:
    """Ring the reserved agent and join the two until one hangs up. False: nobody answered, the caller holds on."""

    async def note_talk() -> None:
        # Not before they hear each other: a restarted controller takes a caller in this stage for served.
        with suppress(CallerHungUp):
            await call.remember(stage=Stage.TALKING)
        await on_answer(reservation.agent)

    with reservation:
        async with ring_agent(reservation, call.id, queue, house, shown_number=call.facts.number) as leg:
            # The caller keeps the music until the agent is really there.
            _, answered = await first_of(answered=leg.answered(), music=call.hold(queue.name))
            if not answered:
                return False
            return await call.connect(leg.call, on_joined=note_talk)


async def announce(call: Call, prompt: str, *, after_s: float, house: House) -> None:
    """Say `prompt` over the music when it is time."""
    await house.clock.sleep(after_s)
    await call.play(prompt)
