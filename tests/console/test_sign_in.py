"""Signing in and out, as a browser does it: how a session begins, how it is kept, how it ends."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from controller.domain.access import Role
from controller.domain.session_rules import token_hash
from controller.ports.people import PersonChange
from tests.console.entrance import browser, signed_in
from tests.console.house import COOKIE, PASSWORD, ConsoleSite, site_at

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_S = 60.0


async def test_a_person_signs_in_works_and_signs_out(site: ConsoleSite) -> None:
    """From the page that they wanted, over the form, back to it; afterwards the same cookie opens nothing."""
    await site.person(Role.SUPERVISOR, "hanako", password=True)
    sent_away = await site.stranger().get("/wallboard?theme=dark")
    assert (sent_away.status, sent_away.headers["Location"]) == (303, "/sign-in?to=%2Fwallboard")
    form = await site.stranger().get(sent_away.headers["Location"])
    assert 'name="to" value="/wallboard"' in form.text
    answer = await signed_in(site, to="/wallboard")
    assert (answer.status, answer.headers["Location"]) == (303, "/wallboard")
    mine = browser(site, answer)
    assert (await mine.get("/wallboard")).status == 200
    assert (await mine.get("/api/v1/me")).json["name"] == "hanako"
    left = await mine.submit("/sign-out", {})
    assert (left.status, left.headers["Location"]) == (303, "/sign-in?out=1")
    assert left.cookies[COOKIE] == ""
    assert (await mine.get("/api/v1/me")).status == 401
    assert (await mine.get("/wallboard")).status == 303
    assert [(who, action, outcome) for who, action, _, outcome in await site.audit()] == [
        ("hanako", "sign-in", "ok"),
        ("hanako", "POST /sign-out", "303"),
    ]


async def test_the_cookie_is_for_this_site_alone_and_for_no_script(site: ConsoleSite) -> None:
    """`__Host-` makes a browser insist on Secure, on Path=/ and on no Domain; it is gone with the browser."""
    await site.person(Role.AGENT, "hanako", password=True)
    cookie = (await signed_in(site)).headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert re.fullmatch(r"__Host-orikaeshi=[A-Za-z0-9_-]{43}", name)
    assert {one.casefold() for one in attributes} == {"httponly", "path=/", "samesite=strict", "secure"}


async def test_without_encryption_the_cookie_says_so_by_its_name(tmp_path: Path) -> None:
    """On this machine alone: nothing else lets a site do without https."""
    async with site_at(tmp_path, public_url="http://127.0.0.1:8083") as site:
        await site.person(Role.AGENT, "hanako", password=True)
        answer = await signed_in(site)
        assert answer.headers["Set-Cookie"].startswith("orikaeshi=")
        assert "secure" not in answer.headers["Set-Cookie"].casefold()
        assert "Strict-Transport-Security" not in answer.headers


async def test_a_session_begins_with_a_token_of_its_own(site: ConsoleSite) -> None:
    """A token that somebody put into the browser before (fixation), or that is still good, opens nothing afterwards."""
    await site.person(Role.AGENT, "hanako", password=True)
    planted = "A" * 43
    answer = await site.stranger(Cookie=f"{COOKIE}={planted}").submit(
        "/sign-in", {"name": "hanako", "password": PASSWORD}
    )
    assert answer.cookies[COOKIE] != planted
    assert (await site.stranger(Cookie=f"{COOKIE}={planted}").get("/api/v1/me")).status == 401
    first = browser(site, answer)
    again = await first.submit("/sign-in", {"name": "hanako", "password": PASSWORD})
    assert again.cookies[COOKIE] != answer.cookies[COOKIE]
    assert (await first.get("/api/v1/me")).status == 401
    assert (await browser(site, again).get("/api/v1/me")).status == 200


async def test_no_token_and_no_password_is_in_the_database_or_the_log(
    site: ConsoleSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of both a hash; whoever reads the database cannot sign in with it."""
    await site.person(Role.AGENT, "hanako", password=True)
    token = (await signed_in(site)).cookies[COOKIE]
    await signed_in(site, password="not this one, surely")
    kept, said = repr(await site.everything()), "".join(capsys.readouterr())
    for secret in (token, PASSWORD, "not this one, surely"):
        assert secret not in kept
        assert secret not in said
    kept_hash = token_hash(token)
    assert kept_hash is not None
    assert kept_hash in kept
    assert (await site.stranger(Cookie=f"{COOKIE}={kept_hash}").get("/api/v1/me")).status == 401


@pytest.mark.parametrize("uses_every_min", [None, 29])
async def test_a_session_ends_when_it_is_not_used_and_in_any_case_after_its_longest(
    site: ConsoleSite, uses_every_min: int | None
) -> None:
    """Half an hour without a request; used all day, after twelve hours."""
    client = await site.client(Role.SUPERVISOR)
    if uses_every_min is None:
        site.clock.turn(30 * MINUTE_S - 1)
        assert (await client.get("/api/v1/me")).status == 200
        site.clock.turn(30 * MINUTE_S)
    else:
        for _ in range(int(12 * 60 / uses_every_min)):
            site.clock.turn(uses_every_min * MINUTE_S)
            assert (await client.get("/api/v1/me")).status == 200
        site.clock.turn(uses_every_min * MINUTE_S)
    assert (await client.get("/api/v1/me")).status == 401
    assert (await client.get("/wallboard")).headers["Location"] == "/sign-in?to=%2Fwallboard"


async def test_a_session_that_is_used_is_written_once_a_minute(site: ConsoleSite) -> None:
    """However many requests there are: a screen asks all the time."""
    client = await site.client(Role.SUPERVISOR, "hanako")
    began_at = site.house.now
    for _ in range(3):
        site.clock.turn(19)
        await client.get("/api/v1/me")
    (session,) = await site.store.sessions.of("hanako")
    assert session.seen_at == began_at
    site.clock.turn(19)
    await client.get("/api/v1/me")
    (session,) = await site.store.sessions.of("hanako")
    assert session.seen_at == site.house.now


async def test_a_database_that_only_reads_keeps_nobody_out_who_is_in(site: ConsoleSite) -> None:
    """That a session was used is then not written; nobody new is let in."""
    await site.person(Role.AGENT, "taro", password=True)
    client = await site.client(Role.SUPERVISOR)
    site.clock.turn(2 * MINUTE_S)
    with site.database_locked():
        assert (await client.get("/api/v1/me")).status == 200
        assert (await signed_in(site, "taro")).status == 503
    assert (await signed_in(site, "taro")).status == 303


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("/desk", "/desk"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/%2F/evil.example", "/"),
        ("/desk\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-out", "/"),
        ("/sign-in", "/"),
        ("desk", "/"),
    ],
)
async def test_the_sign_in_leads_to_a_place_of_ours_alone(site: ConsoleSite, to: str, place: str) -> None:
    """Whatever stands in the address that somebody was sent."""
    await site.person(Role.AGENT, "hanako", password=True)
    page = await site.stranger().get(f"/sign-in?to={quote(to)}")
    assert f'name="to" value="{place}"' in page.text
    assert (await signed_in(site, to=to)).headers["Location"] == place


@pytest.mark.parametrize(
    ("role", "agent", "place"),
    [
        (Role.AGENT, "agent-1", "/desk"),
        (Role.AGENT, "", "/wallboard"),
        (Role.SUPERVISOR, "", "/supervise"),
        (Role.ADMIN, "", "/supervise"),
    ],
)
async def test_everybody_is_led_to_the_page_that_they_work_with(
    site: ConsoleSite, role: Role, agent: str, place: str
) -> None:
    """From the bare address; and the page opens."""
    client = await site.client(role, agent=agent)
    assert (await client.get("/")).headers["Location"] == place
    assert (await client.get(place)).status == 200


async def test_whoever_is_disabled_is_out_at_once(site: ConsoleSite) -> None:
    """In the middle of their work; enabled again, they sign in as before."""
    await site.person(Role.AGENT, "hanako", password=True)
    mine = browser(site, await signed_in(site))
    await site.store.people.change("hanako", PersonChange(is_enabled=False), at=site.house.now)
    assert (await mine.get("/api/v1/me")).status == 401
    await site.store.people.change("hanako", PersonChange(is_enabled=True), at=site.house.now + timedelta(seconds=1))
    assert (await mine.get("/api/v1/me")).status == 401
    assert (await signed_in(site)).status == 303
