"""All operations of the API, and the doors that are made of them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from controller.console.api import (
    about,
    agents,
    audit,
    card,
    do_not_call,
    events,
    explanation,
    figures,
    floor,
    hooks,
    keys,
    numbers,
    people,
    promise_making,
    promises,
    recordings,
    redial,
    slots,
    sms,
    staffing,
)
from controller.console.api.answering import door_of
from controller.console.api.cursors import Cursors
from controller.console.api.openapi import describe
from controller.console.api.operation import Ask, Nothing, Operation, Tag

if TYPE_CHECKING:
    from controller.console.doors import Door
    from controller.console.house import ConsoleHouse

_SECRET_BYTES = 32
_ROOMS = (
    floor,
    agents,
    card,
    redial,
    events,
    explanation,
    promises,
    slots,
    recordings,
    figures,
    staffing,
    do_not_call,
    sms,
    audit,
    hooks,
    keys,
    numbers,
    people,
    promise_making,
    about,
)


def operations(public_url: str) -> tuple[Operation[Any, Any, Any], ...]:
    """Return every operation, the description of all of them included; it is told below a public address."""
    known: list[Operation[Any, Any, Any]] = [one for room in _ROOMS for one in room.OPERATIONS]

    async def get_openapi(_: Ask[Nothing, Nothing]) -> web.Response:
        return web.Response(body=written, content_type="application/json")

    known.append(
        Operation(
            "GET",
            "/openapi.json",
            get_openapi,
            tag=Tag.ABOUT,
            summary="Describe the API (OpenAPI 3.1)",
            answer=dict,
            scope=None,
            is_public=True,
        )
    )
    written = msgspec.json.encode(describe(known, public_url))
    return tuple(known)


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the doors of the API. Without a key that stays, a cursor is good for as long as this process lives."""
    cursors = Cursors(house.cursor_key or secrets.token_bytes(_SECRET_BYTES))
    return tuple(door_of(one, house, cursors) for one in operations(house.public_url))
