"""The wallboard in a real browser, over the real console: what is on the floor is on the wall, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.access import Role
from controller.ports.floor import EntryState, Problem, Severity
from tests.console.busy_floor import LATE, NUMBERS
from tests.console.house import QUEUES, ConsoleSite
from tests.console.stream_reader import with_line
from tests.web.site import PUBLIC_URL

if TYPE_CHECKING:
    from tests.browser.staff import Staff

ROWS = "return Array.from(document.querySelectorAll('#line > li'), row => row.dataset.key)"
ROW = """
const values = document.querySelectorAll(`#line > li[data-key='${arguments[0]}'] .value`);
return Array.from(values, each => each.checkVisibility() ? each.innerText : "").join(" ");
"""
EVIL = "<img src=x onerror=\"document.title='ran'\">"


async def test_who_rings_is_on_the_wall_and_who_is_gone_is_not(busy: ConsoleSite, wall: Staff) -> None:
    """In the order of the line; rows that stay are the same rows."""
    await wall.ask("document.querySelector('#line > li').mark = 'the same'")
    for ids in (["call-urgent", "rang"], ["rang", "call-urgent"], ["call-urgent"]):
        busy.floor.changed(with_line(busy.floor.shown, *ids))
        await wall.until(f"{ROWS}.join() === arguments[0]", ",".join(ids))
    assert await wall.ask("return document.querySelector('#line > li').mark") == "the same"
    busy.floor.changed(replace(busy.floor.shown, line=()))
    await wall.until_said("#nobody", "お待ちの方はいません")


async def test_the_numbers_of_now_are_those_of_the_floor_and_of_the_chosen_queue(
    busy: ConsoleSite, wall: Staff
) -> None:
    """Chosen by the list, and kept in the address for who opens it again."""
    tiles = ("waiting", "callbacks", "free", "on_call", "wrap_up", "paused")

    async def shown() -> list[str]:
        return [await wall.said(f"#{tile}") for tile in tiles]

    assert await shown() == ["4", "2", "1", "3", "1", "2"]
    assert await wall.said("#callbacks-about") == "ほかに時間指定 1件"
    assert (await wall.said("#longest")).startswith("9:3")
    await wall.choose("#queue", "sales")
    await wall.until_said("#waiting", "0")
    assert await shown() == ["0", "0", "1", "1", "0", "1"]
    assert await wall.said("#longest") == "—"
    assert await wall.ask(ROWS) == []
    await wall.open(await wall.ask("return location.pathname + location.search"))
    await wall.until_said("#waiting", "0")
    assert await wall.value("#queue") == "sales"
    assert busy.floor.asked == []


async def test_a_row_says_who_waits_for_how_long_what_was_told_and_whether_it_holds(wall: Staff) -> None:
    """By the clock of the server, though that of the browser shows another day."""
    told = {name: " ".join((await wall.ask(ROW, name)).split()) for name in await wall.ask(ROWS)}
    assert told["call-urgent"].startswith("1 待ち呼 +81901234****")
    assert "優先" in told["call-urgent"]
    assert "未案内" in told["call-urgent"]
    assert "09:56 4:0" in told["call-holds"]
    assert "2〜8分 (09:59) 範囲内" in told["call-holds"]
    assert "1人に先を越された" in told["call-holds"]
    assert "超過見込み" in told["call-risk"]
    assert "超過" in told["call-broken"].replace("超過見込み", "")
    assert "09:57まで" in told[LATE]
    assert "超過" in told[LATE]
    assert told["promise-due"].startswith("6 折り返し")
    assert told["promise-slot"].startswith("– 折り返し")
    assert "12:00–12:30 範囲内" in told["promise-slot"]
    assert "通話中 担当: aoki" in told["call-talks"]
    assert "発信中 担当: fujita 発信 2回" in told["promise-dialled"]
    assert "非通知" in told["call-hidden"]
    assert await wall.said("#line-count") == "7"


async def test_a_wait_goes_on_by_itself(busy: ConsoleSite, wall: Staff) -> None:
    """Between two events too; the server's clock stands still, and is right."""
    waits = "#line > li[data-key='call-holds'] .waits"
    before = await wall.said(waits)
    assert before.startswith("4:0")
    await wall.until("return document.querySelector(arguments[0]).innerText !== arguments[1]", waits, before)
    busy.clock.turn(30)
    busy.floor.changed()
    await wall.until_said(waits, "4:3")


async def test_numbers_are_masked_for_a_supervisor_too(busy: ConsoleSite, chrome: Staff) -> None:
    """Nowhere in the page, nor in what was sent to it."""
    await chrome.sign_in(busy, Role.SUPERVISOR)
    await chrome.enter("/wallboard")
    await chrome.until_seen("#line > li")
    seen = await chrome.ask("return document.documentElement.outerHTML")
    assert "+81901234****" in seen
    assert not any(number in seen for number in NUMBERS)
    asked = await chrome.ask("return performance.getEntriesByType('resource').map(each => each.name)")
    assert [url for url in asked if "/events" in url] in ([], [f"{PUBLIC_URL}/api/v1/events?numbers=masked"])


async def test_what_needs_a_person_is_on_top_in_words_with_what_to_do(busy: ConsoleSite, wall: Staff) -> None:
    """What is most urgent first; a promise by its queue and masked number; gone when it is over."""
    words = await wall.said("#problem-list")
    assert words.index("回線「reserve」が使えません。") < words.index("お約束の時刻を過ぎた折り返しがあります")
    assert "青空カード +81901234****" in words
    assert "通信事業者との接続を管理者が確認してください" in words
    top = "return ['problems', 'waiting'].map(id => document.getElementById(id).getBoundingClientRect().top)"
    problems, waiting = await wall.ask(top)
    assert problems < waiting
    kinds = ("pbx_away", "no_agents", "phone_away", "reply_needs_person", "sms_stopped", "of a later version")
    many = tuple(Problem(kind, Severity.WARNING, "support") for kind in kinds)
    busy.floor.changed(replace(busy.floor.shown, problems=many))
    await wall.until("return document.querySelectorAll('#problem-list > li').length === 6")
    words = await wall.said("#problem-list")
    assert "「青空カード」に対応できるオペレーターがいません。" in words
    assert "確認が必要です: of a later version support" in words
    busy.floor.changed(replace(busy.floor.shown, problems=()))
    await wall.until_gone("#problems")


async def test_agents_queues_and_trunks_are_told_in_words(busy: ConsoleSite, wall: Staff) -> None:
    """State and since when; open or closed and by whom; used circuits."""
    agents = " ".join((await wall.said("#agents")).split())
    assert re.search(r"aoki 通話 4:\d\d 青空カード", agents)
    assert re.search(r"doi 離席 22:\d\d 昼休み", agents)
    assert re.search(r"honda 離席 0:\d\d 不応答", agents)
    assert "goto サインアウト —" in agents
    queues = " ".join((await wall.said("#queues")).split())
    assert "青空カード 受付中 待ち呼 4・折り返し 2・待機 0/5人 · 待ち時間の目安 4〜9分" in queues
    assert "青空商事 受付終了" in queues
    assert "tanaka が受付を停止中" in queues
    health = " ".join((await wall.said("#health")).split())
    assert "hikari 正常 使用中 7/12" in health
    assert "reserve 停止 使用中 0/4 · 失敗 3回" in health
    assert "asterisk 稼働中" in health
    assert busy.floor.asked == []


async def test_what_people_are_called_is_text(busy: ConsoleSite, wall: Staff) -> None:
    """An agent, a trunk, a problem with markup in their names."""
    floor = busy.floor.shown
    (trunk, *_), (agent, *_) = floor.trunks, floor.agents
    busy.floor.changed(
        replace(
            floor,
            trunks=(replace(trunk, name=EVIL),),
            agents=(replace(agent, name=EVIL, queue=EVIL),),
            problems=(Problem("phone_away", Severity.CRITICAL, EVIL),),
        )
    )
    for place in ("#agents", "#health", "#problem-list"):
        await wall.until_said(place, EVIL)
    assert await wall.sees("main img") == 0
    assert "ran" not in await wall.ask("return document.title")


async def test_the_line_of_a_large_centre_is_cut_off_and_says_so(busy: ConsoleSite, wall: Staff) -> None:
    """All are counted; as many are shown as somebody can read."""
    busy.floor.changed(with_line(busy.floor.shown, *(f"caller {nth}" for nth in range(500))))
    await wall.until_said("#line-more", "ほか 440件")
    assert await wall.said("#line-count") == "500"
    assert await wall.sees("#line > li") == 60


async def test_large_numbers_are_large_on_a_wall_and_a_phone_shows_them_in_two_columns(wall: Staff) -> None:
    """The screen of a room has 1920 pixels; there the figures of now are at least 80 high."""
    size = "return parseFloat(getComputedStyle(document.getElementById('waiting')).fontSize)"
    metrics = {"height": 1080, "deviceScaleFactor": 1, "mobile": False}
    await wall.tell("Emulation.setDeviceMetricsOverride", width=1920, **metrics)
    assert await wall.ask(size) >= 64
    await wall.tell("Emulation.setDeviceMetricsOverride", width=360, **metrics)
    columns = "return getComputedStyle(document.querySelector('.tiles.now')).gridTemplateColumns.split(' ').length"
    assert await wall.ask(columns) == 2


async def test_every_state_of_somebody_in_line_has_its_word(busy: ConsoleSite, wall: Staff) -> None:
    """In the language of the page."""
    for state, word in (
        (EntryState.WAITING, "待機中"),
        (EntryState.RINGING, "オペレーター呼出中"),
        (EntryState.DIALLING, "発信中"),
        (EntryState.TALKING, "通話中"),
    ):
        one = replace(busy.floor.shown.line[0], state=state)
        busy.floor.changed(replace(busy.floor.shown, line=(one,)))
        await wall.until_said("#line .doing", word)
    assert QUEUES["support"].title("ja") == "青空カード"
