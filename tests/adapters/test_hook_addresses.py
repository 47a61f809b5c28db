"""Where a webhook never goes: into the house unless it is meant, to nobody, to where a cloud keeps its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.hooks.addresses import objection
from controller.ports.hooks import NotTaken, Taken
from tests.adapters.hook_receiver import LOCALHOST, Receiver, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHORT_S = 0.5
"""For what is sure to be refused, or to lead nowhere."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listen, and take whatever comes."""
    async with Receiver().listening() as listening:
        yield listening


@pytest.mark.parametrize(
    "host",
    [LOCALHOST, "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "[::]"],  # noqa: S104 - sent to, not listened on
)
async def test_nothing_leads_into_the_house_unless_it_is_meant(receiver: Receiver, host: str) -> None:
    """Neither an address nor a name that leads to one: not one connection is opened."""
    port = receiver.url.split(":")[2]
    answer = await send(f"http://{host}:{port}", allow_private=False)
    assert isinstance(answer, NotTaken)
    assert answer.reason.startswith("no connection: ")
    assert "private" in answer.reason or "nobody" in answer.reason
    assert receiver.got == []


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1"])
async def test_nor_does_an_address_that_is_written_in_another_way(receiver: Receiver, host: str) -> None:
    """Whatever it is taken for: it is not taken for a way around."""
    port = receiver.url.split(":")[2]
    assert isinstance(await send(f"http://{host}:{port}", allow_private=False), NotTaken)
    assert receiver.got == []


async def test_a_name_that_leads_to_loopback_is_followed_where_that_is_meant(receiver: Receiver) -> None:
    """A CRM in the house is common."""
    port = receiver.url.split(":")[2]
    assert await send(f"http://localhost:{port}") == Taken(204)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "100.100.100.200", "168.63.129.16"]
)
async def test_where_a_cloud_keeps_its_credentials_nothing_is_ever_sent(host: str) -> None:
    """Also where private addresses are allowed; nothing is connected to."""
    answer = await send(f"http://{host}/latest/meta-data/", allow_private=True, timeout_s=SHORT_S)
    assert isinstance(answer, NotTaken)
    assert "keeps its credentials" in answer.reason


@pytest.mark.parametrize(
    ("address", "public", "in_the_house"),
    [
        ("93.184.215.14", True, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, True),
        ("10.0.0.1", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("169.254.1.1", False, True),
        ("127.255.255.255", False, True),
        ("fe80::1%eth0", False, True),
        ("fc00::1", False, True),
        ("fec0::1", False, True),
        ("::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("64:ff9b::10.0.0.1", False, True),
        ("64:ff9b::169.254.169.254", False, False),
        ("2002:0a00:0001::1", False, True),
        ("::ffff:93.184.215.14", True, True),
        ("0.0.0.0", False, False),  # noqa: S104 - refused, not listened on
        ("255.255.255.255", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("::", False, False),
        ("240.0.0.1", False, False),
        ("localhost", False, False),
        ("127.1", False, False),
        ("", False, False),
    ],
)
def test_each_address_is_public_in_the_house_or_nobodys(address: str, public: bool, in_the_house: bool) -> None:
    """IPv4 in IPv6 counts as what it is; what is no address is refused."""
    assert (objection(address, allow_private=False) is None) == public
    assert (objection(address, allow_private=True) is None) == in_the_house
