"""Over the API: a promise is made, by the rules that hold on the phone and on the booking page."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.booking import soon_of, windows_of
from controller.console.api.operation import Answered, Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.promise_shapes import PromiseMade, promise_item
from controller.console.api.promises import kept
from controller.console.api.shapes import Asked, At, PhoneNumber, QueueName
from controller.domain.access import Scope
from controller.domain.phone_number import DialableNumber, as_e164, check
from controller.ports.promises import Made, NewPromise, NumberBlocked, SlotFull

if TYPE_CHECKING:
    from datetime import datetime

    from controller.console.house import ConsoleHouse, ShownQueue
    from controller.domain.slots import Slot

Language = Annotated[str, Meta(pattern=r"^[a-z]{2}(?!\n)$", examples=["ja"])]
FURTHEST = timedelta(days=31)
"""Nobody is promised a call later than that."""


class PromiseWanted(Asked, frozen=True):
    """A callback that somebody asks for."""

    queue: QueueName
    number: PhoneNumber
    language: Annotated[Language | None, Meta(description="Null: that of the queue")] = None
    slot_starts_at: Annotated[
        At | None, Meta(description="The window that begins then, one of GET /slots; null: as soon as possible")
    ] = None
    not_before: Annotated[At | None, Meta(description="As soon as possible from then on; not with a window")] = None
    confirm: Annotated[bool, Meta(description="An SMS tells the customer what was promised")] = False


async def create_promise(ask: Ask[Nothing, PromiseWanted]) -> Answered[PromiseMade]:
    """Promise a call. Raises Refusal, StoreUnavailableError."""
    house, wanted = ask.house, ask.body
    shown = house.queues.get(wanted.queue)
    if shown is None:
        raise Refusal.at("body.queue", "there is no such queue")
    number = _dialable(house, wanted.number)
    if wanted.slot_starts_at is not None and wanted.not_before is not None:
        raise Refusal.at("body.not_before", "means nothing with a window: leave one of the two out")
    slot = None if wanted.slot_starts_at is None else await _slot(house, shown, number, wanted.slot_starts_at)
    queue = shown.queue
    made = await house.store.promises.make(
        NewPromise(
            queue=queue.name,
            number=number,
            language=wanted.language or queue.language,
            since=house.now,
            # Asked again after a crash, it is the same promise.
            call_id=f"api-{ask.key}",
            not_before=None if slot else _not_before(house, shown, wanted),
            slot=slot,
            slot_capacity=queue.slots.capacity if queue.slots else None,
            confirm=wanted.confirm,
        )
    )
    match made:
        case NumberBlocked():
            raise Refusal(Kind.NUMBER_BLOCKED)
        case SlotFull():
            raise Refusal(Kind.SLOT_FULL)
        case Made(promise, is_new):
            item = promise_item(await kept(house, promise.id), ask.shown)
            status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
            return Answered(PromiseMade(promise=item, is_new=is_new), int(status))


def _dialable(house: ConsoleHouse, written: str) -> str:
    """Return a number that may be promised a call, E.164. Raises Refusal."""
    number = as_e164(written, house.plan.home)
    if number is None:
        raise Refusal.at("body.number", "is no phone number")
    found = check(number, house.plan)
    if not isinstance(found, DialableNumber):
        raise Refusal.at("body.number", f"may not be called: {found.value}")
    return found.e164


async def _slot(house: ConsoleHouse, shown: ShownQueue, number: str, starts_at: datetime) -> Slot:
    """Return the free window that begins then. Raises Refusal, StoreUnavailableError."""
    for window in await windows_of(house, shown, number):
        if window.slot.starts_at == starts_at:
            if window.is_free:
                return window.slot
            raise Refusal(Kind.SLOT_FULL)
    raise Refusal.at("body.slot_starts_at", "no window in which this number can be called begins then: see GET /slots")


def _not_before(house: ConsoleHouse, shown: ShownQueue, wanted: PromiseWanted) -> datetime:
    """Return from when on the call can be made. Raises Refusal."""
    soon = soon_of(house, shown).not_before
    if wanted.not_before is None:
        return soon
    if wanted.not_before <= house.now:
        raise Refusal.at("body.not_before", "is past")
    if wanted.not_before > house.now + FURTHEST:
        raise Refusal.at("body.not_before", f"is more than {FURTHEST.days} days ahead")
    return max(soon, wanted.not_before)


OPERATIONS = (
    Operation(
        "POST",
        "/promises",
        create_promise,
        tag=Tag.PROMISES,
        summary="Promise a call",
        description="200 instead of 201: the number already had a promise with the queue, which keeps its place and "
        "has taken the wish in.",
        answer=PromiseMade,
        scope=Scope.PROMISES_WRITE,
        body=PromiseWanted,
        problems=(Kind.NUMBER_BLOCKED, Kind.SLOT_FULL),
        status=201,
        other_status=200,
        wants_key=True,
    ),
)
