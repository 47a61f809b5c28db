"""Taking a callback number: use the one shown, or key another; read it back; agree on a time; promise."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY, PHONE_NUMBER
from controller.domain.phone_number import DialableNumber, Refusal, check, takes_sms
from controller.journeys import prompts, spoken
from controller.journeys.choose_time import Soon, choose_slot, choose_time
from controller.journeys.shown_number import shown_number
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.promises import Made, NewPromise, SlotFull, StoreUnavailableError

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.phone_number import NumberPlan
    from controller.domain.slots import Slot
    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation
    from controller.ports.promises import NumberBlocked

YES, NO = "1", "2"
MAX_TRIES = 3
SHORTEST_OUTSIDE = 7
"""Digits. What a network shows as shorter than this is an extension, or a name that happened to hold digits."""

WHY_REFUSED = {
    Refusal.NOT_A_NUMBER: prompts.NUMBER_INVALID,
    Refusal.INVALID: prompts.NUMBER_INVALID,
    Refusal.TOO_SHORT: prompts.NUMBER_TOO_SHORT,
    Refusal.COUNTRY: prompts.NUMBER_ABROAD,
    Refusal.FREEPHONE: prompts.NUMBER_FREEPHONE,
    Refusal.SHARED_COST: prompts.NUMBER_NAVI,
    Refusal.PREMIUM: prompts.NUMBER_PREMIUM,
    Refusal.TYPE: prompts.NUMBER_NOT_ALLOWED,
    Refusal.PREFIX: prompts.NUMBER_NOT_ALLOWED,
    Refusal.OWN: prompts.NUMBER_NOT_ALLOWED,
}


class Leaving(StrEnum):
    """What came of it. The first two are promises, said to the caller already."""

    PROMISED = "promised"
    MERGED = "merged"
    """The number held an open promise, which took this request in."""
    NO_NUMBER = "no_number"
    """None was given, in a few tries; nothing was said of what comes next."""
    NOT_KEPT = "not_kept"
    """The database is away: nothing was promised, and nothing said."""


async def leave_number(
    call: Conversation,
    queue: Queue,
    house: House,
    *,
    expected: WaitRange | None = None,
    due_by: datetime | None = None,
) -> Leaving:
    """Take a number, agree on a time, and make the promise.

    `expected` is the wait of somebody in line for it, `due_by` the far end of the wait that they were told.
    """
    await call.remember(stage=Stage.LEAVING_NUMBER)
    number = await number_to_call(call, house.plan)
    for _ in range(MAX_TRIES):
        if number is None:
            return Leaving.NO_NUMBER
        try:
            made, when = await agree(call, number, queue, house, expected=expected, due_by=due_by)
        except StoreUnavailableError:
            # Never acknowledge what is not on disk.
            return Leaving.NOT_KEPT
        if isinstance(made, Made):
            await acknowledge(call, made, queue, house, when=when)
            return Leaving.PROMISED if made.is_new else Leaving.MERGED
        await call.play(prompts.NUMBER_NOT_ALLOWED)
        number = await keyed_number(call, house.plan)
    return Leaving.NO_NUMBER


async def agree(
    call: Conversation,
    number: DialableNumber,
    queue: Queue,
    house: House,
    *,
    expected: WaitRange | None,
    due_by: datetime | None = None,
) -> tuple[Made | NumberBlocked, Slot | Soon]:
    """Agree on a time with the caller, and make the promise. Raises StoreUnavailableError."""
    when = await choose_time(call, queue, house, number=number.e164, expected=expected)
    while isinstance(made := await house.promises.make(wanted(call, queue, number, when, due_by)), SlotFull):
        await call.play(prompts.SLOT_TAKEN)
        slot = await choose_slot(call, queue, house, number=number.e164)
        when = slot or await choose_time(call, queue, house, number=number.e164, expected=expected)
    return made, when


def wanted(
    call: Conversation, queue: Queue, number: DialableNumber, when: Slot | Soon, due_by: datetime | None = None
) -> NewPromise:
    """Return what the caller asks for. Who is called as soon as possible keeps the place of their arrival.

    What they were told of their wait (`due_by`) holds for them too, unless the queue has to open first.
    """
    soon, slot = (when, None) if isinstance(when, Soon) else (None, when)
    return NewPromise(
        queue=queue.name,
        number=number.e164,
        language=call.language,
        since=call.facts.arrived_at,
        call_id=call.id,
        not_before=soon.not_before if soon else None,
        slot=slot,
        slot_capacity=queue.slots.capacity if queue.slots else 0,
        due_by=None if soon is None or soon.opens_first else due_by,
        confirm=queue.confirm_sms and takes_sms(number),
    )


async def acknowledge(
    call: Conversation, made: Made, queue: Queue, house: House, *, when: Slot | Soon | None = None
) -> None:
    """Tell the caller what was promised. Whoever hangs up before the end of it keeps the promise all the same."""
    opens_first = isinstance(when, Soon) and when.opens_first
    with suppress(CallerHungUp):
        await call.remember(stage=Stage.BOOKED)
        await call.play(*promised_words(made, queue, call.language, house, opens_first=opens_first))


def promised_words(made: Made, queue: Queue, language: str, house: House, *, opens_first: bool) -> list[str]:
    """Return the prompts that say what was promised: the window, or in turn, or that it was promised before."""
    slot = made.promise.slot
    if slot is not None:
        zone = queue.hours.zone
        today = house.clock.now().astimezone(zone).date()
        window = spoken.window(slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone), today, language)
        return [prompts.SLOT_BEFORE if made.is_new else prompts.PROMISE_MOVED, *window, prompts.SLOT_AFTER]
    if not made.is_new:
        return [prompts.PROMISE_EXISTS, prompts.GOODBYE]
    return [prompts.PROMISE_ASAP_OPENING if opens_first else prompts.PROMISE_MADE]


async def number_to_call(call: Conversation, plan: NumberPlan) -> DialableNumber | None:
    """Return the number that the caller confirmed, or None when there is none after a few tries."""
    shown = shown_number(call, plan)
    if shown is not None:
        question = (prompts.OFFER_CALLING_NUMBER, *spoken.number(shown.printed), prompts.USE_THIS_NUMBER)
        if await pick_key(call, *question, keys="12") == YES:
            return shown
    else:
        await call.play(why_not_shown(call.facts.number))
    return await keyed_number(call, plan)


def why_not_shown(number: str | None) -> str:
    """Return the prompt for a caller whose own number is of no use: withheld, an extension, or nobody's to call."""
    if not number:
        return prompts.NUMBER_HIDDEN
    return prompts.NUMBER_INTERNAL if len(number) < SHORTEST_OUTSIDE else prompts.NUMBER_HIDDEN


async def keyed_number(call: Conversation, plan: NumberPlan) -> DialableNumber | None:
    """Ask for a number by keys until one is valid and confirmed."""
    for _ in range(MAX_TRIES):
        entered = await call.ask(prompts.ENTER_NUMBER, keypad=PHONE_NUMBER)
        if not entered:
            await call.play(prompts.NOTHING_HEARD)
            continue
        match check(entered, plan):
            case DialableNumber() as number:
                spoken_back = spoken.number(number.printed)
                if await pick_key(call, prompts.YOU_ENTERED, *spoken_back, prompts.CONFIRM_NUMBER, keys="12") == YES:
                    return number
            case refusal:
                await call.play(WHY_REFUSED[refusal])
    await call.play(prompts.NUMBER_TRIES_OVER)
    return None


async def pick_key(call: Conversation, *question: str, keys: str) -> str:
    """Ask until one of `keys` is pressed, and return it. "" after a few tries."""
    for _ in range(MAX_TRIES):
        key = await call.ask(*question, keypad=ONE_KEY)
        if key and key in keys:
            return key
    return ""
