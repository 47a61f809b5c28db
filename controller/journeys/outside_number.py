"""A caller who is sent to a number outside: an answering service, another office."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.journeys import prompts
from controller.journeys.race import first_of
from controller.ports.calls import CallerHungUp, PbxUnavailableError, Stage

if TYPE_CHECKING:
    from controller.journeys.house import House
    from controller.ports.calls import Call

RING_TIMEOUT_S = 45


async def connect_outside(call: Call, number: str, house: House) -> Ending | None:
    """Dial `number` while the caller hears music, and join the two until one hangs up. None: nobody answered there."""
    await call.play(prompts.TRANSFERRING)

    async def note_talk() -> None:
        with suppress(CallerHungUp, PbxUnavailableError):  # They were connected all the same.
            await call.remember(stage=Stage.TALKING)

    async with house.telephony.external_leg(
        number, for_call=call.id, shown_number=call.facts.number, ring_timeout_s=RING_TIMEOUT_S
    ) as leg:
        music = call.hold(house.first_queue.name)
        _, failure = await first_of(failure=leg.dial(), music=music)
        if failure is None and await call.connect(leg, on_joined=note_talk):
            return Ending.TRANSFERRED
    await call.play(prompts.TRANSFER_FAILED)
    return None
