"""The load as a process of its own, so that it is not slowed by who measures: orders on stdin, answers on stdout.

One JSON object a line each way, in order. `LoadProcess` gives the orders; `python -m bench.load HOST PORT` takes them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bench.load_phones import Agents, Callers, CallMade
from lab.controller_process import die_with_parent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from controller.provision.site import SipAccount

_LONGEST_LINE: Final = 64 << 20


class LoadFailedError(Exception):
    """The load could not do what it was told; the message has its own words."""


class LoadProcess:
    """Gives the orders; one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._one = asyncio.Lock()

    async def register(self, agents: Sequence[SipAccount]) -> None:
        """Register the agents' phones."""
        await self._order("register", accounts=[(agent.user, agent.password) for agent in agents])

    async def talk_for(self, talk_s: float | None) -> None:
        """Have agents talk so long from the next call on; None: until they are told to hang up."""
        await self._order("talk_for", talk_s=talk_s)

    async def call(self, dialled: str, *, count: int, per_s: float) -> None:
        """Have callers call at an even pace; returns when the last call has been made."""
        await self._order("call", dialled=dialled, count=count, per_s=per_s)

    async def hang_up(self, count: int) -> list[tuple[float, str]]:
        """Have so many agents hang up, who have talked longest; return when and who."""
        return [(at_s, agent) for at_s, agent in await self._order("hang_up", count=count)]

    async def rung(self) -> list[tuple[float, str]]:
        """Return each INVITE at an agent's phone so far: when, and at whose."""
        return [(at_s, agent) for at_s, agent in await self._order("rung")]

    async def state(self) -> dict[str, int]:
        """Return numbers: `calls` so far, `ended`, `answered`, `talking`, `sent_again`, `unexpected`."""
        found: dict[str, int] = await self._order("state")
        return found

    async def calls(self) -> list[CallMade]:
        """Return every call so far, and forget those that are over."""
        return [CallMade(**fields) for fields in await self._order("calls")]

    async def until_ended(self, count: int, *, timeout_s: float) -> bool:
        """Wait until so many calls are over; False when they are not within the time."""
        deadline_s = time.monotonic() + timeout_s
        while (await self.state())["ended"] < count:
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(0.1)
        return True

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def _order(self, do: str, **fields: object) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise LoadFailedError("the load was started without its pipes")
        async with self._one:
            stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            await stdin.drain()
            line = await stdout.readline()
        if not line:
            raise LoadFailedError(f"the load ended at the order {do!r}; what it said stands above")
        answer = json.loads(line)
        if "error" in answer:
            raise LoadFailedError(answer["error"])
        return answer["result"]


@asynccontextmanager
async def running_load(host: str, port: int) -> AsyncIterator[LoadProcess]:
    """Run the load against the PBX whose SIP port this is, for the length of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load", host, str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        preexec_fn=die_with_parent,
    )
    try:
        yield LoadProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Load:
    """Takes the orders."""

    def __init__(self) -> None:
        self._callers = Callers()
        self._agents = Agents(self._callers.calls.get)
        self._ended_before = 0
        self._count = 0

    async def open(self, remote: tuple[str, int]) -> None:
        """Open both sockets."""
        await self._callers.open(remote)
        await self._agents.open(remote)

    async def obey(self, order: dict[str, Any]) -> Any:
        """Carry out one order and return its result. Raises ValueError for one that is not known."""
        match order:
            case {"do": "register", "accounts": accounts}:
                return await self._agents.register(accounts)
            case {"do": "talk_for", "talk_s": talk_s}:
                self._agents.talk_s = talk_s
            case {"do": "call", "dialled": dialled, "count": count, "per_s": per_s}:
                await self._call(dialled, count, per_s)
            case {"do": "hang_up", "count": count}:
                return self._agents.hang_up(count)
            case {"do": "rung"}:
                return self._agents.rung
            case {"do": "state"}:
                return self._state()
            case {"do": "calls"}:
                return self._hand_over()
            case _:
                raise ValueError(f"no such order: {order}")
        return None

    async def _call(self, dialled: str, count: int, per_s: float) -> None:
        began_s = time.monotonic()
        for index in range(count):
            due_s = began_s + index / per_s
            if (ahead_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(ahead_s)
            self._callers.call(dialled, due_s)
        self._count += count

    def _state(self) -> dict[str, int]:
        calls = self._callers.calls.values()
        return {
            "calls": self._count,
            "ended": self._ended_before + sum(1 for call in calls if call.ended_s),
            "answered": sum(1 for call in calls if call.answered_s and not call.ended_s),
            "talking": self._agents.talking,
            "sent_again": self._callers.socket.sent_again + self._agents.socket.sent_again,
            "unexpected": self._agents.unexpected,
        }

    def _hand_over(self) -> list[dict[str, Any]]:
        calls = self._callers.calls
        told = [asdict(call) for call in calls.values()]
        over = [number for number, call in calls.items() if call.ended_s]
        self._ended_before += len(over)
        for number in over:
            del calls[number]
        return told


async def serve(host: str, port: int) -> None:
    """Take orders from stdin until it is closed."""
    load = Load()
    await load.open((host, port))
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            answer = {"result": await load.obey(json.loads(line))}
        except (ValueError, RuntimeError, OSError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
