"""The audit page after a supervisor and an agent did things to real calls on their pages: who, when, what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.phone_number import as_printed
from controller.system_clock import SystemClock
from lab.browser import open_browser
from tests.asterisk.console_site import HOST, let_in, opens, running_console, signs_in
from tests.asterisk.floor import Floor, e164
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

AGENT, OTHER = "agent-1", "agent-2"
LINE, AGENTS, QUEUES = "POST /api/v1/line/{waiter}", "POST /api/v1/agents/{agent}", "POST /api/v1/queues/{queue}"
ROWS = """
return Array.from(document.querySelectorAll('#entries tbody tr'), row => Array.from(row.cells, each => each.innerText));
"""
ONLY_ROW = "return document.querySelector('#line tr')?.dataset.key ?? null"
PAUSES_ANOTHER = """
const [path, done] = arguments;
const headers = {"X-Orikaeshi": "1", "Content-Type": "application/json"};
fetch(path, {method: "POST", headers, body: '{"reason":"lunch"}'})
  .then(answer => done(answer.status));
"""
STAMP = "%Y-%m-%d %H:%M:%S"


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory, port: int) -> AsyncIterator[Floor]:
    """Start everything once, on the clock of Greenwich, with an agent, a supervisor and an admin."""
    changes = {("dialer", "time_zone"): '"UTC"', ("[queues]", "agent_ring_timeout_s"): "25"}
    async with running_console(tmp_path_factory.mktemp("site"), port, changes=changes) as floor:
        await let_in(floor, "hanako", "agent", agent=AGENT)
        await let_in(floor, "boss", "supervisor")
        await let_in(floor, "root", "admin")
        yield floor


@pytest.fixture(scope="module")
def chrome() -> Iterator[Staff]:
    """Open a browser for all tests of this file."""
    with open_browser(width=WIDTH, height=HEIGHT) as opened:
        yield Staff(opened)


async def supervises(floor: Floor, boss: Staff) -> tuple[str, str]:
    """Put a caller ahead, assign them, close the queue and open it again; return the caller's number and row."""
    customer = floor.customer()
    await floor.calling(customer)
    key = str(await boss.until(ONLY_ROW))
    await opens(boss, "line", key)
    await boss.click("#prioritise")
    await boss.until_said("#waiter-said", "優先にしました")
    await boss.choose("#assign-to", AGENT)
    await boss.click("#assign-button")
    await boss.until_said("#waiter-said", AGENT)
    await boss.click("#waiter-close")
    await opens(boss, "queues", "support")
    await boss.choose("#close-for", "30")
    await boss.click("#close-button")
    await boss.until_said("#queue-said", "受付を終了しました")
    await boss.click("#open-queue")
    await boss.until_said("#queue-said", "営業時間どおり")
    return e164(customer.user), key


async def works(floor: Floor, desk: Staff, port: int) -> None:
    """Take a break and come back, answer who waits and hang up; and try what only a supervisor may."""
    agent = await floor.signed_in(answers=False)
    ringing = await agent.rings()
    await ringing.answer()
    await desk.until_said("#state-word", "通話")
    await desk.click("#hang-up")
    await ringing.ended
    await desk.until_said("#state-word", "待機")
    await desk.click("#to-pause-break")
    await desk.until_said("#state-word", "離席")
    path = f"http://{HOST}:{port}/api/v1/agents/{OTHER}/pause"
    assert await desk.ask_later(PAUSES_ANOTHER, path) == 403


async def test_what_was_done_by_page_stands_in_the_audit(floor: Floor, chrome: Staff, port: int) -> None:
    """By whom, when, what, to whom, and what came of it, the newest first; nobody's whole number."""
    began_at = SystemClock().now()
    number, caller = await supervises(floor, await signs_in(chrome, port, "boss", "/supervise?lang=ja"))
    await works(floor, await signs_in(chrome, port, "hanako", "/desk?lang=ja"), port)
    admin = await signs_in(chrome, port, "root", "/audit?lang=en", is_live=False)
    rows = await admin.ask(ROWS)
    ended_at = SystemClock().now() + timedelta(seconds=1)
    done = [(who, kind, action, subject, outcome) for _, who, kind, action, subject, outcome, _ in reversed(rows)]
    assert done[-10:] == [
        ("boss", "Person", "sign-in", "", "ok"),
        ("boss", "Person", f"{LINE}/prioritise", caller, "204"),
        ("boss", "Person", f"{LINE}/assign", caller, "204"),
        ("boss", "Person", f"{QUEUES}/close", "support", "204"),
        ("boss", "Person", f"{QUEUES}/open", "support", "204"),
        ("hanako", "Person", "sign-in", "", "ok"),
        ("hanako", "Person", f"{AGENTS}/hang-up", AGENT, "204"),
        ("hanako", "Person", f"{AGENTS}/pause", AGENT, "204"),
        ("hanako", "Person", f"{AGENTS}/pause", OTHER, "403"),
        ("root", "Person", "sign-in", "", "ok"),
    ]
    times = [datetime.strptime(f"{at} +0000", f"{STAMP} %z") for at, *_ in rows]
    assert times == sorted(times, reverse=True)
    assert began_at - timedelta(seconds=1) <= times[9]
    assert times[0] <= ended_at
    assert '"urgent": true' in rows[8][-1]
    assert f'"agent": "{AGENT}"' in rows[7][-1]
    page = await admin.ask("return document.documentElement.outerHTML")
    assert number[3:] not in page
    assert as_printed(number, "JP") not in page


@pytest.mark.usefixtures("floor")
async def test_the_admin_asks_for_what_one_person_did(chrome: Staff, port: int) -> None:
    """By the form of the page; a wrong password stands there too."""
    await chrome.tell("Network.clearBrowserCookies")
    await chrome.open_any(f"http://{HOST}:{port}/sign-in")
    await chrome.write("#name", "boss")
    await chrome.write("#password", "not the one")
    await chrome.click("#sign-in")
    await chrome.until_seen(".error")
    admin = await signs_in(chrome, port, "root", "/audit?lang=en", is_live=False)
    await admin.write("#who", "boss")
    await admin.click("#show")
    await admin.until("return location.search.includes('who=boss') && document.readyState === 'complete'")
    rows = await admin.ask(ROWS)
    assert {who for _, who, *_ in rows} == {"boss"}
    assert rows[0][3:6] == ["sign-in", "", "wrong"]


@pytest.mark.usefixtures("floor")
@pytest.mark.parametrize("name", ["hanako", "boss"])
async def test_an_agent_and_a_supervisor_may_not_open_the_audit(chrome: Staff, port: int, name: str) -> None:
    """Nothing of it is on the page that they get."""
    staff = await signs_in(chrome, port, name, "/audit", is_live=False)
    assert await staff.status() == 403
    assert await staff.sees("#entries") == 0
