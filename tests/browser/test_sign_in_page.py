"""The way in, in a real browser: the form by keyboard, what it says to a wrong password, a first password's change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from tests.browser.console_behind import console_behind
from tests.browser.test_console_for_everybody import TOO_WIDE
from tests.browser.test_pages_for_everybody import TOO_SMALL, judged
from tests.console.house import PASSWORD, ConsoleSite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.staff import Staff

LEAST_TARGET_PX = 44


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, with somebody who may come in, and somebody new."""
    async with console_behind(door, tmp_path) as opened:
        await opened.person(Role.SUPERVISOR, "hanako", password=True)
        await opened.person(Role.SUPERVISOR, "taro", password=True, must_change=True)
        yield opened


@pytest.fixture
async def stranger(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Sit somebody down of whom nothing is known yet."""
    await chrome.sign_in(site, Role.AGENT)
    await chrome.tell("Network.clearBrowserCookies")
    await chrome.complaints()
    yield chrome
    await chrome.open_any("about:blank")


async def types(staff: Staff, name: str, password: str) -> None:
    """Fill in the form by keyboard alone, from where the focus is, and send it."""
    await staff.press(name, Keys.TAB, password)
    await staff.press_on(Keys.ENTER)


async def is_for_everybody(staff: Staff) -> None:
    """Check the page for whatever of WCAG 2.1 AA a machine can judge, and on a phone of 320 pixels."""
    found = await judged(staff)
    assert (found["violations"], found["unsure"]) == ([], [])
    await staff.resize(320)
    assert await staff.ask(TOO_WIDE) == [0, []]
    small = await staff.ask(TOO_SMALL, LEAST_TARGET_PX)
    assert [each for each in small if any(each[1:])] == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_form_and_what_it_says_to_a_wrong_password_are_for_everybody(
    site: ConsoleSite, stranger: Staff, language: str, theme: str
) -> None:
    """In both languages and colours; the focus is in the form at once; nobody is told which of the two was wrong."""
    await stranger.open(f"/sign-in?lang={language}&theme={theme}")
    assert await stranger.focus() == "name"
    await is_for_everybody(stranger)
    said = []
    for name in ("hanako", "nobody"):
        await stranger.open("/sign-in")
        await types(stranger, name, "not the password")
        said.append(await stranger.said("#mistake"))
        assert await stranger.ask("return document.documentElement.lang") == language
    assert said[0] == said[1] != ""
    await is_for_everybody(stranger)
    assert await stranger.complaints() == []
    assert {outcome for _, action, _, outcome in await site.audit() if "sign-in" in action} >= {"wrong", "unknown"}


async def test_somebody_signs_in_by_keyboard_and_comes_where_they_wanted_to_be(stranger: Staff) -> None:
    """Whoever follows a link while signed out gets there afterwards; signing out ends it."""
    await stranger.open("/recordings?lang=ja&agent=agent-1")
    assert await stranger.path() == "/sign-in"
    await types(stranger, "hanako", PASSWORD)
    assert await stranger.ask("return location.pathname") == "/recordings"
    await stranger.tab_to("sign-out")
    await stranger.press_on(Keys.ENTER)
    await stranger.open("/recordings")
    assert await stranger.path() == "/sign-in"


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_a_first_password_is_changed_before_anything_else(stranger: Staff, language: str) -> None:
    """On a page that is for everybody, too."""
    await stranger.open(f"/sign-in?lang={language}")
    await types(stranger, "taro", PASSWORD)
    assert await stranger.path() == "/password"
    await is_for_everybody(stranger)
    await stranger.open("/supervise")
    assert await stranger.path() == "/password"
