"""Asterisk's side of a FastAGI connection: says who calls, carries out commands, and can misbehave on purpose."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from controller.asterisk.agi.server import AgiServer
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from controller.asterisk.agi.conversation import AgiConversation

ADDRESS = "agi://127.0.0.1:4573/promise?queue=support&lang=en"
STREAM_FILE = re.compile(r'STREAM FILE orikaeshi/(?P<prompt>\S+) "(?P<stops>[^"]*)" (?P<position>\d+)')
PROMPT_SAMPLES, KEY_AT_SAMPLE = 8000, 1600


def environment(**changes: str | None) -> bytes:
    """Return what Asterisk says of a call, with changes; None leaves a line out."""
    lines: dict[str, str | None] = {
        "agi_network": "yes",
        "agi_network_script": "promise?queue=support&lang=en",
        "agi_request": ADDRESS,
        "agi_channel": "PJSIP/carrier-00000001",
        "agi_language": "ja",
        "agi_type": "PJSIP",
        "agi_uniqueid": "1763790000.12",
        "agi_version": "22.10.1",
        "agi_callerid": "09012340001",
        "agi_calleridname": "unknown",
        "agi_callingpres": "0",
        "agi_dnid": "0312345678",
        "agi_context": "support-exit",
        "agi_extension": "1",
        "agi_priority": "1",
        "agi_enhanced": "0.0",
        "agi_accountcode": "",
        "agi_threadid": "140000000000000",
    }
    lines.update(changes)
    return "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None).encode() + b"\n"


class Caller:
    """A caller on a channel of that Asterisk, who presses keys when prompts are heard, and hangs up at one.

    `closes_at` is the beginning of a command at which Asterisk itself closes the connection without a word.
    """

    def __init__(
        self,
        presses: Mapping[str, Sequence[str]] | None = None,
        *,
        hangs_up_at: str | None = None,
        closes_at: str | None = None,
        odd_answers: Mapping[str, bytes] | None = None,
    ) -> None:
        self._presses = {prompt: deque(keys) for prompt, keys in (presses or {}).items()}
        self._hangs_up_at = hangs_up_at
        self._closes_at = closes_at
        self._odd_answers = dict(odd_answers or {})
        self._keys: deque[str] = deque()
        self.heard: list[str] = []
        self.commands: list[str] = []
        self.variables: dict[str, str] = {}

    async def call(self, port: int, said: bytes | None = None) -> None:
        """Connect, say who calls, and carry out commands until the other side closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(environment() if said is None else said)
        with suppress(ConnectionError):
            while line := await reader.readline():
                command = line.decode().removesuffix("\n")
                self.commands.append(command)
                if self._closes_at is not None and command.startswith(self._closes_at):
                    break
                writer.write(self.answer(command))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def answer(self, command: str) -> bytes:
        """Return what Asterisk 22 says to a command."""
        odd = [answer for begin, answer in self._odd_answers.items() if command.startswith(begin)]
        if odd:
            return odd[0]
        found = STREAM_FILE.fullmatch(command)
        if found is not None:
            return self._stream(found["prompt"], found["stops"], int(found["position"]))
        match command.split():
            case ["ANSWER"]:
                return b"200 result=0\n"
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value.strip('"')
                return b"200 result=1\n"
            case ["WAIT", "FOR", "DIGIT", _]:
                return f"200 result={ord(self._keys.popleft()) if self._keys else 0}\n".encode()
            case ["GET", "DATA", '""', _, most]:
                return self._data(int(most))
            case ["HANGUP"]:
                return b"200 result=1\n"
        return b"510 Invalid or unknown command\n"

    def _stream(self, prompt: str, stops: str, position: int) -> bytes:
        if prompt == self._hangs_up_at:
            return b"200 result=-1 endpos=400\nHANGUP\n"
        if not position:
            self.heard.append(prompt)
            if waiting := self._presses.get(prompt):
                self._keys.extend(waiting.popleft())
        if self._keys and self._keys[0] in stops:
            return f"200 result={ord(self._keys.popleft())} endpos={position + KEY_AT_SAMPLE}\n".encode()
        return f"200 result=0 endpos={PROMPT_SAMPLES}\n".encode()

    def _data(self, most: int) -> bytes:
        keys = ""
        while self._keys and len(keys) < most:
            key = self._keys.popleft()
            if key == "#":
                return f"200 result={keys}\n".encode()
            keys += key
        return f"200 result={keys}{'' if len(keys) == most else ' (timeout)'}\n".encode()


@asynccontextmanager
async def serving(
    on_call: Callable[[AgiConversation], Awaitable[None]],
    *,
    allowed: Sequence[str] = ("127.0.0.0/8",),
    most_calls: int = 10,
    most_strangers: int = 10,
    stranger_timeout_s: float = 5.0,
) -> AsyncIterator[AgiServer]:
    """Run a server on a free port for the length of the block."""
    server = AgiServer(
        host="127.0.0.1",
        port=0,
        clock=SystemClock(),
        on_call=on_call,
        allowed=allowed,
        most_calls=most_calls,
        most_strangers=most_strangers,
        stranger_timeout_s=stranger_timeout_s,
    )
    running = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(5):
            await server.listening.wait()
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def told(caller: Caller, story: Callable[[AgiConversation], Awaitable[Any]]) -> Any:
    """Let `story` talk with a caller; return what it returned or raise what it raised."""
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def tell(conversation: AgiConversation) -> None:
        try:
            outcome.set_result(await story(conversation))
        except BaseException as error:  # noqa: BLE001 - handed on
            outcome.set_exception(error)

    async with serving(tell) as server, asyncio.timeout(10):
        await caller.call(server.bound_port)
        return await outcome
