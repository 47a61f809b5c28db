"""A real app_queue with the shipped examples, real phones, and the FastAGI service: a number left from within."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from lab.audio import looks_like_music
from lab.phone import Answer, Side
from tests.asterisk.existing_pbx import existing_pbx
from tests.asterisk.floor import AGENT_HZ, e164

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone, PhoneCall
    from tests.asterisk.existing_pbx import ExistingPbx

WAITED_S = 4.0
LONGEST_SILENCE_S = 2.0

EXPECTED_COMPLAINTS = (
    # The service is away.
    "res_agi.c: Connecting to",
    "res_agi.c: Couldn't connect to any host",
    # Nobody is signed in to the queue that lets nobody join then.
    "Unable to join queue 'full'",
)


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ExistingPbx]:
    """Start everything once for the tests of this file."""
    async with existing_pbx(tmp_path_factory.mktemp("existing")) as running:
        yield running


@pytest.fixture
async def pbx(opened: ExistingPbx) -> AsyncIterator[ExistingPbx]:
    """Give a test the PBX with the service there; afterwards there is no complaint from Asterisk."""
    yield opened
    async with asyncio.timeout(20):
        await opened.agent.unregister()
        for phone in (opened.agent, *opened.customers):
            for call in [call for call in phone.calls if call.ending is None]:
                await call.hang_up()
                await call.ended
    complaints = [line for line in opened.pbx.complaints if not any(known in line for known in EXPECTED_COMPLAINTS)]
    assert complaints == []


async def waiting(pbx: ExistingPbx, entrance: str = "open-now") -> tuple[Phone, PhoneCall]:
    """Call in, and hear the queue's music for a while."""
    phone, call = await pbx.calling(entrance)
    began_s = await call.heard.until_sound(5)
    await call.heard.until_sound(5, from_s=began_s + WAITED_S)
    assert looks_like_music(call.heard.slice(began_s, began_s + WAITED_S))
    return phone, call


async def hears_music(call: PhoneCall, after_s: float) -> None:
    """Hear music again. Where a piece begins quietly, or holds one note, the next seconds tell."""
    for later_s in range(0, 16, 4):
        from_s = after_s + later_s
        await call.heard.until_sound(10, from_s=from_s + 4)
        if looks_like_music(call.heard.slice(from_s, from_s + 4)):
            return
    pytest.fail(f"no music was heard from {after_s:.1f} s on")


def promise_of(pbx: ExistingPbx, number: str) -> dict[str, object]:
    """Return the promise for a number, with how long its place counts from before it was made."""
    (row,) = pbx.promises.rows(
        "select *, (julianday(made_at) - julianday(since)) * 86400 as waited_s from promises where number = ?", number
    )
    return row


async def test_who_waits_in_app_queue_leaves_the_shown_number_by_the_exit_key_and_keeps_the_place(
    pbx: ExistingPbx,
) -> None:
    """The number is read back; the promise counts from when the caller joined the queue, not from the key."""
    phone, call = await waiting(pbx)
    await call.press("1")
    at = await pbx.heard(call, "offer-calling-number")
    for digit in phone.user:
        at = await pbx.heard(call, f"digit-{digit}", from_s=at + 0.3)
    await pbx.heard(call, "use-this-number", from_s=at)
    await call.press("1")
    await pbx.heard(call, "promise-made")
    assert (await call.ended).by == Side.THERE
    promise = promise_of(pbx, e164(phone.user))
    assert (promise["queue"], promise["state"], promise["language"]) == ("support", "waiting", "ja")
    assert float(str(promise["waited_s"])) > WAITED_S
    assert ("support", "promised") in pbx.promises.endings().values()


async def test_another_number_is_keyed_without_waiting_for_the_questions_and_holds_one_promise(
    pbx: ExistingPbx,
) -> None:
    """Every key counts: none falls between two commands. Who keys it again is told of the first promise."""
    for told in ("promise-made", "promise-exists"):
        _, call = await waiting(pbx)
        await call.press("1")
        await pbx.heard(call, "offer-calling-number")
        await call.press("20312340099#1")
        await pbx.heard(call, told)
        assert (await call.ended).by == Side.THERE
        assert promise_of(pbx, "+81312340099")["state"] == "waiting"


async def test_who_leaves_no_number_is_back_in_the_queue_and_reaches_an_agent(pbx: ExistingPbx) -> None:
    """With music all the time, and the other's tone at the end."""
    _, call = await waiting(pbx)
    await call.press("12###")
    at = await pbx.heard(call, "back-to-hold", timeout_s=40)
    pbx.agent.when_rung = Answer(tone_hz=AGENT_HZ)
    await hears_music(call, at + 3)
    await pbx.agent.register()
    await call.heard.until_tone(AGENT_HZ, timeout_s=20)
    await call.hang_up()
    await call.ended


async def test_who_hangs_up_while_leaving_a_number_leaves_nothing_behind_and_others_are_served(
    pbx: ExistingPbx,
) -> None:
    """No promise; the next caller leaves a number as usual."""
    phone, call = await waiting(pbx)
    await call.press("1")
    await pbx.heard(call, "offer-calling-number")
    await call.hang_up()
    await call.ended
    other, another = await waiting(pbx)
    await another.press("11")
    await pbx.heard(another, "promise-made")
    await another.ended
    assert promise_of(pbx, e164(other.user))["state"] == "waiting"
    assert pbx.promises.rows("select id from promises where number = ?", e164(phone.user)) == []
    assert sorted(pbx.promises.endings().values()).count(("support", "abandoned")) == 1


async def test_after_hours_on_overflow_and_in_freepbx_a_number_is_left_too(pbx: ExistingPbx) -> None:
    """After it was said why nobody is there. FreePBX notes itself when a caller joined: the place counts from then."""

    async def leaves_number(phone: Phone, call: PhoneCall, first: str | None) -> None:
        at = await pbx.heard(call, first) if first else 0
        await pbx.heard(call, "offer-calling-number", from_s=at)
        await call.press("1")
        await pbx.heard(call, "promise-made")
        assert (await call.ended).by == Side.THERE
        assert promise_of(pbx, e164(phone.user))["state"] == "waiting"

    in_freepbx, call = await waiting(pbx, "freepbx-queue")
    await call.press("1")
    await asyncio.gather(
        leaves_number(in_freepbx, call, None),
        leaves_number(*await pbx.calling("closed-now"), "closed"),
        leaves_number(*await pbx.calling("full-now"), "line-full"),
    )
    assert float(str(promise_of(pbx, e164(in_freepbx.user))["waited_s"])) > WAITED_S


async def test_without_the_controller_the_caller_is_told_and_goes_back_to_the_queue(pbx: ExistingPbx) -> None:
    """In the plain example and in FreePBX's; never silence. When it is back, the next key is served."""

    async def is_sent_back(call: PhoneCall) -> float:
        await call.press("1")
        at = await pbx.heard(call, "promise-failed")
        await hears_music(call, at + 6)
        assert call.heard.longest_silence_s(0.5, call.heard.duration_s) < LONGEST_SILENCE_S
        return at

    await pbx.service.close()
    _, plain = await waiting(pbx)
    _, freepbx = await waiting(pbx, "freepbx-queue")
    _, at = await asyncio.gather(is_sent_back(plain), is_sent_back(freepbx))
    await pbx.service.open()
    await freepbx.press("1")
    await pbx.heard(freepbx, "offer-calling-number", from_s=at + 6)
    for call in (plain, freepbx):
        await call.hang_up()
        await call.ended


async def test_a_controller_that_dies_while_the_caller_keys_a_number_sends_nobody_into_silence(
    pbx: ExistingPbx,
) -> None:
    """The dialplan goes on: told so, music, and the queue."""
    _, call = await waiting(pbx)
    await call.press("1")
    at = await pbx.heard(call, "offer-calling-number")
    await pbx.service.close()
    at = await pbx.heard(call, "promise-failed", from_s=at)
    await hears_music(call, at + 6)
    await pbx.service.open()
    await call.hang_up()
    await call.ended


async def test_a_controller_that_takes_the_call_and_says_nothing_leaves_the_caller_with_music(pbx: ExistingPbx) -> None:
    """Asterisk waits for it without a limit. Once it dies the caller is back in the queue."""
    await pbx.service.close()
    silent = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1", pbx.service.port)
    writers: list[asyncio.StreamWriter] = []
    _, call = await waiting(pbx)
    await call.press("1")
    pressed_s = call.heard.duration_s
    await hears_music(call, pressed_s + 1)
    assert writers
    for writer in writers:
        writer.close()
    silent.close()
    at = await pbx.heard(call, "promise-failed", from_s=pressed_s)
    await hears_music(call, at + 6)
    await call.hang_up()
    await call.ended
    await pbx.service.open()
