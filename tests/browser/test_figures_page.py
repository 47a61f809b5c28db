"""The page of figures in a real browser: choose, look, read as a table, take away as CSV."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from controller.domain.access import Role
from tests.browser.console_behind import console_behind
from tests.console.a_day import write_day
from tests.console.house import TUESDAY_TEN, ConsoleSite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.browser.door import Door
    from tests.browser.staff import Staff

HEADS = "return Array.from(document.querySelectorAll('#by-interval thead th'), each => each.innerText)"
CHARTS = "return Array.from(document.querySelectorAll('.chart figcaption > span:first-child'), each => each.innerText)"
INSIDE = """
const svg = document.querySelectorAll('.chart > svg');
return Array.from(svg).flatMap(one => {
  const whole = one.getBoundingClientRect();
  return Array.from(one.querySelectorAll('text, rect, path, circle, line'))
    .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
    .filter(([, box]) => box.width || box.height)
    .filter(([, box]) => box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 1
      || box.bottom > whole.bottom + 1)
    .map(([html]) => html);
});
"""
"""What of a chart is drawn outside of it."""
LEAST_PX = """
return Math.min(...Array.from(document.querySelectorAll('.chart > svg text'))
  .map(each => each.getBoundingClientRect().height).filter(Boolean));
"""


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, in the afternoon of a day on which many called."""
    async with console_behind(door, tmp_path) as opened:
        opened.clock.turn(6 * 3600)
        await write_day(opened.store, TUESDAY_TEN - timedelta(hours=1), opened.house.now)
        yield opened


@pytest.fixture
async def reader(site: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Open the figures in Japanese, as a supervisor."""
    await chrome.sign_in(site, Role.SUPERVISOR)
    await chrome.open("/figures?lang=ja")
    yield chrome
    await chrome.open_any("about:blank")


async def test_a_queue_an_interval_and_a_group_are_chosen_by_keyboard(reader: Staff) -> None:
    """The address says what is shown, so that it can be sent to a colleague."""
    assert (await reader.ask(HEADS))[:3] == ["時間帯", "総着信数", "着信呼数"]
    await reader.tab_to("queue")
    await reader.press(Keys.ARROW_DOWN)
    await reader.tab_to("interval")
    await reader.press(Keys.ARROW_DOWN)
    await reader.tab_to("group")
    await reader.press(Keys.ARROW_DOWN)
    await reader.tab_to("show")
    await reader.press_on(Keys.ENTER)
    assert await reader.ask("return location.search") == "?day=2026-11-24&queue=support&interval=15m&group=waits"
    assert (await reader.ask(HEADS))[:3] == ["時間帯", "サービスレベル(%)", "サービスレベル・放棄呼を除く(%)"]
    assert await reader.sees("#by-interval tbody tr") > 20
    assert await reader.sees("#by-agent tbody tr") == 4


async def test_a_queue_has_four_charts_with_tables_and_all_queues_have_three(reader: Staff) -> None:
    """How many agents were needed is asked of one queue: each has its own target."""
    assert len(await reader.ask(CHARTS)) == 3
    assert "キューを選択すると表示されます" in await reader.said("#choose-queue")
    assert await reader.sees("#by-queue tbody tr") == 2
    await reader.open("/figures?queue=support")
    assert (await reader.ask(CHARTS))[-1] == "必要なオペレーター数"
    assert "目標: 20秒以内の応答 80%, 放棄呼率 5%以下" in await reader.said("main")
    assert await reader.sees(".chart path.c-needed") == 2
    assert await reader.sees(".chart path.c-there") == 2
    assert await reader.sees(".chart .goal") == 2
    await reader.click(".chart:last-child summary")
    table = await reader.said(".chart:last-child table")
    assert "必要人数(アーランA)" in table
    assert "稼働人数" in table


async def test_charts_are_drawn_inside_themselves_and_can_be_read_on_a_phone(reader: Staff) -> None:
    """Letters of at least 10 pixels, whatever the width; nothing sticks out."""
    await reader.open("/figures?queue=support")
    for width in (1920, 1280, 360, 320):
        await reader.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        assert await reader.ask(INSIDE) == [], width
        assert await reader.ask(LEAST_PX) >= 10, width


async def test_days_are_gone_through_and_one_without_calls_says_so(reader: Staff) -> None:
    """The day before is empty; back again there are the calls."""
    await reader.click("#before")
    await reader.until("return document.getElementById('day')?.value === '2026-11-23'")
    assert "まだデータがありません。" in await reader.said(".charts")
    await reader.click("#after")
    await reader.until("return document.getElementById('day')?.value === '2026-11-24'")
    assert await reader.sees(".chart rect.c-answered") > 5


async def test_each_heading_is_explained(reader: Staff) -> None:
    """Folded below the table for everybody, and at the heading for who points at it."""
    assert not await reader.shows("#formulas dl")
    await reader.click("#formulas summary")
    assert "応答数 ÷ 着信呼数 × 100" in await reader.said("#formulas dl")
    heading = "return document.querySelector('#by-interval thead th:nth-child(2)').title"
    assert await reader.ask(heading) == "着信呼数 + 短時間放棄呼数 + 対応中呼数"


async def test_an_agent_does_not_get_in(site: ConsoleSite, chrome: Staff) -> None:
    """The page says so, and the menu has no way there."""
    await chrome.sign_in(site, Role.AGENT)
    await chrome.open("/figures?lang=ja")
    assert await chrome.status() == 403
    assert "権限がありません" in await chrome.said("main")
    assert await chrome.sees("#to-figures") == 0
