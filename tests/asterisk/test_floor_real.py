"""What a supervisor does, on a real Asterisk with real phones: it is heard, and who should not hear it does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.ports.floor import EntryState, Refused
from lab.audio import tone_share
from lab.phone import Answer
from tests.asterisk.conftest import EXPECTED_COMPLAINTS
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ
from tests.asterisk.floor_site import House, running_house
from tests.asterisk.in_line_site import HIGH_HZ, LOW_HZ

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import PhoneCall

LISTENER_HZ = 620.0


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start everything once."""
    async with running_house(tmp_path_factory.mktemp("site")) as house:
        yield house


@pytest.fixture
async def house(running: House) -> AsyncIterator[House]:
    """Give a test every phone on the hook; afterwards Asterisk has nothing to complain of."""
    yield running
    await running.clear()
    assert [line for line in running.pbx.complaints if not any(known in line for known in EXPECTED_COMPLAINTS)] == []


async def hears_both(ear: PhoneCall) -> None:
    """Wait until somebody hears caller and agent together, at once: neither drowns the other."""
    at = await ear.heard.until_sound()
    async with asyncio.timeout(15):
        while True:
            at = await ear.heard.until_sound(from_s=at + 1)
            sample = ear.heard.slice(at - 1, at)
            shares = [tone_share(sample, hz) for hz in (CALLER_HZ, AGENT_HZ)]
            if min(shares) > 0.2 and sum(shares) > 0.8:
                return


async def test_a_caller_who_is_moved_hears_the_other_music_and_is_served_by_its_agent(house: House) -> None:
    """Without a gap that they would notice."""
    call, waiter = await house.waits(0, "low")
    at = await call.heard.until_tone(LOW_HZ)
    assert await house.floor.move(waiter, "high") is None
    moved_s = await call.heard.until_tone(HIGH_HZ, from_s=at)
    assert call.heard.longest_silence_s(at, moved_s + 0.5) < 1.0
    assert house.entry(waiter).queue == "high"
    await house.signed_in(1)
    call.talk(CALLER_HZ)
    assert await house.is_talking(waiter) == "agent-2"
    await call.heard.until_tone(AGENT_HZ, from_s=moved_s)


async def test_who_is_made_urgent_is_rung_for_first_and_nobody_rings_for_a_paused_agent(house: House) -> None:
    """The later caller gets the agent, once the pause is over."""
    await house.signed_in(0)
    assert await house.floor.pause("agent-1", "lunch") is None
    _, first = await house.waits(0, "low")
    _, second = await house.waits(1, "low")
    assert await house.floor.prioritise(second, urgent=True) is None
    assert [each.id for each in house.floor.now().line] == [second, first]
    assert house.entry(first).state is EntryState.WAITING
    assert await house.floor.unpause("agent-1") is None
    assert await house.is_talking(second) == "agent-1"
    assert house.entry(first).passed == 1


async def test_a_queue_that_is_closed_turns_newcomers_away_and_keeps_who_holds(house: House) -> None:
    """They hear that it is closed; who holds goes on hearing music. Opened again, it takes callers."""
    holds, waiter = await house.waits(0, "low")
    await holds.heard.until_tone(LOW_HZ)
    assert await house.floor.close_queue("low", by="hanako", until=None) is None
    turned_away = await house.customers[1].dial("0312345601", timeout_s=20)
    await turned_away.answered()
    await turned_away.heard.until_prompt(house.sound("closed"))
    assert [each.id for each in house.floor.now().line] == [waiter]
    assert await house.floor.open_queue("low") is None
    await turned_away.hang_up()
    _, newcomer = await house.waits(2, "low")
    assert house.entry(newcomer).place == 2


async def test_an_announcement_is_heard_over_the_music_by_all_of_that_queue(house: House) -> None:
    """And then there is music again; another queue hears none of it, and no PBX plays what it has not."""
    calls = [(await house.waits(nth, queue))[0] for nth, queue in enumerate(("low", "low", "high"))]
    await asyncio.gather(
        *(call.heard.until_tone(hz) for call, hz in zip(calls, (LOW_HZ, LOW_HZ, HIGH_HZ), strict=True))
    )
    assert await house.floor.announce("low", "no-such-prompt") is Refused.UNKNOWN
    assert await house.floor.announce("low", "line-full") is None
    for call in calls[:2]:
        said = await call.heard.until_prompt(house.sound("line-full"))
        await call.heard.until_tone(LOW_HZ, from_s=said.at_s + 2)
    assert tone_share(calls[2].heard.slice(-0.0, None)[-8000:], HIGH_HZ) > 0.5


async def test_who_listens_hears_both_and_neither_of_them_hears_who_listens(house: House) -> None:
    """The talk goes on as it was; when it ends, so does the listening."""
    await house.signed_in(0)
    listener = await house.signed_in(2)
    listener.when_rung = Answer(tone_hz=LISTENER_HZ)
    call, waiter = await house.waits(0, "low")
    call.talk(CALLER_HZ)
    assert await house.is_talking(waiter) == "agent-1"
    leg = await house.agents[0].rings()
    await call.heard.until_tone(AGENT_HZ)
    assert await house.floor.listen("agent-1", "no-such-phone") is Refused.UNKNOWN
    assert await house.floor.listen("agent-1", "carrier") is Refused.UNKNOWN
    assert await house.floor.listen("agent-1", "agent-3") is None
    ear = await listener.rings()
    await hears_both(ear)
    begun = [call.heard.duration_s, leg.heard.duration_s]
    heard = [
        await each.heard.until_tone(hz, from_s=at)
        for each, hz, at in zip((call, leg), (AGENT_HZ, CALLER_HZ), begun, strict=True)
    ]
    for each, at in zip((call, leg), heard, strict=True):
        await each.heard.until_sound(from_s=at + 1)
        assert tone_share(each.heard.slice(at, at + 1), LISTENER_HZ) < 0.05
    assert house.entry(waiter).state is EntryState.TALKING
    await call.hang_up()
    await asyncio.gather(ear.ended, leg.ended)


async def test_who_listens_can_hang_up_and_the_talk_goes_on_until_it_is_ended_for_the_agent(house: House) -> None:
    """The agent's leg goes, and with it the caller's."""
    await house.signed_in(0)
    listener = await house.signed_in(2)
    call, waiter = await house.waits(0, "low")
    call.talk(CALLER_HZ)
    await house.is_talking(waiter)
    leg = await house.agents[0].rings()
    await leg.heard.until_tone(CALLER_HZ)
    assert await house.floor.listen("agent-1", "agent-3") is None
    ear = await listener.rings()
    await hears_both(ear)
    await ear.hang_up()
    await ear.ended
    at = leg.heard.duration_s
    await leg.heard.until_tone(CALLER_HZ, from_s=at)
    assert await house.floor.hang_up("agent-1") is None
    await asyncio.gather(leg.ended, call.ended)
    await house.until(lambda now: not now.line)
