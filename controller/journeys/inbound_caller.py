"""A caller, from the first ring to an agent, a promise, or a hang-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.journeys.destinations import follow
from controller.journeys.shown_number import shown_number
from controller.ports.calls import Stage

if TYPE_CHECKING:
    from controller.domain.call_ending import Ending
    from controller.domain.menu import Entrance
    from controller.journeys.house import House
    from controller.ports.calls import Call


async def inbound_caller(call: Call, entrance: Entrance, house: House) -> Ending:
    """Greet the caller in their language, and see them to where the number that they dialled leads.

    Raises CallerHungUp when they left before an agent or a promise was reached: an abandoned call (放棄呼).
    """
    await call.remember(stage=Stage.GREETING)
    await call.answer()
    await speak_their_language(call, house)
    await call.play(entrance.welcome)
    return await follow(entrance.leads_to, call, house)


async def speak_their_language(call: Call, house: House) -> None:
    """Go on in the language that the caller chose on an earlier call, if they did; else in that of the entrance."""
    shown = shown_number(call, house.plan)
    if house.callers is None or shown is None:
        return
    language = await house.callers.language_of(shown.e164)
    if language is not None and language in house.languages:
        await call.remember(language=language)
