"""The page of figures after real calls: its numbers, those of the file and of the API are those worked out by hand."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS, Language, Unit
from controller.system_clock import SystemClock
from lab.browser import open_browser
from lab.phone import Answer
from tests.asterisk.console_site import HOST, let_in, running_console, signs_in, told
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.browser.staff import HEIGHT, WIDTH, Staff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from lab.phone import Phone, PhoneCall

TALK_S = 2.0
BY_HAND = {
    "incoming": 4,
    "offered": 4,
    "answered": 2,
    "abandoned": 1,
    "short_abandoned": 0,
    "promised": 1,
    "diverted": 0,
    "failed": 0,
    "waiting": 0,
    "closed": 0,
    "answer_percent": 50.0,
    "abandon_percent": 25.0,
    "reached_percent": 75.0,
    "service_level_percent": 50.0,
    "talks": 3,
    "callbacks_offered": 2,  # Those two for whom no agent was there.
    "callbacks_taken": 1,
    "take_percent": 50.0,
    "promises": 1,
    "promises_kept": 1,
    "promises_late": 0,
    "promises_broken": 0,
    "promises_open": 0,
    "calls_out": 1,
    "kept_percent": 100.0,
}
AGENT_BY_HAND = {"talks": 3, "callback_talks": 1}
GROUPS = ("calls", "waits", "agents", "callbacks", "fairness")
TABLE = """
const table = document.getElementById(arguments[0]);
const texts = cells => Array.from(cells, each => each.innerText);
return [texts(table.tHead.rows[0].cells).slice(1), texts(table.querySelector(arguments[1]).cells)];
"""
FILE = "const [link, done] = arguments; fetch(document.getElementById(link).href).then(got => got.text()).then(done)"
HEADING = {column.key: column.heading(Language.EN) for column in COLUMNS}
AGENT_HEADING = {column.key: column.heading(Language.EN) for column in AGENT_COLUMNS}
DIGITS = {Unit.COUNT: 0, Unit.PERCENT: 1, Unit.SECONDS: 1, Unit.ERLANGS: 2}


def where_it_is_noon() -> str:
    """Return a time zone in which no day ends while the calls are made."""
    ahead_h = 12 - SystemClock().now().hour
    return f"Etc/GMT{-ahead_h:+d}"


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory, port: int) -> AsyncIterator[Floor]:
    """Start everything once, at noon."""
    changes = {("dialer", "time_zone"): f'"{where_it_is_noon()}"', ("[queues]", "agent_ring_timeout_s"): "25"}
    async with running_console(tmp_path_factory.mktemp("site"), port, changes=changes) as floor:
        await let_in(floor, "boss", "supervisor")
        yield floor


@pytest.fixture(scope="module")
def chrome() -> Iterator[Staff]:
    """Open a browser for all tests of this file."""
    with open_browser(width=WIDTH, height=HEIGHT) as opened:
        yield Staff(opened)


async def talk(leg: PhoneCall, caller: PhoneCall) -> float:
    """Let the two hear each other for a while, and the caller hang up; return for how long they talked."""
    caller.talk(CALLER_HZ)
    heard_s, began_s = await asyncio.gather(caller.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
    await caller.heard.until_tone(AGENT_HZ, from_s=heard_s + TALK_S)
    await caller.hang_up()
    await leg.ended
    return leg.heard.duration_s - began_s


async def until_written(floor: Floor, query: str, count: int) -> None:
    """Wait until a query finds so many rows: what happened is written behind whoever does it."""
    async with asyncio.timeout(20):
        while len(floor.rows(query)) < count:
            await floor.stack.pbx.cli("core waitfullybooted")  # Gives it time.


async def called_back(floor: Floor, customer: Phone) -> float:
    """Have somebody leave their number in the line, and be called back; return for how long they talked."""
    leaves = await floor.holding(customer)
    await leaves.press("11")
    await floor.heard(leaves, "promise-made")
    await leaves.ended
    customer.when_rung = Answer(after_s=0.2)
    leg = await (await floor.signed_in()).rings()
    callback = await customer.rings()
    await callback.answered()
    await floor.heard(callback, "callback-confirm")
    await callback.press("1")
    talked_s = await talk(leg, callback)
    (promise,) = floor.rows("select id from promises where number = ?", e164(customer.user))
    await floor.promise_is(promise["id"], "fulfilled")
    return talked_s


@pytest.fixture(scope="module")
async def mean_talk_s(running_floor: Floor) -> float:
    """Have four people call: two are served, one gives up, one is called back; return their mean talk in seconds."""
    floor, talked_s = running_floor, []
    wrapped_up = "select id from agent_spans where state = 'wrap_up' and until is not null"
    agent = await floor.signed_in()
    for nth in (1, 2):
        caller = await floor.calling(floor.customer())
        talked_s.append(await talk(await agent.rings(), caller))
        await until_written(floor, wrapped_up, nth)
    await agent.unregister()
    gives_up = await floor.holding(floor.customer())
    await gives_up.hang_up()
    talked_s.append(await called_back(floor, floor.customer()))
    await until_written(floor, wrapped_up, len(talked_s))
    await until_written(floor, "select id from calls where ending is not null", 4)
    await agent.unregister()
    return sum(talked_s) / len(talked_s)


@pytest.fixture
async def reader(floor: Floor, mean_talk_s: float, chrome: Staff, port: int) -> AsyncIterator[Staff]:
    """Sit a supervisor down in front of the figures of today, after the calls."""
    assert mean_talk_s > TALK_S
    assert len(floor.rows("select id from calls")) == BY_HAND["incoming"]
    yield await signs_in(chrome, port, "boss", "/figures?lang=en", is_live=False)
    await chrome.open_any("about:blank")


async def shown(reader: Staff, port: int) -> dict[str, str]:
    """Read the day's row of every group of figures off the page: by heading, the text of the cell."""
    found: dict[str, str] = {}
    for group in GROUPS:
        await reader.open_any(f"http://{HOST}:{port}/figures?lang=en&group={group}")
        headings, (_, *cells) = await reader.ask(TABLE, "by-interval", "tfoot tr")
        found |= dict(zip(headings, cells, strict=True))
    return found


async def test_the_page_of_today_shows_what_was_worked_out_by_hand(
    reader: Staff, port: int, mean_talk_s: float
) -> None:
    """To the call; talks to the second; the agent's row too."""
    found = await shown(reader, port)
    assert set(found) == set(HEADING.values())
    for key, number in BY_HAND.items():
        assert found[HEADING[key]] == str(number), key
    # The agent's phone was up a little before and after the two tones were heard.
    assert float(found[HEADING["att_s"]]) == pytest.approx(mean_talk_s, abs=1.5)
    assert float(found[HEADING["mean_hold_s"]]) < float(found[HEADING["mean_true_s"]])
    headings, (who, *cells) = await reader.ask(TABLE, "by-agent", "tbody tr")
    of_agent = dict(zip(headings, cells, strict=True))
    assert (who, {key: int(of_agent[AGENT_HEADING[key]]) for key in AGENT_BY_HAND}) == ("agent-1", AGENT_BY_HAND)


async def test_the_file_has_the_same_calls_interval_by_interval(reader: Staff) -> None:
    """What the two links of the page hand out, as a spreadsheet reads it."""
    rows = list(csv.DictReader(io.StringIO((await reader.ask_later(FILE, "csv")).removeprefix("\ufeff"))))
    counted = [key for key, number in BY_HAND.items() if isinstance(number, int)]
    assert {key: sum(int(row[HEADING[key]] or 0) for row in rows) for key in counted} == {
        key: BY_HAND[key] for key in counted
    }
    (agent,) = csv.DictReader(io.StringIO((await reader.ask_later(FILE, "csv-agents")).removeprefix("\ufeff")))
    assert {key: int(agent[AGENT_HEADING[key]]) for key in AGENT_BY_HAND} == AGENT_BY_HAND


async def test_the_api_tells_a_program_what_the_page_shows(floor: Floor, reader: Staff, port: int) -> None:
    """Every figure of the page, by a key made for it."""
    made = json.loads(await told(floor, "key", "add", "--title", "a report", "--scope", "figures:read", "--json"))
    bearer = {"Authorization": f"Bearer {made['key']}"}
    async with (
        aiohttp.ClientSession(f"http://{HOST}:{port}", headers=bearer) as program,
        program.get("/api/v1/figures?interval=whole") as answer,
    ):
        (row,) = (await answer.json())["rows"]
    figures: dict[str, Any] = row["figures"]
    assert {key: figures[key] for key in BY_HAND} == BY_HAND
    page = await shown(reader, port)
    for column in COLUMNS:
        number = figures[column.key]
        text = "" if number is None else f"{number:,.{DIGITS[column.unit]}f}"
        assert page[HEADING[column.key]] == text, column.key
