"""The page of recordings in a real browser: one is played, found, deleted; by mouse, by keyboard, on a phone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from controller.domain.recording import Consent
from tests.browser.console_behind import console_behind
from tests.browser.test_console_for_everybody import TOO_WIDE
from tests.browser.test_pages_for_everybody import TOO_SMALL, judged
from tests.console.floor import OTHER_AGENT
from tests.console.talks_kept import Shelves, recorded, wav

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.staff import Staff
    from tests.console.house import ConsoleSite

LENGTH_S = 2.0
BUTTON = """
const player = document.querySelector(arguments[0]);
player.scrollIntoView({block: 'center', behavior: 'instant'});
const box = player.getBoundingClientRect();
return [box.left + box.height / 2, box.top + box.height / 2];
"""
"""Where Chromium draws the button that plays: at the left end."""
PLAYS = "return !document.querySelector(arguments[0]).paused"
ENDED = "const heard = document.querySelector(arguments[0]); return heard.ended && heard.duration"
ROWS = "return Array.from(document.querySelectorAll('tr[data-id]'), each => each.dataset.id)"
HEARD = "recording.heard"
LEAST_TARGET_PX = 44


@pytest.fixture
def shelves() -> Shelves:
    """Have an Asterisk with the sound of one talk."""
    made = Shelves()
    made.here.sounds = {"first": wav(LENGTH_S), "second": wav(1)}
    return made


@pytest.fixture
async def site(door: Door, tmp_path: Path, shelves: Shelves) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, with recordings of every kind."""
    async with console_behind(door, tmp_path, shelf_of=shelves.of) as opened:
        await recorded(opened, "first", length_s=LENGTH_S)
        opened.clock.turn(60)
        await recorded(opened, "second", agent=OTHER_AGENT, queue="sales", consent=Consent.AGREED, number="")
        opened.clock.turn(60)
        await recorded(opened, "elsewhere", pbx="asterisk-2")
        await recorded(opened, "going-on", length_s=None)
        yield opened


@pytest.fixture
async def admin(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Sit an admin down before the page, in Japanese."""
    await chrome.sign_in(site, Role.ADMIN, name="root", language="ja")
    await chrome.open("/recordings?lang=ja")
    yield chrome
    await chrome.open_any("about:blank")


def player(recording_id: str) -> str:
    """Return where the player of a recording is."""
    return f'tr[data-id="{recording_id}"] audio'


async def play(staff: Staff, recording_id: str) -> None:
    """Press the player's own button; a browser lets no script begin what nobody asked to hear."""
    x, y = await staff.ask(BUTTON, player(recording_id))
    for kind in ("mousePressed", "mouseReleased"):
        await staff.tell("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


def left_to_people(found: dict[str, Any]) -> list[Any]:
    """Return what axe cannot judge, but that a talk which was recorded has no captions."""
    return [(rule, nodes) for rule, nodes in found["unsure"] if rule != "audio-caption"]


async def heard(site: ConsoleSite) -> list[tuple[str, str]]:
    """Return who heard what, as the audit has it."""
    return [(who, subject) for who, action, subject, _ in await site.audit() if action == HEARD]


async def test_a_recording_is_played_to_its_end_and_noted_once(site: ConsoleSite, admin: Staff) -> None:
    """Nothing is fetched before somebody presses play; the policy lets the sound in, and the browser complains not."""
    await admin.complaints()
    assert "操作履歴に記録されます" in await admin.said("#noted")
    assert await heard(site) == []
    await play(admin, "first")
    length_s = await admin.until(ENDED, player("first"))
    assert abs(length_s - LENGTH_S) < 0.1
    assert await heard(site) == [("root", "first")]
    assert await admin.complaints() == []


async def test_one_is_heard_at_a_time(admin: Staff) -> None:
    """Who plays another one does not hear both."""
    await admin.ask("for (const each of document.querySelectorAll('audio')) each.loop = true")
    for one, other in (("first", "second"), ("second", "first")):
        await play(admin, one)
        await admin.until(f"{PLAYS} && document.querySelector(arguments[1]).paused", player(one), player(other))


async def test_what_cannot_be_played_says_so(site: ConsoleSite, admin: Staff, shelves: Shelves) -> None:
    """The Asterisk is away, or belongs to another controller; the talk still goes on."""
    assert "「asterisk-2」" in await admin.said('tr[data-id="elsewhere"] .sound')
    assert "通話中" in await admin.said('tr[data-id="going-on"] .sound')
    shelves.here.is_away = True
    await play(admin, "first")
    await admin.until_said('tr[data-id="first"] .error', "再生できません")
    assert not await admin.shows('tr[data-id="second"] .error')
    assert await heard(site) == []


async def test_a_recording_is_found_by_a_form_whose_address_can_be_kept(admin: Staff) -> None:
    """By keyboard; an agent is offered by name."""
    await admin.tab_to("agent")
    await admin.press(OTHER_AGENT)
    await admin.press_on(Keys.ENTER)
    assert f"agent={OTHER_AGENT}" in await admin.ask("return location.search")
    assert await admin.ask(ROWS) == ["second"]
    await admin.write("#number", "03-1234-5678")
    await admin.ask("document.getElementById('show').scrollIntoView()")
    await admin.click("#show")
    await admin.until_said("#none", "該当する録音はありません")


async def test_a_recording_is_deleted_after_a_question(site: ConsoleSite, admin: Staff) -> None:
    """By keyboard: the first answer leaves it; then its row is gone, that is told, and the focus is not lost."""
    button = 'tr[data-id="first"] .delete'
    await admin.ask("document.querySelector(arguments[0]).id = 'delete-first'", button)
    await admin.tab_to("delete-first")
    await admin.press(Keys.ENTER)
    await admin.until_said("#delete-what", "2026-11-24 10:00:00", "青空カード")
    await admin.press(Keys.ESCAPE)
    await admin.until_gone("dialog[open]")
    assert await admin.focus() == "delete-first"
    kept = await site.store.recordings.find("first")
    assert kept is not None
    assert not kept.unwanted
    await admin.press(Keys.ENTER)
    await admin.tab_to("delete-now")
    await admin.press(Keys.ENTER)
    await admin.until_said("#said", "録音を削除しました", "10:00:00")
    await admin.until_gone('tr[data-id="first"]')
    assert await admin.focus() == "said"
    kept = await site.store.recordings.find("first")
    assert kept is not None
    assert kept.unwanted
    assert ("root", "DELETE /api/v1/recordings/{recording}", "first", "204") in await site.audit()


async def test_what_somebody_else_deleted_meanwhile_is_told(site: ConsoleSite, admin: Staff) -> None:
    """In words, in the dialog."""
    assert await site.store.recordings.delete("first")
    await admin.click('tr[data-id="first"] .delete')
    await admin.until_seen("dialog[open]")
    await admin.click("#delete-now")
    await admin.until_said("#delete-said", "できませんでした", "すでにありません")


async def test_a_supervisor_hears_and_deletes_nothing(site: ConsoleSite, chrome: Staff) -> None:
    """The page works without what only admins have."""
    await chrome.sign_in(site, Role.SUPERVISOR, name="boss", language="en")
    await chrome.complaints()
    await chrome.open("/recordings?lang=en")
    assert await chrome.sees(".delete, dialog") == 0
    await play(chrome, "first")
    await chrome.until(ENDED, player("first"))
    assert await heard(site) == [("boss", "first")]
    assert await chrome.complaints() == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_is_for_everybody_in_both_languages_and_colours(
    site: ConsoleSite, chrome: Staff, language: str, theme: str
) -> None:
    """No rule of WCAG 2.1 AA that a machine can judge is broken, with the dialog and without; a phone shows all."""
    await recorded(site, "long", agent="a" * 32, began_at=site.house.now - timedelta(days=1))
    await chrome.sign_in(site, Role.ADMIN)
    await chrome.complaints()
    await chrome.open(f"/recordings?lang={language}&theme={theme}&since=yesterday&number=tea")
    found = await judged(chrome)
    assert (found["violations"], left_to_people(found)) == ([], [])
    await chrome.open(f"/recordings?lang={language}&theme={theme}")
    for width in (1280, 720, 360, 320):
        await chrome.resize(width)
        assert await chrome.ask(TOO_WIDE) == [0, []], width
        small = await chrome.ask(TOO_SMALL, LEAST_TARGET_PX)
        assert [each for each in small if any(each[1:])] == [], width
        found = await judged(chrome)
        assert (found["violations"], left_to_people(found)) == ([], []), width
    await chrome.click(".delete")
    await chrome.until_seen("dialog[open]")
    found = await judged(chrome)
    assert (found["violations"], left_to_people(found)) == ([], [])
    assert await chrome.ask(TOO_WIDE) == [0, []]
    assert await chrome.complaints() == []
