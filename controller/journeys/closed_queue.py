"""A caller who comes while the queue is closed: told so, told when it opens, and offered a call when it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.digits import ONE_KEY
from controller.domain.opening_hours import ClosedReason
from controller.journeys import prompts, spoken
from controller.journeys.leave_number import Leaving, leave_number
from controller.ports.calls import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.menu import Destination
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.queue_closures import Closure

YES = "1"
MAX_TRIES = 2


async def at_closed_door(call: Call, queue: Queue, house: House) -> Ending | Destination:
    """Say that the queue is closed; then the settings' own destination, or the offer of a call when it is open."""
    await call.remember(stage=Stage.AT_CLOSED_DOOR)
    now = house.clock.now()
    await call.play(*closed_words(queue, call.language, now, by_hand=house.closures.of(queue.name, now)))
    if queue.limits.on_closed is not None:
        return queue.limits.on_closed
    await house.calls.offered(call.id, offered_at=house.clock.now())
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


def closed_words(queue: Queue, language: str, now: datetime, *, by_hand: Closure | None = None) -> list[str]:
    """Return the prompts that say that the queue is closed, and when it is open again, if that is known.

    `by_hand`: a person has closed it, whatever its hours say.
    """
    reason = queue.hours.why_closed(now)
    words = [prompts.CLOSED_HOLIDAY if reason is ClosedReason.HOLIDAY else prompts.CLOSED]
    opens_from = by_hand.until if by_hand is not None else now
    opening = None if opens_from is None else queue.hours.next_opening(opens_from)
    if opening is not None:
        zone = queue.hours.zone
        today = now.astimezone(zone).date()
        words += [
            prompts.OPENS_BEFORE,
            *spoken.moment(opening.astimezone(zone), today, language),
            prompts.OPENS_AFTER,
        ]
    return words
