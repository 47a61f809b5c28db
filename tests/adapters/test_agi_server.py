"""The door for FastAGI: whoever is silent, slow, huge or no Asterisk is closed, and good calls are served meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from controller.domain.digits import ONE_KEY
from controller.system_clock import SystemClock
from tests.adapters.agi_client import Caller, environment, serving

if TYPE_CHECKING:
    from controller.asterisk.agi.conversation import AgiConversation

PATIENCE_S = 10


async def good_story(call: AgiConversation) -> None:
    """Answer, ask, and tell the dialplan."""
    await call.answer()
    await call.report(await call.ask("offer", keypad=ONE_KEY))


async def is_served(port: int) -> bool:
    """Call, and tell whether all went well."""
    caller = Caller({"offer": ["7"]})
    async with asyncio.timeout(PATIENCE_S):
        await caller.call(port)
    return caller.variables.get("ORI_RESULT") == "7"


async def closed(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side closes; tell whether it said nothing before."""
    async with asyncio.timeout(PATIENCE_S):
        with suppress(ConnectionError):
            return await reader.read() == b""
    return True


async def test_one_call_after_another_and_many_at_once_are_served() -> None:
    """Each with its own keys."""
    async with serving(good_story) as server:
        assert await is_served(server.bound_port)
        assert all(await asyncio.gather(*(is_served(server.bound_port) for _ in range(10))))


async def test_connecting_and_closing_at_once_disturbs_nobody() -> None:
    """The server of panoramisk spins for ever on this, and nobody is served any more."""
    async with serving(good_story) as server:
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
            writer.close()
            await writer.wait_closed()
        assert await is_served(server.bound_port)


SCANNERS = {
    "another protocol": b"GET / HTTP/1.1\r\nHost: pbx\r\n\r\n",
    "one megabyte without a line's end": b"a" * 1_000_000,
    "lines without end": b"".join(b"agi_arg_%d: x\n" % number for number in range(10_000)),
    "a line twice": environment(agi_calleridname="x\nagi_callerid: 0312345678"),
    "no caller": environment(agi_callerid=None),
    "control characters": environment(agi_calleridname="\x1b[2J"),
    "an address twice over": environment(agi_request="agi://h/promise?queue=a&queue=b"),
}


@pytest.mark.parametrize("scanner", SCANNERS)
async def test_what_is_no_call_is_closed_without_a_word_and_named_in_the_log(scanner: str) -> None:
    """At once, while the other side still holds the line."""
    with capture_logs() as logs:
        async with serving(good_story) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
            writer.write(SCANNERS[scanner])
            assert await closed(reader)
            writer.close()
            assert await is_served(server.bound_port)
    (line,) = [line for line in logs if line["event"] == "a FastAGI connection is closed"]
    assert line["peer"] == "127.0.0.1"
    assert "1234" not in line["reason"]


async def test_five_hundred_silent_connections_do_not_keep_a_call_from_being_served() -> None:
    """The room for strangers is full; whoever has been silent the longest makes room for the next."""
    async with serving(good_story, most_strangers=64, stranger_timeout_s=300) as server, AsyncExitStack() as stack:
        for _ in range(500):
            _, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
            stack.callback(writer.close)
        assert await is_served(server.bound_port)
        assert all(await asyncio.gather(*(is_served(server.bound_port) for _ in range(10))))


async def test_of_too_many_silent_connections_the_oldest_is_closed_and_the_others_are_left() -> None:
    """So that what they cost has a limit."""
    async with serving(good_story, most_strangers=3, stranger_timeout_s=300) as server, AsyncExitStack() as stack:
        silent = []
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
            stack.callback(writer.close)
            silent.append((reader, writer))
        assert await closed(silent[0][0])
        assert await closed(silent[1][0])
        for reader, writer in silent[2:]:
            writer.write(environment())
            async with asyncio.timeout(PATIENCE_S):
                assert await reader.readline() == b"ANSWER\n"


async def test_whoever_stays_silent_is_closed_after_a_while() -> None:
    """Also who sends a byte now and then."""
    async with serving(good_story, stranger_timeout_s=0.2) as server:
        silent, one = await asyncio.open_connection("127.0.0.1", server.bound_port)
        slow, other = await asyncio.open_connection("127.0.0.1", server.bound_port)

        async def drip() -> None:
            for byte in environment():
                other.write(bytes([byte]))
                await SystemClock().sleep(0.02)

        dripping = asyncio.ensure_future(drip())
        assert await closed(silent)
        assert await closed(slow)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        one.close()
        other.close()
        assert await is_served(server.bound_port)


async def test_a_call_in_which_nobody_answers_a_command_disturbs_no_other() -> None:
    """It waits for its answer, alone."""
    async with serving(good_story) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
        writer.write(environment())
        assert await reader.readline() == b"ANSWER\n"
        assert await is_served(server.bound_port)
        writer.close()


async def test_no_more_calls_than_the_limit_are_taken_and_the_next_is_taken_when_one_is_over() -> None:
    """The dialplan of the one too many goes on without us."""
    async with serving(good_story, most_calls=1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
        writer.write(environment())
        assert await reader.readline() == b"ANSWER\n"
        assert not await is_served(server.bound_port)
        writer.write(b"HANGUP\n")
        assert await closed(reader)
        writer.close()
        assert await is_served(server.bound_port)


async def test_an_address_that_is_not_on_the_list_is_not_listened_to() -> None:
    """AGI knows no password: the list is all there is. However well it says who calls."""
    async with serving(good_story, allowed=("192.0.2.0/24", "::1/128")) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
        writer.write(environment())
        assert await closed(reader)
        writer.close()


async def test_a_story_that_fails_ends_its_own_call_and_no_other() -> None:
    """The fault is in the log, with where it was."""
    first = [True]

    async def story(call: AgiConversation) -> None:
        if first:
            first.clear()
            raise RuntimeError("a fault of ours")
        await good_story(call)

    with capture_logs() as logs:
        async with serving(story) as server:
            assert not await is_served(server.bound_port)
            assert await is_served(server.bound_port)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "a FastAGI call failed; other calls go on"
    ]


async def test_a_port_scan_fills_neither_the_log_nor_the_memory() -> None:
    """Hundreds of refusals are a line or two, with their count."""
    with capture_logs() as logs:
        async with serving(good_story) as server:
            for _ in range(300):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
                writer.write(b"\n")
                assert await closed(reader)
                writer.close()
            assert await is_served(server.bound_port)
    assert sum(line["event"] == "a FastAGI connection is closed" for line in logs) < 30


async def test_when_the_server_leaves_no_call_and_no_task_is_left_behind() -> None:
    """Asterisk sees the connection close, and its dialplan goes on."""
    async with serving(good_story) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.bound_port)
        writer.write(environment())
        assert await reader.readline() == b"ANSWER\n"
        silent, other = await asyncio.open_connection("127.0.0.1", server.bound_port)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "FastAGI"] == []
    assert await closed(reader)
    assert await closed(silent)
    writer.close()
    other.close()
    assert not server.listening.is_set()


async def test_a_port_that_somebody_else_has_is_a_fault_at_the_start() -> None:
    """The process ends with it, instead of running without."""
    async with serving(good_story) as server:
        second = type(server)(host="127.0.0.1", port=server.bound_port, clock=SystemClock(), on_call=good_story)
        with pytest.raises(OSError, match="address already in use"):
            await second.run()
