"""All pages together, and what holds for each: who may ask, how often, and what a browser is told about it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from controller.ports.promises import StoreUnavailableError
from controller.web.booking import BookingPage
from controller.web.pages import STYLE, STYLE_PATH, Pages, language_of
from controller.web.rates import client_address, subnet_of
from controller.web.templating import FOR_GOOD
from controller.web.webhooks import BODY_BYTES, Webhooks
from controller.web.without_link import WithoutLink

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.web.house import WebHouse

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)

HEALTH = "/health"
STORE_RETRY_S = 5
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "orikaeshi",
}
TRANSPORT = "max-age=31536000"
"""Only https from now on, for a year (RFC 6797)."""
_PORT = re.compile(r":[0-9]+\Z", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_UNCOUNTED = frozenset({HEALTH, STYLE_PATH, "/favicon.ico"})


def build(site: WebHouse) -> web.Application:
    """Return the pages and webhooks of a site, ready to be served."""
    front = _Front(site)
    booking, without_link = BookingPage(site, front.pages), WithoutLink(site, front.pages)
    app = web.Application(middlewares=[front.answer], client_max_size=BODY_BYTES)
    app.add_routes(
        [
            web.get(HEALTH, _health),
            web.get(STYLE_PATH, _style),
            web.get("/favicon.ico", _no_icon),
            web.get("/l/{token}", booking.show),
            web.post("/l/{token}", booking.change),
            web.post("/sms/{name}", front.webhook),
            web.post("/sms/{name}/receipt", front.webhook),
            web.post("/sms/{name}/reply", front.webhook),
        ]
    )
    if site.open_page:
        app.add_routes(
            [
                web.get("/callback/{queue}", without_link.show_number),
                web.post("/callback/{queue}", without_link.ask),
                web.get("/verify/{token}", without_link.show_code),
                web.post("/verify/{token}", without_link.prove),
            ]
        )
    return app


class _Front:
    """Stands before every page."""

    def __init__(self, site: WebHouse) -> None:
        self._site = site
        self.pages = Pages(site)
        self._webhooks = Webhooks(site)

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """Take a provider's request."""
        return await self._webhooks.receive(request, self._client(request))

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer one request: with a page, or one without detail when something is in the way."""
        began_s = asyncio.get_running_loop().time()
        response = await self._without_detail(request, handler)
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        if self._site.is_encrypted:
            response.headers["Strict-Transport-Security"] = TRANSPORT
        if request.path != HEALTH:
            # Neither the address as asked for, which holds the token, nor the whole of the client's.
            log.info(
                "web_request",
                method=request.method,
                page=_page_of(request),
                status=response.status,
                subnet=subnet_of(self._client(request)),
                took_ms=round((asyncio.get_running_loop().time() - began_s) * 1000),
            )
        return response

    async def _without_detail(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await self._if_welcome(request, handler)
        except web.HTTPException as refusal:
            page = self.pages.problem(refusal.status, language_of(request))
            if "Allow" in refusal.headers:
                page.headers["Allow"] = refusal.headers["Allow"]
            return page
        except StoreUnavailableError as error:
            log.warning("web_store_unavailable", page=_page_of(request), error=str(error))
            page = self.pages.problem(503, language_of(request))
            page.headers["Retry-After"] = str(STORE_RETRY_S)
            return page
        except ConnectionError:
            raise
        except Exception:
            log.exception("web_page_failed", page=_page_of(request))
            return self.pages.problem(500, language_of(request))

    async def _if_welcome(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_asked_for_us(request):
            return self.pages.problem(421, language_of(request))
        if request.path not in _UNCOUNTED and not request.path.startswith("/sms/"):
            wait_s = self._site.rates.visit(self._client(request))
            if wait_s is not None:
                return self.pages.too_often(wait_s, language_of(request))
        return await handler(request)

    def _is_asked_for_us(self, request: web.Request) -> bool:
        """Tell whether the host that is asked for is ours; a look at our health may ask for this machine."""
        hosts = [host.lower() for host in request.headers.getall("Host", [])]
        if request.path == HEALTH and len(hosts) == 1 and _PORT.sub("", hosts[0]) in _LOOPBACK:
            return True
        return hosts == [self._site.host.lower()]

    def _client(self, request: web.Request) -> str:
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return client_address(request.remote or "", forwarded, self._site.trusted_proxies)


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _style(_: web.Request) -> web.Response:
    return web.Response(body=STYLE, content_type="text/css", charset="utf-8", headers={"Cache-Control": FOR_GOOD})


async def _no_icon(_: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Cache-Control": FOR_GOOD})


def _page_of(request: web.Request) -> str:
    """Return the page as the routes name it, `/l/{token}`."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
