"""The whole stack with real phones: one PBX, one telephone network, one controller process for a file of tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lab.phone import PhoneShelf
from lab.stack import running_stack
from lab.text_messages import free_port
from tests.asterisk.floor import Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

QUICK = {
    ("[queues]", "wrap_up_s"): "0.5",
    ("[queues]", "missed_pause_s"): "1",
    ("[queues]", "agent_ring_timeout_s"): "4",
    ("[queues]", "customer_ring_timeout_s"): "4",
    ("[queues]", "max_attempts"): "2",
    ("queues.announcements", "interval_s"): "600",
    ("queues.retry_gap_s", "busy"): "1",
    ("queues.retry_gap_s", "no_answer"): "1",
}
"""Short waits: what is tested is what happens, not how long a person waits for it."""


EXPECTED_COMPLAINTS = (
    # The controller is killed, or away.
    "Web socket closed abruptly",
    "Error reading from web socket",
    "WebSocket read error",
    "Broken pipe",
    "not active",
    "Failed to find outbound websocket per-call config",
    "Stasis app 'orikaeshi' doesn't exist",
    # A caller hangs up in the middle of a prompt. (One that is missing is complained of in other words.)
    "Playback failed for sound:orikaeshi/",
)
"""What Asterisk warns of, and is no fault."""


@pytest.fixture(scope="module")
def port() -> int:
    """Return where the console of a file's tests listens."""
    return free_port()


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything once for the tests of one file."""
    async with (
        running_stack(tmp_path_factory.mktemp("site"), changes=QUICK) as stack,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf)


@pytest.fixture
async def floor(running_floor: Floor) -> AsyncIterator[Floor]:
    """Give a test the floor with every phone on the hook; afterwards there is no complaint from Asterisk."""
    yield running_floor
    async with asyncio.timeout(20):
        await running_floor.clear()
    assert [
        line for line in running_floor.stack.pbx.complaints if not any(known in line for known in EXPECTED_COMPLAINTS)
    ] == []
