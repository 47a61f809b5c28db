"""The console of a process, from the settings: imported only where there is one, with all that it is made of."""

from __future__ import annotations

import secrets
from ipaddress import ip_network
from typing import TYPE_CHECKING

from controller import from_settings
from controller.console.app import build
from controller.console.house import ConsoleHouse, ShownQueue
from controller.domain.phone_number import DialableNumber
from controller.web.rates import RateLimits
from controller.web.server import Service, WebServer

if TYPE_CHECKING:
    from datetime import datetime

    from controller.ports.floor import Floor
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock

_HOUR_S, _MINUTE_S = 3600.0, 60.0
_ID_BYTES = 8
_OF_SUBNET = 5
"""So many times what an address may, its subnet may: an office shares one."""
CONSOLE = Service("listening for the console", "the console cannot be served", "console.host, console.port")


def console_server(settings: Settings, store: Store, floor: Floor, clock: SystemClock) -> WebServer:
    """Return the server of the API and of the pages for those who work here."""
    console = settings.console
    each = console.per_address_per_minute
    limits = RateLimits(per_address_per_minute=each, per_subnet_per_minute=_OF_SUBNET * each, forged_per_minute=each)
    app = build(console_house(settings, store, floor, clock), limits=limits)
    return WebServer(console.host, console.port, app, service=CONSOLE)


def console_house(settings: Settings, store: Store, floor: Floor, clock: SystemClock) -> ConsoleHouse:
    """Return what the console is handed."""
    gate, console, desk = settings.gate, settings.console, settings.desk
    titles = {queue.name: queue.titles for queue in settings.queues}

    def may_be_called(number: str, _queue: str, at: datetime) -> bool:
        return isinstance(gate.clear(number, at), DialableNumber)

    return ConsoleHouse(
        clock=clock,
        zone=settings.zone,
        public_url=console.address,
        floor=floor,
        facts=store.facts,
        store=store,
        queues={
            name: ShownQueue(
                queue, titles[name], from_settings.counting(settings, name), from_settings.target(settings, name)
            )
            for name, queue in from_settings.queues(settings).items()
        },
        plan=gate.plan,
        counting=from_settings.counting(settings),
        new_id=lambda: secrets.token_hex(_ID_BYTES),
        may_be_called=may_be_called,
        dispositions=desk.dispositions,
        desk=desk.rules,
        trusted_proxies=tuple(map(ip_network, console.trusted_proxies)),
        idle_s=console.idle_min * _MINUTE_S,
        longest_session_s=console.longest_session_h * _HOUR_S,
    )
