"""Every door of a console, and what is behind it: an address that leads there, and what has to come with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.console.api.table import operations
from controller.console.app import doors
from controller.web.rates import RateLimits, Rates
from tests.console.floor import AGENT, CALL

if TYPE_CHECKING:
    from controller.console.doors import Door
    from controller.domain.access import Scope
    from tests.console.house import ConsoleSite

_PLACES = {
    "queue": "support",
    "waiter": CALL,
    "agent": AGENT,
    "number": "+819012345678",
    "name": "somebody",
    "promise": "081f3bb8bbd48529",
    "id": "0123456789ab",
    "hook": "crm",
    "recording": "recording-1",
}


def all_doors(site: ConsoleSite) -> tuple[Door, ...]:
    """Return every door of a site."""
    return doors(site.house, Rates(RateLimits(), site.house.clock))


def path_to(door: Door) -> str:
    """Return an address that leads to a door, with something in each of its places."""
    return re.sub(r"\{([a-z_]+)\}", lambda found: _PLACES.get(found[1], "something"), door.path)


def scopes_of(site: ConsoleSite, door: Door) -> tuple[Scope, ...]:
    """Return the scopes of which one opens a door; none: whoever is signed in may come in."""
    if door.scope is not None:
        return (door.scope,)
    for operation in operations(site.house.public_url):
        if (operation.method, f"/api/v1{operation.path}") == (door.method, door.path):
            return operation.scopes
    return ()
