"""Keeping a promise, customer first: ring the customer; once they have said yes they wait at the front of the line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.outcome import Outcome
from controller.journeys.dialled import NotDialled
from controller.journeys.on_deck import on_deck
from controller.journeys.underway import claim, prepared

if TYPE_CHECKING:
    from controller.domain.promise import Promise
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue


async def customer_first(promise: Promise, queue: Queue, house: House) -> Dialled | NotDialled:
    """Ring the customer, and have the next agent who is free for them.

    Raises StoreUnavailableError when the attempt cannot be written; nobody was dialled then.
    """
    claimed = await claim(promise, house.new_id(), house)
    if isinstance(claimed, NotDialled):
        return claimed
    async with prepared(claimed, queue, house) as underway:
        return underway.ended(await underway.reach() or await on_deck(underway))


async def rehearse_callback(promise: Promise, queue: Queue, house: House) -> Dialled | NotDialled:
    """Do everything for a callback but the call (`House.dry_run`); no agent is rung.

    Raises StoreUnavailableError when the attempt cannot be written.
    """
    claimed = await claim(promise, house.new_id(), house)
    if isinstance(claimed, NotDialled):
        return claimed
    async with prepared(claimed, queue, house) as underway:
        # None would be a real call: it is hung up, and looked into.
        return underway.ended(await underway.ring() or Outcome.UNKNOWN)
