"""Two trunks of a real PBX: one is full, or dead, and the next attempt leaves by the other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.trunks import Trunk
from controller.domain.outcome import Outcome
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.pbx import running_pair
from tests.asterisk.telephony_wire import a_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.provision import Site
    from lab.pbx import Asterisk

ANNOUNCED, FULL = "09099990001", "09099990002"
NETWORK = (
    f"{ANNOUNCED},1,Progress",
    f"{ANNOUNCED},2,Wait,1",
    f"{ANNOUNCED},3,Hangup,19",
    f"{FULL}/0312345678,1,Hangup,34",
    f"{FULL},1,Ringing",
    f"{FULL},2,Wait,1",
    f"{FULL},3,Hangup,17",
)
"""Numbers that play something and then are away, and that have no circuit for calls from the first trunk."""


def second_trunk(site: Site) -> str:
    """Return a trunk for pjsip.conf that leads to the same network and is not the first; and one that leads nowhere."""
    return f"""
[backup](trunk)
aors = backup
outbound_auth = carrier-out
[backup](trunk-aor)
contact = sip:{site.host}:{site.ports.carrier_sip}
[dead](trunk)
aors = dead
[dead](trunk-aor)
contact = sip:127.0.0.1:9
"""


@pytest.fixture(scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Asterisk]]:
    """Run the PBX, with trunks of its own choice, and its telephone network."""
    async with running_pair(tmp_path_factory.mktemp("trunks")) as (site, pbx, carrier):
        (site.pbx_site / "pjsip-local.conf").write_text(second_trunk(site), encoding="utf-8")
        await pbx.restart()
        for line in NETWORK:
            await carrier.cli(f"dialplan add extension {line} into from-company")
        yield site, carrier


def trunks(*endpoints: str) -> tuple[Trunk, ...]:
    """Return trunks; the first shows the company's number, the others another one."""
    shown = ("0312345678", *["0312345679"] * len(endpoints))
    return tuple(Trunk(name, shown[place], calls_per_s=50) for place, name in enumerate(endpoints))


async def test_an_announcement_is_heard_and_is_no_ringing(network: tuple[Site, Asterisk]) -> None:
    """183 and then 480; the trunk took the call."""
    async with a_wire(*network, trunks=trunks("carrier")) as wire:
        outcome, evidence = await wire.dial(ANNOUNCED)
        assert outcome is Outcome.UNREACHABLE
        assert (evidence.trunk, evidence.cause, evidence.tech_cause, evidence.rang) == ("carrier", 19, 480, False)
        assert evidence.placed_at is not None
        assert wire.trunks.status()[0].failures == 0


async def test_a_full_trunk_rests_and_the_next_attempt_leaves_by_the_other(network: tuple[Site, Asterisk]) -> None:
    """One INVITE each; by the second trunk the number is busy."""
    async with a_wire(*network, trunks=trunks("carrier", "backup")) as wire:
        before = await wire.invites()
        outcome, evidence = await wire.dial(FULL)
        assert (outcome, evidence.trunk, evidence.tech_cause) == (Outcome.CONGESTION, "carrier", 503)
        assert wire.trunks.other_way
        outcome, evidence = await wire.dial(FULL)
        assert (outcome, evidence.trunk, evidence.rang) == (Outcome.BUSY, "backup", True)
        assert await wire.invites() - before == 2
        assert [status.calls for status in wire.trunks.status()] == [0, 0]


async def test_a_trunk_that_leads_nowhere_is_passed_over_once_the_pbx_knows(network: tuple[Site, Asterisk]) -> None:
    """By AMI: its contact does not answer OPTIONS. It never gets a call that somebody would wait for in vain."""
    site, _ = network
    async with a_wire(*network, trunks=trunks("dead", "carrier")) as wire:
        account = AmiAccount(CONTROL_HOST, site.ports.ami, site.ami_user, site.ami_password)
        watcher = AmiWatcher(account, endpoints=[], trunks=wire.trunks.endpoints, clock=SystemClock())
        told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

        def note(endpoint: str, healthy: bool) -> None:
            wire.trunks.health(endpoint, healthy=healthy)
            told.put_nowait((endpoint, healthy))

        watcher.on_trunk = note
        running = asyncio.create_task(watcher.run())
        async with asyncio.timeout(30):  # A PBX that has just started takes a few seconds to qualify each contact.
            seen = dict([await told.get()])
            while seen.get("dead", True) or not told.empty() or not seen.get("carrier", True):
                seen.update([await told.get()])
        outcome, evidence = await wire.dial()
        assert (outcome, evidence.trunk) == (None, "carrier")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_trunk_that_the_pbx_refuses_to_dial_rests(network: tuple[Site, Asterisk]) -> None:
    """Nobody has told of it yet: the PBX itself places nothing by a trunk that it cannot reach."""
    async with a_wire(*network, trunks=trunks("no-such-trunk", "carrier")) as wire:
        assert (await wire.dial())[0] is Outcome.NOT_PLACED
        assert wire.trunks.other_way
        outcome, evidence = await wire.dial()
        assert (outcome, evidence.trunk) == (None, "carrier")
