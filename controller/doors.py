"""The doors of a process, in the house of one office: the web pages, and the service for other dialplans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.asterisk.agi.server import AgiServer
from controller.workers.agi_desk import AgiDesk

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from controller.journeys.house import House
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock


def doors(settings: Settings, store: Store, house: House, clock: SystemClock) -> dict[str, Coroutine[None, None, None]]:
    """Return what has to run, by name, as far as the settings open a door."""
    found: dict[str, Coroutine[None, None, None]] = {}
    if settings.web.enabled:
        from controller.web_door import web_server  # noqa: PLC0415 - templates and all, for sites that have pages

        found["web"] = web_server(settings, store, house, clock).run()
    if settings.agi.enabled:
        agi, desk = settings.agi, AgiDesk(house, languages=settings.languages)
        server = AgiServer(host=agi.host, port=agi.port, clock=clock, on_call=desk.receive, allowed=agi.allowed)
        found["AGI"] = server.run()
    return found
