"""The audit on each database: rows that are added, found again, and never changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from controller.store.audit import StoredAuditBook
from tests.contract.staff import LATER, NOON, entry

if TYPE_CHECKING:
    from controller.store import Store


async def test_an_entry_is_found_as_it_was_written(store: Store) -> None:
    """The newest first, each with a number of its own."""
    entries = [
        entry(),
        entry("POST /api/v1/queues/{queue}/close", subject="support", outcome="204", detail={"until": None, "n": 3}),
        entry("person add", kind="command", who="root", subject="taro", detail={"役割": "agent"}, at=LATER),
    ]
    for one in entries:
        await store.audit.note(one)
    lines = await store.audit.listed(limit=10)
    assert [line.entry for line in lines] == entries[::-1]
    assert len({line.id for line in lines}) == 3


async def test_the_list_goes_on_where_it_ended(store: Store) -> None:
    """Also when more was written meanwhile."""
    for number in range(7):
        await store.audit.note(entry(subject=str(number)))
    first = await store.audit.listed(limit=3)
    await store.audit.note(entry(subject="new"))
    second = await store.audit.listed(limit=3, before_id=first[-1].id)
    last = await store.audit.listed(limit=3, before_id=second[-1].id)
    assert [line.entry.subject for line in (*first, *second, *last)] == ["6", "5", "4", "3", "2", "1", "0"]


async def test_the_list_is_of_one_person_one_action_one_time(store: Store) -> None:
    """Each alone, and all together; a time ends before its end."""
    for who in ("hanako", "taro"):
        for action in ("sign-in", "PUT /a"):
            for hour in range(3):
                await store.audit.note(entry(action, who=who, at=NOON + timedelta(hours=hour), subject=str(hour)))
    book = store.audit
    assert len(await book.listed(limit=99, who="taro")) == 6
    assert len(await book.listed(limit=99, action="sign-in")) == 6
    assert len(await book.listed(limit=99, since=NOON + timedelta(hours=1))) == 8
    assert len(await book.listed(limit=99, until=NOON + timedelta(hours=1))) == 4
    until = NOON + timedelta(hours=2)
    found = await book.listed(limit=99, who="taro", action="PUT /a", since=NOON + timedelta(hours=1), until=until)
    assert [(line.entry.who, line.entry.action, line.entry.subject) for line in found] == [("taro", "PUT /a", "1")]


async def test_what_is_too_long_is_cut_and_written_all_the_same(store: Store) -> None:
    """A server would refuse the whole row, and whoever sent a long path would have done nothing."""
    await store.audit.note(
        entry("x" * 500, who="長" * 500, subject="y\0" * 500, outcome="z" * 500, detail={"text": "w" * 50_000})
    )
    (line,) = await store.audit.listed(limit=1)
    assert (line.entry.action, line.entry.who) == ("x" * 64, "長" * 64)
    assert (line.entry.subject, line.entry.outcome) == ("y" * 160, "z" * 32)
    assert set(line.entry.detail) == {"too_long"}


def test_the_book_can_neither_change_nor_delete() -> None:
    """There is no method for it: only what may be forgotten after its time is deleted, and elsewhere."""
    assert {name for name in vars(StoredAuditBook) if not name.startswith("_")} == {"note", "listed"}
