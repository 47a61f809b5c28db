"""Over the API: at which times callbacks can be booked."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from controller.console.api.booking import soon_of, windows_of
from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Refusal
from controller.console.api.shapes import Asked, At, Frozen, PhoneNumber, QueueName
from controller.domain.access import Scope
from controller.domain.phone_number import as_e164


class OfSlots(Asked, frozen=True):
    """Which windows."""

    queue: QueueName
    days: Annotated[int, Meta(ge=1, le=31, description="How many times 24 hours are looked ahead")] = 7
    number: Annotated[
        PhoneNumber | None, Meta(description="Only those in which this number may be rung, by its calling hours")
    ] = None
    full: Annotated[bool, Meta(description="Those without a place left, too")] = False


class SlotItem(Frozen, frozen=True):
    """A window."""

    starts_at: At
    ends_at: At
    places_left: Annotated[int | None, Meta(description="Null: any number, since the queue has no plan")]


class SlotList(Frozen, frozen=True):
    """The windows of a queue, soonest first."""

    queue: str
    slots: tuple[SlotItem, ...]
    soon: Annotated[At, Meta(description="When a call as soon as possible would come at the earliest")]
    opens_first: Annotated[bool, Meta(description="As soon as possible means: once the queue has opened again")]


async def list_slots(ask: Ask[OfSlots, Nothing]) -> SlotList:
    """Return the windows of a queue. Raises Refusal, StoreUnavailableError."""
    house, asked = ask.house, ask.query
    shown = house.queues.get(asked.queue)
    if shown is None:
        raise Refusal.at("query.queue", "there is no such queue")
    number = None if asked.number is None else as_e164(asked.number, house.plan.home)
    if asked.number is not None and number is None:
        raise Refusal.at("query.number", "is no phone number")
    soon = soon_of(house, shown)
    windows = await windows_of(house, shown, number)
    return SlotList(
        queue=asked.queue,
        slots=tuple(
            SlotItem(starts_at=each.slot.starts_at, ends_at=each.slot.ends_at, places_left=each.places_left)
            for each in windows
            if (each.is_free or asked.full) and (each.slot.starts_at - house.now).days < asked.days
        ),
        soon=soon.not_before,
        opens_first=soon.opens_first,
    )


OPERATIONS = (
    Operation(
        "GET",
        "/slots",
        list_slots,
        tag=Tag.PROMISES,
        summary="List the windows in which a callback can be booked",
        description="No further ahead than the plan of the queue goes.",
        answer=SlotList,
        scope=Scope.PROMISES_READ,
        query=OfSlots,
    ),
)
