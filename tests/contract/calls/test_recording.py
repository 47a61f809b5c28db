"""What `Call.record`, `Call.consent` and `RecordingShelf` promise, held by the scripted exchange and by Asterisk."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from controller.domain.recording import Consent
from controller.ports.calls import CallerHungUp
from controller.ports.survey import Role
from tests.contract.calls.hands import SHORT, answered, begun, nothing, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.ports.calls import Call
    from tests.contract.calls.exchange import Exchange, FarEnd

recording_ids = (f"contract-recording-{number}" for number in itertools.count(1))


class Talk(NamedTuple):
    """A caller and an agent who talk."""

    call: Call
    caller: FarEnd
    agent: FarEnd
    talking: asyncio.Future[object]


@asynccontextmanager
async def a_talk(exchange: Exchange) -> AsyncIterator[Talk]:
    """Have a caller and an agent talk."""
    call, caller = await answered(exchange)
    async with exchange.agent_leg("answers") as leg:
        assert await soon(leg.dial()) is None
        agent = await exchange.rung()
        yield Talk(call, caller, agent, await begun(call.connect(leg, on_joined=nothing)))


async def recorded(talk: Talk) -> str:
    """Have a talk recorded; return the recording's id."""
    recording_id = next(recording_ids)
    await soon(talk.call.record(recording_id))
    return recording_id


async def sound_of(exchange: Exchange, recording_id: str) -> bytes:
    """Read a file whole."""
    return b"".join([piece async for piece in exchange.shelf.sound(recording_id)])


async def until_over(exchange: Exchange, recording_id: str) -> None:
    """Wait until a recording does not run any more."""
    async with asyncio.timeout(5):
        while await exchange.shelf.is_going_on(recording_id):
            await a_moment()


async def a_moment() -> None:
    """Let others do something."""
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.05)


async def test_a_recording_runs_until_the_talk_ends_and_is_kept(exchange: Exchange) -> None:
    """Neither of them notices; the one who is left can be spoken to, and the file is a sound file."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        assert await exchange.shelf.is_going_on(recording_id)
        await talk.agent.hang_up()
        assert await soon(talk.talking, 2) is True
        await soon(talk.call.play(SHORT))
        await until_over(exchange, recording_id)
    assert (await sound_of(exchange, recording_id))[:4] == b"RIFF"


async def test_a_talk_that_was_asked_to_be_recorded_twice_is_recorded_once(exchange: Exchange) -> None:
    """As after a connection that was lost in the middle of it."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        await soon(talk.call.record(recording_id))
        assert await exchange.shelf.is_going_on(recording_id)


async def test_who_is_in_no_talk_is_not_recorded(exchange: Exchange) -> None:
    """Not before one, and not after it."""
    async with a_talk(exchange) as talk:
        await talk.agent.hang_up()
        assert await soon(talk.talking, 2) is True
        with pytest.raises(CallerHungUp):
            await recorded(talk)


async def test_a_recording_is_paused_and_goes_on(exchange: Exchange) -> None:
    """Asked twice, it is no different; it runs all the time."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        for change in (exchange.shelf.pause, exchange.shelf.pause, exchange.shelf.resume, exchange.shelf.resume):
            assert await change(recording_id)
            assert await exchange.shelf.is_going_on(recording_id)


async def test_what_is_not_being_recorded_is_neither_paused_nor_resumed(exchange: Exchange) -> None:
    """One that is over, and one that never was."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        await talk.caller.hang_up()
        assert await soon(talk.talking, 2) is True
    await until_over(exchange, recording_id)
    for each in (recording_id, "never-was"):
        assert not await exchange.shelf.pause(each)
        assert not await exchange.shelf.resume(each)


async def test_the_sound_that_is_erased_is_gone(exchange: Exchange) -> None:
    """Erased again, it is no error; asked for, there is nothing before the first piece."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        await talk.caller.hang_up()
        await soon(talk.talking, 2)
    await until_over(exchange, recording_id)
    await exchange.shelf.erase(recording_id)
    await exchange.shelf.erase(recording_id)
    with pytest.raises(LookupError):
        await sound_of(exchange, recording_id)


async def test_the_next_controller_finds_a_talk_with_its_two_parties_and_its_recording(exchange: Exchange) -> None:
    """What records is nobody who talks; and it goes on."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        assert await exchange.shelf.pause(recording_id)
        found = {each.role: each for each in await exchange.successor()}
        talk.talking.cancel()
        await asyncio.gather(talk.talking, return_exceptions=True)
    assert set(found) == {Role.CALLER, Role.AGENT}
    assert found[Role.CALLER].joined_with == {found[Role.AGENT].call.id}
    assert found[Role.AGENT].joined_with == {found[Role.CALLER].call.id}
    assert await exchange.shelf.is_going_on(recording_id)
    await soon(found[Role.CALLER].call.record(recording_id))
    assert await exchange.shelf.resume(recording_id)


async def test_who_is_left_alone_with_what_records_talks_with_nobody(exchange: Exchange) -> None:
    """The agent hung up while no controller was there."""
    async with a_talk(exchange) as talk:
        await recorded(talk)
        await exchange.successor()
        await talk.agent.hang_up()
        await soon(talk.agent.over())
        (found,) = [each for each in await exchange.successor() if each.role is Role.CALLER]
        talk.talking.cancel()
        await asyncio.gather(talk.talking, return_exceptions=True)
    assert found.joined_with == frozenset()


async def test_a_recording_ends_with_its_talk_while_no_controller_is_there(exchange: Exchange) -> None:
    """Nothing of ours has to be there for it."""
    async with a_talk(exchange) as talk:
        recording_id = await recorded(talk)
        await exchange.successor()
        await talk.agent.hang_up()
        await talk.caller.hang_up()
        await until_over(exchange, recording_id)
        talk.talking.cancel()
        await asyncio.gather(talk.talking, return_exceptions=True)
    assert (await sound_of(exchange, recording_id))[:4] == b"RIFF"


async def test_what_a_party_said_to_recording_stays_with_them(exchange: Exchange) -> None:
    """For the next controller too, which asks nobody again; another mark leaves it alone."""
    call, _ = await answered(exchange)
    said = [call.consent]
    await call.remember(consent=Consent.AGREED)
    await call.remember(queue="main")
    said.append(call.consent)
    assert said == [None, Consent.AGREED]
    (found,) = await exchange.successor()
    assert found.call.consent is Consent.AGREED
