"""Choosing a password: one's own, when one likes; and before anything else, when it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role
from tests.console.doors_of import all_doors, path_to
from tests.console.entrance import browser, signed_in
from tests.console.house import PASSWORD

if TYPE_CHECKING:
    from tests.console.client import Answer, Client
    from tests.console.house import ConsoleSite

NEW = "quiet rivers run deep"


async def changed(client: Client, old: str = PASSWORD, new: str = NEW, again: str | None = None) -> Answer:
    """Send the form."""
    return await client.submit("/password", {"old": old, "new": new, "again": new if again is None else again})


async def test_a_password_is_changed_and_all_other_browsers_are_signed_out(site: ConsoleSite) -> None:
    """The old one opens nothing any more; the browser in which it was changed goes on."""
    person = await site.person(Role.AGENT, "hanako", password=True)
    mine, another = await site.browser_of(person), await site.browser_of(person)
    assert (await changed(mine)).status == 200
    assert (await mine.get("/api/v1/me")).status == 200
    assert (await another.get("/api/v1/me")).status == 401
    assert (await signed_in(site)).status == 422
    assert (await signed_in(site, password=NEW)).status == 303
    actions = [(action, outcome) for _, action, _, outcome in await site.audit()]
    assert actions[:2] == [("password check", "ok"), ("POST /password", "200")]


@pytest.mark.parametrize(
    ("old", "new", "again", "mistake"),
    [
        ("not the old one", NEW, NEW, "could not be confirmed"),
        (PASSWORD, NEW, NEW + "!", "not the same"),
        (PASSWORD, "too short", "too short", "12 characters"),
        (PASSWORD, "so long " * 20, "so long " * 20, "128 characters"),
        (PASSWORD, "hanako-hanako", "hanako-hanako", "close to your name"),
        (PASSWORD, "password1234", "password1234", "everybody tries"),
        (PASSWORD, PASSWORD, PASSWORD, "another one than the present"),
    ],
)
async def test_a_change_that_is_not_taken_says_why_and_changes_nothing(
    site: ConsoleSite, old: str, new: str, again: str, mistake: str
) -> None:
    """In words for a person; nobody is signed out."""
    person = await site.person(Role.AGENT, "hanako", password=True)
    mine, another = await site.browser_of(person), await site.browser_of(person)
    answer = await changed(mine, old, new, again)
    assert answer.status == 422
    assert mistake in answer.text
    assert new not in answer.text
    assert (await another.get("/api/v1/me")).status == 200
    assert (await signed_in(site)).status == 303


async def test_guessing_the_old_password_from_an_open_browser_locks_as_at_the_sign_in(site: ConsoleSite) -> None:
    """Whoever finds an open browser cannot try without end, and does not get to keep it."""
    person = await site.person(Role.AGENT, "hanako", password=True)
    mine = await site.browser_of(person)
    for _ in range(3):
        assert (await changed(mine, "wrong")).status == 422
    assert (await changed(mine)).status == 422
    assert (await signed_in(site)).status == 422


async def test_whoever_was_given_a_password_chooses_another_before_anything_else(site: ConsoleSite) -> None:
    """Every page leads there, and the API says so; afterwards everything opens."""
    await site.person(Role.ADMIN, "hanako", password=True, must_change=True, agent="agent-1")
    answer = await signed_in(site, to="/wallboard")
    assert answer.headers["Location"] == "/password"
    mine = browser(site, answer)
    for door in all_doors(site):
        if door.is_public or door.path in {"/password", "/sign-out"}:
            continue
        told = await mine.send(door.method, path_to(door), body=None if door.method == "GET" else {})
        if door.path.startswith("/api/"):
            assert (told.status, told.json["type"]) == (403, "urn:orikaeshi:problem:password-must-change")
        else:
            assert (told.status, told.headers["Location"]) == (303, "/password")
    assert (await mine.get("/password")).status == 200
    assert (await changed(mine, new=PASSWORD)).status == 422
    assert (await changed(mine)).status == 200
    assert (await mine.get("/wallboard")).status == 200
    assert site.floor.asked == []


async def test_a_new_password_is_asked_for_in_ways_that_password_managers_know(site: ConsoleSite) -> None:
    """By `autocomplete`; nothing keeps anybody from pasting."""
    client = await site.client(Role.AGENT)
    page, form = (await client.get("/password")).text, (await site.stranger().get("/sign-in")).text
    assert page.count('autocomplete="new-password"') == 2
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="username"' in form
    assert 'autocomplete="current-password"' in form
    assert "onpaste" not in page + form


@pytest.mark.parametrize(("language", "word"), [("ja", "パスワードの変更"), ("en", "Change your password")])
async def test_the_page_is_in_the_language_of_its_reader(site: ConsoleSite, language: str, word: str) -> None:
    """As the person is kept, else as the browser asks."""
    kept = await site.client(Role.AGENT, language=language)
    assert word in (await kept.get("/password")).text
    asked = await site.client(Role.AGENT)
    assert word in (await asked.get("/password", Accept_Language=language)).text
