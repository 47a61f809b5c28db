"""Talks that are recorded, or listened to, on the agents' desk and the supervisor's page, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from controller.domain.agents import AgentState
from controller.domain.recording import RecordingState
from tests.browser.console_behind import console_behind
from tests.browser.test_pages_for_everybody import TOO_WIDE, judged
from tests.console.desk_talks import CALL, state
from tests.console.floor import AGENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.staff import Staff
    from tests.console.house import ConsoleSite


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door."""
    async with console_behind(door, tmp_path) as opened:
        yield opened


@pytest.fixture
async def agent(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Sit an agent down, whose desk is open in Japanese."""
    await chrome.sign_in(site, Role.AGENT, language="ja")
    await chrome.enter("/desk?lang=ja")
    yield chrome
    await chrome.open_any("about:blank")


@pytest.fixture
async def boss(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Sit a supervisor down, whose page is open in Japanese."""
    await chrome.sign_in(site, Role.SUPERVISOR, name="boss", language="ja")
    await chrome.enter("/supervise?lang=ja")
    yield chrome
    await chrome.open_any("about:blank")


async def opens(boss: Staff, table: str, key: str) -> None:
    """Open what can be done with a row."""
    await boss.click(f'#{table} tr[data-key="{key}"] .act')
    await boss.until_seen("dialog[open]")


async def test_it_is_clear_whether_what_is_said_is_recorded_and_a_press_pauses_it(
    site: ConsoleSite, agent: Staff
) -> None:
    """For the moment in which a customer says the number of a card; by mouse and by keyboard; gone with the talk."""
    state(site, AgentState.ON_CALL)
    await agent.until_seen("#hang-up")
    assert not await agent.shows("#recording")
    state(site, AgentState.ON_CALL, recording=RecordingState.RUNNING)
    await agent.until_said("#recording-mark", "録音中")
    await agent.click("#recording-button")
    await agent.until_said("#said", "録音を一時停止: 完了しました")
    assert site.floor.asked == [("pause_recording", AGENT)]
    state(site, AgentState.ON_CALL, recording=RecordingState.PAUSED)
    await agent.until_said("#recording", "録音一時停止中", "今の会話は録音されていません", "録音を再開")
    await agent.tab_to("recording-button")
    await agent.press(Keys.ENTER)
    await agent.until_said("#said", "録音を再開: 完了しました")
    assert site.floor.asked[-1] == ("resume_recording", AGENT)
    state(site, AgentState.WRAP_UP, recording=None)
    await agent.until_gone("#recording")
    assert await agent.focus() == "state"


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_mark_of_a_recording_is_for_everybody(
    site: ConsoleSite, chrome: Staff, language: str, theme: str
) -> None:
    """Running and paused, on a phone too."""
    await chrome.sign_in(site, Role.AGENT)
    await chrome.enter(f"/desk?lang={language}&theme={theme}")
    for each in RecordingState:
        state(site, AgentState.ON_CALL, recording=each)
        await chrome.until_seen(f'#recording[data-state="{each}"]')
        found = await judged(chrome)
        assert (found["violations"], found["unsure"]) == ([], []), each
    await chrome.resize(320)
    assert (await chrome.ask(TOO_WIDE))[0] == 0


async def test_who_is_recorded_is_marked_and_a_recording_is_paused_and_resumed(site: ConsoleSite, boss: Staff) -> None:
    """The mark is a word; each is undone by the other; and a link leads to what was recorded of this agent."""
    row = f'#agents tr[data-key="{AGENT}"]'
    await opens(boss, "agents", AGENT)
    assert not await boss.shows("#pause-recording")
    assert not await boss.shows("#resume-recording")
    await boss.click("#agent-close")
    state(site, AgentState.ON_CALL, CALL, recording=RecordingState.RUNNING)
    await boss.until_said(row, "通話", "録音中")
    await opens(boss, "agents", AGENT)
    assert not await boss.shows("#resume-recording")
    await boss.click("#pause-recording")
    await boss.until_said("#agent-said", "録音を一時停止")
    state(site, AgentState.ON_CALL, CALL, recording=RecordingState.PAUSED)
    await boss.until_said("#agent-about", "録音一時停止中")
    assert not await boss.shows("#pause-recording")
    link = await boss.ask("return document.getElementById('agent-recordings').href")
    assert link.endswith(f"/recordings?agent={AGENT}")
    await boss.click("#agent-close")
    await boss.click("#undo")
    await boss.until_said("#said", "元に戻しました")
    assert site.floor.asked == [("pause_recording", AGENT), ("resume_recording", AGENT)]
    state(site, AgentState.WRAP_UP, recording=None)
    await boss.until("return !document.querySelector(arguments[0]).innerText.includes('録音')", row)


async def test_listening_is_offered_only_where_the_settings_allow_it(door: Door, tmp_path: Path, chrome: Staff) -> None:
    """Whatever the scope says; who asks all the same is told why not, and nothing is asked of the floor."""
    async with console_behind(door, tmp_path, allows_listening=False) as site:
        await chrome.sign_in(site, Role.SUPERVISOR)
        await chrome.enter("/supervise?lang=ja")
        state(site, AgentState.ON_CALL, CALL)
        await chrome.until_said(f'#agents tr[data-key="{AGENT}"]', "通話")
        await opens(chrome, "agents", AGENT)
        assert await chrome.sees("#listen") == 0
        supervisor = await site.client(Role.SUPERVISOR)
        answer = await supervisor.post(f"/api/v1/agents/{AGENT}/listen", {"endpoint": "supervisor-1"})
        assert (answer.status, "line.allow_listening" in answer.json["detail"]) == (409, True)
        assert site.floor.asked == []
    await chrome.open_any("about:blank")
