"""The do-not-call list over the API: who is never called or texted again."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003 - msgspec reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.promise_shapes import NextCursor  # noqa: TC001 - msgspec reads the annotations
from controller.console.api.shapes import Asked, At, Cursor, Frozen, Limit
from controller.console.trail import tell
from controller.domain.access import Scope
from controller.domain.phone_number import as_e164

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_LONGEST_REASON = 200


class OfList(Asked, frozen=True):
    """Which part of the list."""

    limit: Limit = 50
    cursor: Cursor | None = None


class BlockedItem(Frozen, frozen=True):
    """A number on the list."""

    number: Annotated[str, Meta(description="Masked without numbers:read, and where the list is kept as hashes")]
    reason: str
    blocked_at: At


class BlockedPage(Frozen, frozen=True):
    """Numbers on the list, the newest first."""

    do_not_call: tuple[BlockedItem, ...]
    next_cursor: NextCursor


class Blocking(Asked, frozen=True):
    """Why a number is put on the list."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=_LONGEST_REASON, description="One line", examples=["asked by letter"])
    ] = "asked for over the API"


class BlockedNow(Frozen, frozen=True):
    """The number is on the list."""

    number: str
    cancelled: Annotated[tuple[str, ...], Meta(description="The promises that were cancelled by it, by their ids")]


class _Place(msgspec.Struct, frozen=True):
    """Where a page ends."""

    blocked_at: datetime
    number: str


async def list_do_not_call(ask: Ask[OfList, Nothing]) -> BlockedPage:
    """Return a page of the list. Raises Refusal, StoreUnavailableError."""
    asked = ask.query
    mine = ["do-not-call", ask.who.kind, ask.who.name]
    found = await ask.house.store.do_not_call.listed()
    if asked.cursor is not None:
        after = ask.cursors.read(asked.cursor, mine, _Place)
        found = [one for one in found if (one.blocked_at, one.number) < (after.blocked_at, after.number)]
    shown = found[: asked.limit]
    return BlockedPage(
        do_not_call=tuple(
            BlockedItem(number=ask.shown(one.number) or "", reason=one.reason, blocked_at=one.blocked_at)
            for one in shown
        ),
        next_cursor=ask.cursors.make(_Place(shown[-1].blocked_at, shown[-1].number), mine)
        if len(found) > len(shown)
        else None,
    )


async def block_number(ask: Ask[Nothing, Blocking]) -> BlockedNow:
    """Put a number on the list. Raises Refusal, StoreUnavailableError."""
    number, reason = _number(ask.house, ask.path["number"]), ask.body.reason.strip()
    if not reason or not reason.isprintable():
        raise Refusal.at("body.reason", "has to be one line of text")
    cancelled = [promise.id for promise in await ask.house.store.do_not_call.block(number, reason=reason)]
    tell(ask.request, cancelled=len(cancelled))
    return BlockedNow(number=ask.shown(number) or "", cancelled=tuple(cancelled))


async def unblock_number(ask: Ask[Nothing, Nothing]) -> None:
    """Take a number off the list. Raises Refusal, StoreUnavailableError."""
    if not await ask.house.store.do_not_call.unblock(_number(ask.house, ask.path["number"])):
        raise Refusal(Kind.NOT_FOUND)


def _number(house: ConsoleHouse, written: str) -> str:
    """Return a number, E.164. Raises Refusal."""
    number = as_e164(written, house.plan.home)
    if number is None or not _E164.fullmatch(number):
        raise Refusal.at("path.number", "is no phone number")
    return number


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET",
        "/do-not-call",
        list_do_not_call,
        tag=Tag.DO_NOT_CALL,
        summary="List numbers that are never called or texted",
        answer=BlockedPage,
        scope=Scope.DO_NOT_CALL_READ,
        query=OfList,
        problems=(Kind.BAD_CURSOR,),
    ),
    Operation(
        "PUT",
        "/do-not-call/{number}",
        block_number,
        tag=Tag.DO_NOT_CALL,
        summary="Never call or text a number again",
        description="Its open promises are cancelled; a talk is not cut. A number that is on the list keeps its first "
        "reason.",
        answer=BlockedNow,
        scope=Scope.DO_NOT_CALL_WRITE,
        body=Blocking,
    ),
    Operation(
        "DELETE",
        "/do-not-call/{number}",
        unblock_number,
        tag=Tag.DO_NOT_CALL,
        summary="Take a number off the list",
        description="What was cancelled stays cancelled.",
        answer=type(None),
        scope=Scope.DO_NOT_CALL_WRITE,
        problems=(Kind.NOT_FOUND,),
    ),
)
