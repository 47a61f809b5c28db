"""A customer who rings again while a promise is open: recognised, in the original place, and not called as well."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.lifecycle import CustomerRangIn, RefusedTransitionError
from controller.domain.phone_number import DialableNumber, check
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.house import House, Queue
    from controller.ports.calls import Conversation


async def open_promise(call: Conversation, queue: Queue, house: House) -> Promise | None:
    """Return the open promise of the number that calls, if any; None too when the database cannot tell."""
    number = check(call.facts.number or "", house.plan)
    if not isinstance(number, DialableNumber):
        return None
    try:
        return await house.promises.open_for(queue.name, number.e164)
    except StoreUnavailableError:
        return None


async def note_rang_in(promise: Promise, house: House) -> None:
    """Settle the promise: its customer talks with an agent now.

    Refused while its dial is still being withdrawn, or when it is settled already: the second time says nothing new.
    """
    with suppress(StoreUnavailableError, RefusedTransitionError):
        await house.promises.advance(promise.id, CustomerRangIn())
