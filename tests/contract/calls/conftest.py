"""Every test of this folder is played on the scripted exchange and on Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.calls.asterisk_exchange import asterisk_exchange
from tests.contract.calls.scripted_exchange import ScriptedExchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.calls.exchange import Exchange


@pytest.fixture(scope="package", params=["scripted", "asterisk"])
async def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Exchange]:
    """Open each exchange once."""
    if request.param == "scripted":
        yield ScriptedExchange()
    else:
        async with asterisk_exchange(tmp_path_factory.mktemp("site")) as exchange:
            yield exchange


@pytest.fixture
async def exchange(opened: Exchange) -> AsyncIterator[Exchange]:
    """Hand out an exchange on which nobody is on the line."""
    yield opened
    await opened.clear()
