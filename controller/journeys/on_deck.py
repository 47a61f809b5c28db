"""A customer who has said yes and for whom there is no agent: they wait at the front of the line."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from controller.domain.outcome import Outcome
from controller.domain.queue_events import LeftAfterMaxWait
from controller.journeys import prompts
from controller.journeys.consent import aside_for_it, settle_consent
from controller.journeys.race import first_of
from controller.journeys.talk import noted_stay, talk_with_agent
from controller.ports.calls import CallerHungUp, Stage

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from controller.journeys.underway import Underway
    from controller.ports.line import Place


async def on_deck(underway: Underway) -> Outcome:
    """Hold the customer until they have talked with an agent, and return how it ended.

    Nothing takes the call back from here on: they were asked, and said yes. Whoever hangs up, or waits too long, is
    called again.
    """
    customer, queue, promise = underway.customer, underway.queue, underway.promise
    try:
        with underway.house.line.join(
            customer.id, queue.name, promise.since, urgent=True, number=promise.number, only_for=promise.assigned_to
        ) as place:
            with aside_for_it(place, customer, queue, underway.house):
                # A controller that was restarted does not ask them again.
                await customer.remember(stage=Stage.IN_LINE)
                await settle_consent(customer, queue, underway.house)
            return await wait_for_agent(underway, place)
    except CallerHungUp:
        return Outcome.ABANDONED


async def wait_for_agent(underway: Underway, place: Place) -> Outcome:
    """Do so in this place in line. Raises CallerHungUp."""
    customer, queue, house = underway.customer, underway.queue, underway.house
    greeting = [prompts.CONNECTING]

    async def music() -> None:
        while greeting:
            await customer.play(greeting.pop())
        await customer.hold(queue.name)

    with (
        timer(house.clock.sleep(queue.callbacks.max_deck_s)) as patience,
        noted_stay(customer, queue, place, house, whose=underway.whose, number=underway.promise.number) as stay,
    ):
        while True:
            happened, reservation = await first_of(turn=place.turn(), music=music(), too_long=asyncio.wait({patience}))
            if happened == "too_long":
                place.depart()
                stay.note(LeftAfterMaxWait)
                break
            if await talk_with_agent(
                customer,
                reservation,
                stay,
                queue,
                house,
                on_answer=underway.note_connected,
                whisper=[prompts.AGENT_WHISPER_WAITING],
            ):
                return Outcome.TALKED
    await underway.part_with(prompts.DECK_OVER)
    return Outcome.ABANDONED


@contextmanager
def timer(sleep: Coroutine[Any, Any, None]) -> Iterator[asyncio.Task[None]]:
    """Let one time run through several races, by the monotonic clock; it ends with the context."""
    running = asyncio.ensure_future(sleep)
    try:
        yield running
    finally:
        running.cancel()
