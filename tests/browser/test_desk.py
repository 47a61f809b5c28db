"""The agents' desk in a real browser: state, screen pop, notes, callbacks; by mouse, by keyboard, in two tabs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from controller.console.desk_rules import DeskRules
from controller.domain.access import Role
from controller.domain.agents import AgentState
from controller.journeys.house import Callbacks, DialMode
from controller.ports.floor import Refused
from tests.browser.console_behind import console_behind, leading_to
from tests.browser.test_pages_for_everybody import TOO_WIDE, judged
from tests.console.desk_talks import CALL, promised, rings, state, talks, talks_on_promise, wraps_up
from tests.console.floor import AGENT, NUMBER
from tests.console.house import QUEUES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.staff import Staff
    from tests.console.house import ConsoleSite

RULES = DeskRules(crm_url="https://crm.example.jp/search?tel={number}")
PREVIEW = replace(QUEUES["support"].queue, callbacks=Callbacks(mode=DialMode.PREVIEW))
HOSTILE = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
NOTE = f"/api/v1/agents/{AGENT}/note"


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, where callbacks are shown to agents before they are dialled."""
    queues = {**QUEUES, "support": replace(QUEUES["support"], queue=PREVIEW)}
    more = {"desk": RULES, "dispositions": ("解決", "要確認"), "queues": queues}
    async with console_behind(door, tmp_path, **more) as opened:
        yield opened


@pytest.fixture
async def agent(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Sit an agent down, whose desk is open in Japanese."""
    await chrome.sign_in(site, Role.AGENT, language="ja")
    await chrome.enter("/desk?lang=ja")
    yield chrome
    await chrome.open_any("about:blank")


async def test_the_state_is_that_of_the_server_at_once_and_in_the_title(site: ConsoleSite, agent: Staff) -> None:
    """For whoever has another tab in front; the pressed button is the state's."""
    await agent.until_said("#state", "待機")
    assert await agent.ask("return document.getElementById('to-available').ariaPressed") == "true"
    state(site, AgentState.PAUSED, reason="lunch")
    await agent.until_said("#state-word", "離席")
    await agent.until_said("#state-hint", "昼休み")
    assert (await agent.ask("return document.title")).startswith("離席")
    assert await agent.ask("return document.getElementById('to-pause-lunch').ariaPressed") == "true"
    state(site, AgentState.SIGNED_OUT, phone_registered=False)
    await agent.until_said("#state-hint", "電話機が接続されていません")


async def test_each_button_asks_for_what_it_says_and_tells_what_came_of_it(site: ConsoleSite, agent: Staff) -> None:
    """Which command "available" is depends on what it ends."""
    for before, button, asked in (
        (AgentState.AVAILABLE, "to-pause-break", ("pause", AGENT, "break")),
        (AgentState.PAUSED, "to-available", ("unpause", AGENT)),
        (AgentState.WRAP_UP, "to-available", ("end_wrap_up", AGENT)),
        (AgentState.WRAP_UP, "more-wrap-up", ("extend_wrap_up", AGENT, 60.0)),
        (AgentState.SIGNED_OUT, "to-available", ("sign_in", AGENT)),
        (AgentState.AVAILABLE, "to-signed-out", ("sign_out", AGENT)),
        (AgentState.ON_CALL, "hang-up", ("hang_up", AGENT)),
    ):
        state(site, before)
        await agent.until("return document.getElementById('state').dataset.state === arguments[0]", before.value)
        await agent.click(f"#{button}")
        await agent.until_said("#said", "完了しました")
        assert site.floor.asked[-1] == asked
        await agent.ask("document.getElementById('said').textContent = ''")


async def test_what_is_refused_is_told_in_words(site: ConsoleSite, agent: Staff) -> None:
    """And what takes effect only after the call says so."""
    site.floor.refuses["sign_out"] = Refused.NOT_NOW
    await agent.click("#to-signed-out")
    await agent.until_said("#said", "サインアウト: できませんでした", "現在の状態では実行できません")
    state(site, AgentState.ON_CALL)
    await agent.until("return document.getElementById('state').dataset.state === 'on_call'")
    await agent.click("#to-pause-lunch")
    await agent.until_said("#said", "通話が終わり次第")


async def test_the_card_pops_up_while_it_rings_and_what_others_wrote_is_text(site: ConsoleSite, agent: Staff) -> None:
    """Who, why, since when; the past; and the way to the CRM, which opens in a tab of its own when it is clicked."""
    await agent.complaints()
    await wraps_up(site, call="old")
    client = await site.client(Role.AGENT, "again")
    await client.put(NOTE, {"waiter_id": "old", "text": HOSTILE, "disposition": "解決"})
    await promised(site)
    await rings(site)
    await agent.until_said("#state-word", "呼出中")
    await agent.until_said("#past", HOSTILE, "解決", "折り返し予約")
    assert "090-1234-5678" in await agent.said("#card-number")
    assert "青空カードへの着信" in await agent.said("#card-facts")
    assert await agent.sees("#past script, #past img") == 0
    assert not (await agent.ask("return document.title")).startswith("ran")
    link = await agent.ask("const a = document.getElementById('card-crm'); return [a.href, a.target, a.rel]")
    assert link == ["https://crm.example.jp/search?tel=%2B819012345678", "_blank", "noopener noreferrer"]
    assert await agent.complaints() == []
    state(site, AgentState.AVAILABLE)
    await agent.until_gone("#card-body")
    assert "090-1234" not in await agent.reads("card")


async def test_a_callback_is_chosen_for_before_it_is_dialled(site: ConsoleSite, agent: Staff) -> None:
    """With what is known of the customer; a live caller needs no choice."""
    promise = await talks_on_promise(site)
    state(site, AgentState.RINGING, promise.id)
    await agent.until_seen("#preview-dial")
    for button, choice in (
        ("preview-dial", "dial"),
        ("preview-to-colleague", "to_colleague"),
        ("preview-put-off", "put_off"),
    ):
        await agent.click(f"#{button}")
        await agent.until_said("#said", "完了しました")
        assert site.floor.asked[-1] == ("preview", AGENT, choice)
        await agent.ask("document.getElementById('said').textContent = ''")
    await rings(site)
    await agent.until_said("#card-kind", "待ち呼")
    await agent.until_gone("#preview")


async def test_a_note_is_saved_as_it_is_written_and_is_there_again(site: ConsoleSite, agent: Staff) -> None:
    """During the talk and after the wrap-up; another tab of the same agent shows it too."""
    await talks(site)
    await agent.until_seen("#note-text")
    await agent.choose("#note-disposition", "要確認")
    await agent.write("#note-text", "請求書をご希望")
    await agent.until_said("#note-status", "保存しました")
    state(site, AgentState.AVAILABLE)
    await agent.until_said("#note-heading", "前の通話")
    await agent.write("#note-text", "。至急")
    await agent.until_said("#note-status", "保存しました")
    (row,) = (await site.everything())["call_notes"]
    assert (row["disposition"], row["text"]) == ("要確認", "請求書をご希望。至急")
    await wraps_up(site)
    await agent.enter("/desk?lang=ja")
    await agent.until("return document.getElementById('note-text').value === arguments[0]", "請求書をご希望。至急")


async def test_what_cannot_be_saved_stays_in_the_form_and_is_sent_again(site: ConsoleSite, agent: Staff) -> None:
    """While the database is away, over a reload of the page, until it is kept."""
    await talks(site)
    await agent.until_seen("#note-text")
    with site.database_locked():
        await agent.write("#note-text", "忘れられない")
        await agent.until_said("#note-status", "まだ保存できていません")
    await agent.until_said("#note-status", "保存しました")
    with site.database_locked():
        await agent.write("#note-text", "一言")
        await agent.until_said("#note-status", "まだ保存できていません")
        await agent.open("/desk?lang=ja")
        await agent.until("return document.getElementById('note-text').value === arguments[0]", "忘れられない一言")
    await agent.until_said("#note-status", "保存しました")
    (row,) = (await site.everything())["call_notes"]
    assert row["text"] == "忘れられない一言"
    assert await agent.ask("return Object.keys(sessionStorage).filter(key => key.startsWith('orikaeshi-note'))") == []


@pytest.mark.parametrize(("button", "kept"), [("note-keep-mine", "ここで"), ("note-take-theirs", "別のタブで")])
async def test_two_tabs_do_not_write_over_each_other_in_silence(
    site: ConsoleSite, agent: Staff, button: str, kept: str
) -> None:
    """Both texts are shown, and the agent decides."""
    await talks(site)
    await agent.until_seen("#card[data-state=on_call] #card-body")
    other = await site.client(Role.AGENT, "other-tab")
    assert (await other.put(NOTE, {"waiter_id": CALL, "text": "別のタブで"})).status == 200
    await agent.write("#note-text", "ここで")
    await agent.until_said("#note-conflict", "別のタブで")
    assert await agent.value("#note-text") == "ここで"
    await agent.click(f"#{button}")
    await agent.until_said("#note-status", "保存しました")
    (row,) = (await site.everything())["call_notes"]
    assert (row["text"], await agent.value("#note-text")) == (kept, kept)
    assert not await agent.shows("#note-conflict")


async def test_the_wrap_up_counts_down_and_ends_by_button(site: ConsoleSite, agent: Staff) -> None:
    """In the page, and in the title of its tab."""
    await wraps_up(site)
    state(site, AgentState.WRAP_UP, CALL, rest_ends_at=site.house.now + timedelta(seconds=30))
    await agent.until_said("#rest", "残り 0:2")
    assert "残り" in await agent.ask("return document.title")
    await agent.until_said("#rest", "残り 0:28")
    await agent.click("#to-available")
    await agent.until_said("#said", "完了しました")
    assert site.floor.asked[-1] == ("end_wrap_up", AGENT)


async def test_a_callback_is_booked_by_keyboard_alone(site: ConsoleSite, agent: Staff) -> None:
    """As are a state and a note; the focus is where it is needed next."""
    await wraps_up(site)
    await agent.until_seen("#redial-open")
    await agent.tab_to("to-pause-lunch")
    await agent.press(Keys.SPACE)
    await agent.until_said("#said", "完了しました")
    assert site.floor.asked[-1] == ("pause", AGENT, "lunch")
    await agent.tab_to("note-text")
    await agent.press("kb")
    await agent.tab_to("redial-open")
    await agent.press(Keys.ENTER)
    await agent.until("return document.activeElement.id === 'redial-when'")
    assert "できるだけ早く" in await agent.said("#redial-when")
    await agent.press(Keys.ARROW_DOWN)
    await agent.tab_to("redial-book")
    await agent.press(Keys.ENTER)
    told = await agent.until_said("#redial-said", "再架電を予約しました", "090-1234-5678")
    assert "11:00" in told
    held = await site.store.promises.open_for("support", NUMBER)
    assert held is not None
    assert held.slot is not None
    (row,) = (await site.everything())["call_notes"]
    assert row["text"] == "kb"


async def test_what_the_server_does_not_say_any_more_is_not_shown_as_if_it_did(
    site: ConsoleSite, agent: Staff, door: Door
) -> None:
    """The line is cut, and comes back."""
    await agent.until_said("#state", "待機")
    async with leading_to(door, site):
        pass
    await agent.until_seen("#lost")
    state(site, AgentState.PAUSED, reason="lunch")
    async with leading_to(door, site):
        await agent.until_said("#state", "離席")
        await agent.until_gone("#lost")


async def test_somebody_who_is_no_agent_is_told_so(site: ConsoleSite, chrome: Staff) -> None:
    """A supervisor without a phone has no desk."""
    await chrome.sign_in(site, Role.SUPERVISOR, language="en")
    await chrome.open("/desk?lang=en")
    assert "You are no agent" in await chrome.reads("main")
    assert await chrome.status() == 403


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_desk_is_for_everybody_in_both_languages_and_colours(
    site: ConsoleSite, agent: Staff, language: str, theme: str
) -> None:
    """No rule of WCAG 2.1 AA that a machine can judge is broken; a phone scrolls down alone; no browser complains."""
    await wraps_up(site)
    await promised(site)
    await agent.complaints()
    await agent.enter(f"/desk?lang={language}&theme={theme}")
    await agent.until_seen("#card-body")
    await agent.click("#redial-open")
    await agent.until_seen("#redial-when")
    found = await judged(agent)
    assert (found["violations"], found["unsure"]) == ([], [])
    assert await agent.complaints() == []
    await agent.resize(360)
    assert (await agent.ask(TOO_WIDE))[0] == 0
