"""Several Asterisks on one database: each has to have a name of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.asterisk.identity import NamelessAsteriskError, require_system_name
from tests.adapters.ari_server import ari_server, wired

if TYPE_CHECKING:
    from tests.adapters.ari_server import AriServer

pytestmark = pytest.mark.timeout(20)


async def ask(server: AriServer) -> None:
    """Look at the name of one that the settings call pbx-1."""
    async with wired(server.port) as wire:
        await wire.until("up")
        await require_system_name(wire.client, "pbx-1")


async def test_one_with_a_name_is_accepted() -> None:
    """Whichever it is."""
    async with ari_server() as server:
        server.system_name = "tokyo"
        await ask(server)


async def test_one_without_a_name_is_told_of_with_what_to_write_where() -> None:
    """Before it has a call: its ids may be those of another's."""
    async with ari_server() as server:
        with pytest.raises(NamelessAsteriskError, match=r"systemname = pbx-1 into \[options\] of its asterisk\.conf"):
            await ask(server)
