from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bench.bench_pbx import AGENTS_HOST, CALLERS_HOST
from bench.load_phones import Agents, Callers
from bench.load_sip import parsed, uri_of, user_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PATIENCE_S = 10


class Operator(asyncio.DatagramProtocol):
    """Stands between callers and agents: what comes from one side goes to the other, but for what `drops` names."""

    def __init__(self) -> None:
        self.sides: dict[str, tuple[str, int]] = {}
        self.drops: Callable[[bytes], bool] = lambda _data: False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the line."""
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand it on."""
        if not self.drops(data):
            other = AGENTS_HOST if addr[0] == CALLERS_HOST else CALLERS_HOST
            self._transport.sendto(data, self.sides[other])


@asynccontextmanager
async def exchange() -> AsyncIterator[tuple[Callers, Agents, Operator]]:
    """Callers and agents, and the operator between them."""
    loop = asyncio.get_running_loop()
    transport, operator = await loop.create_datagram_endpoint(Operator, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    callers = Callers()
    agents = Agents(callers.calls.get)
    await callers.open((host, port))
    await agents.open((host, port))
    operator.sides = {
        CALLERS_HOST: (callers.socket.host, callers.socket.port),
        AGENTS_HOST: (agents.socket.host, agents.socket.port),
    }
    try:
        yield callers, agents, operator
    finally:
        callers.socket.close()
        agents.socket.close()
        transport.close()


async def until(holds: Callable[[], bool]) -> None:
    """Return when it holds. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - the phones tell nobody: they note
            await asyncio.sleep(0)


async def test_a_call_is_answered_by_an_agent_who_hangs_up() -> None:
    """Each instant is noted at the end where it happens, in their order."""
    async with exchange() as (callers, agents, _operator):
        agents.talk_s = 0.01
        callers.call("0300000003", 0.0)
        made = next(iter(callers.calls.values()))
        await until(lambda: made.ended_s > 0)
    assert made.invited_s <= made.agent_rung_s <= made.answered_s <= made.agent_answered_s
    assert made.agent_answered_s <= made.agent_hung_up_s <= made.ended_s
    assert (made.agent, made.rings, made.refused, agents.unexpected) == ("0300000003", 1, 0, 0)


async def test_agents_who_are_told_to_hang_up_are_those_who_have_talked_longest() -> None:
    """So many of them, and they say who they were."""
    async with exchange() as (callers, agents, _operator):
        for dialled in ("agent-1", "agent-2", "agent-3"):
            callers.call(dialled, 0.0)
            calls = list(callers.calls.values())
            await until(lambda calls=calls: calls[-1].agent_answered_s > 0)  # type: ignore[misc]
        left = agents.hang_up(2)
        await until(lambda: sum(call.ended_s > 0 for call in callers.calls.values()) == 2)
        assert [agent for _, agent in left] == ["agent-1", "agent-2"]
        assert agents.talking == 1


async def test_a_request_that_was_lost_is_sent_again() -> None:
    """The first INVITE and the first BYE go astray; the call comes and ends all the same, and is one call."""
    async with exchange() as (callers, agents, operator):
        lost: set[bytes] = set()

        def loses_the_first(data: bytes) -> bool:
            method = data.partition(b" ")[0]
            is_first = method in {b"INVITE", b"BYE"} and method not in lost
            lost.add(method)
            return is_first

        operator.drops = loses_the_first
        agents.talk_s = 0.0
        callers.call("agent-1", 0.0)
        made = next(iter(callers.calls.values()))
        await until(lambda: made.ended_s > 0)
        assert made.rings == 1
        assert callers.socket.sent_again + agents.socket.sent_again == 2


async def test_a_call_that_is_refused_says_with_what() -> None:
    """It is over, and no agent was rung for it."""
    async with exchange() as (callers, agents, operator):

        def refuse(data: bytes) -> bool:
            request = parsed(data)
            if request.method == "INVITE":
                callers.socket.datagram_received(agents.socket.answer(request, "503 No", tag="x"), ("", 0))
            return True

        operator.drops = refuse
        callers.call("agent-1", 0.0)
        made = next(iter(callers.calls.values()))
        await until(lambda: made.ended_s > 0)
        assert (made.refused, made.rings) == (503, 0)


def test_what_is_no_sip_message_is_no_message() -> None:
    """A keep-alive of CR LF, and a line of something else."""
    for data in (b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
        with pytest.raises(ValueError, match=r"SIP|invalid"):
            parsed(data)


def test_an_address_has_a_user_and_a_uri() -> None:
    """With a name and parameters around it, and bare."""
    assert user_of('"A B" <sip:09012345678@h:5;x=y>;tag=z') == "09012345678"
    assert uri_of('"A B" <sip:1@h:5;x=y>;tag=z') == "sip:1@h:5;x=y"
    assert uri_of("sip:1@h;tag=z") == "sip:1@h"


def test_short_names_of_headers_are_known_and_all_vias_kept() -> None:
    """An answer repeats every Via, in order."""
    message = parsed(b"BYE sip:a@h SIP/2.0\r\nv: one;branch=z1\r\nVia: two\r\ni: call-1\r\nCSeq: 2 BYE\r\n\r\n")
    assert (message.method, message.uri, message.call_id, message.sequence) == ("BYE", "sip:a@h", "call-1", "2 BYE")
    assert message.vias == ("one;branch=z1", "two")
