"""Every page in both languages: for the smallest phone, by keyboard, by a screen reader; and nobody looks on."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.scenes import LANGUAGES, SCENES, limits_of, nothing, number
from tests.web.site import PUBLIC_URL, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.visitor import Visitor
    from tests.web.site import Site

EVERY_PAGE = pytest.mark.parametrize("scene", SCENES)
EITHER_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
WIDTHS = (360, 320)
LEAST_TARGET_PX = 44
MOST_TABS = 60
AXE = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
JUDGE = """
const [tags, done] = arguments;
axe.run(document, {runOnly: {type: "tag", values: tags}}).then(found => done({
  violations: found.violations.map(each => [each.id, each.nodes.map(node => node.html)]),
  unsure: found.incomplete.map(each => [each.id, each.nodes.map(node => node.html)]),
  passed: found.passes.map(each => each.id),
}));
"""
"""Runs the rules of axe-core over the page; days and rare wishes have to be unfolded before."""
UNFOLD = "for (const each of document.querySelectorAll('details')) each.open = true"
TOO_WIDE = """
const wide = [];
for (const each of document.querySelectorAll("body *:not(.skip):not(legend)")) {
  const box = each.getBoundingClientRect();
  if (box.right > innerWidth + 0.5 || box.left < -0.5 || each.scrollWidth > each.clientWidth + 1 && each.clientWidth)
    wide.push(each.outerHTML.slice(0, 120));
}
return [document.documentElement.scrollWidth - innerWidth, wide];
"""
TOO_SMALL = """
const small = [];
for (const each of document.querySelectorAll("a:not(.skip), button, input:not([type=hidden]), summary")) {
  const box = (each.closest("label") ?? each).getBoundingClientRect();
  if (box.width < arguments[0] || box.height < arguments[0])
    small.push([each.outerHTML.slice(0, 120), box.width, box.height]);
}
return small;
"""
SCRIPTED = """
const scripted = document.querySelectorAll("script, [style], iframe, object, embed, img, link:not([rel=stylesheet])");
const handlers = Array.from(document.querySelectorAll("*")).filter(each =>
  each.getAttributeNames().some(name => name.startsWith("on")));
return [...scripted, ...handlers].map(each => each.outerHTML.slice(0, 120));
"""
RING = """
const at = document.activeElement;
const seen = at.matches(".window input") ? at.nextElementSibling : at;
const style = getComputedStyle(seen);
return [at.id || at.textContent.trim(), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
"""


@pytest.fixture
async def limited(scene: str, door: Door, tmp_path: Path) -> AsyncIterator[Site]:
    """Serve a site on which a scene can be played."""
    async with site_at(tmp_path, limits=limits_of(scene)) as opened, door.leading_to(opened):
        yield opened


@EITHER_LANGUAGE
@EVERY_PAGE
async def test_no_rule_of_accessibility_is_broken(limited: Site, examiner: Visitor, scene: str, language: str) -> None:
    """Those of WCAG 2.1 AA that a machine can judge, contrast among them; none is left for a person to judge."""
    await SCENES[scene](limited, examiner, language)
    await examiner.ask(UNFOLD)
    found = await judged(examiner)
    assert found["violations"] == []
    assert found["unsure"] == []
    assert {"color-contrast", "html-has-lang", "document-title"} <= set(found["passed"])
    assert await examiner.ask("return document.documentElement.lang") == language


async def judged(examiner: Visitor) -> dict[str, Any]:
    """Return what axe-core says of a page."""
    await examiner.ask(AXE)
    found: dict[str, Any] = await examiner.ask_later(JUDGE, RULES)
    return found


@EITHER_LANGUAGE
@EVERY_PAGE
async def test_a_small_phone_shows_all_of_it_and_a_thumb_hits_it(
    limited: Site, visitor: Visitor, scene: str, language: str
) -> None:
    """No sideways scrolling, nothing that is cut off, nothing that is smaller than 44 pixels each way."""
    await SCENES[scene](limited, visitor, language)
    await visitor.ask(UNFOLD)
    for width in WIDTHS:
        await visitor.resize(width)
        assert await visitor.ask("return innerWidth") == width
        assert await visitor.ask(TOO_WIDE) == [0, []], width
        assert await visitor.ask(TOO_SMALL, LEAST_TARGET_PX) == [], width


@EITHER_LANGUAGE
@EVERY_PAGE
async def test_a_page_runs_nothing_and_asks_nobody_else(
    limited: Site, examiner: Visitor, scene: str, language: str
) -> None:
    """No script and no style of its own; what the browser fetched came from us; and it found nothing to complain of."""
    await examiner.tell("Network.setCacheDisabled", cacheDisabled=True)
    await examiner.requests()
    await examiner.complaints()
    await SCENES[scene](limited, examiner, language)
    assert await examiner.ask(SCRIPTED) == []
    assert await examiner.complaints() == []
    asked = await examiner.requests()
    assert [url for url in asked if not url.startswith(f"{PUBLIC_URL}/")] == []
    assert any("/static/style-" in url for url in asked)


@EITHER_LANGUAGE
async def test_a_time_is_booked_by_keyboard_alone(site: Site, visitor: Visitor, language: str) -> None:
    """Past the links to the contents, into the windows, on to the button; what has the focus is always seen."""
    await nothing(site, visitor, language)
    await visitor.press(Keys.TAB)
    assert await visitor.ask(RING) == [{"ja": "本文へ移動", "en": "Skip to the content"}[language], True]
    await visitor.press(Keys.ENTER)
    assert await visitor.focus() == "content"
    await tab_to(visitor, "window-1")
    await visitor.press(Keys.SPACE)
    assert await visitor.chosen() == "window-1"
    await visitor.press(Keys.ARROW_DOWN)
    assert await visitor.chosen() == "window-2"
    await tab_to(visitor, "day-2")
    await visitor.press(Keys.ENTER)
    assert await visitor.is_seen("window-15")
    await tab_to(visitor, "book-button")
    await visitor.press_on(Keys.ENTER)
    assert await visitor.sees("#done") == 1
    assert await site.open_promise() is not None


@EITHER_LANGUAGE
async def test_a_promise_is_cancelled_by_keyboard_alone(site: Site, visitor: Visitor, language: str) -> None:
    """The heading unfolds the button."""
    promise = await site.promised()
    await visitor.open(await site.link(promise, language=language))
    await tab_to(visitor, "予約を取り消す" if language == "ja" else "Cancel", last=True)
    await visitor.press(Keys.ENTER)
    await tab_to(visitor, "cancel-button")
    await visitor.press_on(Keys.SPACE)
    assert (await site.store.promises.get(promise.id)).state.is_final


async def tab_to(visitor: Visitor, wanted: str, *, last: bool = False) -> None:
    """Press Tab until something has the focus, by its id or its text; `last`: not the link to it, but itself."""
    for _ in range(MOST_TABS):
        await visitor.press(Keys.TAB)
        name, is_ringed = await visitor.ask(RING)
        assert is_ringed, name
        if name == wanted and not (last and await visitor.ask("return document.activeElement.tagName") == "A"):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


async def test_a_script_would_be_seen_and_is_not_run(site: Site, examiner: Visitor) -> None:
    """The browser that judges runs scripts; ours would be refused by our own policy, and the refusal noticed."""
    await number(site, examiner, "en")
    await examiner.complaints()
    await examiner.ask(
        "const script = document.createElement('script'); script.textContent = 'document.title = 1';"
        "document.body.append(script)"
    )
    assert "Content Security Policy" in " ".join(await examiner.complaints())
    assert await examiner.ask("return document.title") != "1"


async def test_the_customers_browser_has_no_javascript(visitor: Visitor) -> None:
    """What is booked in it is booked without."""
    await visitor.open_any("data:text/html,<title>still</title><script>document.title = 'ran'</script>")
    assert await visitor.ask("return document.title") == "still"
