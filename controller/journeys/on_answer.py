"""What a customer hears who answers a callback, and what they want: to be connected, later, or not at all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY
from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.journeys import prompts, spoken
from controller.journeys.leave_number import NO, YES, pick_key
from controller.ports.calls import CallerHungUp

if TYPE_CHECKING:
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call, OutboundCall

MAX_TRIES = 2
TENS_OF_MINUTES = "123456789"
"""One key, and not a number of minutes with an end: that is easier for whoever keys slowly."""
USUAL_LATER_MIN = 30
"""For whoever wants to be called later and does not say when."""


class Answer(StrEnum):
    """The keys that a called-back customer can press."""

    CONNECT = "1"
    LATER = "2"
    NOT_NEEDED = "3"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the customer wants. `outcome` is None when they want to be connected."""

    outcome: Outcome | None
    later_s: float | None = None
    """With `POSTPONED`: how much later they want to be called."""
    farewell: tuple[str, ...] = ()
    """What is still to be said to them; it changes nothing any more."""


async def ask_customer(customer: OutboundCall, number: str, queue: Queue, house: House) -> Reply:
    """Say who calls and why, and let the customer, whose number it is, choose by key. A machine is not asked.

    Raises CallerHungUp.
    """
    if customer.evidence.answered_by is AnsweredBy.MACHINE:
        message = queue.callbacks.machine_message
        return Reply(Outcome.MACHINE, farewell=(message,) if message is not None else ())
    for _ in range(MAX_TRIES):
        match await customer.ask(prompts.CALLBACK_GREETING, prompts.CALLBACK_CONFIRM, keypad=ONE_KEY):
            case Answer.CONNECT:
                return Reply(None)
            case Answer.LATER:
                return await postponed(customer, number, queue, house)
            case Answer.NOT_NEEDED:
                return Reply(Outcome.DECLINED, farewell=(prompts.CANCELLED,))
    return Reply(Outcome.NOT_CONFIRMED)


async def postponed(customer: Call, number: str, queue: Queue, house: House) -> Reply:
    """Ask how much later. Whoever hangs up meanwhile, or chooses nothing, wants to be called later all the same.

    A time at which they may not be called is moved to the next at which they may, by the gate; here they are told so.
    """
    chosen = None
    with suppress(CallerHungUp):
        chosen = await chosen_minutes(customer)
    minutes = USUAL_LATER_MIN if chosen is None else chosen
    told = spoken.later(minutes) if chosen is None else []
    if not house.may_be_called(number, queue, house.clock.now() + timedelta(minutes=minutes)):
        told = [*told, prompts.LATER_NEXT_HOURS]
    return Reply(Outcome.POSTPONED, later_s=60.0 * minutes, farewell=(*told, prompts.LATER_GOODBYE))


async def chosen_minutes(customer: Call) -> int | None:
    """Return in how many minutes the customer wants to be called; None when they do not say. Raises CallerHungUp."""
    for _ in range(MAX_TRIES):
        key = await pick_key(customer, prompts.LATER_CHOOSE, keys=TENS_OF_MINUTES)
        if not key:
            return None
        minutes = 10 * int(key)
        with suppress(CallerHungUp):  # They have heard what they chose.
            if await pick_key(customer, *spoken.later(minutes), prompts.LATER_CONFIRM, keys=YES + NO) == NO:
                continue
        return minutes
    return None
