"""Recordings over the API: what is listed and to whom, what is deleted, and a pause of one that goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.access import Role, Scope
from controller.domain.line import WaiterKind
from controller.domain.phone_number import mask
from controller.domain.recording import Consent, RecordingState
from controller.ports.floor import Refused
from tests.console.floor import AGENT, NUMBER, OTHER_AGENT, OTHER_NUMBER
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


# -- what is listed


async def test_recordings_are_listed_the_last_first_with_what_is_known_of_them(site: ConsoleSite) -> None:
    """One that is over, and one of a talk that goes on and is paused."""
    await recorded(site)
    site.clock.turn(600)
    promise = {"kind": WaiterKind.PROMISE, "waiter_id": "081f", "consent": Consent.AGREED, "pbx": "other"}
    await recorded(site, "recording-2", length_s=None, paused_at=site.house.now, number="", **promise)
    supervisor = await site.client(Role.SUPERVISOR)
    answer = await supervisor.get(RECORDINGS)
    second, first = answer.json["recordings"]
    assert answer.json["next_cursor"] is None
    assert first == {
        "id": "recording-1",
        "waiter_id": "call of recording-1",
        "kind": "live",
        "queue": "support",
        "agent": AGENT,
        "pbx": "asterisk",
        "number": NUMBER,
        "consent": "told",
        "began_at": "2026-11-24T01:00:00Z",
        "ended_at": "2026-11-24T01:01:00Z",
        "state": None,
        "can_be_heard": True,
    }
    told = [second[each] for each in ("number", "consent", "ended_at", "state", "can_be_heard")]
    assert told == [None, "agreed", None, "paused", False]
    assert (await supervisor.get(ONE)).json == first


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("queue=sales", ["b"]),
        (f"agent={OTHER_AGENT}", ["c"]),
        ("number=03-1234-5678", ["c"]),
        (f"number=%2B{OTHER_NUMBER[1:]}", ["c"]),
        ("since=2026-11-24T01:01:00Z", ["c", "b"]),
        ("until=2026-11-24T01:01:00Z", ["a"]),
        ("since=2026-11-24T10:01:00%2B09:00&until=2026-11-24T10:02:00%2B09:00", ["b"]),
        ("queue=support&agent=agent-1", ["a"]),
        ("agent=nobody", []),
    ],
)
async def test_recordings_are_found_by_time_queue_agent_and_number(
    site: ConsoleSite, asked: str, found: list[str]
) -> None:
    """However the number was shown by the network, and is written now."""
    given: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"queue": "sales"},
        "c": {"agent": OTHER_AGENT, "number": "0312345678"},
    }
    for name, more in given.items():
        await recorded(site, name, **more)
        site.clock.turn(60)
    assert ids(await (await site.client(Role.SUPERVISOR)).get(f"{RECORDINGS}?{asked}")) == found


async def test_a_long_list_comes_in_pages_each_recording_once(site: ConsoleSite) -> None:
    """Also those that began at the same moment; a cursor is good for its own question alone."""
    for number in range(7):
        await recorded(site, f"r{number}")
        if number % 3 == 2:
            site.clock.turn(1)
    supervisor = await site.client(Role.SUPERVISOR)
    found, query = [], f"{RECORDINGS}?limit=2"
    cursor = ""
    while True:
        page = await supervisor.get(query + cursor)
        found += ids(page)
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert found == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    wrong = await supervisor.get(f"{RECORDINGS}?limit=2&queue=support{cursor}")
    assert (wrong.status, wrong.json["type"]) == (422, "urn:orikaeshi:problem:bad-cursor")


async def test_a_program_sees_masked_numbers_and_cannot_search_for_one(site: ConsoleSite) -> None:
    """Without numbers:read; with it, both."""
    await recorded(site)
    key = await site.key(Scope.RECORDINGS_READ)
    answer = await key.get(RECORDINGS)
    assert answer.json["recordings"][0]["number"] == mask(NUMBER)
    assert NUMBER not in answer.text
    assert NUMBER not in (await key.get(ONE)).text
    assert (await key.get(f"{RECORDINGS}?number={NUMBER}")).status == 403
    both = await site.key(Scope.RECORDINGS_READ, Scope.NUMBERS_READ)
    assert ids(await both.get(f"{RECORDINGS}?number=090-1234-5678")) == ["recording-1"]
    wrong = await both.get(f"{RECORDINGS}?number=tea")
    assert (wrong.status, wrong.json["mistakes"][0]["where"]) == (422, "query.number")


# -- what is deleted


async def test_an_admin_deletes_a_recording_and_nobody_hears_it_more(site: ConsoleSite, shelves: Shelves) -> None:
    """It is nobody's from then on, and whoever erases sound is told; a supervisor may not."""
    shelves.here.sounds["recording-1"] = wav(1)
    await recorded(site)
    told: list[None] = []
    site.store.recordings_unwanted.append(lambda: told.append(None))
    assert (await (await site.client(Role.SUPERVISOR)).delete(ONE)).status == 403
    assert (await site.key(Scope.RECORDINGS_READ)).headers
    admin = await site.client(Role.ADMIN, "root")
    assert (await admin.delete(ONE)).status == 204
    kept = await site.store.recordings.find("recording-1")
    assert kept is not None
    assert (kept.unwanted, kept.number, len(told)) == (True, "", 1)
    assert (await bytes_of(admin))[0] == 404
    assert (await admin.delete(ONE)).status == 404
    entry = (await site.store.audit.listed(limit=9, who="root"))[-1].entry
    assert (entry.action, entry.subject, entry.outcome) == (
        "DELETE /api/v1/recordings/{recording}",
        "recording-1",
        "204",
    )
    assert entry.detail["number"] == "+81901234****"


async def test_a_talk_that_goes_on_is_not_deleted(site: ConsoleSite) -> None:
    """Its file is being written."""
    await recorded(site, length_s=None)
    admin = await site.client(Role.ADMIN)
    answer = await admin.delete(ONE)
    assert (answer.status, answer.json["type"]) == (409, "urn:orikaeshi:problem:not-now")
    assert ids(await admin.get(RECORDINGS)) == ["recording-1"]


# -- a pause


@pytest.mark.parametrize("command", ["pause-recording", "resume-recording"])
async def test_an_agent_pauses_the_recording_of_their_own_talk(site: ConsoleSite, command: str) -> None:
    """A supervisor anybody's; what does not fit is refused; each is in the audit."""
    agent, supervisor = await site.client(Role.AGENT, "taro"), await site.client(Role.SUPERVISOR, "hanako")
    verb = command.replace("-", "_")
    assert (await agent.post(f"/api/v1/agents/{AGENT}/{command}")).status == 204
    assert (await agent.post(f"/api/v1/agents/{OTHER_AGENT}/{command}")).status == 403
    assert (await supervisor.post(f"/api/v1/agents/{OTHER_AGENT}/{command}")).status == 204
    assert site.floor.asked == [(verb, AGENT), (verb, OTHER_AGENT)]
    site.floor.refuses[verb] = Refused.NOT_NOW
    assert (await agent.post(f"/api/v1/agents/{AGENT}/{command}")).status == 409
    written = [(who, outcome) for who, action, _, outcome in await site.audit() if action.endswith(command)]
    assert written == [("taro", "204"), ("taro", "403"), ("hanako", "204"), ("taro", "409")]


@pytest.mark.parametrize("state", [None, *RecordingState])
async def test_the_floor_says_whether_a_talk_is_recorded(site: ConsoleSite, state: RecordingState | None) -> None:
    """For the agent's desk, and for the supervisor."""
    shown = site.floor.shown
    site.floor.changed(replace(shown, agents=tuple(replace(one, recording=state) for one in shown.agents)))
    agent = await site.client(Role.AGENT)
    told: list[Any] = (await agent.get("/api/v1/floor")).json["agents"]
    assert {one["recording"] for one in told} == {state}


async def test_times_are_those_of_the_talk(site: ConsoleSite) -> None:
    """A recording that was found at its end after a restart ends when that was seen."""
    made = await recorded(site, length_s=None)
    assert await site.store.recordings.end(made.id, site.house.now + timedelta(hours=1))
    item = (await (await site.client(Role.SUPERVISOR)).get(ONE)).json
    assert (item["began_at"], item["ended_at"]) == ("2026-11-24T01:00:00Z", "2026-11-24T02:00:00Z")
