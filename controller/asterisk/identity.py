"""What an Asterisk calls itself: part of each channel's unique id, where it has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.asterisk.ari.client import AriClient


class NamelessAsteriskError(Exception):
    """One of several Asterisks has no `systemname`."""

    def __init__(self, pbx: str) -> None:
        super().__init__(
            f"The Asterisk {pbx} has no name of its own, and two of them may give two calls the same id. "
            f"Write systemname = {pbx} into [options] of its asterisk.conf, each its own, and restart it."
        )


async def require_system_name(ari: AriClient, pbx: str) -> None:
    """Find one without a name before it has a call. `pbx` is its name in the settings.

    A channel's id is the second of its beginning and a count, unless there is a system name in front (asterisk.conf,
    `systemname`); the record of calls and the promise that was made on a call go by it. Raises NamelessAsteriskError,
    AriError.
    """
    answer = await ari.request_http("GET", "asterisk/info", query={"only": "config"})
    if not answer.get("config", {}).get("name"):
        raise NamelessAsteriskError(pbx)
