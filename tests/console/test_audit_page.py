"""The page of the audit: what an admin reads, page by page, and that hostile text is text there."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from controller.console.api.recordings import HEARD
from controller.console.pages.audit_page import ACTIONS, WORDS
from controller.domain.access import Role
from controller.ports.audit import AuditEntry
from tests.console.doors_of import all_doors

if TYPE_CHECKING:
    from tests.console.client import Answer
    from tests.console.house import ConsoleSite


def rows_of(page: Answer) -> list[list[str]]:
    """Return the cells of each row."""
    rows = re.findall(r"<tr>(<td.*?)</tr>", page.text)
    return [[html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]


def entry(site: ConsoleSite, **more: Any) -> AuditEntry:
    """Return something that somebody did."""
    return replace(AuditEntry(site.house.now, "person", "hanako", "sign-in", "ok"), **more)


async def test_an_admin_reads_who_did_what_newest_first(site: ConsoleSite) -> None:
    """On the clock of the house, in the reader's language."""
    await site.store.audit.note(entry(site))
    await site.store.audit.note(entry(site, kind="command", who="root", action="person add", subject="taro"))
    admin = await site.client(Role.ADMIN, language="ja")
    page = await admin.get("/audit")
    assert page.status == 200
    assert rows_of(page) == [
        ["2026-11-24 10:00:00", "root", "コマンド", "person add", "taro", "ok", ""],
        ["2026-11-24 10:00:00", "hanako", "利用者", "sign-in", "", "ok", ""],
    ]


async def test_the_page_goes_on_where_it_ended(site: ConsoleSite) -> None:
    """A hundred at a time; with the same question."""
    for number in range(150):
        await site.store.audit.note(entry(site, subject=str(number)))
        await site.store.audit.note(entry(site, who="taro"))
    admin = await site.client(Role.ADMIN)
    first = await admin.get("/audit?who=hanako")
    older = re.search(r'id="older"[^>]*href="([^"]*)"', first.text)
    assert older is not None
    second = await admin.get(html.unescape(older[1]))
    subjects = [row[4] for page in (first, second) for row in rows_of(page)]
    assert subjects == [str(number) for number in reversed(range(150))]
    assert 'id="older"' not in second.text


async def test_what_touches_a_voice_has_words(site: ConsoleSite) -> None:
    """Beside the name of the action, by which one can ask for all of them; each is one that can be written down."""
    doors = {f"{door.method} {door.path}" for door in all_doors(site)}
    assert set(ACTIONS) - doors == {HEARD, "recordings save", "recordings delete"}
    for action in ACTIONS:
        await site.store.audit.note(entry(site, action=action))
    admin = await site.client(Role.ADMIN)
    page = await admin.get("/audit?lang=ja")
    assert [row[3] for row in rows_of(page)] == [
        f"{WORDS[words]['ja']} <code>{action}</code>" for action, words in reversed(list(ACTIONS.items()))
    ]
    heard = await admin.get(f"/audit?lang=en&action={HEARD}")
    assert [row[3] for row in rows_of(heard)] == [f"A recording was heard <code>{HEARD}</code>"]


@pytest.mark.parametrize("query", ["who=nobody", "action=nothing", "before=1", "before=x", "before=" + "9" * 30])
async def test_whatever_is_asked_for_is_answered(site: ConsoleSite, query: str) -> None:
    """With what there is, or with a word that there is nothing."""
    await site.store.audit.note(entry(site))
    page = await (await site.client(Role.ADMIN)).get(f"/audit?{query}")
    assert page.status == 200
    is_all = query in {"before=x", "before=" + "9" * 30}
    assert len(rows_of(page)) == is_all
    assert ('id="none"' in page.text) is not is_all


async def test_hostile_text_is_text(site: ConsoleSite) -> None:
    """In every cell, and in the fields of the question."""
    evil = '"><script>alert(1)</script>'
    await site.store.audit.note(entry(site, who=evil, action=evil, subject=evil, outcome=evil, kind="evil"))
    page = await (await site.client(Role.ADMIN)).get("/audit?who=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.status == 200
    assert "<script>alert" not in page.text
    (row,) = rows_of(page)
    assert [row[1], row[3], row[4]] == [evil] * 3
