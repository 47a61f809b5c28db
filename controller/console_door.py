"""The console of a process, from the settings: imported only where there is one, with all that it is made of."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from ipaddress import ip_network
from typing import TYPE_CHECKING

from controller import from_settings
from controller.console.app import build
from controller.console.house import ConsoleHouse, ShownQueue, no_shelf
from controller.console.today import TodaysFigures
from controller.domain.phone_number import DialableNumber
from controller.web.rates import RateLimits
from controller.web.server import Service, WebServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from controller.ports.floor import Floor
    from controller.ports.recordings import RecordingShelf
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock

    ShelfOf = Callable[[str], RecordingShelf | None]

_HOUR_S, _MINUTE_S = 3600.0, 60.0
_ID_BYTES = 8
_OF_CURSORS = b"orikaeshi: cursors of the console"
_OF_SUBNET = 5
"""So many times what an address may, its subnet may: an office shares one."""
CONSOLE = Service("listening for the console", "the console cannot be served", "console.host, console.port")


def cursor_key(settings: Settings) -> bytes | None:
    """Return what cursors are signed with: made from a secret that stays; None where the site has none of these."""
    kept = settings.secrets.number_key.get_secret_value() or settings.secrets.web.get_secret_value()
    return hmac.digest(kept.encode(), _OF_CURSORS, hashlib.sha256) if kept else None


def console_server(
    settings: Settings,
    store: Store,
    floor: Floor,
    clock: SystemClock,
    *,
    shelf_of: ShelfOf = no_shelf,
    today: TodaysFigures | None = None,
) -> WebServer:
    """Return the server of the API and of the pages for those who work here; `today` is what the metrics have, too."""
    console = settings.console
    each = console.per_address_per_minute
    limits = RateLimits(per_address_per_minute=each, per_subnet_per_minute=_OF_SUBNET * each, forged_per_minute=each)
    app = build(console_house(settings, store, floor, clock, shelf_of=shelf_of), today=today, limits=limits)
    return WebServer(console.host, console.port, app, service=CONSOLE)


def todays_figures(settings: Settings, store: Store, floor: Floor, clock: SystemClock) -> TodaysFigures:
    """Return today's figures: one for a process, since each reads the day for itself."""
    return TodaysFigures(console_house(settings, store, floor, clock))


def console_house(
    settings: Settings, store: Store, floor: Floor, clock: SystemClock, *, shelf_of: ShelfOf = no_shelf
) -> ConsoleHouse:
    """Return what the console is handed; `shelf_of` tells where the sound of an Asterisk is, by its name."""
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
        shelf_of=shelf_of,
        allows_listening=settings.line.allow_listening,
        cursor_key=cursor_key(settings),
        dispositions=desk.dispositions,
        desk=desk.rules,
        trusted_proxies=tuple(map(ip_network, console.trusted_proxies)),
        idle_s=console.idle_min * _MINUTE_S,
        longest_session_s=console.longest_session_h * _HOUR_S,
    )
