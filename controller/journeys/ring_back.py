"""A customer who rings again while a promise is open: recognised, in the original place, and not called as well."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.lifecycle import CustomerRangIn, RefusedTransitionError
from controller.domain.promise import PromiseState
from controller.journeys.shown_number import shown_number
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation

RETRY_S = 1.0
ASK_AGAIN_S = 0.5


async def open_promise(call: Conversation, queue: Queue, house: House) -> Promise | None:
    """Return the open promise of the number that calls, if any; None too when the database cannot tell, asked twice."""
    number = shown_number(call, house.plan)
    if number is None:
        return None
    with suppress(StoreUnavailableError):
        return await house.promises.open_for(queue.name, number.e164)
    await house.clock.sleep(ASK_AGAIN_S)
    with suppress(StoreUnavailableError):
        return await house.promises.open_for(queue.name, number.e164)
    return None


def is_from_before(promise: Promise, call: Conversation) -> bool:
    """Tell whether a promise was left before this call came. Of a chosen time it cannot be told: it counts as not.

    Rather is somebody called at the time that they chose, though they have talked, than nobody.
    """
    return promise.slot is None and promise.since <= call.facts.arrived_at


async def note_rang_in(promise: Promise, call: Conversation, house: House) -> bool:
    """Settle the promise: its customer talks with an agent now. False: that has to be written once more, later."""
    try:
        await house.promises.advance(promise.id, CustomerRangIn(call.id))
    except StoreUnavailableError:
        return False
    except RefusedTransitionError:  # Settled already, in whichever way; or its dial is still being withdrawn.
        with suppress(StoreUnavailableError):
            return (await house.promises.get(promise.id)).state is not PromiseState.DIALLING
        return False
    return True


async def settle_rang_in(promise: Promise, call: Conversation, house: House) -> None:
    """Settle the promise of a customer who has talked, however long that takes: they must not be called as well."""
    while not await note_rang_in(promise, call, house):
        await house.clock.sleep(RETRY_S)
