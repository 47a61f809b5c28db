"""Promises over the API: look through them, put one off, cancel it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.promise_shapes import PromiseItem, PromisePage, promise_item
from controller.console.api.shapes import Asked, At, Cursor, Limit, PhoneNumber, QueueName
from controller.domain.access import Scope
from controller.domain.lifecycle import (
    Cancelled,
    CancelReason,
    Postponed,
    PostponeReason,
    RefusedTransitionError,
)
from controller.domain.phone_number import as_e164
from controller.domain.promise import FINAL, PromiseState
from controller.ports.promise_list import Kept, Place, Wanted

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse
    from controller.domain.lifecycle import Event

_OPEN = frozenset(PromiseState) - FINAL


class OfPromises(Asked, frozen=True):
    """Which promises."""

    state: PromiseState | None = None
    open_only: Annotated[bool, Meta(description="Only those that are not over")] = False
    queue: QueueName | None = None
    number: Annotated[PhoneNumber | None, Meta(description="Of one number; takes numbers:read, too")] = None
    made_since: At | None = None
    made_until: Annotated[At | None, Meta(description="Not included")] = None
    limit: Limit = 50
    cursor: Cursor | None = None


class Cancelling(Asked, frozen=True):
    """On whose behalf it is cancelled."""

    reason: Literal["customer", "supervisor", "admin"] = "supervisor"
    confirm: Annotated[bool, Meta(description="An SMS tells the customer that nobody will call")] = False


class Postponing(Asked, frozen=True):
    """Until when it is put off."""

    until: At


class _Place(msgspec.Struct, frozen=True):
    """Where a page ends, in a cursor."""

    made_at: datetime
    id: str


async def list_promises(ask: Ask[OfPromises, Nothing]) -> PromisePage:
    """Return a page of promises. Raises Refusal, StoreUnavailableError."""
    asked = ask.query
    wanted = Wanted(
        states=_states(asked),
        queue=asked.queue,
        number=_number_read(ask, asked.number),
        made_since=asked.made_since,
        made_until=asked.made_until,
    )
    filters = msgspec.structs.replace(asked, cursor=None, limit=1)
    mine = ["promises", filters, ask.who.kind, ask.who.name]
    after = ask.cursors.read(asked.cursor, mine, _Place) if asked.cursor is not None else None
    behind = Place(after.made_at, after.id) if after is not None else None
    page = await ask.house.store.promise_list.page(wanted, after=behind, limit=asked.limit)
    return PromisePage(
        promises=tuple(promise_item(one, ask.shown) for one in page.found),
        next_cursor=ask.cursors.make(page.ends_at, mine) if page.ends_at else None,
    )


async def get_promise(ask: Ask[Nothing, Nothing]) -> PromiseItem:
    """Return one promise. Raises Refusal, StoreUnavailableError."""
    return promise_item(await kept(ask.house, ask.path["promise"]), ask.shown)


async def cancel_promise(ask: Ask[Nothing, Cancelling]) -> PromiseItem:
    """Cancel a promise. Raises Refusal, StoreUnavailableError."""
    return await _advance(ask, Cancelled(CancelReason(ask.body.reason), confirm=ask.body.confirm))


async def postpone_promise(ask: Ask[Nothing, Postponing]) -> PromiseItem:
    """Put a promise off. Raises Refusal, StoreUnavailableError."""
    house, until = ask.house, ask.body.until
    promise = (await kept(house, ask.path["promise"])).promise
    if until <= house.now:
        raise Refusal.at("body.until", "is past")
    if not promise.state.is_final and until >= promise.expires_at:
        expires = f"{promise.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        raise Refusal.at("body.until", f"the promise expires at {expires}: nobody would be called any more")
    return await _advance(ask, Postponed(until, PostponeReason.SUPERVISOR))


async def kept(house: ConsoleHouse, promise_id: str) -> Kept:
    """Return one promise. Raises Refusal when there is none, StoreUnavailableError."""
    try:
        return await house.store.promise_list.one(promise_id)
    except LookupError:
        raise Refusal(Kind.NOT_FOUND) from None


async def _advance(ask: Ask[Nothing, Cancelling] | Ask[Nothing, Postponing], event: Event) -> PromiseItem:
    promise_id = ask.path["promise"]
    try:
        await ask.house.store.promises.advance(promise_id, event)
    except LookupError:
        raise Refusal(Kind.NOT_FOUND) from None
    except RefusedTransitionError:
        state = (await kept(ask.house, promise_id)).promise.state
        raise Refusal(Kind.NOT_NOW, f"the promise is {state}") from None
    return promise_item(await kept(ask.house, promise_id), ask.shown)


def _states(asked: OfPromises) -> frozenset[PromiseState] | None:
    states = None if asked.state is None else frozenset({asked.state})
    return (states or _OPEN) & _OPEN if asked.open_only else states


def _number_read(ask: Ask[OfPromises, Nothing], written: str | None) -> str | None:
    """Return the number to look for, E.164. Raises Refusal."""
    if written is None:
        return None
    if not ask.who.may(Scope.NUMBERS_READ):
        # Whoever sees masked numbers could find out the rest by asking for one after the other.
        raise Refusal(Kind.NOT_ALLOWED, "to look for a number takes numbers:read")
    number = as_e164(written, ask.house.plan.home)
    if number is None:
        raise Refusal.at("query.number", "is no phone number")
    return number


_CHANGES = (Kind.NOT_FOUND, Kind.NOT_NOW)
OPERATIONS = (
    Operation(
        "GET",
        "/promises",
        list_promises,
        tag=Tag.PROMISES,
        summary="List promises, the last to be made first",
        description="Page by page: promises that are made meanwhile do not move the pages that follow.",
        answer=PromisePage,
        scope=Scope.PROMISES_READ,
        query=OfPromises,
        problems=(Kind.BAD_CURSOR,),
    ),
    Operation(
        "GET",
        "/promises/{promise}",
        get_promise,
        tag=Tag.PROMISES,
        summary="Show a promise",
        answer=PromiseItem,
        scope=Scope.PROMISES_READ,
        problems=(Kind.NOT_FOUND,),
    ),
    Operation(
        "POST",
        "/promises/{promise}/cancel",
        cancel_promise,
        tag=Tag.PROMISES,
        summary="Cancel a promise",
        description="A call that is on its way is taken back; a talk is not cut.",
        answer=PromiseItem,
        scope=Scope.PROMISES_WRITE,
        body=Cancelling,
        problems=_CHANGES,
    ),
    Operation(
        "POST",
        "/promises/{promise}/postpone",
        postpone_promise,
        tag=Tag.PROMISES,
        summary="Put a promise off",
        description="No attempt is used. A promise that is not due before `until` anyway stays as it is.",
        answer=PromiseItem,
        scope=Scope.PROMISES_WRITE,
        body=Postponing,
        problems=_CHANGES,
    ),
)
