"""What agents write of their talks, on each database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.domain.call_ending import Ending
from controller.domain.card import Arrival, Note
from controller.domain.line import WaiterKind
from controller.ports.notes import NotTheirs, Overtaken
from controller.ports.promises import StoreUnavailableError
from controller.store.staff_tables import agent_spans
from controller.store.tables import line_decisions
from tests.contract.noted import HANAKO, LONG_AGO, TARO, about, answered, decision, later, put, span, write, written
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER, dialling, refuse_writes, rows

if TYPE_CHECKING:
    from controller.store import Store


async def test_a_note_is_kept_with_its_number_and_queue_and_changed_by_who_has_seen_it(store: Store) -> None:
    """The day on which it was first written stays."""
    await answered(store)
    first = await written(store, "wants an invoice", disposition="open")
    second = await written(store, "has the invoice", at=later(5), seen=first.changed_at)
    assert (second.written_at, second.changed_at) == (NOON, later(5))
    assert (await about(store)).note == second
    found = await rows(store, "SELECT waiter_id, kind, queue, number, agent, disposition, text FROM call_notes")
    assert found == [
        {
            "waiter_id": "call-1",
            "kind": "live",
            "queue": "sales",
            "number": NUMBER,
            "agent": HANAKO,
            "disposition": "",
            "text": "has the invoice",
        }
    ]


async def test_who_has_not_seen_what_stands_there_writes_nothing_over_it(store: Store) -> None:
    """Two tabs: the second learns what the first wrote; with that seen, it may."""
    await answered(store)
    first = await written(store, "from one tab")
    refused = await write(store, "from another", at=later(1))
    assert refused == Overtaken(first)
    assert (await about(store)).note == first
    assert (await written(store, "from another", at=later(1), seen=first.changed_at)).text == "from another"
    old = await write(store, "from the first again", at=later(2), seen=first.changed_at)
    assert isinstance(old, Overtaken)


async def test_the_same_note_again_changes_nothing_whatever_was_seen(store: Store) -> None:
    """An answer that was lost on its way, and the request sent once more."""
    await answered(store)
    first = await written(store, "once")
    assert await write(store, "once", at=later(1)) == first
    assert await write(store, "once", at=later(1), seen=later(-9)) == first


async def test_two_changes_in_the_same_instant_are_two_versions(store: Store) -> None:
    """Who has seen the first has not seen the second."""
    await answered(store)
    first = await written(store, "one")
    second = await written(store, "two", seen=first.changed_at)
    assert second.changed_at > first.changed_at
    assert isinstance(await write(store, "three", seen=first.changed_at), Overtaken)


async def test_of_ten_tabs_that_write_at_once_one_is_kept_and_nine_are_told(store: Store) -> None:
    """There is one row."""
    await answered(store)
    answers = await asyncio.gather(*(write(store, f"tab {n}") for n in range(10)))
    kept = [answer for answer in answers if isinstance(answer, Note)]
    told = [answer.note for answer in answers if isinstance(answer, Overtaken)]
    assert (len(kept), told) == (1, kept * 9)
    assert len(await rows(store, "SELECT id FROM call_notes")) == 1


async def test_a_note_of_somebody_elses_talk_is_refused(store: Store) -> None:
    """Nothing is written; nor of a talk that never was."""
    await answered(store, agent=TARO)
    assert await write(store, "mine?") == NotTheirs()
    assert await write(store, "of nobody", waiter="call-9") == NotTheirs()
    assert await rows(store, "SELECT id FROM call_notes") == []


@pytest.mark.parametrize("proof", ["call", "attempt", "decision", "span"])
async def test_whatever_says_that_an_agent_was_given_somebody_lets_them_write_of_it(store: Store, proof: str) -> None:
    """A caller whom they answered, an attempt that was theirs, the line's decision, their own time."""
    waiter = await answered(store, agent=TARO)
    if proof == "call":
        waiter = await answered(store, "call-2")
    elif proof == "attempt":
        waiter = (await dialling(store, "call-2", number=OTHER_NUMBER)).id
    elif proof == "decision":
        await put(store, line_decisions, **decision(waiter))
    else:
        await put(store, agent_spans, **span(waiter))
    assert (await written(store, "it was mine", waiter=waiter)).waiter_id == waiter
    assert await store.notes.has_served(waiter, HANAKO, since=LONG_AGO)
    assert not await store.notes.has_served(waiter, "jiro", since=LONG_AGO)


async def test_a_talk_that_was_over_too_long_ago_is_written_of_no_more(store: Store) -> None:
    """But a note that is no older may still be corrected."""
    await answered(store)
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=later(1))
    assert await write(store, "too late", at=later(60), since=later(30)) == NotTheirs()
    first = await written(store, "in time", at=later(31), since=later(0.5))
    assert (await written(store, "corrected", at=later(60), since=later(30), seen=first.changed_at)).text == "corrected"
    last = await about(store)
    assert last.note is not None
    refused = await write(store, "and again", at=later(90), since=later(60), seen=last.note.changed_at)
    assert refused == NotTheirs()


async def test_who_serves_somebody_now_may_write_though_nothing_was_recorded(store: Store) -> None:
    """The database was away when they came: the floor knows them."""
    serving = Arrival(WaiterKind.LIVE, "support", OTHER_NUMBER, NOON)
    note = await written(store, "heard", waiter="unrecorded", serving=serving)
    assert note.text == "heard"
    (row,) = await rows(store, "SELECT queue, number FROM call_notes")
    assert row == {"queue": "support", "number": OTHER_NUMBER}


async def test_a_database_that_takes_nothing_says_so(store: Store) -> None:
    """The agent is told, and what they wrote stays in the form."""
    await answered(store)
    await refuse_writes(store)
    with pytest.raises(StoreUnavailableError):
        await write(store, "lost?")
