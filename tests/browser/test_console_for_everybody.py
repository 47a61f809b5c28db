"""Every page of the console in both languages and colours: for a phone, by keyboard, by a screen reader; unwatched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from tests.browser.console_behind import console_behind, leading_to
from tests.browser.staff import HEIGHT, Staff
from tests.browser.test_pages_for_everybody import RING, TOO_SMALL, UNFOLD, judged
from tests.console.a_day import write_day
from tests.console.busy_floor import busy_floor
from tests.console.house import TUESDAY_TEN, ConsoleSite
from tests.web.site import PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door

PAGES = {
    "sign-in": (None, "/sign-in", ""),
    "wallboard": (Role.AGENT, "/wallboard", "#line > li"),
    "desk": (Role.AGENT, "/desk", "#state[data-state]"),
    "supervise": (Role.SUPERVISOR, "/supervise", ""),
    "figures": (Role.SUPERVISOR, "/figures?queue=support", ".chart"),
    "figures of all": (Role.SUPERVISOR, "/figures?group=callbacks", ".chart"),
    "recordings": (Role.ADMIN, "/recordings", "#none"),
    "not allowed": (Role.AGENT, "/figures", ""),
    "not there": (Role.ADMIN, "/no-such-page", ""),
}
"""Who opens it, where, and what is there once all of it is."""
EVERY_PAGE = pytest.mark.parametrize("page", PAGES)
EITHER_LANGUAGE = pytest.mark.parametrize("language", ["ja", "en"])
THEMES = ("light", "dark")
WIDTHS = (1280, 360, 320)
LEAST_TARGET_PX = 44
LEAST_CONTRAST = 4.5
TOO_WIDE = """
const unseen = ".skip, .wide *, .visually-hidden, .visually-hidden *, .cell > .of, svg *, option";
const wide = Array.from(document.querySelectorAll("body *")).filter(each => !each.matches(unseen)
  && each.checkVisibility()).filter(each => {
    const box = each.getBoundingClientRect();
    const isCut = each.scrollWidth > each.clientWidth + 1 && each.clientWidth && !each.matches(".wide, select, input");
    return box.right > innerWidth + 0.5 || box.left < -0.5 || isCut;
  });
return [document.documentElement.scrollWidth - innerWidth, wide.map(each => each.outerHTML.slice(0, 120))];
"""
"""By how much the page is wider than the window, and what sticks out or is cut off; tables scroll by themselves."""
CHART_CONTRAST = """
const light = colour => {
  const part = Array.from(colour.matchAll(/[\\d.]+/g), each => each[0] / 255).slice(0, 3)
    .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2] + 0.05;
};
return Array.from(document.querySelectorAll(".chart > svg text"), each => {
  const both = [getComputedStyle(each).fill, getComputedStyle(each.closest(".sheet")).backgroundColor].map(light);
  return Math.max(...both) / Math.min(...both);
});
"""
"""How much the writing in charts differs from what it stands on (WCAG 2.1): axe leaves SVG to people."""
WRITTEN_IN = """
const scripts = Array.from(document.scripts).filter(each => !each.src && each.type !== "application/json");
const styled = document.querySelectorAll("[style], style, iframe, object, embed, img");
const handlers = Array.from(document.querySelectorAll("*")).filter(each =>
  each.getAttributeNames().some(name => name.startsWith("on")));
return [...scripts, ...styled, ...handlers].map(each => each.outerHTML.slice(0, 120));
"""


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, on a busy afternoon."""
    async with console_behind(door, tmp_path) as opened:
        opened.clock.turn(6 * 3600)
        await write_day(opened.store, TUESDAY_TEN - timedelta(hours=1), opened.house.now)
        shown = busy_floor(opened.house.now)
        # The one who is signed in has to be among the agents.
        opened.floor.changed(replace(shown, agents=(*opened.floor.shown.agents, *shown.agents)))
        yield opened


async def opened(site: ConsoleSite, chrome: Staff, page: str, language: str, theme: str = "light") -> None:
    """Open a page, and wait until all of it is there."""
    role, path, sign = PAGES[page]
    await chrome.sign_in(site, role or Role.AGENT)
    if role is None:
        await chrome.tell("Network.clearBrowserCookies")
    await chrome.open(f"{path}{'&' if '?' in path else '?'}lang={language}&theme={theme}")
    if sign:
        await chrome.until_seen(sign)


@EITHER_LANGUAGE
@EVERY_PAGE
async def test_no_rule_of_accessibility_is_broken(site: ConsoleSite, chrome: Staff, page: str, language: str) -> None:
    """Those of WCAG 2.1 AA that a machine can judge, in light and in dark; none is left for a person to judge."""
    for theme in THEMES:
        await opened(site, chrome, page, language, theme)
        await chrome.ask(UNFOLD)
        found = await judged(chrome)
        assert found["violations"] == [], theme
        assert left_to_people(found) == [], theme
        assert all(ratio >= LEAST_CONTRAST for ratio in await chrome.ask(CHART_CONTRAST)), theme
        assert {"color-contrast", "html-has-lang", "document-title"} <= set(found["passed"])
        assert await chrome.ask("return document.documentElement.lang") == language


def left_to_people(found: dict[str, Any]) -> list[Any]:
    """Return what axe cannot judge, without the writing in charts."""
    unsure = [(rule, [html for html in nodes if not html.startswith("<text ")]) for rule, nodes in found["unsure"]]
    return [(rule, nodes) for rule, nodes in unsure if nodes]


@EITHER_LANGUAGE
async def test_what_is_grey_because_the_connection_is_lost_can_still_be_read(
    door: Door, site: ConsoleSite, chrome: Staff, language: str
) -> None:
    """In light and in dark."""
    for theme in THEMES:
        async with leading_to(door, site):
            await opened(site, chrome, "wallboard", language, theme)
        await chrome.until_seen("#lost")
        found = await judged(chrome)
        assert (found["violations"], left_to_people(found)) == ([], []), theme


@EITHER_LANGUAGE
@EVERY_PAGE
async def test_any_screen_shows_all_of_it_and_a_thumb_hits_it(
    site: ConsoleSite, chrome: Staff, page: str, language: str
) -> None:
    """No sideways scrolling of the page, nothing that is cut off, nothing to tap that is smaller than 44 pixels."""
    await opened(site, chrome, page, language)
    await chrome.ask(UNFOLD)
    for width in WIDTHS:
        metrics = {"height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        await chrome.tell("Emulation.setDeviceMetricsOverride", width=width, **metrics)
        assert await chrome.ask(TOO_WIDE) == [0, []], width
        small = await chrome.ask(TOO_SMALL, LEAST_TARGET_PX)
        assert [each for each in small if any(each[1:])] == [], width  # What is hidden has no size.


@EVERY_PAGE
async def test_a_page_runs_only_our_files_and_asks_nobody_else(site: ConsoleSite, chrome: Staff, page: str) -> None:
    """No script and no style of its own; what was fetched came from us; the browser refused nothing of the policy."""
    await chrome.tell("Network.setCacheDisabled", cacheDisabled=True)
    await chrome.requests()
    await chrome.complaints()
    await opened(site, chrome, page, "ja")
    assert await chrome.ask(WRITTEN_IN) == []
    assert await chrome.complaints() == []
    asked = await chrome.requests()
    assert [url for url in asked if not url.startswith((f"{PUBLIC_URL}/", "about:blank", "data:"))] == []
    assert any("/static/console-" in url for url in asked)


async def test_a_script_that_gets_into_a_page_is_not_run(site: ConsoleSite, chrome: Staff) -> None:
    """Neither as an element nor as text that is made into elements; the browser says so."""
    await opened(site, chrome, "wallboard", "ja")
    await chrome.complaints()
    await chrome.ask(
        "const script = document.createElement('script'); script.append('document.title = 1');"
        "try { document.body.append(script) } catch {}"
        "try { document.body.innerHTML = '<img src=x onerror=document.title=1>' } catch {}"
    )
    assert await chrome.complaints() != []
    assert await chrome.ask("return document.title") != "1"
    assert await chrome.sees("main") == 1


@pytest.mark.parametrize("page", ["wallboard", "figures", "desk", "supervise"])
async def test_the_menu_is_passed_by_keyboard_and_the_focus_is_always_seen(
    site: ConsoleSite, chrome: Staff, page: str
) -> None:
    """The first Tab leads to a link to the contents; whatever has the focus has a ring."""
    await opened(site, chrome, page, "ja")
    await chrome.ask("document.activeElement.blur()")
    await chrome.press(Keys.TAB)
    assert await chrome.ask(RING) == ["本文へ移動", True]
    await chrome.press(Keys.ENTER)
    assert await chrome.focus() == "main"
    for _ in range(12):
        await chrome.press(Keys.TAB)
        if await chrome.ask("return document.activeElement === document.body"):
            break
        name, is_ringed = await chrome.ask(RING)
        assert is_ringed, name


async def test_colours_follow_the_system_until_somebody_chooses(site: ConsoleSite, chrome: Staff) -> None:
    """A screen on the wall is set once and stays so."""
    await chrome.sign_in(site, Role.AGENT)
    ground = "return getComputedStyle(document.body).backgroundColor"
    seen = {}
    for system in THEMES:
        await chrome.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
        await chrome.open("/wallboard")
        seen[system] = await chrome.ask(ground)
    assert seen["light"] != seen["dark"]
    await chrome.click("#theme-light")
    await chrome.until(f"return (() => {{{ground}}})() === arguments[0]", seen["light"])
    await chrome.open("/wallboard")
    assert await chrome.ask(ground) == seen["light"]
    await chrome.tell("Emulation.setEmulatedMedia", features=[])
