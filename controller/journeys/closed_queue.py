"""A caller who comes while the queue is closed: told so, told when it opens, and offered a call when it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.domain.opening_hours import ClosedReason
from controller.journeys import prompts, spoken
from controller.journeys.leave_number import Leaving, leave_number
from controller.ports.call_log import Ending
from controller.ports.calls import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.menu import Destination
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call

YES = "1"
MAX_TRIES = 2


async def at_closed_door(call: Call, queue: Queue, house: House) -> Ending | Destination:
    """Say that the queue is closed; then the settings' own destination, or the offer of a call when it is open."""
    await call.remember(stage=Stage.AT_CLOSED_DOOR)
    await call.play(*closed_words(queue, call.language, house.clock.now()))
    if queue.limits.on_closed is not None:
        return queue.limits.on_closed
    for _ in range(MAX_TRIES):
        if await call.ask(prompts.CLOSED_OFFER, keypad=ONE_KEY) == YES:
            return await number_at_closed_door(call, queue, house)
    await call.play(prompts.GOODBYE)
    return Ending.INFORMED


async def number_at_closed_door(call: Call, queue: Queue, house: House) -> Ending:
    """Take a number for a call when the queue is open. There is no line to go back to."""
    match await leave_number(call, queue, house):
        case Leaving.PROMISED | Leaving.MERGED:
            return Ending.PROMISED
        case Leaving.NO_NUMBER:
            await call.play(prompts.GOODBYE)
            return Ending.INFORMED
        case Leaving.NOT_KEPT:
            await call.play(prompts.CALL_AGAIN)
            return Ending.FAILED


def closed_words(queue: Queue, language: str, now: datetime) -> list[str]:
    """Return the prompts that say that the queue is closed, and when it is open again."""
    reason = queue.hours.why_closed(now)
    words = [prompts.CLOSED_HOLIDAY if reason is ClosedReason.HOLIDAY else prompts.CLOSED]
    opening = queue.hours.next_opening(now)
    if opening is not None:
        zone = queue.hours.zone
        today = now.astimezone(zone).date()
        words += [
            prompts.OPENS_BEFORE,
            *spoken.moment(opening.astimezone(zone), today, language),
            prompts.OPENS_AFTER,
        ]
    return words
