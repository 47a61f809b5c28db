"""The command that tells which controller works for which Asterisk, and who has the mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from controller.commands import Report, listed, local, settings_with_database, store_beside
from controller.ports.lease import MAIL, lease_of_pbx, pbx_of_lease
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from datetime import datetime

    from controller.ports.lease import Lease
    from controller.settings import Settings

EXAMPLE = "controller offices --settings var/controller.toml"


async def offices(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """List the Asterisks of the settings, those that the database knows besides, and the mail."""
    settings = settings_with_database(arguments, env)
    async with store_beside(settings) as store:
        held = {lease.name: lease for lease in await store.leases.all()}
    now, zone = SystemClock().now(), ZoneInfo(settings.dialer.time_zone)
    found = [_office(name, held.get(name), settings, now) for name in _names(settings, held)]
    rows = [
        [
            one["office"],
            one["state"],
            one["member"] or "-",
            one["home"] or "-",
            str(one["term"] or "-"),
            local(held[one["lease"]].expires_at, zone) if one["lease"] in held else "-",
            one["wanted_by"] or "-",
        ]
        for one in found
    ]
    headings = ["office", "state", "controller", "home", "term", "until", "wanted by"]
    return Report(listed(headings, rows, "offices"), {"offices": found})


def _names(settings: Settings, held: Mapping[str, Lease]) -> list[str]:
    ours = [lease_of_pbx(asterisk.name) for asterisk in settings.asterisks]
    return [*ours, *sorted(name for name in held if name not in {*ours, MAIL}), MAIL]


def _office(name: str, lease: Lease | None, settings: Settings, now: datetime) -> dict[str, Any]:
    pbx = pbx_of_lease(name)
    home = next((asterisk.home for asterisk in settings.asterisks if asterisk.name == pbx), None)
    return {
        "office": pbx or name,
        "lease": name,
        "state": _state(name, lease, settings, now),
        "member": lease.member if lease else None,
        "holder": lease.holder if lease else None,
        "home": home,
        "term": lease.term if lease else None,
        "expires_at": lease.expires_at.isoformat() if lease else None,
        "wanted_by": lease.wanted_by or None if lease else None,
    }


def _state(name: str, lease: Lease | None, settings: Settings, now: datetime) -> str:
    """Return `held`, `free` (given back, or run out), or `gone`: free, and not in the settings any more."""
    if lease is not None and now < lease.expires_at:
        return "held"
    pbx = pbx_of_lease(name)
    is_known = pbx is None or any(asterisk.name == pbx for asterisk in settings.asterisks)
    return "free" if is_known else "gone"
