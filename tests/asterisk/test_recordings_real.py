"""Recorded talks on a real Asterisk with real phones: what is in the file, and what is not."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from controller.asterisk.ari.client import AriClient
from controller.asterisk.recordings import AriRecordingShelf
from controller.domain.recording import Consent, Recording, RecordingState
from controller.ports.promises import Made, NewPromise
from controller.ports.recordings import WantedRecordings
from controller.system_clock import SystemClock
from lab.audio import read_wav, tone_shares
from lab.phone import Answer
from tests.asterisk.conftest import EXPECTED_COMPLAINTS
from tests.asterisk.floor import AGENT_HZ, e164
from tests.asterisk.floor_site import House, running_house
from tests.asterisk.in_line_site import GREETING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from lab.audio import Samples
    from lab.phone import PhoneCall

BEFORE_HZ, MEANWHILE_HZ, AFTER_HZ = 880.0, 620.0, 1000.0
QUEUES = {"silent": "off", "told": "announced", "asked": "asked"}
WAYS_IN = {name: f"03123456{nth:02}" for nth, name in enumerate(QUEUES, start=1)}
KNOWN = (*EXPECTED_COMPLAINTS, "No such file or directory")
"""The second is what Asterisk says of a folder that a test has taken from it."""
KEPT = 0.3
"""A share of one tone beside another that is as loud, or is not there."""


def recording_settings(text: str) -> str:
    """Return the settings with a queue for each way to record, and one agent for all."""
    queues = [
        f'[[queues]]\nname = "{name}"\ntitle_ja = "{name}"\ntitle_en = "{name}"\nlanguage = "en"\nwrap_up_s = 0.5\n'
        f'agent_ring_timeout_s = 10\nannouncements = {{ offer = "never", interval_s = 600 }}\nrecording = "{mode}"'
        for name, mode in QUEUES.items()
    ]
    entrances = [
        f'[[entrances]]\nname = "to-{name}"\ndialled_numbers = ["{number}"]\nlanguage = "en"\nwelcome = "{GREETING}"\n'
        f'leads_to = {{ queue = "{name}" }}'
        for name, number in WAYS_IN.items()
    ]
    agent = f'[[agents]]\nname = "agent-1"\nendpoint = "agent-1"\nqueues = {json.dumps(list(QUEUES))}'
    return "\n\n".join((text.partition("\n[[queues]]")[0], *entrances, *queues, agent)) + "\n"


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start everything once."""
    async with running_house(tmp_path_factory.mktemp("site"), edit=recording_settings) as house:
        yield house


@pytest.fixture
async def house(running: House) -> AsyncIterator[House]:
    """Give a test every phone on the hook, and the agent at theirs; afterwards Asterisk has nothing to complain of."""
    await running.signed_in(0)
    yield running
    await running.clear()
    assert [line for line in running.pbx.complaints if not any(known in line for known in KNOWN)] == []


async def calls(house: House, queue: str) -> PhoneCall:
    """Have a customer call a queue."""
    call = await house.customers[0].dial(WAYS_IN[queue], timeout_s=20)
    await call.answered()
    return call


async def talks(house: House, call: PhoneCall) -> PhoneCall:
    """Wait until a caller hears the agent; return the agent's end."""
    leg = await house.agents[0].rings(20)
    await call.heard.until_tone(AGENT_HZ, 20)
    return leg


async def is_recorded(house: House, state: RecordingState | None) -> None:
    """Wait until this is shown of the agent's talk."""
    await house.until(lambda now: now.agents[0].recording is state)


async def rows(house: House) -> list[Recording]:
    """Return what is written down, the last to begin first."""
    return await house.control.store.recordings.page(WantedRecordings(), after=None, limit=100)


async def ended(house: House, known: int) -> Recording:
    """Wait for the end of the recording that is one more than those known; return it."""
    async with asyncio.timeout(10):
        while len(found := await rows(house)) == known or found[0].ended_at is None:
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.1)
    assert len(found) == known + 1
    return found[0]


async def says(ear: PhoneCall, call: PhoneCall, hz: float) -> None:
    """Say a tone for more than a second, so that the other hears it."""
    call.talk(hz)
    at = await ear.heard.until_tone(hz, from_s=ear.heard.duration_s)
    await ear.heard.until_sound(from_s=at + 1.2)


async def sound_of(house: House, recording: Recording, folder: Path) -> Samples:
    """Return what was kept."""
    file = folder / f"{recording.id}.wav"
    settings = house.control.settings
    (asterisk,) = settings.asterisks
    client = AriClient(
        asterisk.url,
        asterisk.app,
        asterisk.ari_username,
        settings.ari_password_of(asterisk.name),
        on_event=lambda _: None,
        on_connected=lambda: None,
        on_disconnected=lambda: None,
        clock=SystemClock(),
        rng=random.Random(1),  # noqa: S311 - spreads reconnects, of which there are none
    )
    try:
        file.write_bytes(b"".join([piece async for piece in AriRecordingShelf(client).sound(recording.id)]))
    finally:
        await client.close()
    return read_wav(file)


@contextmanager
def folder_away(house: House) -> Iterator[None]:
    """Take Asterisk the folder for recordings, and give it back."""
    folder = house.pbx.log_path.parent.parent / "spool" / "recording"
    away = folder.with_name("elsewhere")
    folder.rename(away)
    try:
        yield
    finally:
        away.rename(folder)


def windows_with(sound: Samples, hz: float) -> int:
    """Return in how many pieces of 100 ms a tone is heard."""
    return int((tone_shares(sound, hz) > KEPT).sum())


async def test_a_talk_is_kept_without_what_was_said_in_the_pause(house: House, tmp_path: Path) -> None:
    """The notice first, to its end; then both parties are in the file, before the pause and after it."""
    known = len(await rows(house))
    call = await calls(house, "told")
    notice = await call.heard.until_prompt(house.sound("recording-notice"))
    leg = await talks(house, call)
    assert notice.at_s + house.sound("recording-notice").size / 8000 <= call.heard.duration_s
    await is_recorded(house, RecordingState.RUNNING)
    await says(leg, call, BEFORE_HZ)
    assert await house.floor.pause_recording("agent-1") is None
    await is_recorded(house, RecordingState.PAUSED)
    await says(leg, call, MEANWHILE_HZ)
    call.talk(AFTER_HZ)
    await leg.heard.until_tone(AFTER_HZ, from_s=leg.heard.duration_s)
    assert await house.floor.resume_recording("agent-1") is None
    await says(leg, call, AFTER_HZ)
    await call.hang_up()
    kept = await ended(house, known)
    sound = await sound_of(house, kept, tmp_path)
    assert min(windows_with(sound, hz) for hz in (BEFORE_HZ, AFTER_HZ, AGENT_HZ)) >= 8
    assert windows_with(sound, MEANWHILE_HZ) == 0
    assert (kept.consent, kept.agent, kept.queue, kept.paused_at) == (Consent.TOLD, "agent-1", "told", None)
    assert kept.number == e164(house.customers[0].user)
    await is_recorded(house, None)


async def test_nobody_hears_that_the_recording_begins(house: House) -> None:
    """Neither a beep nor a gap, though a third channel comes into their bridge."""
    call = await calls(house, "told")
    leg = await talks(house, call)
    call.talk(BEFORE_HZ)
    joined = [await call.heard.until_tone(AGENT_HZ), await leg.heard.until_tone(BEFORE_HZ)]
    await is_recorded(house, RecordingState.RUNNING)
    for each, hz, at in zip((call, leg), (AGENT_HZ, BEFORE_HZ), joined, strict=True):
        await each.heard.until_sound(from_s=at + 2)
        heard = each.heard.slice(at + 0.5, at + 2)
        assert each.heard.longest_silence_s(at, at + 2) < 0.3
        assert (tone_shares(heard, hz) > 0.8).mean() > 0.8


async def test_a_queue_that_does_not_record_keeps_nothing(house: House) -> None:
    """No notice, no row, no recorder in the bridge."""
    known = len(await rows(house))
    call = await calls(house, "silent")
    leg = await talks(house, call)
    assert house.floor.now().agents[0].recording is None
    await call.hang_up()
    await leg.ended
    assert len(await rows(house)) == known


@pytest.mark.parametrize(("key", "is_kept"), [("1", True), ("2", False)])
async def test_where_it_is_asked_the_key_decides(house: House, key: str, *, is_kept: bool) -> None:
    """Whoever refuses talks with the agent as well."""
    known = len(await rows(house))
    call = await calls(house, "asked")
    await call.heard.until_prompt(house.sound("recording-ask"))
    await call.press(key)
    leg = await talks(house, call)
    if is_kept:
        await is_recorded(house, RecordingState.RUNNING)
    await call.hang_up()
    await leg.ended
    assert len(await rows(house)) == known + is_kept


async def test_who_hangs_up_over_the_notice_leaves_nothing(house: House) -> None:
    """No agent is rung for them either."""
    known = len(await rows(house))
    call = await calls(house, "told")
    await call.heard.until_sound()
    await call.hang_up()
    await house.until(lambda now: not now.line)
    assert len(await rows(house)) == known


async def test_a_recording_goes_on_while_another_controller_comes(house: House, tmp_path: Path) -> None:
    """Both go on talking; what is said meanwhile is kept, and the new one can pause it."""
    known = len(await rows(house))
    call = await calls(house, "told")
    leg = await talks(house, call)
    await is_recorded(house, RecordingState.RUNNING)
    await says(leg, call, BEFORE_HZ)
    await house.control.end()
    await says(leg, call, MEANWHILE_HZ)
    house.floor = house.control.begin().floor
    await house.is_in_control()
    await is_recorded(house, RecordingState.RUNNING)
    assert await house.floor.pause_recording("agent-1") is None
    assert await house.floor.resume_recording("agent-1") is None
    await says(leg, call, AFTER_HZ)
    await call.hang_up()
    sound = await sound_of(house, await ended(house, known), tmp_path)
    assert min(windows_with(sound, hz) for hz in (BEFORE_HZ, MEANWHILE_HZ, AFTER_HZ)) >= 8


async def test_a_customer_who_is_called_back_is_told_after_they_have_said_yes(house: House) -> None:
    """And the row is that of their promise."""
    known, customer = len(await rows(house)), house.customers[1]
    customer.when_rung = Answer()
    number = e164(customer.user)
    wanted = NewPromise(queue="told", number=number, language="en", since=SystemClock().now(), call_id="by-test")
    made = await house.control.store.promises.make(wanted)
    assert isinstance(made, Made)
    call = await customer.rings(20)
    confirm = await call.heard.until_prompt(house.sound("callback-confirm"))
    await call.press("1")
    await call.heard.until_prompt(house.sound("recording-notice"), from_s=confirm.at_s)
    await call.heard.until_tone(AGENT_HZ, 20)
    await is_recorded(house, RecordingState.RUNNING)
    await call.hang_up()
    kept = await ended(house, known)
    assert (kept.waiter_id, kept.number) == (made.promise.id, number)
    assert kept.attempt_id


async def test_a_pbx_that_cannot_write_hurts_no_talk(house: House) -> None:
    """The folder is gone: they talk all the same, and nothing is left of it."""
    known = len(await rows(house))
    with folder_away(house):
        call = await calls(house, "told")
        leg = await talks(house, call)
        await says(leg, call, BEFORE_HZ)
        assert house.floor.now().agents[0].recording is None
        await call.hang_up()
        await leg.ended
    assert len(await rows(house)) == known
