"""The guards around panoramisk: each fault of its or of the wire is produced, and shown to be harmless."""

from __future__ import annotations

import asyncio
import logging
import tracemalloc
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.asterisk.ami_errors import AmiActionForbiddenError
from controller.asterisk.ami_wire import LONGEST_BLOCK_BYTES, MOST_UNREADABLE_BLOCKS, open_ami
from controller.ports.phones import DeviceState, PbxNews, PhoneStatus
from tests.adapters.ami_server import SECRET, AmiServer, ami_server, block, contact_event, device_event
from tests.adapters.ami_watching import BUSY, IDLE, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    """Run an AMI server that knows one idle phone, agent-1."""
    async with ami_server() as running:
        running.phone("agent-1", "NOT_INUSE", "Reachable")
        yield running


@pytest.mark.parametrize("action", ["Originate", "originate", "QueueAdd", "Command", "Redirect", "AGI", "Logoff", ""])
async def test_only_listed_actions_are_ever_sent(server: AmiServer, action: str) -> None:
    """Anything that acts on a call or a queue is refused before a byte is written."""
    async with open_ami("127.0.0.1", server.port, on_event=print, action_timeout_s=3) as connection:
        with pytest.raises(AmiActionForbiddenError):
            await connection.act(action)
        await connection.act("Ping")
        assert server.sessions[0].names == ["Ping"]


@pytest.mark.parametrize("text", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "a\x7fb", "\x1b", "\ud800"])
async def test_a_control_character_in_a_header_is_refused_before_it_is_sent(server: AmiServer, text: str) -> None:
    """A line break would start a header, and a second one an action, of somebody else's choosing."""
    async with open_ami("127.0.0.1", server.port, on_event=print, action_timeout_s=3) as connection:
        with pytest.raises(ValueError, match="remove it"):
            await connection.act("Filter", Filter=text)
        with pytest.raises(ValueError, match="remove it"):
            await connection.act("Filter", **{text: "x"})
        await connection.act("Ping")
        assert server.sessions[0].names == ["Ping"]


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"x" * 200, b"\xff\xfe"])
async def test_a_service_that_is_not_ami_is_named_as_such(server: AmiServer, greeting: bytes) -> None:
    """A wrong port is the likely cause, and is said."""
    server.greeting = greeting
    async with watching(server.port, action_timeout_s=1) as watch:
        assert "not Asterisk's manager interface" in await watch.failure()


@pytest.mark.parametrize("greeting", [b"", b"Asterisk Call Man"])
async def test_a_service_that_accepts_and_says_nothing_is_dropped_in_time(server: AmiServer, greeting: bytes) -> None:
    """Nothing waits for a greeting for ever."""
    server.greeting = greeting
    async with watching(server.port, action_timeout_s=0.1) as watch:
        assert "said nothing within 0.1 s" in await watch.failure()


async def test_a_line_of_ten_megabytes_is_cut_off_early_and_memory_stays_flat(server: AmiServer) -> None:
    """The cap ends the connection; the phones stay as they were and the next connection works."""
    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        chunk = b"x" * 65_536
        tracemalloc.start()
        passed = await server.sessions[0].flood(chunk, 160)
        assert str(LONGEST_BLOCK_BYTES) in await watch.failure()
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert passed < 10_000_000
        assert peak_bytes < 3_000_000
        assert watch.heard.statuses == [IDLE]
        server.sessions.clear()
        watch.clock.let_go()
        await watch.heard.until_pbx(PbxNews.UP, 2)


GARBAGE = {
    "binary": bytes(range(256)) + b"\r\n\r\n",
    "no colon": b"hello\r\n\r\n",
    "neither event nor response": b"Foo: bar\r\n\r\n",
    "empty": b"\r\n\r\n",
    "event twice": b"Event: A\r\nEvent: DeviceStateChange\r\nDevice: PJSIP/agent-1\r\nState: INUSE\r\n\r\n",
    "response twice": b"Response: Success\r\nResponse: Error\r\nActionID: 1\r\n\r\n",
    "id twice": b"Event: DeviceStateChange\r\nActionID: 1\r\nActionID: 2\r\n\r\n",
    "device twice": b"Event: DeviceStateChange\r\nDevice: PJSIP/agent-1\r\nDevice: x\r\nState: INUSE\r\n\r\n",
    "state twice": b"Event: DeviceStateChange\r\nDevice: PJSIP/x\r\nState: INUSE\r\nState: BUSY\r\n\r\n",
    "no state": b"Event: ContactStatus\r\n\r\n",
    "answer to nothing": b"Response: Success\r\nActionID: action/x/1/1\r\n\r\n",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_between_events_is_passed_over(server: AmiServer, garbage: bytes) -> None:
    """What cannot be read changes nothing; the event after it is heard."""
    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        server.sessions[0].send(garbage + device_event("agent-1", "BUSY"))
        busy = PhoneStatus("agent-1", registered=True, device=DeviceState.BUSY)
        await watch.heard.until(busy)
        assert watch.heard.statuses == [IDLE, busy]
        assert len(server.sessions) == 1


async def test_too_much_garbage_ends_the_connection(server: AmiServer) -> None:
    """A stream that has lost its framing is not followed."""
    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        server.sessions[0].send(b"hello\r\n\r\n" * (MOST_UNREADABLE_BLOCKS + 1))
        assert "neither event nor response" in await watch.failure()
        assert watch.heard.statuses == [IDLE]


ODD = {
    "list": b"Response: Success\r\nActionID: %\r\nEventList: start\r\n\r\nEvent: XComplete\r\nActionID: %\r\n\r\n",
    "event": b"Event: DeviceStateChange\r\nActionID: %\r\nDevice: PJSIP/agent-1\r\nState: INUSE\r\n\r\n",
    "end without start": b"Event: XComplete\r\nActionID: %\r\n\r\n",
    "goodbye": b"Response: Goodbye\r\nActionID: %\r\nMessage: Thanks for all the fish.\r\n\r\n",
    "number of another": b"Response: Success\r\nActionID: 7\r\n\r\n",
}


@pytest.mark.parametrize("action", ["Login", "Filter", "DeviceStateList", "PJSIPShowEndpoints", "Ping"])
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_an_odd_reply_to_any_action_never_ends_the_watch(server: AmiServer, action: str, odd: bytes) -> None:
    """It is refused, missed or passed over; a later connection that is served well brings the phone back."""
    server.odd_replies = {action: odd}
    async with watching(server.port, ping_interval_s=0.01, action_timeout_s=0.1) as watch:
        async with asyncio.timeout(10):
            await server.odd_sent.wait()
        server.odd_replies.clear()
        server.lists.clear()
        server.phone("agent-1", "INUSE", "Reachable")
        server.sessions[-1].close()
        await watch.failure()
        watch.clock.let_go()
        await watch.heard.until(BUSY)


async def test_a_list_that_never_ends_is_cut_off(server: AmiServer) -> None:
    """Items are kept until their list is whole, so their number has a cap."""
    item = block(Event="ContactList", ActionID="%", Endpoint="x", Uri="sip:x@127.0.0.1", Status="Reachable")
    server.lists["PJSIPShowContacts"] = [item * 20_001]
    async with watching(server.port) as watch:
        assert "a list of more than 20000 items" in await watch.failure()


async def test_a_storm_of_fifty_thousand_events_is_heard_whole_and_in_order(server: AmiServer) -> None:
    """None is lost or swapped, the connection survives, and other tasks never wait long meanwhile."""
    loop = asyncio.get_running_loop()
    turns = [loop.time()]

    async def bystander() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(loop.time())

    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        other = asyncio.create_task(bystander())
        states = ["RINGING", "INUSE", "NOT_INUSE"] * 16_667
        for start in range(0, len(states), 500):
            events = [device_event("agent-1", state) for state in states[start : start + 500]]
            await server.sessions[0].flood(b"".join(events), 1)
        server.sessions[0].send(device_event("agent-1", "ONHOLD"))
        await watch.heard.until(PhoneStatus("agent-1", registered=True, device=DeviceState.ONHOLD), within_s=60)
        other.cancel()
        assert [status.device.value for status in watch.heard.statuses[1:]] == [*states, "ONHOLD"]
        assert max(later - earlier for earlier, later in pairwise(turns)) < 1.0
        assert len(server.sessions) == 1


async def test_a_message_may_come_in_single_bytes(server: AmiServer) -> None:
    """Framing does not depend on how TCP cuts the stream, not even in the middle of a character."""
    async with watching(server.port) as watch:
        await watch.heard.until(IDLE)
        uri = "sip:山田@127.0.0.1"
        for byte in contact_event("agent-1", "Reachable", uri) + contact_event("agent-1", "Unreachable"):
            await server.sessions[0].flood(bytes([byte]), 1)
        for byte in contact_event("agent-1", "Removed", uri):
            await server.sessions[0].flood(bytes([byte]), 1)
        await watch.heard.until(PhoneStatus("agent-1", registered=False, device=DeviceState.NOT_INUSE))


async def test_the_secret_stands_in_no_log(server: AmiServer, caplog: pytest.LogCaptureFixture) -> None:
    """The own lines of panoramisk quote whole actions, so they are kept out."""
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        async with watching(server.port) as watch:
            await watch.heard.until(IDLE)
            server.sessions[0].close()
            await watch.failure()
    assert [action for action in server.sessions[0].actions if action.get("Secret") == SECRET]
    assert SECRET not in caplog.text + str(logs)
    assert not [record for record in caplog.records if record.name.startswith("panoramisk")]
