"""What holds for every page of the console: words, colours, the menu, the scripts and styles; and the figures."""

from __future__ import annotations

import re
import string
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from yarl import URL

from controller.console.pages import (
    pages,
    texts,
    texts_charts,
    texts_desk,
    texts_figures,
    texts_problems,
    texts_recordings,
    texts_staff,
    texts_supervise,
    texts_wallboard,
)
from controller.console.pages.figures_page import GROUPS, columns_of
from controller.console.pages.texts_formulas import FORMULAS
from controller.domain.access import Role
from controller.domain.agents import PAUSE_REASONS, AgentState
from controller.domain.figure_rows import AGENT_COLUMNS, COLUMNS
from controller.domain.line import WaiterKind
from controller.domain.recording import Consent, RecordingState
from controller.ports.floor import EntryState, Severity
from controller.web.health import OfficeState
from tests.console.a_day import write_day
from tests.console.house import TUESDAY_TEN, site_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.console.house import ConsoleSite

TABLES = (
    texts,
    texts_charts,
    texts_desk,
    texts_figures,
    texts_problems,
    texts_recordings,
    texts_staff,
    texts_supervise,
    texts_wallboard,
)
LIVE_WORDS = {
    *(f"agent_{state}" for state in AgentState),
    *(f"pause_{reason}" for reason in (*PAUSE_REASONS.values(), "missed")),
    *(f"kind_{kind}" for kind in WaiterKind),
    *(f"recording_{state}" for state in RecordingState),
    *(f"consent_{consent}" for consent in Consent),
    *(f"entry_{state}" for state in EntryState),
    *(f"severity_{severity}" for severity in Severity),
    *(f"pbx_{state}" for state in OfficeState),
}
"""What scripts put together from what the server tells."""


def fields_in(text: str) -> set[str]:
    """Return what is filled into a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("table", TABLES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_word_is_there_in_both_languages_with_the_same_fields(table: object) -> None:
    """A field that one language has and the other has not would be an error on that page alone."""
    for word, by_language in vars(table)["WORDS"].items():
        assert set(by_language) == {"ja", "en"}, word
        assert fields_in(by_language["ja"]) == fields_in(by_language["en"]), word


def test_whatever_the_floor_can_tell_has_a_word() -> None:
    """Every state, kind and severity that there is."""
    assert {word for table in TABLES for word in vars(table)["WORDS"]} >= LIVE_WORDS


def test_every_problem_says_what_to_do() -> None:
    """And nothing is said to be done of a problem that there is not."""
    problems = {word.removeprefix("problem_") for word in texts_problems.WORDS if word.startswith("problem_")}
    done = {word.removeprefix("do_") for word in texts_problems.WORDS if word.startswith("do_")}
    assert problems - {"since", "other"} == done
    assert done == {
        "pbx_away", "trunk_down", "no_agents", "phone_away", "promise_late", "reply_needs_person", "sms_stopped",
        "hook_failing",
    }  # fmt: skip


def test_every_word_of_a_script_is_there() -> None:
    """In the tables that its page has; a word that is put together is named by how it begins."""
    known = {word for table in TABLES for word in vars(table)["WORDS"]}
    for name, source in pages.sources().items():
        if name.endswith(".js"):
            for word in re.findall(r'\bt\("([\w-]+)"', source.decode()):
                assert word in known, (name, word)


def test_every_figure_is_shown_in_one_group_and_has_its_formula() -> None:
    """In their order; no formula of a figure that there is not."""
    shown = [column.key for group in GROUPS for column in columns_of(group)]
    assert shown == [column.key for column in COLUMNS]
    assert set(FORMULAS) == {column.key for column in COLUMNS} | {column.key for column in AGENT_COLUMNS}
    assert all(set(formula) == {"ja", "en"} for formula in FORMULAS.values())


async def test_files_are_named_by_their_contents_and_kept_for_good(site: ConsoleSite) -> None:
    """For everybody: whoever signs in needs them. What a script imports is there under the name that it says."""
    stranger = site.stranger()
    for name in pages.sources():
        answer = await stranger.get(pages.static_path(name))
        assert answer.status == 200, name
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].startswith(pages.TYPES[f".{name.rpartition('.')[2]}"])
        imported = re.findall(r'\bfrom "([^"]+)"', answer.text) if name.endswith(".js") else []
        assert [(await stranger.get(path)).status for path in imported] == [200] * len(imported), name
        assert "./" not in "".join(imported)
    for missing in ("/static/common.js", "/static/common-0123456789abcdef.js", "/static/..%2fhouse.py"):
        assert (await stranger.get(missing)).status == 404, missing


async def test_who_asks_for_a_language_or_colours_keeps_them(site: ConsoleSite) -> None:
    """Without being asked again; nothing else is kept, and nothing that is neither."""
    person = await site.client(Role.AGENT)
    first = await person.get("/wallboard", Accept_Language="ja")
    assert '<html lang="ja">' in first.text
    chosen = await person.get("/wallboard?lang=en&theme=dark")
    assert '<html lang="en" data-theme="dark">' in chosen.text
    assert chosen.cookies == {"__Host-orikaeshi-lang": "en", "__Host-orikaeshi-theme": "dark"}
    cookies = "; ".join(f"{name}={value}" for name, value in chosen.cookies.items())
    later = await person.get("/wallboard", Accept_Language="ja", Cookie=f"{person.headers['Cookie']}; {cookies}")
    assert '<html lang="en" data-theme="dark">' in later.text
    wrong = await person.get('/wallboard?lang="><script>&theme=pink', Accept_Language="ja")
    assert '<html lang="ja">' in wrong.text
    assert wrong.cookies == {}
    assert "<script>&" not in wrong.text


async def test_a_persons_own_language_goes_before_that_of_the_browser(site: ConsoleSite) -> None:
    """It is what the admin wrote down for them."""
    person = await site.client(Role.AGENT, language="en")
    assert '<html lang="en">' in (await person.get("/wallboard", Accept_Language="ja")).text


@pytest.mark.parametrize(
    ("role", "places"),
    [
        (Role.AGENT, ["/wallboard", "/desk"]),
        (Role.SUPERVISOR, ["/wallboard", "/supervise", "/figures", "/recordings"]),
        (Role.ADMIN, ["/wallboard", "/supervise", "/figures", "/recordings", "/audit"]),
    ],
)
async def test_the_menu_has_where_one_may_go(site: ConsoleSite, role: Role, places: list[str]) -> None:
    """Each leads to a page; where one is, is marked."""
    person = await site.client(role)
    page = await person.get("/wallboard")
    assert re.findall(r'<a id="to-[a-z]+" href="([^"]+)"', page.text) == places
    assert [(await person.get(path)).status for path in places] == [200] * len(places)
    assert re.findall(r'href="([^"]+)" aria-current="page"', page.text) == ["/wallboard"]


async def test_links_that_change_the_language_keep_what_was_asked_for(site: ConsoleSite) -> None:
    """The day and the queue stay."""
    supervisor = await site.client(Role.SUPERVISOR)
    page = await supervisor.get("/figures?day=2026-11-20&queue=sales")
    (link,) = re.findall(r'<a id="lang-en" href="([^"]+)"', page.text)
    assert dict(URL(link.replace("&amp;", "&")).query) == {"day": "2026-11-20", "queue": "sales", "lang": "en"}


async def test_a_stranger_is_not_told_what_the_queues_are_called(site: ConsoleSite) -> None:
    """Who is signed in reads it in every page."""
    known = [title for queue in site.house.queues.values() for title in queue.titles.values()]
    person = await site.client(Role.AGENT)
    for language in ("ja", "en"):
        stranger = (await site.stranger().get(f"/sign-in?lang={language}")).text
        colleague = (await person.get(f"/wallboard?lang={language}")).text
        assert not any(title in stranger for title in known)
        assert any(title in colleague for title in known)


async def test_what_is_written_into_a_page_is_escaped(site: ConsoleSite) -> None:
    """An agent who is called so, a queue that is asked for so: text, also within the data of a script."""
    evil = "</script><script>alert(1)</script>"
    person = await site.client(Role.AGENT, agent=evil)
    page = await person.get("/wallboard?queue=" + URL.build(query={"q": evil}).raw_query_string[2:])
    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "\\u003c/script\\u003e" in page.text


@pytest.mark.parametrize("asked", ["day=yesterday", "day=2026-02-30", "day=0001-01-01", "day=9999-12-31", "day="])
async def test_a_day_that_is_none_is_today(site: ConsoleSite, asked: str) -> None:
    """And it is said, where one was asked for."""
    page = await (await site.client(Role.SUPERVISOR)).get(f"/figures?{asked}&queue=no-such&interval=1s&group=none")
    assert page.status == 200
    assert 'name="day" value="2026-11-24"' in page.text
    assert ('id="wrong-day"' in page.text) == (asked != "day=")


async def test_the_page_of_figures_shows_the_numbers_of_the_api(tmp_path: Path) -> None:
    """Each cell of the whole day, in every group and both languages; the link leads to the same as CSV."""
    async with site_at(tmp_path) as site:
        site.clock.turn(6 * 3600)
        await write_day(site.store, TUESDAY_TEN - timedelta(hours=1), site.house.now)
        supervisor = await site.client(Role.SUPERVISOR)
        (row,) = (await supervisor.get("/api/v1/figures?by=queue&interval=whole&queue=support")).json["rows"]
        for group in GROUPS:
            page = await supervisor.get(f"/figures?queue=support&group={group}&lang=en")
            (foot,) = re.findall(r"<tfoot>(.*?)</tfoot>", page.text, re.DOTALL)
            cells = [cell.replace(",", "") for cell in re.findall(r"<td[^>]*>(.*?)</td>", foot)]
            told = [row["figures"][column.key] for column in columns_of(group)]
            assert [float(cell) if cell else None for cell in cells] == told, group
        (link,) = re.findall(r'<a id="csv" [^>]*href="([^"]+)"', page.text)
        file = await supervisor.get(link.replace("&amp;", "&"))
        assert (file.status, file.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert len(file.text.splitlines()) == 1 + 48
        (by_agent,) = re.findall(r'<a id="csv-agents" [^>]*href="([^"]+)"', page.text)
        assert len((await supervisor.get(by_agent.replace("&amp;", "&"))).text.splitlines()) == 1 + 4


async def test_the_staffing_answer_is_that_of_the_api(tmp_path: Path) -> None:
    """The table beside the chart has the agents that Erlang A asks for, interval by interval."""
    async with site_at(tmp_path) as site:
        site.clock.turn(6 * 3600)
        await write_day(site.store, TUESDAY_TEN - timedelta(hours=1), site.house.now)
        supervisor = await site.client(Role.SUPERVISOR)
        page = (await supervisor.get("/figures?queue=support&lang=en")).text
        chart = page[page.index('id="chart-staffing"') :]
        shown = re.findall(r'<tr><th scope="row" class="number">([\d:]+)</th><td class="number">([\d.]*)</td>', chart)
        told = (await supervisor.get("/api/v1/staffing?queue=support")).json["rows"]
        needed = [f"{row['erlang_a']['agents']:.1f}" if row["erlang_a"] else "" for row in told]
        first = needed.index(shown[0][1]) if shown[0][1] else 0
        assert len(shown) > 10
        assert [cell for _, cell in shown if cell] == [each for each in needed[first:] if each][: len(shown)]
        assert "Erlang A" in chart
