"""Kamailio at the door of a cluster, as it is configured: who is let in, who gets a call, and what is passed on."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from controller.provision.cluster import provision_cluster
from lab.ami_socket import far_end_login
from lab.cluster import running_machines
from lab.cluster_door import CONF, Door, door_root, running_door
from lab.far_end import Does, Numbers, far_end, furnish
from lab.text_messages import free_port
from tests.asterisk.sip_by_hand import LOCALHOST, Ear, answer, ear, header, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lab.cluster import Machines

CALLS = 12
CONCISE = "core show channels concise"
QUIET_S = 1.0
"""In which a stranger would have had an answer."""


@dataclass(frozen=True, slots=True)
class Street:
    """A door, a carrier before it, and Asterisks behind it that are ports alone."""

    door: Door
    port: int
    carrier: Ear
    pbxs: tuple[Ear, Ear]

    def call(self, *, call_id: str = "", cseq: int = 1, routes: tuple[str, ...] = ()) -> str:
        """Have the carrier send a new call, or one again; return the request."""
        text = request("INVITE", self.carrier, self.uri, call_id=call_id, cseq=cseq, routes=routes)
        self.carrier.send(text, self.port)
        return text

    @property
    def uri(self) -> str:
        """The company's number, at the door."""
        return f"sip:0312345678@{LOCALHOST}:{self.port}"

    async def taken(self, *, timeout_s: float = 5) -> tuple[Ear, str]:
        """Return which Asterisk the next call came to, and the call."""
        waits = {asyncio.create_task(one.next("INVITE ", timeout_s=timeout_s)): one for one in self.pbxs}
        done, late = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        first = next(iter(done))
        return waits[first], first.result()


def written(folder: Path, port: int, *, carrier: int, pbxs: tuple[int, ...]) -> Path:
    """Write the site's part of the configuration; return its folder."""
    site = folder / "site"
    site.mkdir()
    (site / "site.cfg").write_text(f"listen=udp:{LOCALHOST}:{port}\n", encoding="utf-8")
    (site / "carriers.list").write_text(f"1 {LOCALHOST} 32 {carrier} ours\n", encoding="utf-8")
    lines = "".join(f"1 sip:{LOCALHOST}:{one} 0 0\n" for one in pbxs)
    (site / "dispatcher.list").write_text(lines, encoding="utf-8")
    return site


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """Open a door with a carrier and two Asterisks that live."""
    async with AsyncExitStack() as stack:
        carrier, *pbxs = [await stack.enter_async_context(ear()) for _ in range(3)]
        port = free_port()
        site = written(tmp_path, port, carrier=carrier.port, pbxs=tuple(one.port for one in pbxs))
        door = await stack.enter_async_context(running_door(site))
        await door.until_open(lives=2)
        yield Street(door, port, carrier, (pbxs[0], pbxs[1]))


def test_kamailio_finds_nothing_wrong_with_its_configuration(tmp_path: Path) -> None:
    """With the site's part as `controller provision` writes it; and a mistake that is planted in it is found."""
    door = Door(door_root(), provision_cluster(tmp_path).door_site)
    assert door.check() == ""
    for right, wrong in (
        ("t_relay()", "t_relais()"),
        ('loadmodule "rr.so"', 'loadmodule "rrr.so"'),
        ("route[CHOOSE]", "route["),
    ):
        bad = tmp_path / "bad.cfg"
        bad.write_text(CONF.read_text("utf-8").replace(right, wrong), encoding="utf-8")
        assert "ERROR" in door.check(bad) or "CRITICAL" in door.check(bad)


async def test_whoever_is_no_carrier_gets_no_answer_at_all(street: Street) -> None:
    """Neither to a call nor to a question: from another port of the same machine, too."""
    async with ear() as stranger:
        for method in ("INVITE", "OPTIONS", "REGISTER", "MESSAGE", "BYE"):
            stranger.send(request(method, stranger, street.uri), street.port)
        stranger.send(request("BYE", stranger, street.uri, to_tag="x"), street.port)
        with pytest.raises(TimeoutError):
            await stranger.next("", timeout_s=QUIET_S)
    assert [one.unread for one in street.pbxs] == [[], []]


async def test_what_has_no_business_at_the_door_is_refused(street: Street) -> None:
    """Phones register elsewhere, calls out pass elsewhere, and what belongs to no call goes nowhere."""
    pbx, carrier = street.pbxs[0], street.carrier
    for who, method, status in ((carrier, "REGISTER", 405), (carrier, "MESSAGE", 405), (pbx, "INVITE", 403)):
        who.send(request(method, who, street.uri), street.port)
        await who.next(f"SIP/2.0 {status} ")
    carrier.send(request("BYE", carrier, street.uri, to_tag="unknown"), street.port)
    await carrier.next("SIP/2.0 404 ")
    carrier.options = None
    carrier.send(request("OPTIONS", carrier, street.uri), street.port)
    await carrier.next("SIP/2.0 200 ")


async def test_calls_are_shared_out_and_the_same_call_comes_to_the_same_asterisk_again(street: Street) -> None:
    """As it must, since only the Asterisk that asked for a password can check the answer."""
    came_to = []
    for number in range(CALLS):
        call_id = f"shared-{number}"
        street.call(call_id=call_id)
        first, call = await street.taken()
        first.send(answer(call, 401), street.port)
        await street.carrier.next("SIP/2.0 401 ")
        street.call(call_id=call_id, cseq=2)
        second, again = await street.taken()
        assert second is first
        second.send(answer(again, 486), street.port)
        await street.carrier.next("SIP/2.0 486 ")
        came_to.append(street.pbxs.index(first))
    assert set(came_to) == {0, 1}


async def test_a_call_that_an_asterisk_cannot_take_goes_to_the_other_and_stays_with_it(street: Street) -> None:
    """Refused with 503 by one that is to end with its last call; the other asks for the password, and gets it."""
    street.call(call_id="moved")
    first, call = await street.taken()
    first.send(answer(call, 503), street.port)
    second, call = await street.taken()
    assert second is not first
    second.send(answer(call, 401), street.port)
    await street.carrier.next("SIP/2.0 401 ")
    street.call(call_id="moved", cseq=2)
    third, _ = await street.taken()
    assert third is second


async def test_an_asterisk_that_is_silent_is_passed_over_until_it_lives(street: Street) -> None:
    """By the first call that it does not answer, and by all after that, at once."""
    street.call(call_id="lost")
    silent, _ = await street.taken()
    silent.options = None
    other, call = await street.taken(timeout_s=10)
    while other is silent:  # The same, sent again while there is no answer.
        other, call = await street.taken(timeout_s=10)
    other.send(answer(call, 486), street.port)
    await street.carrier.next("SIP/2.0 486 ")
    for number in range(CALLS):
        street.call(call_id=f"after-{number}")
        which, call = await street.taken()
        assert which is other
        which.send(answer(call, 486), street.port)
        await street.carrier.next("SIP/2.0 486 ")
    silent.options = 200
    await street.door.until_open(lives=2)


async def test_where_no_asterisk_lives_the_carrier_is_told_so(street: Street) -> None:
    """For a call, and when it asks: it can then send calls elsewhere."""
    for one in street.pbxs:
        one.options = 503
    await street.door.until_open(lives=0)
    street.call()
    await street.carrier.next("SIP/2.0 503 ")
    street.carrier.options = None
    street.carrier.send(request("OPTIONS", street.carrier, street.uri), street.port)
    await street.carrier.next("SIP/2.0 503 ")


async def test_what_belongs_to_a_call_finds_its_way_and_leads_nowhere_else(street: Street) -> None:
    """Both ways, by the Record-Route header; not to an address that is none of our Asterisks."""
    street.call(call_id="up")
    pbx, call = await street.taken()
    pbx.send(answer(call, 200, contact=f"sip:{LOCALHOST}:{pbx.port}"), street.port)
    said = await street.carrier.next("SIP/2.0 200 ")
    way = header(said, "Record-Route").strip("<>")
    assert f"{LOCALHOST}:{street.port}" in way
    bye = request("BYE", street.carrier, f"sip:{LOCALHOST}:{pbx.port}", call_id="up", to_tag="theirs", routes=(way,))
    street.carrier.send(bye, street.port)
    assert header(await pbx.next("BYE "), "Call-ID") == "up"
    back = request("INFO", pbx, f"sip:me@{LOCALHOST}:{street.carrier.port}", call_id="up", to_tag="ours", routes=(way,))
    pbx.send(back, street.port)
    await street.carrier.next("INFO ")
    async with ear() as elsewhere:
        away = f"sip:{LOCALHOST}:{elsewhere.port}"
        for routes in ((way,), (way, f"{away};lr")):
            target = away if len(routes) == 1 else f"sip:{LOCALHOST}:{pbx.port}"
            text = request("INFO", street.carrier, target, call_id="up", to_tag="theirs", routes=routes)
            street.carrier.send(text, street.port)
            await street.carrier.next("SIP/2.0 403 ")
        street.call(call_id="led", routes=(f"sip:{LOCALHOST}:{street.port};lr", f"{away};lr"))
        _, call = await street.taken()
        assert header(call, "Route") == ""
        assert elsewhere.unread == []


@pytest.fixture(scope="module")
async def machines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machines]:
    """Start two real Asterisks behind the door, with no controller: callers hear music."""
    home = tmp_path_factory.mktemp("cluster-door")
    async with running_machines(home, agents=1, customers=1, furnish=lambda of: furnish(*of.pbxs)) as running:
        yield running


async def calls_at(machines: Machines, pbx: str) -> int:
    """Count the calls that an Asterisk has."""
    said = await machines.pbxs[pbx].cli("core show channels count")
    return int(said.split()[0])


async def until_calls(machines: Machines, pbx: str, count: int) -> None:
    """Wait until an Asterisk has so many calls. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while True:
            if await calls_at(machines, pbx) == count:
                return
            await asyncio.sleep(0.1)


@pytest.mark.timeout(120)
async def test_real_asterisks_behind_the_door_get_the_calls_while_they_live_and_want_them(machines: Machines) -> None:
    """One is killed and comes back; the other is told to end with its last call, and keeps that to its end.

    Each gives its calls ids that none of the others gives.
    """
    numbers = Numbers()
    async with far_end(far_end_login(machines.cluster.pbxs[0].carrier_site), "0312345678") as far:

        async def call(count: int) -> None:
            for _ in range(count):
                far.call_in(numbers.new(Does.TALK))

        await machines.pbxs["pbx-1"].kill9()
        await call(3)
        await until_calls(machines, "pbx-2", 3)
        ids = [line.rpartition("!")[2] for line in (await machines.pbxs["pbx-2"].cli(CONCISE)).splitlines()]
        assert [one.startswith("pbx-2-") for one in ids] == [True] * 3
        await machines.pbxs["pbx-1"].start()
        await machines.door.until_open(lives=2)
        ending = asyncio.create_task(machines.pbxs["pbx-2"].cli("core stop gracefully", timeout_s=90))
        await machines.door.until_open(lives=1)
        await call(3)
        await until_calls(machines, "pbx-1", 3)
        assert machines.pbxs["pbx-2"].pid is not None
        await machines.carrier.cli("channel request hangup all")
        await asyncio.gather(ending, return_exceptions=True)
        await machines.pbxs["pbx-2"].kill9()
        await machines.pbxs["pbx-2"].start()
        await machines.door.until_open(lives=2)
