"""What somebody else's page can have a browser of ours do: nothing. Also with our cookie, which it should not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.console.doors import Way
from controller.domain.access import Role
from tests.console.doors_of import all_doors, path_to
from tests.console.entrance import signed_in
from tests.console.house import COOKIE, PASSWORD, PUBLIC_URL

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite

FORGED_CALLS = {
    "no header of ours": {"X-Orikaeshi": ""},
    "another header": {"X-Orikaeshi": "0"},
    "no origin": {"Origin": ""},
    "another site": {"Origin": "https://evil.example"},
    "a page without an origin": {"Origin": "null"},
    "plain http": {"Origin": PUBLIC_URL.replace("https", "http")},
    "another port": {"Origin": f"{PUBLIC_URL}:8443"},
    "a name that begins like ours": {"Origin": f"{PUBLIC_URL}.evil.example"},
    "a name that ends like ours": {"Origin": "https://evil-console.example.jp"},
    "from another site": {"Sec-Fetch-Site": "cross-site"},
    "from a neighbour": {"Sec-Fetch-Site": "same-site"},
    "typed": {"Sec-Fetch-Site": "none"},
}
FORGED_FORMS = {
    **{how: headers for how, headers in FORGED_CALLS.items() if all(headers.values()) and "X-Orikaeshi" not in headers},
    "neither of the two": {"Origin": "", "Sec-Fetch-Site": ""},
}
"""A form needs no header of ours, and one of the two that a browser sends is enough."""


@pytest.mark.parametrize("how", FORGED_CALLS)
async def test_a_forged_change_is_refused_at_every_door_of_the_api(site: ConsoleSite, how: str) -> None:
    """403, before anything is looked at; it is in the audit, as the refusal that it was."""
    person = await site.person(Role.ADMIN, "hanako", agent="agent-1")
    admin = await site.browser_of(person)
    before = await site.everything()
    doors = [door for door in all_doors(site) if door.way is Way.API and door.method != "GET"]
    for door in doors:
        answer = await admin.send(door.method, path_to(door), body={}, headers=FORGED_CALLS[how])
        assert (answer.status, answer.json["type"]) == (403, "urn:orikaeshi:problem:forged"), door.path
    assert site.floor.asked == []
    after = await site.everything()
    assert {entry["outcome"] for entry in after.pop("audit")} == {"403"}
    assert after == {table: rows for table, rows in before.items() if table != "audit"}
    assert len(await site.audit()) == len(doors)


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": ""}])
async def test_a_script_of_ours_may_change_things(site: ConsoleSite, headers: dict[str, str]) -> None:
    """Also in a browser that does not send Sec-Fetch-Site yet."""
    supervisor = await site.client(Role.SUPERVISOR)
    assert (await supervisor.post("/api/v1/queues/support/open", **headers)).status == 204
    assert site.floor.asked == [("open_queue", "support")]


async def test_another_site_cannot_read_with_our_cookie(site: ConsoleSite) -> None:
    """What it may embed or fetch shows nothing; an address that somebody types or follows shows its page."""
    supervisor = await site.client(Role.SUPERVISOR)
    for fetched_from, status in (
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
        ("", 200),
    ):
        answer = await supervisor.get("/api/v1/floor", Sec_Fetch_Site=fetched_from)
        assert answer.status == status
    assert (await supervisor.get("/wallboard", Sec_Fetch_Site="cross-site")).status == 200


async def test_a_key_needs_no_origin(site: ConsoleSite) -> None:
    """No browser sends it by itself; and a cookie beside it counts for nothing."""
    key = await site.key("floor:write")
    assert (await key.post("/api/v1/queues/support/open")).status == 204
    admin = await site.client(Role.ADMIN)
    cookie = {"Cookie": admin.headers["Cookie"], "X-Orikaeshi": "1", "Origin": PUBLIC_URL}
    assert (await key.post("/api/v1/people", {}, **cookie)).status == 403
    bad = await site.stranger().get("/api/v1/people", Authorization="Bearer ori_0_0", Cookie=admin.headers["Cookie"])
    assert bad.status == 401


@pytest.mark.parametrize("how", FORGED_FORMS)
async def test_a_forged_form_neither_signs_in_nor_out_nor_changes_a_password(site: ConsoleSite, how: str) -> None:
    """To be signed in as somebody else is an attack too: what one does then, they see."""
    person = await site.person(Role.AGENT, "hanako", password=True)
    mine, forged = await site.browser_of(person), FORGED_FORMS[how]
    answer = await site.stranger().submit("/sign-in", {"name": "hanako", "password": PASSWORD}, **forged)
    assert (answer.status, COOKIE in answer.cookies) == (403, False)
    assert (await mine.submit("/sign-out", {}, **forged)).status == 403
    new = {"old": PASSWORD, "new": "quiet rivers run deep", "again": "quiet rivers run deep"}
    assert (await mine.submit("/password", new, **forged)).status == 403
    assert (await mine.get("/api/v1/me")).status == 200
    assert (await signed_in(site)).status == 303


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": ""}, {"Origin": ""}, {}])
async def test_a_form_of_ours_is_taken_from_every_browser(site: ConsoleSite, headers: dict[str, str]) -> None:
    """From one that sends only Origin, or only Sec-Fetch-Site, or both."""
    await site.person(Role.AGENT, "hanako", password=True)
    answer = await site.stranger().submit("/sign-in", {"name": "hanako", "password": PASSWORD}, **headers)
    assert answer.status == 303


async def test_a_form_of_another_type_is_none(site: ConsoleSite) -> None:
    """Nor is one that is broken."""
    await site.person(Role.AGENT, "hanako", password=True)
    stranger = site.stranger()
    plain = {"Content-Type": "text/plain"}
    assert (await stranger.send("POST", "/sign-in", data=b"name=hanako", headers=plain)).status == 415
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for broken in (b"name=%ff", b"&".join(b"a%d=1" % number for number in range(50))):
        assert (await stranger.send("POST", "/sign-in", data=broken, headers=form)).status == 400


async def test_a_header_that_is_there_twice_proves_nothing(site: ConsoleSite) -> None:
    """Whichever of the two a proxy looked at."""
    supervisor = await site.client(Role.SUPERVISOR)
    headers = [*supervisor.headers.items(), ("Origin", "https://evil.example")]
    async with supervisor.session.post("/api/v1/queues/support/open", headers=headers) as response:
        assert response.status == 403
    assert site.floor.asked == []
