"""Booking a callback for the customer whom an agent serves (再架電): in a window of the queue, or as soon as possible.

It is a promise like every other: the same numbers, hours, windows and do-not-call list, and the same line.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.booking import soon_of, windows_of
from controller.console.api.card import WaiterId, dialable, is_busy_with, serving_now, theirs
from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen, NumberShown, QueueName
from controller.domain.access import Scope
from controller.domain.phone_number import as_printed, mask
from controller.domain.promise import PromiseState
from controller.ports.promises import Made, NewPromise, NumberBlocked

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse, ShownQueue
    from controller.domain.card import About
    from controller.domain.slots import Slot

_UNDERWAY = frozenset({PromiseState.DIALLING, PromiseState.CONNECTED})
_AFTERWARDS = "Book it in the wrap-up, once this talk is over"
_CREATED = 201


class OfWindows(Asked, frozen=True):
    """For whom, and with which queue."""

    waiter_id: WaiterId
    queue: QueueName | None = None
    """None: that of the waiter."""


class Window(Frozen, frozen=True):
    """A time at which the customer can be called."""

    starts_at: At
    ends_at: At


class Windows(Frozen, frozen=True):
    """The times at which the customer can be called."""

    queue: str
    windows: tuple[Window, ...]
    soon: At
    """When a call as soon as possible would come at the earliest."""
    opens_first: bool
    """As soon as possible means: once the queue has opened again."""
    can_be_soon: bool
    """False while the talk goes on: the customer's line is busy with us."""


class RedialSent(Asked, frozen=True):
    """What the customer was promised."""

    waiter_id: WaiterId
    starts_at: At | None = None
    """The window that begins then, one of GET; null: as soon as possible."""
    queue: QueueName | None = None
    """Null: the queue of the waiter."""
    number: Annotated[str, Meta(max_length=21, pattern=r"^\+?[0-9]*$")] = ""
    """Another number that the customer named; empty: the one of the talk."""
    confirm: bool = False
    """An SMS tells the customer what was promised."""


class Redial(Frozen, frozen=True):
    """The promise as it now stands."""

    promise_id: str
    is_new: bool
    """False: the number had a promise with that queue already, which has taken this wish in."""
    queue: str
    number: NumberShown
    printed: str
    not_before: At
    slot_starts_at: At | None
    slot_ends_at: At | None


async def list_windows(ask: Ask[OfWindows, Nothing]) -> Windows:
    """Return when the customer of a talk can be called again."""
    house, agent, waiter_id = ask.house, theirs(ask), ask.query.waiter_id
    about = await _whose(ask, agent, waiter_id)
    shown = _queue(house, ask.query.queue or about.arrival.queue)
    number = dialable(about.arrival.number, house)
    windows = await _windows(house, shown, number) if number else []
    soon = soon_of(house, shown)
    return Windows(
        queue=shown.queue.name,
        windows=tuple(Window(starts_at=each.starts_at, ends_at=each.ends_at) for each in windows),
        soon=soon.not_before,
        opens_first=soon.opens_first,
        can_be_soon=not is_busy_with(house.floor.now(), agent, waiter_id),
    )


async def book_redial(ask: Ask[Nothing, RedialSent]) -> Redial:
    """Promise the customer of a talk another call."""
    house, agent, sent = ask.house, theirs(ask), ask.body
    about = await _whose(ask, agent, sent.waiter_id)
    shown = _queue(house, sent.queue or about.arrival.queue)
    number = dialable(sent.number or about.arrival.number, house)
    if number is None:
        raise Refusal.at("body.number", "may not be called, or is not known")
    await _refuse_while_talking(house, agent, sent, shown, number)
    slot = await _slot(house, shown, number, sent.starts_at) if sent.starts_at else None
    queue = shown.queue
    made = await house.store.promises.make(
        NewPromise(
            queue=queue.name,
            number=number,
            language=await _language(house, number) or queue.language,
            since=house.now,
            call_id=f"desk-{ask.key}",
            not_before=None if slot else soon_of(house, shown).not_before,
            slot=slot,
            slot_capacity=queue.slots.capacity if queue.slots else None,
            confirm=sent.confirm,
        )
    )
    if isinstance(made, NumberBlocked):
        raise Refusal(Kind.NUMBER_BLOCKED)
    if not isinstance(made, Made):
        raise Refusal(Kind.SLOT_FULL)
    promise = made.promise
    if promise.state is PromiseState.CONNECTED:  # since it was looked at
        raise Refusal(Kind.NOT_NOW, _AFTERWARDS)
    is_whole = ask.who.agent == agent or ask.who.may(Scope.NUMBERS_READ)
    return Redial(
        promise_id=promise.id,
        is_new=made.is_new,
        queue=promise.queue,
        number=number if is_whole else mask(number),
        printed=as_printed(number, house.plan.home) if is_whole else mask(number),
        not_before=promise.not_before,
        slot_starts_at=promise.slot.starts_at if promise.slot else None,
        slot_ends_at=promise.slot.ends_at if promise.slot else None,
    )


async def _whose(ask: Ask[OfWindows, Nothing] | Ask[Nothing, RedialSent], agent: str, waiter_id: str) -> About:
    """Return what is known of somebody whom the agent serves, or has served not long ago. Raises Refusal."""
    house = ask.house
    since = house.now - timedelta(seconds=house.desk.notes_open_s)
    is_theirs = serving_now(house.floor.now(), agent, waiter_id) is not None
    if not is_theirs and not await house.store.notes.has_served(waiter_id, agent, since=since):
        raise Refusal(Kind.NOT_NOW, f"{agent} does not serve them, or did so too long ago")
    about = await house.store.notes.about(waiter_id, agent, home=house.plan.home, limit=1)
    if about is None:
        raise Refusal(Kind.NOT_FOUND)
    return about


async def _refuse_while_talking(
    house: ConsoleHouse, agent: str, sent: RedialSent, shown: ShownQueue, number: str
) -> None:
    """Raise Refusal for what could not be kept, or would be lost, because the talk is not over yet.

    A customer who is on the phone with us would be found busy at once. And a promise that is being kept right now
    takes no other wish in: it is fulfilled when the talk ends, and the wish would be gone with it.
    """
    held = await house.store.promises.open_for(shown.queue.name, number)
    is_kept_now = held is not None and held.state in _UNDERWAY
    is_too_soon = sent.starts_at is None and is_busy_with(house.floor.now(), agent, sent.waiter_id)
    if is_kept_now or is_too_soon:
        raise Refusal(Kind.NOT_NOW, _AFTERWARDS)


def _queue(house: ConsoleHouse, name: str) -> ShownQueue:
    found = house.queues.get(name)
    if found is None:
        raise Refusal(Kind.NOT_FOUND, "There is no such queue")
    return found


async def _slot(house: ConsoleHouse, shown: ShownQueue, number: str, starts_at: datetime) -> Slot:
    """Return the window that begins then. Raises Refusal when there is none, or no place in it."""
    for window in await _windows(house, shown, number):
        if window.starts_at == starts_at:
            return window
    raise Refusal(Kind.SLOT_FULL)


async def _windows(house: ConsoleHouse, shown: ShownQueue, number: str) -> list[Slot]:
    """Return the windows with a place for the number, soonest first."""
    return [window.slot for window in await windows_of(house, shown, number) if window.is_free]


async def _language(house: ConsoleHouse, number: str) -> str | None:
    """Return what the customer was spoken to in last, if that is known."""
    return await house.store.callers.language_of(number)


_TALK = "Of a talk that goes on, or was not long ago (`notes_open_h`)."
OPERATIONS = (
    Operation(
        "GET",
        "/agents/{agent}/redial",
        list_windows,
        tag=Tag.AGENTS,
        summary="List when the customer of a talk can be called again",
        description=_TALK,
        answer=Windows,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_WRITE,
        query=OfWindows,
        problems=(Kind.NOT_FOUND, Kind.NOT_NOW),
    ),
    Operation(
        "POST",
        "/agents/{agent}/redial",
        book_redial,
        tag=Tag.AGENTS,
        summary="Book a callback for the customer of a talk",
        description=_TALK,
        answer=Redial,
        scope=Scope.DESK,
        or_scope=Scope.FLOOR_WRITE,
        body=RedialSent,
        problems=(Kind.NOT_FOUND, Kind.NOT_NOW, Kind.NUMBER_BLOCKED, Kind.SLOT_FULL),
        status=_CREATED,
        wants_key=True,
    ),
)
