"""The audit: what is written of each request, and that what was done is never done unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.access import Role
from controller.ports.floor import Refused
from tests.console.doors_of import all_doors, path_to
from tests.console.floor import AGENT, CALL

if TYPE_CHECKING:
    import pytest

    from tests.console.house import ConsoleSite

NUMBER = "+819012345678"


async def test_who_did_what_to_whom_and_what_came_of_it_is_written(site: ConsoleSite) -> None:
    """Done, refused by the floor, refused by the guard; by people and by keys."""
    supervisor = await site.client(Role.SUPERVISOR, "hanako")
    agent = await site.client(Role.AGENT, "taro")
    key = await site.key("floor:write")
    await supervisor.post(f"/api/v1/line/{CALL}/prioritise", {"urgent": True})
    site.floor.refuses["pause"] = Refused.NOT_NOW
    await supervisor.post(f"/api/v1/agents/{AGENT}/pause", {"reason": "lunch"})
    await agent.post("/api/v1/queues/support/close", {})
    await key.post("/api/v1/queues/support/open")
    key_id = key.headers["Authorization"].split("_")[1]
    assert await site.audit() == [
        ("hanako", "POST /api/v1/line/{waiter}/prioritise", CALL, "204"),
        ("hanako", "POST /api/v1/agents/{agent}/pause", AGENT, "409"),
        ("taro", "POST /api/v1/queues/{queue}/close", "support", "403"),
        (key_id, "POST /api/v1/queues/{queue}/open", "support", "204"),
    ]
    kinds = [line.entry.kind for line in await site.store.audit.listed(limit=9)]
    assert kinds == ["key", "person", "person", "person"]


async def test_every_door_that_changes_something_writes_an_entry(site: ConsoleSite) -> None:
    """Whatever comes of it; those that only read write none, but the ones that are watched."""
    person = await site.person(Role.ADMIN, "hanako", agent=AGENT)
    for door in all_doors(site):
        if door.is_public or door.path.endswith("/events"):
            continue
        before = len(await site.audit())
        admin = await site.browser_of(person)
        await admin.send(door.method, path_to(door), body=None if door.method == "GET" else {})
        written = (await site.audit())[before:]
        is_watched = door.method != "GET" or door.path == "/api/v1/numbers/{number}"
        expected = [f"{door.method} {door.path}"] if is_watched else []
        actions = [action for _, action, _, _ in written if action != "password check"]
        assert actions == expected or not is_watched, door.path


async def test_numbers_are_masked_in_the_audit(site: ConsoleSite) -> None:
    """In the path and in what is told beside it."""
    admin = await site.client(Role.ADMIN, "hanako")
    await admin.put(f"/api/v1/do-not-call/{NUMBER}", {"reason": "asked"})
    await admin.get(f"/api/v1/numbers/{NUMBER}")
    await admin.get("/api/v1/nothing/09012345678")
    entries = repr(await site.store.audit.listed(limit=10))
    assert "12345678" not in entries
    subjects = [subject for _, _, subject, _ in await site.audit()]
    assert subjects == ["+81901234****"] * 2


async def test_what_is_hostile_in_a_path_is_no_line_of_its_own(site: ConsoleSite) -> None:
    """Control characters are shown as `?`."""
    supervisor = await site.client(Role.SUPERVISOR)
    await supervisor.post("/api/v1/queues/a%0Ab%1B%5B2J/open")
    assert [subject for _, _, subject, _ in await site.audit()] == ["a?b?[2J"]


async def test_what_was_done_is_told_by_the_log_where_the_database_fails(
    site: ConsoleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """The change stands and is acknowledged: asked again, it would be done twice."""
    supervisor = await site.client(Role.SUPERVISOR, "hanako")
    with site.database_locked():
        answer = await supervisor.post("/api/v1/queues/support/open")
    assert answer.status == 204
    assert site.floor.asked == [("open_queue", "support")]
    assert await site.audit() == []
    said = "".join(capsys.readouterr())
    for word in ("audit_not_written", "hanako", "POST /api/v1/queues/{queue}/open", "support"):
        assert word in said


async def test_nobody_fills_the_audit_who_is_nobody(site: ConsoleSite) -> None:
    """The log has their requests; wrong sign-ins are limited by address."""
    for _ in range(5):
        await site.stranger().post("/api/v1/queues/support/open")
        await site.stranger().submit("/sign-out", {})
    assert await site.audit() == []
