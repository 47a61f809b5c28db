"""The sender of SMS on a real outbox: what it hands over, and what it writes of it."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from controller.domain.lifecycle import DeadlinePassed
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.sms import Refused, Unclear
from tests.adapters.sms_room import SENDER, Room
from tests.contract.store_under_test import HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "orikaeshi.db"


@pytest.fixture
async def room(path: Path) -> AsyncIterator[Room]:
    """Open it; after each test, no number stood in the log."""
    clock = HandClock()
    async with store_at(f"sqlite+aiosqlite:///{path}", clock, busy_timeout_s=0.05) as store:
        opened = Room(store, clock)
        yield opened
        await opened.stop()
    assert "+81901234567" not in repr(opened.entries)


async def test_an_sms_is_sent_when_it_is_queued(room: Room) -> None:
    """Woken by the store, without a timer."""
    room.start()
    key = await room.owe(1)
    sent = await room.logged("sms_sent")
    assert sent["sms"] == key
    assert sent["number"] == "+81901234****"
    assert room.provider.handed_over == [(key, "+819012345671")]
    assert room.provider.senders == [SENDER]
    assert "03-1234-5678" in room.provider.texts[0]
    assert await rows(room.store, "SELECT status, reference FROM sms_outbox") == [
        {"status": "sent", "reference": "ref-1"}
    ]
    assert room.clock.slept.empty()


async def test_what_was_queued_before_the_start_is_sent_at_the_start(room: Room) -> None:
    """More than one batch of it, in order."""
    keys = []
    for n in range(1, 10):
        keys.append(await room.owe(n))
        room.clock.turn(1)
    keys += [await room.owe(0)]
    room.start()
    for _ in keys:
        await room.logged("sms_sent")
    assert [key for key, _ in room.provider.handed_over] == keys


async def test_an_sms_is_marked_as_sending_before_the_gateway_sees_it(room: Room, path: Path) -> None:
    """So that a crash in the middle is known afterwards."""
    seen: list[str] = []

    def look() -> None:
        with sqlite3.connect(path) as other:
            seen.extend(status for (status,) in other.execute("SELECT status FROM sms_outbox"))
        other.close()

    room.provider.while_sending = look
    room.start()
    await room.owe(1)
    await room.logged("sms_sent")
    assert seen == ["sending"]


async def test_a_refused_sms_is_tried_again_when_the_gateway_said_with_the_same_key(room: Room) -> None:
    """Thirty seconds later and not before."""
    room.provider.answers = [Refused("too fast", 30)]
    room.start()
    key = await room.owe(1)
    assert (await room.logged("sms_refused"))["retry_in_s"] == 30
    assert await room.clock.slept.get() == 30
    assert len(room.provider.handed_over) == 1
    room.clock.turn(30)
    assert (await room.logged("sms_sent"))["tries"] == 2
    assert [handed for handed, _ in room.provider.handed_over] == [key, key]


async def test_after_the_last_try_an_sms_has_failed_and_a_person_can_read_why(room: Room) -> None:
    """Three tries are allowed here."""
    room.provider.answers = [Refused("no credit", 30)] * 3
    room.start()
    await room.owe(1)
    for _ in range(2):
        assert await room.clock.slept.get() == 30
        room.clock.turn(30)
    failed = await room.logged("sms_failed")
    assert failed["level"] == "error"
    assert failed["reason"] == "given up after 3 tries: no credit"
    assert await room.statuses() == ["failed"]
    assert await room.store.outbox.next_due_at() is None


async def test_an_sms_that_may_have_been_sent_is_not_sent_again(room: Room) -> None:
    """A timeout is unknown; the next one is sent as usual."""
    room.provider.answers = [Unclear("timeout")]
    room.start()
    first = await room.owe(1)
    await room.logged("sms_unclear")
    room.clock.turn(86_400)
    second = await room.owe(2)
    await room.logged("sms_sent")
    assert [key for key, _ in room.provider.handed_over] == [first, second]
    assert await room.statuses() == ["unknown", "sent"]


async def test_a_gateway_that_raises_stops_nothing_but_its_own_sms(room: Room) -> None:
    """It may have been sent, so it is unknown."""
    room.provider.answers = [RuntimeError("a mistake in a gateway")]
    room.start()
    await room.owe(1)
    assert (await room.logged("sms_unclear"))["reason"] == "the gateway raised RuntimeError"
    await room.owe(2)
    await room.logged("sms_sent")
    assert await room.statuses() == ["unknown", "sent"]


async def test_what_a_dead_process_was_sending_is_not_sent_by_the_next(room: Room) -> None:
    """It is settled as unknown before anything else is done."""
    await room.owe(1)
    due = await room.store.outbox.due(room.clock.now())
    assert due is not None
    await room.store.outbox.claim(due, SmsBill(1), SmsLimits(), room.clock.now())
    waiting = await room.owe(2)
    room.start()
    assert (await room.logged("sms_interrupted"))["count"] == 1
    await room.logged("sms_sent")
    assert [key for key, _ in room.provider.handed_over] == [waiting]
    assert await room.statuses() == ["unknown", "sent"]


async def test_an_sms_that_has_no_text_fails_alone(room: Room) -> None:
    """Its queue was taken out of the settings."""
    made = await make(room.store, wanted("call-9", queue="closed-down", number="+819012345679"))
    await room.store.promises.advance(made.promise.id, DeadlinePassed())
    await room.owe(1)
    room.start()
    assert "closed-down is not configured" in (await room.logged("sms_failed"))["reason"]
    await room.logged("sms_sent")
    assert await room.statuses() == ["failed", "sent"]


async def test_a_database_that_is_locked_after_the_sending_does_not_make_it_send_twice(room: Room, path: Path) -> None:
    """What happened is written once it can be."""
    other = sqlite3.connect(path, isolation_level=None)

    def lock() -> None:
        room.provider.while_sending = lambda: None
        other.execute("BEGIN IMMEDIATE")

    room.provider.while_sending = lock
    room.start()
    await room.owe(1)
    for delay_s in (1, 2, 5):
        assert (await room.logged("sms_store_unavailable"))["doing"] == "record"
        assert await room.clock.slept.get() == delay_s
        if delay_s == 5:
            other.execute("ROLLBACK")
            other.close()
        room.clock.turn(delay_s)
    await room.logged("sms_sent")
    assert len(room.provider.handed_over) == 1
    assert await room.statuses() == ["sent"]


async def test_a_database_that_is_locked_at_the_start_is_waited_for(room: Room, path: Path) -> None:
    """The sender does not give up, and sends nothing meanwhile."""
    await room.owe(1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    room.start()
    assert (await room.logged("sms_store_unavailable"))["doing"] == "settle_interrupted"
    assert room.provider.handed_over == []
    assert await room.clock.slept.get() == 1
    other.execute("ROLLBACK")
    other.close()
    room.clock.turn(1)
    await room.logged("sms_sent")


async def test_an_sms_that_is_queued_while_another_is_being_sent_is_not_overlooked(room: Room) -> None:
    """The wake-up comes when the sender is not waiting for it."""
    queued: list[asyncio.Task[str]] = []

    def queue_another() -> None:
        room.provider.while_sending = lambda: None
        queued.append(asyncio.create_task(room.owe(2)))

    room.provider.while_sending = queue_another
    room.start()
    await room.owe(1)
    await room.logged("sms_sent")
    await room.logged("sms_sent")
    assert len(room.provider.handed_over) == 2
    assert len(queued) == 1


async def test_a_sender_with_nothing_to_do_asks_nothing_of_the_database(room: Room) -> None:
    """While others read it a hundred times and a day goes by."""
    asked: list[str] = []

    def remember(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "sms_outbox" in statement:
            asked.append(statement)

    event.listen(room.store.database.sync_engine, "before_cursor_execute", remember)
    room.start()
    await room.owe(1)
    await room.logged("sms_sent")
    for _ in range(50):
        await room.store.promises.waiting()  # time enough to see that nothing else is due
    assert asked
    asked.clear()
    room.clock.turn(86_400)
    for _ in range(100):
        await room.store.promises.waiting()
    assert asked == []
    assert room.clock.slept.empty()
