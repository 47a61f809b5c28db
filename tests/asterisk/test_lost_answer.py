"""The line to a real Asterisk is cut: a call whose answer was lost is looked for and never placed again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from controller.domain.outcome import Outcome
from lab.cut_proxy import Cut, cut_proxy
from lab.pbx import running_pair
from tests.asterisk.telephony_wire import a_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site
    from lab.cut_proxy import CutProxy
    from lab.pbx import Asterisk
    from tests.asterisk.telephony_wire import Wire


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Asterisk]]:
    """Run the PBX and its telephone network."""
    async with running_pair(tmp_path_factory.mktemp("cut")) as (site, _pbx, carrier):
        yield site, carrier


@asynccontextmanager
async def a_line_to_cut(site: Site, carrier: Asterisk) -> AsyncIterator[tuple[Wire, CutProxy]]:
    """Connect through a line that can be cut."""
    async with cut_proxy("127.0.0.1", site.ports.ari) as proxy, a_wire(site, carrier, ari_port=proxy.port) as wire:
        yield wire, proxy


@pytest.mark.parametrize("then", [None, *Cut])
async def test_a_call_whose_answer_is_lost_is_placed_once_and_goes_on(
    network: tuple[Site, Asterisk], then: Cut | None
) -> None:
    """Asterisk took the request, and only we do not know: the answer alone is lost, or the line with it."""
    async with a_line_to_cut(*network) as (wire, proxy):
        before = await wire.invites()
        proxy.lose_answer(b'"RESTResponse"', b"customer-lost-", then=then)
        dialling = asyncio.ensure_future(wire.dial())
        async with asyncio.timeout(10):
            await proxy.lost.wait()
        if then is not None:
            await wire.noticed()
            assert not wire.client.connected
            proxy.mend()
            await wire.connected()
        async with asyncio.timeout(30):
            outcome, evidence = await dialling
        assert outcome is None
        assert evidence.answered_at is not None
        assert await wire.invites() - before == 1


@pytest.mark.parametrize("how", list(Cut))
async def test_a_line_that_is_cut_is_noticed_and_nothing_is_placed_until_it_is_back(
    network: tuple[Site, Asterisk], how: Cut
) -> None:
    """However it is cut: what cannot be followed is not begun. Once it is back calls are placed again."""
    async with a_line_to_cut(*network) as (wire, proxy):
        before = await wire.invites()
        proxy.cut(how)
        await wire.noticed()
        assert [(await wire.dial())[0] for _ in range(3)] == [Outcome.NOT_PLACED] * 3
        assert await wire.invites() == before
        proxy.mend()
        await wire.connected()
        assert (await wire.dial())[0] is None
        assert await wire.invites() - before == 1


async def test_a_call_that_is_sent_into_a_black_hole_is_looked_for_and_not_sent_again(
    network: tuple[Site, Asterisk],
) -> None:
    """Asterisk never got it: nothing rang, and that is not known before the line is back."""
    async with a_line_to_cut(*network) as (wire, proxy):
        before = await wire.invites()
        proxy.cut(Cut.BLACK_HOLE)
        dialling = asyncio.ensure_future(wire.dial())
        await wire.noticed()
        proxy.mend()
        await wire.connected()
        async with asyncio.timeout(30):
            assert (await dialling)[0] is Outcome.UNKNOWN
        assert await wire.invites() == before
