"""From an operation to a door: what comes in is read, what goes out is written, the same request is answered once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog
from aiohttp import web

from controller.console.api.operation import ROOT, Answered, Ask
from controller.console.api.problems import PROBLEM_TYPE, Kind, Refusal
from controller.console.api.reading import JSON_TYPE, read_key, read_object, read_places, read_query
from controller.console.doors import Door
from controller.console.trail import tell
from controller.domain.phone_number import mask
from controller.ports.answered_requests import Begun, OtherRequest, Told, Underway
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from controller.console.api.cursors import Cursors
    from controller.console.api.operation import Operation
    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal

log = structlog.get_logger(__name__)

_LEAST_ERROR = 400
_LONGEST_TOLD = 64
_UNTOLD = frozenset({"text"})


def door_of(operation: Operation[Any, Any, Any], house: ConsoleHouse, cursors: Cursors) -> Door:
    """Return the door of an operation."""

    async def handle(request: web.Request, who: Principal) -> web.StreamResponse:
        try:
            return await _answer(operation, await _read(operation, house, cursors, request, who))
        except Refusal as refusal:
            return refusal.response()
        except StoreUnavailableError as error:
            log.warning("api_store_unavailable", operation=operation.name, error=str(error))
            return Refusal(Kind.UNAVAILABLE).response()

    return Door(
        operation.method,
        ROOT + operation.path,
        handle,
        operation.scope if operation.or_scope is None else None,
        is_public=operation.is_public,
    )


async def _read(
    operation: Operation[Any, Any, Any], house: ConsoleHouse, cursors: Cursors, request: web.Request, who: Principal
) -> Ask[Any, Any]:
    """Return what is asked. Raises Refusal, HTTPRequestTimeout."""
    if operation.scopes and not any(map(who.may, operation.scopes)):
        raise Refusal(Kind.NOT_ALLOWED, f"this takes {' or '.join(operation.scopes)}")
    places, query = read_places(request), read_query(request, operation.query)
    key = _digest(who.kind, who.name, read_key(request)) if operation.wants_key else ""
    body = await read_object(request, operation.body)
    if operation.has_body:
        tell(request, **_told(body))
    return Ask(house, who, places, query, body, request, cursors, key)


async def _answer(operation: Operation[Any, Any, Any], ask: Ask[Any, Any]) -> web.StreamResponse:
    """Return the answer: the one of before, where the same was asked under the same key."""
    if not ask.key:
        return await _answer_now(operation, ask)
    book = ask.house.store.answered
    match await book.begin(ask.key, _fingerprint(ask), ask.house.now):
        case Told(status, answer):
            return _sent(status, answer.encode())
        case Underway():
            raise Refusal(Kind.STILL_ANSWERING)
        case OtherRequest():
            raise Refusal(Kind.OTHER_REQUEST)
        case Begun(since):
            # The same after a crash, and another one once the sender uses the key for something new.
            named = replace(ask, key=_digest(ask.key, since.isoformat()))
    try:
        response = await _answer_now(operation, named)
    except Refusal as refusal:
        response = refusal.response()
        if refusal.kind is Kind.UNAVAILABLE:
            await book.forget(ask.key)
            return response
    except BaseException:
        # Whoever asks again is to be answered. Where this does not get through, they are after a while.
        await book.forget(ask.key)
        raise
    await book.settle(ask.key, response.status, cast("bytes", cast("web.Response", response).body or b"").decode())
    return response


async def _answer_now(operation: Operation[Any, Any, Any], ask: Ask[Any, Any]) -> web.StreamResponse:
    answer = await operation.handler(ask)
    if isinstance(answer, web.StreamResponse):
        return answer
    status = operation.usual_status
    if isinstance(answer, Answered):
        answer, status = answer.answer, answer.status
    return _sent(status, b"" if answer is None else msgspec.json.encode(answer))


def _sent(status: int, body: bytes) -> web.Response:
    if not body:
        return web.Response(status=status)
    return web.Response(status=status, body=body, content_type=PROBLEM_TYPE if status >= _LEAST_ERROR else JSON_TYPE)


def _fingerprint(ask: Ask[Any, Any]) -> str:
    """Return what is the same for the same request, however its JSON was written."""
    body = msgspec.json.encode(ask.body, order="deterministic").decode()
    query = msgspec.json.encode(ask.query, order="deterministic").decode()
    return _digest(ask.request.method, ask.request.path, query, body)


def _digest(*words: str) -> str:
    return hashlib.sha256(msgspec.json.encode(words)).hexdigest()


def _told(body: msgspec.Struct) -> dict[str, Any]:
    """Return what the audit is told of a body: what was asked for, and nothing that is long, or somebody's words."""
    told = {name: value for name, value in msgspec.to_builtins(body).items() if name not in _UNTOLD}
    if isinstance(told.get("number"), str):
        told["number"] = mask(told["number"])
    return {
        name: value
        for name, value in told.items()
        if isinstance(value, bool | int | float) or (isinstance(value, str) and 0 < len(value) <= _LONGEST_TOLD)
    }
