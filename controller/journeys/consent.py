"""Recording is announced, or asked about, before an agent is rung for somebody; what they say stays on their call."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import structlog

from controller.domain.digits import ONE_KEY
from controller.domain.recording import Consent, RecordingMode
from controller.journeys import prompts
from controller.ports.calls import PbxUnavailableError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from controller.journeys.house import House, Queue
    from controller.ports.calls import Call
    from controller.ports.line import Place

log = structlog.get_logger(__name__)

MAX_TRIES = 2
"""Who presses another key is asked once more; who presses none has refused."""


def is_owed(call: Call, queue: Queue, house: House) -> bool:
    """Tell whether something is to be said of recording before this party talks with an agent of the queue.

    Once a call; again only where they were told elsewhere, and are asked here.
    """
    if house.recordings is None:
        return False
    match queue.recording:
        case RecordingMode.OFF:
            return False
        case RecordingMode.ANNOUNCED:
            return call.consent is None
        case RecordingMode.ASKED:
            return call.consent in {None, Consent.TOLD}


def aside_for_it(place: Place, call: Call, queue: Queue, house: House) -> AbstractContextManager[None]:
    """Return what keeps somebody's place, and has nobody rung for them, while they are told, if they are to be."""
    return place.step_aside() if is_owed(call, queue, house) else nullcontext()


async def settle_consent(call: Call, queue: Queue, house: House) -> None:
    """Announce the recording, or ask about it, if that is owed. Raises CallerHungUp.

    What is remembered is what was heard to its end, or keyed: whom a fault or a restart cut off is not recorded, and
    told again.
    """
    if not is_owed(call, queue, house):
        return
    try:
        if queue.recording is RecordingMode.ASKED:
            consent = await asked(call)
        else:
            await call.play(prompts.RECORDING_NOTICE)
            consent = Consent.TOLD
        await call.remember(consent=consent)
    except PbxUnavailableError as error:
        log.error("a talk will not be recorded: its notice cannot be played", call_id=call.id, reason=str(error))  # noqa: TRY400 - expected


async def asked(call: Call) -> Consent:
    """Ask, and return what they said. Raises CallerHungUp."""
    # A key that was pressed for something else, before the question, agrees to nothing.
    while await call.ask(keypad=ONE_KEY, first_key_timeout_s=0):
        pass
    for _ in range(MAX_TRIES):
        match await call.ask(prompts.RECORDING_ASK, keypad=ONE_KEY):
            case "1":
                return Consent.AGREED
            case "2" | "":
                return Consent.REFUSED
    return Consent.REFUSED
