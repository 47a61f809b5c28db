"""What an agent hears before a customer is dialled: whose callback it is, and, in preview, what they choose."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.journeys import prompts, spoken
from controller.journeys.agent_phone import say_until_key
from controller.journeys.dialled import NotDialledReason
from controller.journeys.house import DialMode
from controller.journeys.race import first_of
from controller.ports.calls import CallerHungUp

if TYPE_CHECKING:
    from asyncio import Future

    from controller.domain.promise import Promise
    from controller.journeys.agent_phone import AgentLeg
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call

MAX_TRIES = 2


class Choice(StrEnum):
    """The keys of an agent who sees a promise beforehand."""

    DIAL = "1"
    TO_COLLEAGUE = "2"
    PUT_OFF = "3"


async def win_over(leg: AgentLeg, promise: Promise, queue: Queue, house: House) -> NotDialledReason | None:
    """Ring the agent and tell them whose callback it is. None: the customer may be dialled; else why not."""
    if not await leg.picked_up():
        return NotDialledReason.AGENT_MISSED
    waited_s = (house.clock.now() - promise.since).total_seconds()
    whisper = spoken.whisper(promise.number, waited_s)
    try:
        if queue.callbacks.mode is DialMode.PREVIEW:
            return await preview(leg, whisper, house)
        leg.reservation.answered()
        await say_until_key(leg.call, *whisper)
    except CallerHungUp:
        return NotDialledReason.AGENT_MISSED
    return None


async def preview(leg: AgentLeg, whisper: list[str], house: House) -> NotDialledReason | None:
    """Let the agent choose, by key or on a screen: the first counts.

    Until they do they count as rung, so that a phone that answers by itself is a missed call. Raises CallerHungUp.
    """
    try:
        with house.choices.asked(leg.reservation.agent.name) as on_screen:
            _, key = await first_of(by_key=choice(leg.call, whisper), on_screen=chosen(on_screen))
    except CallerHungUp:
        leg.reservation.missed()
        raise
    match key:
        case Choice.DIAL:
            leg.reservation.answered()
            return None
        case Choice.TO_COLLEAGUE:
            await leg.call.play(prompts.PREVIEW_PASSED)
            return NotDialledReason.PASSED
        case Choice.PUT_OFF:
            await leg.call.play(prompts.PREVIEW_POSTPONED)
            return NotDialledReason.POSTPONED
        case _:
            leg.reservation.missed()
            return NotDialledReason.AGENT_MISSED


async def chosen(on_screen: Future[str]) -> str:
    """Return the key that the agent chose on a screen."""
    return await on_screen


async def choice(agent: Call, whisper: list[str]) -> str:
    """Return the key that the agent chose; "" when they press none, or none of these. Raises CallerHungUp."""
    for _ in range(MAX_TRIES):
        key = await agent.ask(*whisper, prompts.PREVIEW_MENU, keypad=ONE_KEY)
        if key in set(Choice):
            return key
    return ""
