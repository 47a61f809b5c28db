"""Taking a callback number: use the one shown, or key another; read it back; promise."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.digits import ONE_KEY, PHONE_NUMBER
from controller.domain.phone_number import DialableNumber, Refusal, check
from controller.journeys import prompts
from controller.ports.calls import CallerHungUp, Stage
from controller.ports.promises import NewPromise, StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.phone_number import NumberPlan
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.promises import Made

YES, NO = "1", "2"
MAX_TRIES = 3
GOODBYE_S = 8
"""How long a caller is left in peace after the promise: to hear it to its end, and to hang up."""


async def leave_number(call: Call, queue: Queue, house: House) -> bool:
    """Take a number and make the promise. False: no number was left, or it could not be kept; the caller holds on."""
    await call.remember(stage=Stage.LEAVING_NUMBER)
    number = await number_to_call(call, house.plan)
    if number is None:
        await back_to_hold(call, prompts.BACK_TO_HOLD)
        return False
    try:
        made = await house.promises.make(
            NewPromise(
                queue=queue.name,
                number=number.e164,
                language=call.language,
                since=call.facts.arrived_at,
                call_id=call.id,
                not_before=house.clock.now() + timedelta(seconds=GOODBYE_S),
            )
        )
    except StoreUnavailableError:
        # Never acknowledge what is not on disk: say so, and keep the caller in line.
        await back_to_hold(call, prompts.PROMISE_FAILED)
        return False
    await acknowledge(call, made)
    return True


async def acknowledge(call: Call, made: Made) -> None:
    """Tell the caller what was promised. Whoever hangs up before the end of it keeps the promise all the same."""
    with suppress(CallerHungUp):
        await call.remember(stage=Stage.BOOKED)
        await call.play(prompts.PROMISE_MADE if made.is_new else prompts.PROMISE_EXISTS)


async def back_to_hold(call: Call, prompt: str) -> None:
    """Say why the caller holds on."""
    await call.play(prompt)
    await call.remember(stage=Stage.IN_LINE)


async def number_to_call(call: Call, plan: NumberPlan) -> DialableNumber | None:
    """Return the number that the caller confirmed, or None when there is none after a few tries."""
    shown = check(call.facts.number or "", plan)
    if isinstance(shown, DialableNumber):
        spoken = prompts.spoken_number(shown.printed)
        question = (prompts.OFFER_CALLING_NUMBER, *spoken, prompts.USE_THIS_NUMBER)
        if await choose(call, *question) == YES:
            return shown
    return await keyed_number(call, plan)


async def keyed_number(call: Call, plan: NumberPlan) -> DialableNumber | None:
    """Ask for a number by keys until one is valid and confirmed."""
    for _ in range(MAX_TRIES):
        entered = await call.ask(prompts.ENTER_NUMBER, keypad=PHONE_NUMBER)
        if not entered:
            await call.play(prompts.NOTHING_HEARD)
            continue
        match check(entered, plan):
            case DialableNumber() as number:
                spoken = prompts.spoken_number(number.printed)
                if await choose(call, prompts.YOU_ENTERED, *spoken, prompts.CONFIRM_NUMBER) == YES:
                    return number
            case Refusal.NOT_A_NUMBER | Refusal.INVALID:
                await call.play(prompts.NUMBER_INVALID)
            case _:
                await call.play(prompts.NUMBER_NOT_ALLOWED)
    return None


async def choose(call: Call, *question: str) -> str:
    """Ask for 1 or 2 and return it; any other key, or none, has the question repeated. "" after a few tries."""
    for _ in range(MAX_TRIES):
        key = await call.ask(*question, keypad=ONE_KEY)
        if key in (YES, NO):
            return key
    return ""
