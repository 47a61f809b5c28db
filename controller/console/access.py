"""The guard of every door: who may come in, and whether it is really they who ask. Nobody else reaches a handler."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from controller.console.doors import Door, Way
from controller.console.forgery import SAFE_METHODS, is_forged_call, is_forged_form
from controller.console.pages import pages
from controller.console.problems import problem
from controller.console.trail import Trail, is_noted
from controller.console.visitors import STRANGER, Visitor, Visitors
from controller.domain.access import NOBODY, Kind
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.console.house import ConsoleHouse
    from controller.web.rates import Rates

    Route = Callable[[web.Request], Awaitable[web.StreamResponse]]

DOOR = web.RequestKey("door", Door)
VISITOR = web.RequestKey("visitor", Visitor)
SIGN_IN, PASSWORD, SIGN_OUT = "/sign-in", "/password", "/sign-out"
BEFORE_PASSWORD = frozenset({PASSWORD, SIGN_OUT})
"""Where somebody may go who has to choose a password of their own."""
LOOK_AGAIN_S = 15.0
"""How often it is looked whether somebody who is answered for long, as a stream is, may still come in."""


def visitor_of(request: web.Request) -> Visitor:
    """Return who asks; `STRANGER` as long as nobody has looked."""
    return request[VISITOR] if VISITOR in request else STRANGER  # noqa: SIM401 - `get` does not know the type


class Guard:
    """Stands at every door."""

    def __init__(self, house: ConsoleHouse, rates: Rates, *, look_again_s: float = LOOK_AGAIN_S) -> None:
        self._house = house
        self._visitors = Visitors(house, rates)
        self._trail = Trail(house)
        self._look_again_s = look_again_s

    def at(self, door: Door) -> Route:
        """Return what answers at a door: its handler for those who may come in, a refusal for all others."""

        async def answer(request: web.Request) -> web.StreamResponse:
            request[DOOR] = door
            visitor = request[VISITOR] = await self._look(door, request)
            status = 500
            try:
                response = await self._let_in(door, request, visitor)
                status = response.status
            except web.HTTPException as refusal:
                status = refusal.status
                raise
            except StoreUnavailableError:
                status = 503
                raise
            finally:
                if is_noted(door, request):
                    await self._trail.note(door, request, visitor.principal, status)
            return response

        return answer

    async def _look(self, door: Door, request: web.Request) -> Visitor:
        """Return who asks. Pages are for people: a key opens none. Raises HTTPTooManyRequests."""
        if door.is_public:
            return STRANGER
        if door.way is Way.API and "Authorization" in request.headers:
            return await self._visitors.by_key(request)
        return await self._visitors.by_session(request)

    async def _let_in(self, door: Door, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        principal = visitor.principal
        if self._is_forged(door, request, visitor):
            return self._refusal(door, request, visitor, "forged")
        if door.is_public:
            return await door.handler(request, NOBODY)
        if principal.kind is Kind.NOBODY:
            return self._who_are_you(door, request)
        if visitor.must_change and door.path not in BEFORE_PASSWORD:
            if door.way is Way.PAGE:
                return web.Response(status=303, headers={"Location": PASSWORD})
            return problem(403, "password-must-change", f"sign in with a browser: {self._house.public_url}{PASSWORD}")
        if door.scope is not None and not principal.may(door.scope):
            return self._refusal(door, request, visitor, "not-allowed", f"this takes {door.scope.value}")
        return await self._while_welcome(door, request, visitor)

    def _is_forged(self, door: Door, request: web.Request, visitor: Visitor) -> bool:
        if visitor.key_id:
            return False  # no browser sends a key by itself
        if door.way is Way.PAGE:
            return door.method not in SAFE_METHODS and is_forged_form(request, self._house.origin)
        return bool(visitor.token_hash) and is_forged_call(request, self._house.origin)

    def _who_are_you(self, door: Door, request: web.Request) -> web.Response:
        if door.way is Way.API:
            refusal = problem(401)
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="orikaeshi"'
            return refusal
        path = request.rel_url.raw_path
        way_back = f"?{urlencode({'to': path})}" if door.method in SAFE_METHODS and path != "/" else ""
        return web.Response(status=303, headers={"Location": f"{SIGN_IN}{way_back}"})

    def _refusal(self, door: Door, request: web.Request, visitor: Visitor, kind: str, detail: str = "") -> web.Response:
        if door.way is Way.API:
            return problem(403, kind, detail)
        return pages.problem(self._house, request, visitor.principal, 403)

    async def _while_welcome(self, door: Door, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Let a handler answer for as long as its visitor may come in: a stream ends with its session or key.

        Raises ConnectionResetError, once the connection is closed, for one who may not any more.
        """
        answering = asyncio.ensure_future(door.handler(request, visitor.principal))
        try:
            while True:
                done, _ = await asyncio.wait({answering}, timeout=self._look_again_s)
                if done:
                    return answering.result()
                if not await self._visitors.is_still(visitor):
                    break
        finally:
            if not answering.done():
                answering.cancel()
                await asyncio.wait({answering})
        if request.transport is not None:
            request.transport.close()
        raise ConnectionResetError("their session or key has ended")
