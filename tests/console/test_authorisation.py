"""Who gets through which door: every door, for nobody, each role, and a key of each scope.

What a role may reach stands here once more, written out: whoever changes a scope has to change this table, and think.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.console.doors import Way
from controller.domain.access import SCOPES_OF, SCOPES_OF_KEYS, Role, Scope
from controller.ports.people import PersonChange
from tests.console.doors_of import all_doors, path_to, scopes_of
from tests.console.floor import OTHER_AGENT
from tests.console.house import Answer

if TYPE_CHECKING:
    from controller.console.doors import Door
    from tests.console.house import Client, ConsoleSite

PUBLIC = """
GET /sign-in
POST /sign-in
GET /static/{name}
GET /api/v1/openapi.json
"""
SIGNED_IN = """
GET /
POST /sign-out
GET /password
POST /password
GET /api/v1/me
"""
"""Whoever has said who they are, whatever they are here."""


def doors_in(text: str) -> set[str]:
    """Return the doors in a table."""
    return {line.strip() for line in text.splitlines() if line.strip()}


def name_of(door: Door) -> str:
    """Return a door as the tables have it."""
    return f"{door.method} {door.path}"


def is_let_in(answer: Answer) -> bool:
    """Tell whether an answer came from behind the door, whatever it says."""
    place = answer.headers.get("Location", "")
    return answer.status not in {401, 403, 421} and place != "/sign-in" and not place.startswith("/sign-in?to=")


async def knock(client: Client, door: Door) -> Answer:
    """Ask at a door, with a body that nothing can be made of where one may be wanted."""
    if door.way is Way.PAGE and door.method == "POST":
        return await client.submit(door.path, {})
    body: dict[str, str] | None = None if door.method == "GET" else {}
    if door.path.endswith("/events"):
        async with client.stream(door.path) as response:
            return Answer(response.status, dict(response.headers), "")
    return await client.send(door.method, path_to(door), body=body, headers={"Idempotency-Key": "once"})


AGENT_MAY = """
GET /wallboard
GET /wallboard/charts
GET /desk
GET /api/v1/floor
GET /api/v1/events
GET /api/v1/line
GET /api/v1/line/{waiter}
GET /api/v1/queues
GET /api/v1/queues/{queue}
GET /api/v1/agents
GET /api/v1/agents/{agent}
GET /api/v1/dispositions
GET /api/v1/agents/{agent}/card
GET /api/v1/agents/{agent}/note
PUT /api/v1/agents/{agent}/note
GET /api/v1/agents/{agent}/redial
POST /api/v1/agents/{agent}/redial
POST /api/v1/agents/{agent}/sign-in
POST /api/v1/agents/{agent}/sign-out
POST /api/v1/agents/{agent}/pause
POST /api/v1/agents/{agent}/unpause
POST /api/v1/agents/{agent}/end-wrap-up
POST /api/v1/agents/{agent}/extend-wrap-up
POST /api/v1/agents/{agent}/hang-up
POST /api/v1/agents/{agent}/preview
POST /api/v1/agents/{agent}/pause-recording
POST /api/v1/agents/{agent}/resume-recording
"""
SUPERVISOR_MAY_TOO = """
GET /supervise
GET /figures
GET /recordings
POST /api/v1/agents/{agent}/listen
POST /api/v1/queues/{queue}/close
POST /api/v1/queues/{queue}/open
POST /api/v1/queues/{queue}/announce
POST /api/v1/line/{waiter}/prioritise
POST /api/v1/line/{waiter}/assign
POST /api/v1/line/{waiter}/move
GET /api/v1/promises
POST /api/v1/promises
GET /api/v1/promises/{promise}
GET /api/v1/promises/{promise}/explanation
POST /api/v1/promises/{promise}/cancel
POST /api/v1/promises/{promise}/postpone
GET /api/v1/slots
GET /api/v1/figures
GET /api/v1/figures.csv
GET /api/v1/staffing
GET /api/v1/recordings
GET /api/v1/recordings/{recording}
GET /api/v1/recordings/{recording}/sound
GET /api/v1/sms
GET /api/v1/sms/replies
GET /api/v1/do-not-call
PUT /api/v1/do-not-call/{number}
DELETE /api/v1/do-not-call/{number}
"""
ADMIN_MAY_TOO = """
GET /audit
DELETE /api/v1/recordings/{recording}
GET /api/v1/audit
GET /api/v1/people
POST /api/v1/people
PATCH /api/v1/people/{name}
GET /api/v1/keys
POST /api/v1/keys
DELETE /api/v1/keys/{key}
GET /api/v1/numbers/{number}
DELETE /api/v1/numbers/{number}
GET /api/v1/hooks
GET /api/v1/hooks/{hook}/deliveries
POST /api/v1/hooks/{hook}/retry
"""
OF_ROLES = {
    Role.AGENT: doors_in(PUBLIC + SIGNED_IN + AGENT_MAY),
    Role.SUPERVISOR: doors_in(PUBLIC + SIGNED_IN + AGENT_MAY + SUPERVISOR_MAY_TOO),
    Role.ADMIN: doors_in(PUBLIC + SIGNED_IN + AGENT_MAY + SUPERVISOR_MAY_TOO + ADMIN_MAY_TOO),
}


async def test_nobody_gets_in_but_to_sign_in(site: ConsoleSite) -> None:
    """Whoever has not said who they are reads and changes nothing: the whole database is as it was, and the floor."""
    await site.person(Role.ADMIN, password=True)
    before = await site.everything()
    reached = set()
    for door in all_doors(site):
        answer = await knock(site.stranger(), door)
        if is_let_in(answer):
            reached.add(name_of(door))
        elif door.way is Way.API:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["Content-Type"] == "application/problem+json"
    assert reached == doors_in(PUBLIC)
    after = await site.everything()
    assert [entry["outcome"] for entry in after.pop("audit")] == ["unknown"]  # the empty form of the sign-in
    assert after == {table: rows for table, rows in before.items() if table != "audit"}
    assert site.floor.asked == []


@pytest.mark.parametrize("role", Role)
async def test_each_role_gets_through_its_own_doors_and_no_other(site: ConsoleSite, role: Role) -> None:
    """As the scopes say, and as the table here does; what is refused (403) never reaches the floor."""
    person = await site.person(role, "somebody", agent="agent-1")
    reached, allowed = set(), set()
    for door in all_doors(site):
        scopes = scopes_of(site, door)
        before = list(site.floor.asked)
        answer = await knock(await site.browser_of(person), door)
        assert answer.status < 500, (name_of(door), answer.text)
        if is_let_in(answer):
            reached.add(name_of(door))
        else:
            assert answer.status == 403, name_of(door)
            assert site.floor.asked == before
        if not scopes or SCOPES_OF[role] & set(scopes):
            allowed.add(name_of(door))
    assert reached == allowed
    assert reached == OF_ROLES[role]


@pytest.mark.parametrize("scope", sorted(SCOPES_OF_KEYS))
async def test_a_key_gets_through_the_doors_of_its_scope_and_no_other(site: ConsoleSite, scope: Scope) -> None:
    """Of the API alone: pages are for people, whatever a key may."""
    key = await site.key(scope)
    reached, allowed = set(), set()
    for door in all_doors(site):
        scopes = scopes_of(site, door)
        answer = await knock(key, door)
        assert answer.status < 500, (name_of(door), answer.text)
        if is_let_in(answer):
            reached.add(name_of(door))
        if door.is_public or (door.way is Way.API and (not scopes or scope in scopes)):
            allowed.add(name_of(door))
    assert reached - doors_in("POST /sign-in") == allowed - doors_in("POST /sign-in")
    assert "GET /api/v1/me" in reached


async def test_every_door_but_a_few_takes_a_scope(site: ConsoleSite) -> None:
    """A door that was forgotten would be open to whoever is signed in."""
    without = {name_of(door) for door in all_doors(site) if not scopes_of(site, door)}
    assert without == doors_in(PUBLIC + SIGNED_IN)
    assert {name_of(door) for door in all_doors(site) if door.is_public} == doors_in(PUBLIC)


async def test_an_agent_acts_as_themselves_and_as_nobody_else(site: ConsoleSite) -> None:
    """At the desk of another agent everything is refused; a supervisor may."""
    agent, supervisor = await site.client(Role.AGENT), await site.client(Role.SUPERVISOR)
    acts = [door for door in all_doors(site) if "{agent}" in door.path and Scope.DESK in scopes_of(site, door)]
    assert len(acts) >= 8
    for door in acts:
        path = door.path.replace("{agent}", OTHER_AGENT)
        bodies = {"pause": {"reason": "lunch"}, "extend-wrap-up": {"by_s": 30}, "preview": {"choice": "dial"}}
        body = None if door.method == "GET" else bodies.get(path.rpartition("/")[2])
        if path.endswith(("/note", "/redial")):
            continue  # what comes with them is looked at first; they have tests of their own
        answer = await agent.send(door.method, path, body=body)
        assert answer.status == 403, (name_of(door), answer.text)
        assert site.floor.asked == []
        assert (await supervisor.send(door.method, path, body=body)).status != 403, name_of(door)
        site.floor.asked.clear()


async def test_an_agents_login_without_an_agent_acts_as_nobody(site: ConsoleSite) -> None:
    """Somebody who is no agent at the phone has no desk."""
    client = await site.client(Role.AGENT, agent="")
    for agent in ("agent-1", ""):
        answer = await client.post(f"/api/v1/agents/{agent}/sign-in")
        assert answer.status in {403, 404}
    assert site.floor.asked == []


async def test_rights_are_those_of_this_moment(site: ConsoleSite) -> None:
    """Not those of the sign-in: nothing of them is in the browser."""
    client = await site.client(Role.ADMIN, "hanako")
    assert (await client.get("/api/v1/people")).status == 200
    person = await site.store.people.change("hanako", PersonChange(role=Role.AGENT), at=site.house.now)
    assert person is not None
    assert (await client.get("/api/v1/people")).status == 401
    assert (await (await site.browser_of(person)).get("/api/v1/people")).status == 403
