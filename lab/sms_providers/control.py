"""What another process asks of a provider's server: a reply, faults, manners, and what was taken."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from aiohttp import web

from lab.sms_providers.provider import Fault

if TYPE_CHECKING:
    from lab.sms_providers.server import ProviderServer


def routes(server: ProviderServer) -> list[web.RouteDef]:
    """Return `GET /lab/taken`, and `POST /lab/reply`, `/lab/faults` and `/lab/manners`, which take JSON.

    A reply is `{"number", "to", "text"}`, and what else is to be written down with it; it is answered once it was
    brought. Faults are a list of their names, for the next requests, in place of those that were planned; manners are
    any of those of `Manners`.
    """

    async def taken(_: web.Request) -> web.Response:
        return web.json_response([asdict(sms) for sms in server.taken])

    async def reply(request: web.Request) -> web.Response:
        wish = await request.json()
        return web.json_response({"status": await server.reply(**wish)})

    async def faults(request: web.Request) -> web.Response:
        server.faults.planned = deque(Fault(name) for name in await request.json())
        return web.Response(status=204)

    async def manners(request: web.Request) -> web.Response:
        server.manners = replace(server.manners, **await request.json())
        return web.Response(status=204)

    return [
        web.get("/lab/taken", taken),
        web.post("/lab/reply", reply),
        web.post("/lab/faults", faults),
        web.post("/lab/manners", manners),
    ]
