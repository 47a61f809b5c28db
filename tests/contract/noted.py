"""Talks to write notes of, and what is asked of the book of notes, for the tests of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from controller.domain.card import About, Note
from controller.ports.notes import NoteWanted, NotTheirs, Overtaken
from tests.contract.store_under_test import NOON, NUMBER

if TYPE_CHECKING:
    from datetime import datetime

    from controller.store import Store

HANAKO, TARO = "hanako", "taro"
LONG_AGO = NOON - timedelta(hours=12)


def later(minutes: float) -> datetime:
    """Return an instant so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


async def answered(store: Store, call_id: str = "call-1", *, agent: str = HANAKO, number: str | None = NUMBER) -> str:
    """Have an agent answer a caller, who came a minute before; return the call's id."""
    await store.calls.arrived(call_id, dialled="0312345678", number=number, arrived_at=later(-2))
    await store.calls.joined(call_id, queue="sales", joined_at=later(-1.5))
    await store.calls.quoted(call_id, low_s=60, high_s=180, quoted_at=later(-1.5))
    await store.calls.answered(call_id, agent=agent, answered_at=NOON)
    return call_id


async def write(
    store: Store, text: str, *, waiter: str = "call-1", at: datetime = NOON, since: datetime = LONG_AGO, **more: Any
) -> Note | Overtaken | NotTheirs:
    """Write a note as the agent hanako."""
    given = {"agent": HANAKO, "disposition": "", **more}
    return await store.notes.write(NoteWanted(waiter, text=text, **given), at=at, served_since=since)


async def written(store: Store, text: str, **more: Any) -> Note:
    """Write a note that nothing speaks against."""
    note = await write(store, text, **more)
    assert isinstance(note, Note), note
    return note


async def about(store: Store, waiter: str = "call-1", *, agent: str = HANAKO, limit: int = 20) -> About:
    """Return a card that there is."""
    found = await store.notes.about(waiter, agent, home="JP", limit=limit)
    assert found is not None
    return found


async def put(store: Store, table: Any, **values: Any) -> None:
    """Add a row, past the books."""

    async def work(connection: Any) -> None:
        await connection.execute(insert(table).values(values))

    await store.database.write(work)


def decision(waiter: str, at: datetime = NOON) -> dict[str, Any]:
    """Return a row that says that the line gave somebody to hanako."""
    more = {"place": 1, "urgent": False, "starving": False, "passed": "[]", "since": at, "queue": "sales"}
    return {"at": at, "waiter_id": waiter, "kind": "live", "agent": HANAKO, **more}


def span(waiter: str, since: datetime = NOON) -> dict[str, Any]:
    """Return a row that says that hanako talked with somebody."""
    return {"agent": HANAKO, "state": "on_call", "queues": "[]", "waiter_id": waiter, "since": since}
