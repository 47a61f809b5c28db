"""The sound of recordings over the API: who hears what, that it is noted first, and what cannot be heard."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.console.api import recordings as api
from controller.domain.access import Role, Scope
from tests.console.floor import AGENT, NUMBER
from tests.console.house import site_at
from tests.console.talks_kept import Shelves, recorded, wav

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.console.house import Answer, Client, ConsoleSite

RECORDINGS = "/api/v1/recordings"
ONE = f"{RECORDINGS}/recording-1"
SOUND = f"{ONE}/sound"


@pytest.fixture
def shelves() -> Shelves:
    """Have an Asterisk with sound."""
    return Shelves()


@pytest.fixture
async def site(tmp_path: Path, shelves: Shelves) -> AsyncIterator[ConsoleSite]:
    """Serve a console that has this Asterisk."""
    async with site_at(tmp_path, shelf_of=shelves.of) as opened:
        yield opened


async def bytes_of(client: Client, path: str = SOUND, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and all bytes of an answer."""
    async with client.stream(path, **headers) as response:
        return response.status, dict(response.headers), await response.read()


def ids(answer: Answer) -> list[str]:
    """Return which recordings an answer lists."""
    assert answer.status == 200, answer.text
    return [one["id"] for one in answer.json["recordings"]]


async def test_a_recording_is_heard_whole_and_kept_nowhere_on_the_way(site: ConsoleSite, shelves: Shelves) -> None:
    """By a person and by a program; as it came from the PBX, in pieces, whatever part a player asks for."""
    shelves.here.sounds["recording-1"] = sound = wav(3)
    await recorded(site)
    for client in (await site.client(Role.SUPERVISOR), await site.key(Scope.RECORDINGS_READ)):
        for asked in ({}, {"Range": "bytes=100-"}):
            status, headers, heard = await bytes_of(client, **asked)
            assert (status, heard) == (200, sound)
            assert headers["Content-Type"] == "audio/wav"
            assert headers["Transfer-Encoding"] == "chunked"
            assert headers["Content-Disposition"] == 'inline; filename="recording-1.wav"'
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Accept-Ranges"] == "none"
    assert shelves.here.open == 0


async def test_each_hearing_is_in_the_audit_with_a_masked_number(site: ConsoleSite, shelves: Shelves) -> None:
    """Who, which, when, of whom; once each time; and reading the list is not."""
    shelves.here.sounds["recording-1"] = wav(1)
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR, "hanako")
    await supervisor.get(RECORDINGS)
    await supervisor.get(ONE)
    assert await site.audit() == []
    for _ in range(2):
        await bytes_of(supervisor)
    assert await site.audit() == [("hanako", "recording.heard", "recording-1", "ok")] * 2
    entry = (await site.store.audit.listed(limit=1))[0].entry
    assert entry.kind == "person"
    assert entry.detail == {
        "queue": "support",
        "agent": AGENT,
        "number": "+81901234****",
        "began_at": "2026-11-24T01:00:00Z",
    }


async def test_nothing_is_heard_that_cannot_be_noted(site: ConsoleSite, shelves: Shelves) -> None:
    """The database takes no entry: 503, and no byte of the sound has left."""
    shelves.here.sounds["recording-1"] = sound = wav(1)
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    with site.database_locked():
        status, headers, answer = await bytes_of(supervisor)
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert b"audit" in answer
    assert sound[:40] not in answer
    assert shelves.here.open == 0
    assert (await bytes_of(supervisor))[0] == 200


async def test_the_entry_is_there_before_the_first_byte(site: ConsoleSite, shelves: Shelves) -> None:
    """While the rest has not even come from the PBX."""
    shelves.here.sounds["recording-1"] = sound = wav(3)
    shelves.here.waits_for, shelves.here.waits_after = asyncio.Event(), 1
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    async with supervisor.stream(SOUND) as response, asyncio.timeout(30):
        heard = await response.content.readany()
        assert [action for _, action, _, _ in await site.audit()] == ["recording.heard"]
        shelves.here.waits_for.set()
        assert heard + await response.read() == sound


@pytest.mark.parametrize("state", ["unknown", "unwanted", "erased", "forgotten", "without sound"])
async def test_what_is_gone_is_not_found_and_not_noted(site: ConsoleSite, shelves: Shelves, state: str) -> None:
    """Also where its sound is still on the PBX, for a moment."""
    shelves.here.sounds["recording-1"] = wav(1)
    await recorded(site)
    match state:
        case "unknown":
            path = RECORDINGS + "/no-such"
        case "without sound":
            path, shelves.here.sounds = ONE, {}
        case "forgotten":
            path = ONE
            await site.store.privacy.forget((NUMBER,), site.house.now)
        case _:
            path = ONE
            assert await site.store.recordings.delete("recording-1")
            if state == "erased":
                await site.store.recordings.erased("recording-1", site.house.now)
    admin = await site.client(Role.ADMIN)
    assert (await bytes_of(admin, f"{path}/sound"))[0] == 404
    if state != "without sound":
        assert (await admin.get(path)).status == 404
        assert ids(await admin.get(RECORDINGS)) == ([] if state != "unknown" else ["recording-1"])
        assert shelves.here.asked == []
        assert (await admin.delete(path)).status == 404
    assert "recording.heard" not in {action for _, action, _, _ in await site.audit()}


@pytest.mark.parametrize("why", ["another controller's", "away"])
async def test_sound_that_is_out_of_reach_says_what_to_do(site: ConsoleSite, shelves: Shelves, why: str) -> None:
    """503, with the name of the Asterisk; nobody has heard it."""
    shelves.here.is_away = why == "away"
    shelves.here.sounds["recording-1"] = wav(1)
    name = "asterisk" if why == "away" else "asterisk-2"
    await recorded(site, pbx=name)
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.get(SOUND)
    assert (answer.status, answer.json["type"]) == (503, "urn:orikaeshi:problem:unavailable")
    assert f"Asterisk {name}," in answer.json["detail"]
    assert "come again" in answer.json["detail"]
    assert "Retry-After" in answer.headers
    assert (await supervisor.get(ONE)).json["can_be_heard"] is (why == "away")
    assert await site.audit() == []


async def test_a_talk_that_goes_on_is_not_heard_this_way(site: ConsoleSite, shelves: Shelves) -> None:
    """Its file is not whole."""
    shelves.here.sounds["recording-1"] = wav(1)
    await recorded(site, length_s=None)
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.get(SOUND)
    assert (answer.status, answer.json["type"]) == (409, "urn:orikaeshi:problem:not-now")
    assert shelves.here.asked == []


async def test_a_part_is_never_passed_for_the_whole(site: ConsoleSite, shelves: Shelves) -> None:
    """The PBX is lost half-way: the answer breaks off, and does not end."""
    shelves.here.sounds["recording-1"] = wav(3)
    shelves.here.breaks_after = 3
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    async with supervisor.stream(SOUND) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert shelves.here.open == 0


async def test_the_pbx_does_not_wait_for_a_listener_who_takes_nothing(site: ConsoleSite, shelves: Shelves) -> None:
    """Whose player is paused, say: all of it has been read long before, and is there when they go on."""
    shelves.here.sounds["recording-1"] = sound = bytes(12 * 1024 * 1024)
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    async with supervisor.stream(SOUND) as response, asyncio.timeout(30):
        while shelves.here.open or shelves.here.read_bytes < len(sound):
            await site.store.people.listed()
        assert await response.read() == sound


async def test_a_listener_who_leaves_leaves_nothing_open(site: ConsoleSite, shelves: Shelves) -> None:
    """Neither the file at the PBX nor their place among the listeners, of whom there are so many and no more."""
    shelves.here.sounds["recording-1"] = wav(1)
    shelves.here.waits_for = asyncio.Event()
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    listeners = [asyncio.create_task(bytes_of(supervisor)) for _ in range(api.MOST_AT_ONCE)]
    async with asyncio.timeout(30):
        while shelves.here.open < api.MOST_AT_ONCE:
            await site.store.people.listed()
        one_more = await supervisor.get(SOUND)
        assert (one_more.status, str(api.MOST_AT_ONCE) in one_more.json["detail"]) == (503, True)
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        shelves.here.waits_for.set()
        while shelves.here.open:
            await site.store.people.listed()
        while (await bytes_of(supervisor))[0] != 200:
            await site.store.people.listed()


async def test_a_hearing_ends_with_the_right_to_it(tmp_path: Path, shelves: Shelves) -> None:
    """Somebody who is shut out hears no further."""
    async with site_at(tmp_path, shelf_of=shelves.of, look_again_s=0.05) as site:
        shelves.here.sounds["recording-1"] = sound = bytes(64 * 1024 * 1024)
        await recorded(site)
        supervisor = await site.client(Role.SUPERVISOR, "hanako")
        async with supervisor.stream(SOUND) as response, asyncio.timeout(30):
            heard = len(await response.content.readany())
            await site.store.sessions.end_all("hanako")
            while shelves.here.open:
                await site.store.people.listed()
            with suppress(aiohttp.ClientPayloadError):
                while piece := await response.content.readany():
                    heard += len(piece)
        assert heard < len(sound)


async def test_another_site_cannot_play_a_recording_with_our_cookie(site: ConsoleSite, shelves: Shelves) -> None:
    """Nor does anybody who may not: an agent, a key for something else."""
    shelves.here.sounds["recording-1"] = wav(1)
    await recorded(site)
    supervisor = await site.client(Role.SUPERVISOR)
    assert (await bytes_of(supervisor, Sec_Fetch_Site="cross-site"))[0] == 403
    assert (await bytes_of(await site.client(Role.AGENT)))[0] == 403
    assert (await bytes_of(await site.key(Scope.RECORDINGS_WRITE)))[0] == 403
    assert shelves.here.asked == []
    assert await site.audit() == []
