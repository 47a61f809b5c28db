"""The supervisor's page in a real browser: what is seen, what is done, undone, refused; by mouse and by keyboard."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from controller.domain.agents import AgentState
from controller.domain.promise import PromiseState
from controller.ports.floor import Problem, Refused, Severity
from controller.store.tables import sms_replies
from tests.browser.console_behind import console_behind
from tests.browser.test_pages_for_everybody import TOO_WIDE, judged
from tests.console.desk_talks import CALL, promised, state
from tests.console.floor import AGENT, NUMBER, OTHER_AGENT, PROMISE
from tests.console.floor import CALL as WAITING
from tests.contract.noted import put

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.domain.promise import Promise
    from tests.browser.door import Door
    from tests.browser.staff import Staff
    from tests.console.house import ConsoleSite

HALF_AN_HOUR = timedelta(minutes=30)
PRINTED = "090-1234-5678"
"""As the agents' desk writes it, too."""
HOSTILE = "<img src=x onerror=\"document.title='ran'\">"


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door."""
    async with console_behind(door, tmp_path) as opened:
        yield opened


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


async def in_line(site: ConsoleSite) -> Promise:
    """Let a promise that is in the database be the second in line."""
    promise = await promised(site)
    live, other = site.floor.shown.line
    site.floor.changed(replace(site.floor.shown, line=(live, replace(other, id=promise.id, number=NUMBER))))
    return promise


async def test_the_line_the_agents_and_the_queues_are_there_and_change_by_themselves(
    site: ConsoleSite, boss: Staff
) -> None:
    """Numbers are whole for a supervisor; a state is told by a word."""
    await boss.until("return /待ち呼[^]*折り返し/.test(document.getElementById('line').innerText)")
    assert "昼休み" in await boss.said(f'#agents tr[data-key="{OTHER_AGENT}"]')
    assert "受付終了" in await boss.said('#queues tr[data-key="sales"]')
    state(site, AgentState.ON_CALL, WAITING)
    await boss.until_said(f'#agents tr[data-key="{AGENT}"]', "通話")
    site.floor.changed(replace(site.floor.shown, line=()))
    await boss.until_said("#line-none", "お待ちのお客様はいません")


@pytest.mark.parametrize(
    ("form", "field", "value", "done", "undone"),
    [
        ("prioritise", None, None, ("prioritise", WAITING, True), ("prioritise", WAITING, False)),
        ("move", "move-to", "sales", ("move", WAITING, "sales"), ("move", WAITING, "support")),
        ("assign", "assign-to", OTHER_AGENT, ("assign", WAITING, OTHER_AGENT), ("assign", WAITING, "")),
    ],
)
async def test_a_caller_is_put_ahead_moved_and_assigned_and_each_is_undone(
    site: ConsoleSite, boss: Staff, form: str, field: str | None, value: str, done: Any, undone: Any
) -> None:
    """It is told in the dialog, on the page, and in the list of what was done."""
    await opens(boss, "line", WAITING)
    if field:
        await boss.choose(f"#{field}", value)
    await boss.click(f"#{form}" if field is None else f"#{form}-button")
    told = await boss.until_said("#waiter-said", PRINTED)
    assert site.floor.asked[-1] == done
    await boss.click("#waiter-close")
    assert told in await boss.said("#done")
    await boss.click("#undo")
    await boss.until_said("#said", "元に戻しました")
    assert site.floor.asked[-1] == undone
    assert not await boss.shows("#undo")


@pytest.mark.parametrize(
    ("button", "state_after"), [("cancel", PromiseState.CANCELLED), ("postpone-button", PromiseState.WAITING)]
)
async def test_what_cannot_be_undone_takes_a_second_press(
    site: ConsoleSite, boss: Staff, button: str, state_after: PromiseState
) -> None:
    """The first one says so; a caller who holds has nothing to be cancelled."""
    promise = await in_line(site)
    await boss.until_seen(f'#line tr[data-key="{promise.id}"]')
    await opens(boss, "line", WAITING)
    assert not await boss.shows("#cancel")
    await boss.click("#waiter-close")
    await opens(boss, "line", promise.id)
    before = await site.store.promises.get(promise.id)
    await boss.click(f"#{button}")
    await boss.until_said("#waiter-said", "もう一度")
    assert await site.store.promises.get(promise.id) == before
    await boss.click(f"#{button}")
    await boss.until_said("#waiter-said", PRINTED)
    after = await site.store.promises.get(promise.id)
    assert after.state is state_after
    assert after.not_before > before.not_before or after.state.is_final
    assert not await boss.shows("#undo")


async def test_a_row_that_is_gone_meanwhile_says_so_in_place(site: ConsoleSite, boss: Staff) -> None:
    """The dialog stays, its buttons do nothing; and what comes too late is told in words."""
    site.floor.refuses["prioritise"] = Refused.UNKNOWN
    await opens(boss, "line", WAITING)
    await boss.click("#prioritise")
    await boss.until_said("#waiter-said", "できませんでした", "すでにありません")
    asked = len(site.floor.asked)
    site.floor.changed(replace(site.floor.shown, line=()))
    await boss.until_said("#waiter-gone", "もういません")
    assert await boss.ask("return document.getElementById('prioritise').matches(':disabled')")
    assert len(site.floor.asked) == asked
    await boss.press(Keys.ESCAPE)
    await boss.until_gone("dialog[open]")


@pytest.mark.parametrize(
    ("before", "button", "done", "undone"),
    [
        (AgentState.AVAILABLE, "pause-button", ("pause", AGENT, "break"), ("unpause", AGENT)),
        (AgentState.PAUSED, "unpause", ("unpause", AGENT), ("pause", AGENT, "lunch")),
        (AgentState.WRAP_UP, "end-wrap-up", ("end_wrap_up", AGENT), None),
        (AgentState.AVAILABLE, "sign-agent-out", ("sign_out", AGENT), ("sign_in", AGENT)),
    ],
)
async def test_an_agent_is_paused_and_signed_out_and_back(
    site: ConsoleSite, boss: Staff, before: AgentState, button: str, done: Any, undone: Any
) -> None:
    """What can be undone is; what does not fit the state is not offered."""
    state(site, before, reason="lunch" if before is AgentState.PAUSED else "")
    await boss.until(
        "return document.querySelector(arguments[0])?.dataset.state === arguments[1]",
        f'#agents tr[data-key="{AGENT}"]',
        before.value,
    )
    await opens(boss, "agents", AGENT)
    await boss.click(f"#{button}")
    await boss.until_said("#agent-said", AGENT)
    assert site.floor.asked[-1] == done
    await boss.click("#agent-close")
    assert await boss.shows("#undo") is (undone is not None)
    if undone:
        await boss.click("#undo")
        await boss.until_said("#said", "元に戻しました")
        assert site.floor.asked[-1] == undone


async def test_a_talk_is_listened_to_on_a_phone_that_is_remembered(site: ConsoleSite, boss: Staff) -> None:
    """Only a talk; what is no phone is not even sent."""
    await opens(boss, "agents", AGENT)
    assert not await boss.shows("#listen")
    await boss.click("#agent-close")
    state(site, AgentState.ON_CALL, CALL)
    await boss.until_said(f'#agents tr[data-key="{AGENT}"]', "通話")
    await opens(boss, "agents", AGENT)
    await boss.write("#listen-on", "supervisor-1")
    await boss.click("#listen-button")
    await boss.until_said("#agent-said", AGENT)
    assert site.floor.asked == [("listen", AGENT, "supervisor-1")]
    assert any(who == "boss" and "listen" in f"{what} {whom}" for who, what, whom, _ in await site.audit())
    await boss.enter("/supervise?lang=ja")
    assert await boss.value("#listen-on") == "supervisor-1"


async def test_a_queue_is_closed_for_a_time_announced_to_and_opened(site: ConsoleSite, boss: Staff) -> None:
    """By whom and until when stands in its row."""
    await opens(boss, "queues", "support")
    await boss.choose("#announce-what", "apology")
    await boss.click("#announce-button")
    await boss.until_said("#queue-said", "青空カード")
    assert site.floor.asked[-1] == ("announce", "support", "apology")
    await boss.choose("#close-for", "30")
    await boss.click("#close-button")
    await boss.until_said("#queue-said", "受付を終了しました")
    closing: Any = site.floor.asked[-1]
    assert closing[:3] == ("close_queue", "support", "boss")
    assert abs(closing[3] - site.house.now - HALF_AN_HOUR) < timedelta(minutes=2)
    support, sales = site.floor.shown.queues
    closed = replace(support, is_open=False, closed_by="boss", closed_until=site.house.now + HALF_AN_HOUR)
    site.floor.changed(replace(site.floor.shown, queues=(closed, sales)))
    await boss.until_said("#queue-about", "boss が終了", "10:30")
    await boss.click("#open-queue")
    await boss.until_said("#queue-said", "営業時間どおり")
    assert ("open_queue", "support") in site.floor.asked


async def test_what_needs_a_person_is_told_and_replies_are_text(site: ConsoleSite, chrome: Staff) -> None:
    """A problem in words, with how bad it is; what a stranger wrote by SMS runs nothing."""
    now = site.house.now
    row = {"provider": "log", "event_id": "1", "number": NUMBER, "sent_to": "0312345678", "text": HOSTILE}
    await put(site.store, sms_replies, **row, received_at=now, handled_at=now, meaning="unclear", needs_person=True)
    problems = (
        Problem("no_agents", Severity.CRITICAL, "support", now),
        Problem("promise_late", Severity.WARNING, PROMISE),
    )
    site.floor.changed(replace(site.floor.shown, problems=problems))
    await chrome.sign_in(site, Role.SUPERVISOR, language="ja")
    await chrome.complaints()
    await chrome.enter("/supervise?lang=ja")
    await chrome.until_said(
        "#troubles", "「青空カード」に対応できるオペレーターがいません", "緊急", "03-1234-5678", "サインインを手配"
    )
    await chrome.until_said("#replies", HOSTILE, PRINTED)
    assert await chrome.sees("#replies img") == 0
    assert await chrome.complaints() == []


async def test_an_admin_sees_the_audit_and_an_agent_sees_nothing(site: ConsoleSite, chrome: Staff) -> None:
    """A supervisor sees what they did here alone."""
    await chrome.sign_in(site, Role.ADMIN, name="root", language="en")
    await chrome.enter("/supervise?lang=en")
    await opens(chrome, "line", WAITING)
    await chrome.click("#prioritise")
    await chrome.until_said("#audit", "root", "prioritise")
    await chrome.sign_in(site, Role.SUPERVISOR)
    await chrome.enter("/supervise?lang=en")
    assert await chrome.sees("#audit") == 0
    await chrome.sign_in(site, Role.AGENT)
    await chrome.open("/supervise")
    assert await chrome.status() == 403


async def test_all_of_it_is_done_by_keyboard(site: ConsoleSite, boss: Staff) -> None:
    """Into the row, through the dialog, back to the row, and to the undo."""
    await boss.until_seen(f'#line tr[data-key="{WAITING}"]')
    await boss.ask("document.querySelector('#line .act').id = 'first-act'")
    await boss.tab_to("first-act")
    await boss.press(Keys.ENTER)
    await boss.until_seen("dialog[open]")
    await boss.tab_to("move-button")
    await boss.press(Keys.ENTER)
    await boss.until_said("#waiter-said", "移動しました")
    await boss.press(Keys.ESCAPE)
    await boss.until_gone("dialog[open]")
    assert await boss.focus() == "first-act"
    await boss.tab_to("undo")
    await boss.press(Keys.ENTER)
    await boss.until_said("#said", "元に戻しました")
    assert site.floor.asked == [("move", WAITING, "sales"), ("move", WAITING, "support")]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_page_is_for_everybody_in_both_languages_and_colours(
    site: ConsoleSite, chrome: Staff, language: str, theme: str
) -> None:
    """No rule of WCAG 2.1 AA that a machine can judge is broken, with the dialog and without; a phone shows all."""
    promise = await in_line(site)
    await chrome.sign_in(site, Role.ADMIN)
    await chrome.complaints()
    await chrome.enter(f"/supervise?lang={language}&theme={theme}")
    await chrome.until_seen(f'#line tr[data-key="{promise.id}"]')
    for is_open in (False, True):
        if is_open:
            await opens(chrome, "line", promise.id)
        found = await judged(chrome)
        assert (found["violations"], found["unsure"]) == ([], [])
    assert await chrome.complaints() == []
    await chrome.resize(360)
    assert (await chrome.ask(TOO_WIDE))[0] == 0
