"""The sound of a talk on a real Asterisk: heard from the office that has it, and gone when nobody wants it any more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.recording import Recording, RecordingState
from controller.domain.spellings import spellings
from controller.ports.recordings import WantedRecordings
from controller.system_clock import SystemClock
from tests.asterisk.floor_site import House, running_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def all_recorded(text: str) -> str:
    """Return the settings with one queue, whose talks are recorded."""
    head = text.partition("\n[[queues]]")[0]
    queue = (
        '[[queues]]\nname = "told"\ntitle_ja = "told"\ntitle_en = "told"\nlanguage = "en"\nwrap_up_s = 0.5\n'
        'announcements = { offer = "never", interval_s = 600 }\nrecording = "announced"'
    )
    way_in = (
        '[[entrances]]\nname = "in"\ndialled_numbers = ["0312345601"]\nlanguage = "en"\nleads_to = { queue = "told" }'
    )
    agent = '[[agents]]\nname = "agent-1"\nendpoint = "agent-1"\nqueues = ["told"]'
    return f"{head}\n\n{way_in}\n\n{queue}\n\n{agent}\n"


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Start everything once."""
    async with running_house(tmp_path_factory.mktemp("site"), edit=all_recorded) as running:
        await running.signed_in(0)
        yield running
        await running.clear()


async def recorded(house: House) -> Recording:
    """Let a customer talk with the agent, and hang up; return the recording of it."""
    book = house.control.store.recordings
    known = len(await book.page(WantedRecordings(), after=None, limit=100))
    call = await house.customers[0].dial("0312345601", timeout_s=20)
    await house.until(lambda now: now.agents[0].recording is RecordingState.RUNNING)
    await call.hang_up()
    await house.until(lambda now: now.agents[0].recording is None)
    async with asyncio.timeout(10):
        while not (found := await book.page(WantedRecordings(), after=None, limit=100)) or found[0].ended_at is None:
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.1)
    assert len(found) == known + 1
    return found[0]


def file_of(house: House, recording: Recording) -> Path:
    """Return where Asterisk keeps the sound."""
    return house.pbx.log_path.parent.parent / "spool" / "recording" / f"{recording.id}.wav"


async def is_erased(house: House, recording: Recording) -> None:
    """Wait until it is written down that the sound is gone."""
    async with asyncio.timeout(20):
        while (found := await house.control.store.recordings.find(recording.id)) is None or found.erased_at is None:
            await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=0.1)


async def test_the_console_hears_what_an_office_of_this_process_has_and_nothing_else(house: House) -> None:
    """As the file is; of another controller's Asterisk there is no shelf here."""
    kept = await recorded(house)
    offices = house.control.offices
    shelf = offices.shelf_of(kept.pbx)
    assert shelf is not None
    heard = b"".join([piece async for piece in shelf.sound(kept.id)])
    assert heard == await asyncio.to_thread(file_of(house, kept).read_bytes)
    assert heard.startswith(b"RIFF")
    assert offices.shelf_of("another") is None


async def test_what_is_deleted_is_gone_from_the_disk_at_once(house: House) -> None:
    """And nothing else is."""
    kept, deleted = await recorded(house), await recorded(house)
    assert await house.control.store.recordings.delete(deleted.id)
    await is_erased(house, deleted)
    assert [file_of(house, one).exists() for one in (kept, deleted)] == [True, False]


async def test_the_sound_of_who_is_forgotten_is_gone_from_the_disk(house: House) -> None:
    """With all that is known of them."""
    kept = await recorded(house)
    assert kept.number
    done = await house.control.store.privacy.forget(spellings(kept.number, "JP"), SystemClock().now())
    assert done.erased["recordings"] >= 1
    await is_erased(house, kept)
    assert not file_of(house, kept).exists()


async def test_what_was_deleted_while_nobody_was_there_goes_when_somebody_comes(house: House) -> None:
    """The controller stood still; the row says what is to be done."""
    kept = await recorded(house)
    await house.control.end()
    assert await house.control.store.recordings.delete(kept.id)
    assert file_of(house, kept).exists()
    house.floor = house.control.begin().floor
    await house.is_in_control()
    await is_erased(house, kept)
    assert not file_of(house, kept).exists()
