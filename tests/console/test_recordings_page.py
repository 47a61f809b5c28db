"""The page of recordings: what a supervisor finds there, and in which words; whatever is asked for is answered."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from controller.domain.access import Role
from controller.domain.recording import Consent, RecordingMode
from tests.console.floor import AGENT, NUMBER, OTHER_AGENT
from tests.console.house import QUEUES, site_at
from tests.console.talks_kept import Shelves, recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.console.client import Answer
    from tests.console.house import ConsoleSite

PAGE = "/recordings?lang=ja"
HIDDEN = r'<span class="of".*?</span>|<p class="error.*?</p>'


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console that has one of two Asterisks."""
    async with site_at(tmp_path, shelf_of=Shelves().of) as opened:
        yield opened


def rows_of(page: Answer) -> list[list[str]]:
    """Return the words in the cells of each row, without those that only a phone shows."""
    assert page.status == 200, page.text
    rows = re.findall(r"<tr role=\"row\" data-id=.*?</tr>", page.text, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    shown = [
        [re.sub(r"<span class=\"of\".*?</span>|<p class=\"error.*?</p>", "", cell) for cell in row] for row in cells
    ]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in shown]


def ids_of(page: Answer) -> list[str]:
    """Return which recordings a page shows."""
    assert page.status == 200, page.text
    return re.findall(r"<tr role=\"row\" data-id=\"([^\"]+)\"", page.text)


async def test_a_supervisor_reads_who_talked_with_whom_and_what_the_customer_was_told(site: ConsoleSite) -> None:
    """On the clock of the house, numbers as people write them; what cannot be heard here says why."""
    await recorded(site, "first", length_s=3725)
    site.clock.turn(60)
    await recorded(site, "second", queue="sales", number="", consent=Consent.AGREED, pbx="asterisk-2")
    site.clock.turn(60)
    await recorded(site, "third", length_s=None, number="0312345678")
    supervisor = await site.client(Role.SUPERVISOR)
    page = await supervisor.get(PAGE)
    third, second, first = rows_of(page)
    assert first == ["2026-11-24 10:00:00", "青空カード", AGENT, "090-1234-5678", "1:02:05", "告知済み", ""]
    assert second[1:6] == ["青空商事", AGENT, "非通知", "1:00", "同意あり"]
    assert "「asterisk-2」" in second[6]
    assert third[3:5] == ["03-1234-5678", "—"]
    assert "通話中" in third[6]
    assert re.findall(r'<audio [^>]*src="([^"]+)"', page.text) == ["/api/v1/recordings/first/sound"]
    assert 'preload="none"' in page.text
    assert "操作履歴に記録" in page.text
    assert NUMBER not in page.text


async def test_only_who_may_delete_is_offered_to(site: ConsoleSite) -> None:
    """And not while they talk."""
    await recorded(site, "first")
    await recorded(site, "second", length_s=None)
    supervisor, admin = await site.client(Role.SUPERVISOR), await site.client(Role.ADMIN)
    assert 'class="danger delete"' not in (await supervisor.get(PAGE)).text
    assert "<dialog" not in (await supervisor.get(PAGE)).text
    assert (await admin.get(PAGE)).text.count('class="danger delete"') == 1
    assert (await (await site.client(Role.AGENT)).get(PAGE)).status == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["d", "c", "b", "a"]),
        ("queue=sales", ["b"]),
        (f"agent={OTHER_AGENT}", ["c"]),
        ("number=090-1234-5678", ["d", "b", "a"]),
        ("number=09012345678&queue=support", ["d", "a"]),
        ("since=2026-11-25", ["d"]),
        ("until=2026-11-24", ["c", "b", "a"]),
        ("since=2026-11-24&until=2026-11-24&agent=agent-1", ["b", "a"]),
        ("since=2026-11-26", []),
        ("queue=no-such", []),
    ],
)
async def test_recordings_are_found_by_day_queue_agent_and_number(
    site: ConsoleSite, asked: str, found: list[str]
) -> None:
    """A day is one of the clock on the wall; what was asked for stays in the form."""
    await recorded(site, "a")
    site.clock.turn(60)
    await recorded(site, "b", queue="sales")
    site.clock.turn(60)
    await recorded(site, "c", agent=OTHER_AGENT, number="0312345678")
    site.clock.turn(14 * 3600)  # after midnight in Tokyo, and still the same day in UTC
    await recorded(site, "d")
    page = await (await site.client(Role.SUPERVISOR)).get(f"{PAGE}&{asked}")
    assert ids_of(page) == found
    assert ('id="none" hidden' in page.text) is bool(found)
    for name, value in (part.split("=") for part in asked.split("&") if part):
        form = page.text[page.text.index('<form class="asked') :]
        assert re.search(rf'(id="{name}"[^>]* value="{value}")|(value="{value}" selected)', form), name


async def test_a_long_list_goes_on_on_another_page_with_the_same_question(site: ConsoleSite) -> None:
    """Each recording once, though several began at once."""
    for number in range(120):
        await recorded(site, f"r{number:03}")
        await recorded(site, f"s{number:03}", queue="sales")
        if number % 7 == 0:
            site.clock.turn(1)
    supervisor = await site.client(Role.SUPERVISOR)
    found: list[str] = []
    path = f"{PAGE}&queue=support"
    while path:
        page = await supervisor.get(path)
        found += ids_of(page)
        older = re.search(r'id="older"[^>]* href="([^"]+)"', page.text)
        path = html.unescape(older[1]) if older else ""
    assert found == [f"r{number:03}" for number in reversed(range(120))]


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2026-02-30",
        "since=0001-01-01",
        "until=2099-12-31",
        "number=tea",
        "number=%00",
        "agent=%0A%1B",
        "after=x",
        "after=2026-13-45T99:99:99.000000Z%20a",
        f"queue={quote('<script>alert(1)</script>')}",
        f"agent={quote(chr(34) + '><script>alert(1)</script>')}",
        f"number={quote('</script><script>alert(1)</script>')}",
    ],
)
async def test_whatever_is_asked_for_is_answered(site: ConsoleSite, query: str) -> None:
    """A day that is none is said to be none, a number likewise, and then nothing is shown; hostile text is text."""
    await recorded(site)
    page = await (await site.client(Role.SUPERVISOR)).get(f"{PAGE}&{query}")
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert ('id="wrong-day"' in page.text) is (query in {"since=yesterday", "until=2026-02-30", "since=0001-01-01"})
    is_wrong_number = query == "number=tea" or "number=%3C" in query
    assert ('id="wrong-number"' in page.text) is is_wrong_number
    if is_wrong_number:
        assert ids_of(page) == []


async def test_it_is_said_where_nothing_is_recorded(tmp_path: Path) -> None:
    """Off is how every queue begins."""
    word = "録音を行う設定のキューはありません"
    records = replace(QUEUES["support"], queue=replace(QUEUES["support"].queue, recording=RecordingMode.ASKED))
    for queues, is_said in ((QUEUES, True), ({**QUEUES, "support": records}, False)):
        folder = tmp_path / str(is_said)
        folder.mkdir()
        async with site_at(folder, queues=queues) as site:
            page = await (await site.client(Role.SUPERVISOR)).get(PAGE)
            assert (word in page.text) is is_said


async def test_sound_is_let_into_this_page_and_into_no_other(site: ConsoleSite) -> None:
    """From ourselves alone; whoever is refused it gets a page like every other."""
    supervisor, agent = await site.client(Role.SUPERVISOR), await site.client(Role.AGENT)
    assert "media-src 'self'" in (await supervisor.get(PAGE)).headers["Content-Security-Policy"].split("; ")
    for other in (await supervisor.get("/supervise"), await agent.get(PAGE), await agent.get("/desk")):
        assert "media-src" not in other.headers["Content-Security-Policy"]
