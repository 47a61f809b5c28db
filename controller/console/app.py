"""The console's application: every door with its guard, and what holds for each answer."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from controller.console import live, sign_in
from controller.console.access import DOOR, LOOK_AGAIN_S, Guard, visitor_of
from controller.console.api import recordings, table
from controller.console.doors import Way
from controller.console.pages import audit_page, desk, figures_page, pages, recordings_page, supervise, wallboard
from controller.console.policy import POLICY
from controller.console.problems import problem
from controller.console.today import TodaysFigures
from controller.console.visitors import address_of
from controller.ports.promises import StoreUnavailableError
from controller.web.rates import RateLimits, Rates, subnet_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.console.doors import Door
    from controller.console.house import ConsoleHouse

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)

API = "/api/"
BODY_BYTES = 64 * 1024
STORE_RETRY_S = 5
HEADERS = {
    # To ourselves it is told where a form was: with `no-referrer` a browser sends `Origin: null`, which proves nothing.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "orikaeshi",
}
TRANSPORT = "max-age=31536000; includeSubDomains"
"""Only https from now on, for a year, here and below (RFC 6797)."""
_KEPT_HEADERS = ("Allow", "Retry-After")


def build(
    house: ConsoleHouse,
    *,
    today: TodaysFigures | None = None,
    limits: RateLimits | None = None,
    look_again_s: float = LOOK_AGAIN_S,
) -> web.Application:
    """Return the API and the pages, ready to be served; `limits` of sign-ins and of wrong keys.

    `today` are the figures that others in this process ask for, too; None: nobody else does.
    """
    rates = Rates(limits or RateLimits(), house.clock)
    guard, front = Guard(house, rates, look_again_s=look_again_s), _Front(house)
    app = web.Application(middlewares=[front.answer], client_max_size=BODY_BYTES)
    for door in doors(house, rates):
        app.router.add_route(door.method, door.path, guard.at(door))
    app.on_response_prepare.append(front.furnish)
    live.attach(app, house, today or TodaysFigures(house))
    recordings.attach(app)
    return app


def doors(house: ConsoleHouse, rates: Rates) -> tuple[Door, ...]:
    """Return every way into the console."""
    rooms = (table, pages, wallboard, desk, supervise, figures_page, recordings_page, audit_page)
    return (*sign_in.doors(house, rates), *chain.from_iterable(room.doors(house) for room in rooms))


class _Front:
    """Stands before every door, and where there is none."""

    def __init__(self, house: ConsoleHouse) -> None:
        self._house = house

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request: as asked, or without detail when something is in the way."""
        began_s = asyncio.get_running_loop().time()
        response = await self._without_detail(request, handler)
        visitor = visitor_of(request)
        log.info(
            "console_request",
            method=request.method,
            door=_door_of(request),
            status=response.status,
            who=visitor.principal.name,
            subnet=subnet_of(address_of(self._house, request)),
            took_ms=round((asyncio.get_running_loop().time() - began_s) * 1000),
        )
        return response

    async def furnish(self, _: web.Request, response: web.StreamResponse) -> None:
        """Add what every answer has to say to a browser, before it leaves: a stream leaves long before it ends."""
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        if self._house.is_encrypted:
            response.headers["Strict-Transport-Security"] = TRANSPORT

    async def _without_detail(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not self._is_asked_of_us(request):
                return self._problem(request, 421)
            if (request.content_length or 0) > BODY_BYTES:
                return self._problem(request, 413)
            return await handler(request)
        except web.HTTPException as refusal:
            answer = self._problem(request, refusal.status)
            for name in _KEPT_HEADERS:
                if name in refusal.headers:
                    answer.headers[name] = refusal.headers[name]
            return answer
        except StoreUnavailableError as error:
            log.warning("console_store_unavailable", door=_door_of(request), error=str(error))
            answer = self._problem(request, 503)
            answer.headers["Retry-After"] = str(STORE_RETRY_S)
            return answer
        except ConnectionError:
            raise
        except Exception:
            log.exception("console_request_failed", door=_door_of(request))
            return self._problem(request, 500)

    def _is_asked_of_us(self, request: web.Request) -> bool:
        """Tell whether the host that is asked for is ours: no other name may be led here (DNS rebinding)."""
        return [host.lower() for host in request.headers.getall("Host", [])] == [self._house.host]

    def _problem(self, request: web.Request, status: int) -> web.Response:
        door = request.get(DOOR)
        is_program = request.path.startswith(API) if door is None else door.way is Way.API
        if is_program:
            return problem(status)
        return pages.problem(self._house, request, visitor_of(request).principal, status)


def _door_of(request: web.Request) -> str:
    """Return the door as the routes name it: addresses hold numbers and names."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
