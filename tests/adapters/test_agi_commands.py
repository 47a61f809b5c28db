"""The guards around panoramisk's FastAGI: each fault is produced, and shown to be harmless."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.asterisk.agi.commands import AgiCommands
from controller.asterisk.agi.conversation import AgiConversation
from controller.asterisk.agi.wire import DialplanRequest
from controller.domain.digits import PHONE_NUMBER
from controller.ports.calls import CallerHungUp, PbxUnavailableError
from controller.system_clock import SystemClock
from tests.adapters.agi_client import Caller, told

ODD = {
    "garbage": b"hello\n",
    "nothing": b"\n",
    "not text": b"\xff\xfe\xfd\n",
    "a line without end": b"2" * 100_000 + b"\n",
    "usage": b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n520 End of proper usage.\n",
    "unknown command": b"510 Invalid or unknown command\n",
    "a result that is none": b"200 status_code=5 result=0\n",
    "the end of an environment": b"agi_calleridname: unknown\n",
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_answer_that_cannot_be_trusted_is_a_fault_of_the_pbx_and_nothing_more_is_sent(odd: str) -> None:
    """What comes after it may belong to another command."""
    caller = Caller(odd_answers={"ANSWER": ODD[odd]})

    async def story(call: AgiConversation) -> None:
        for _ in range(2):
            with pytest.raises((PbxUnavailableError, CallerHungUp)):
                await call.answer()
        await call.hang_up()

    await told(caller, story)
    assert caller.commands == ["ANSWER"]


@settings(max_examples=150, deadline=None)
@given(answer=st.one_of(st.binary(max_size=200), st.from_regex(rb"\A(200|100|5[12]0) ?(\w+=\S*( \(.*\))? ?){0,4}\Z")))
def test_whatever_is_answered_the_verb_comes_to_an_end(answer: bytes) -> None:
    """With a value, a hang-up, or a fault of the PBX: never another exception, and never a wait for ever."""

    async def story() -> None:
        reader = asyncio.StreamReader(limit=1024)
        reader.feed_data(answer + b"\n")
        reader.feed_eof()
        call = conversation(reader, SilentWriter())
        try:
            assert await call.ask("offer", keypad=PHONE_NUMBER) == ""
        except (CallerHungUp, PbxUnavailableError):
            return

    with asyncio.Runner() as runner:
        runner.run(story())


class SilentWriter:
    """Takes commands, and tells nobody of them."""

    def write(self, data: bytes) -> None:
        """Take some bytes."""

    async def drain(self) -> None:
        """Have room for more."""


def conversation(reader: asyncio.StreamReader, writer: Any) -> AgiConversation:
    """Return a conversation on streams of our own."""
    request = DialplanRequest("1.1", "promise", {}, "09012340001", "0312345678", "carrier", "ja")
    return AgiConversation(AgiCommands(reader, writer, "1.1"), request, SystemClock().now())


async def test_an_answer_that_never_comes_is_waited_for_only_so_long() -> None:
    """The time for a command that waits for nobody is over soon."""
    commands = AgiCommands(asyncio.StreamReader(), SilentWriter(), "1.1")  # type: ignore[arg-type]  # never closes
    with pytest.raises(PbxUnavailableError, match=r"no answer to ANSWER within 0\.05 s"):
        await commands.send("ANSWER", timeout_s=0.05)
    with pytest.raises(PbxUnavailableError, match="no answer to ANSWER"):
        await commands.send("ANSWER")


async def test_answers_that_only_say_trying_come_to_an_end_too() -> None:
    """`100` means that the answer is still to come."""
    reader = asyncio.StreamReader()
    reader.feed_data(b"100 result=0 Trying...\n" * 5000)
    commands = AgiCommands(reader, SilentWriter(), "1.1")  # type: ignore[arg-type]  # takes bytes
    with pytest.raises(PbxUnavailableError):
        await commands.send("ANSWER", timeout_s=0.05)


async def test_a_command_that_was_cut_short_is_the_last_one() -> None:
    """Its answer would be taken for that of the next."""
    commands = AgiCommands(asyncio.StreamReader(), SilentWriter(), "1.1")  # type: ignore[arg-type]  # never closes
    sending = asyncio.ensure_future(commands.send("ANSWER"))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert not commands.usable
    with pytest.raises(PbxUnavailableError, match="cut short"):
        await commands.send("HANGUP")
