from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from controller.domain.promise import PromiseState
from controller.domain.signed import Purpose
from controller.domain.sms import Delivery
from controller.ports.links import Ask, BookingLink
from controller.ports.sms import Receipt
from tests.contract.databases import READY_ENGINES
from tests.contract.store_under_test import NOON, HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store

BOOKING_OFFICE = """
import asyncio, sys
from tests.contract.store_under_test import HandClock, store_at, wanted

async def serve(store, line):
    for n in range(10_000):
        made = await store.promises.make(wanted(f"call-{line}-{n}", number=f"+81{line:02}{n:08}"))
        print(made.promise.id, flush=True)

async def main():
    async with store_at(sys.argv[1], HandClock()) as store:
        await asyncio.gather(*(serve(store, line) for line in range(8)))

asyncio.run(main())
"""
"""A process that makes promises as fast as it can, eight callers at a time, and prints each that is acknowledged."""


@pytest.fixture(params=READY_ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database of each engine."""
    return READY_ENGINES[request.param](tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """Open it."""
    async with store_at(url, HandClock()) as opened:
        yield opened


@pytest.mark.parametrize("acknowledged", [1, 40, 97])
async def test_every_promise_that_was_acknowledged_survives_kill_9(url: str, acknowledged: int) -> None:
    """Killed in the middle of writing the next; the database is whole, and each promise has its history."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOOKING_OFFICE, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    printed = [(await process.stdout.readline()).decode().strip() for _ in range(acknowledged)]
    process.kill()
    printed += (await process.stdout.read()).decode().split()
    await process.wait()
    assert len(set(printed)) >= acknowledged
    async with store_at(url, HandClock()) as store:
        kept = {promise.id for promise in await store.promises.waiting()}
        histories = {row["promise_id"] for row in await rows(store, "SELECT promise_id FROM promise_events")}
        if url.startswith("sqlite"):
            assert await rows(store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    # A line that was cut short by the kill is the start of a name; it acknowledged nothing.
    assert set(printed[:acknowledged]) <= kept
    assert kept == histories


async def test_a_call_that_is_cancelled_at_any_moment_leaves_all_or_nothing_and_a_working_store(
    store: Store,
) -> None:
    """Cancelled at each step of the transaction in turn: its begin, each statement, its commit."""
    moments = target = 0
    task: asyncio.Future[Any] | None = None
    loop = asyncio.get_running_loop()

    def pass_by(*_anything: Any) -> None:
        nonlocal moments
        moments += 1
        if task is not None and moments == target:
            loop.call_soon_threadsafe(task.cancel)

    for name in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.database.sync_engine, name, pass_by)
    while target <= moments:
        target += 1
        moments = 0
        task = asyncio.ensure_future(make(store, wanted(f"call-{target}", number=f"+81312340{target:03}")))
        await asyncio.wait({task})
        reached, was_cancelled, task = moments, task.cancelled(), None
        # What was begun was ended: the promise is there, whole, with its history, whoever was told of it.
        assert was_cancelled is (target <= reached)
        assert store.database.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # a queue pool has it
        made = await store.promises.made_on_call(f"call-{target}")
        assert made is not None
        history = await rows(store, f"SELECT seq FROM promise_events WHERE promise_id = '{made.id}'")  # noqa: S608 - our id
        assert len(history) == 1
        moments = reached
    assert target > 8
    assert (await make(store, wanted("the last"))).is_new


async def test_a_call_that_is_cancelled_before_it_began_writes_nothing(store: Store) -> None:
    """And breaks nothing."""
    task = asyncio.ensure_future(make(store, wanted()))
    task.cancel()
    await asyncio.wait({task})
    assert await store.promises.waiting() == []


async def test_a_listener_is_told_even_when_the_caller_was_cancelled(store: Store) -> None:
    """The line keeper has to know of every promise that is in the database."""
    heard: list[str] = []
    store.changed.append(lambda promise: heard.append(promise.id))
    task: asyncio.Future[Any]
    loop = asyncio.get_running_loop()

    def cancel(*_anything: Any) -> None:
        loop.call_soon_threadsafe(task.cancel)

    event.listen(store.database.sync_engine, "commit", cancel)
    task = asyncio.ensure_future(make(store, wanted()))
    await asyncio.wait({task})
    assert task.cancelled()
    assert heard == ["promise-1"]


async def test_a_block_that_is_cancelled_at_any_moment_is_whole_or_was_never_begun(store: Store) -> None:
    """The entry and every promise of the number, together, and each listener told."""
    moments = target = 0
    task: asyncio.Future[Any] | None = None
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    store.changed.append(lambda promise: heard.append(promise.id) if promise.state.is_final else None)

    def pass_by(*_anything: Any) -> None:
        nonlocal moments
        moments += 1
        if task is not None and moments == target:
            loop.call_soon_threadsafe(task.cancel)

    for name in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.database.sync_engine, name, pass_by)
    reached = 0
    while target <= reached:
        target += 1
        number = f"+81312340{target:03}"
        held = [
            (await make(store, wanted(f"{queue}-{target}", number=number, queue=queue))).promise.id
            for queue in ("sales", "support")
        ]
        heard.clear()
        moments = 0
        task = asyncio.ensure_future(store.do_not_call.block(number, reason="STOP"))
        await asyncio.wait({task})
        reached, was_cancelled, task = moments, task.cancelled(), None
        assert was_cancelled is (target <= reached)
        assert await store.do_not_call.is_blocked(number)
        assert [(await store.promises.get(promise_id)).state for promise_id in held] == [PromiseState.CANCELLED] * 2
        assert heard == sorted(held)
    assert target > 10


BLOCKING_OFFICE = """
import asyncio, sys
from tests.contract.store_under_test import HandClock, make, store_at, wanted

async def main():
    async with store_at(sys.argv[1], HandClock()) as store:
        for n in range(10_000):
            number = f"+81{n:010}".replace("+810", "+819")
            for queue in ("sales", "support"):
                await make(store, wanted(f"call-{queue}-{n}", number=number, queue=queue))
            await store.do_not_call.block(number, reason="STOP")
            print(number, flush=True)

asyncio.run(main())
"""
"""A process that makes two promises for each number, blocks it, and prints it once that is acknowledged."""


@pytest.mark.parametrize("acknowledged", [1, 23])
async def test_a_stop_that_was_acknowledged_survives_kill_9_and_none_is_half_done(url: str, acknowledged: int) -> None:
    """Each number on the list has no open promise; each that was printed is on it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BLOCKING_OFFICE, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    printed = [(await process.stdout.readline()).decode().strip() for _ in range(acknowledged)]
    process.kill()
    await process.wait()
    async with store_at(url, HandClock()) as store:
        listed = {one.number for one in await store.do_not_call.listed()}
        assert set(printed) <= listed
        assert not listed & {promise.number for promise in await store.promises.waiting()}


POST_OFFICE = """
import asyncio, sys
from controller.domain.sms import Delivery
from controller.ports.sms import IncomingSms, Receipt
from tests.contract.store_under_test import NOON, HandClock, store_at

async def serve(inbox, line):
    for n in range(10_000):
        name = f"{line}-{n}"
        if n % 2:
            await inbox.note_reply(IncomingSms("p", name, f"+8190{line:02}{n:06}", "+81312345678", "1"), NOON)
        else:
            await inbox.note_receipt(Receipt("p", name, name, Delivery.DELIVERED), NOON)
        print(name, flush=True)

async def main():
    async with store_at(sys.argv[1], HandClock()) as store:
        await asyncio.gather(*(serve(store.inbox, line) for line in range(8)))

asyncio.run(main())
"""
"""A process that takes receipts and replies as fast as it can, and prints each that is acknowledged."""


@pytest.mark.parametrize("acknowledged", [1, 61])
async def test_every_webhook_that_was_acknowledged_survives_kill_9(url: str, acknowledged: int) -> None:
    """And what the provider repeats is known to have been taken."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", POST_OFFICE, url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    printed = [(await process.stdout.readline()).decode().strip() for _ in range(acknowledged)]
    process.kill()
    await process.wait()
    async with store_at(url, HandClock()) as store:
        kept = await rows(store, "SELECT event_id FROM sms_receipts UNION ALL SELECT event_id FROM sms_replies")
        assert set(printed) <= {row["event_id"] for row in kept}
        assert len(kept) == len({row["event_id"] for row in kept})
        waiting = {reply.incoming.event_id for reply in await store.inbox.unhandled()}
        assert {name for name in printed if int(name.split("-")[1]) % 2} <= waiting
        for name in printed:
            if not int(name.split("-")[1]) % 2:
                assert not await store.inbox.note_receipt(Receipt("p", name, name, Delivery.DELIVERED), NOON)


async def test_a_link_that_is_redeemed_and_cancelled_at_any_moment_is_whole_or_was_never_begun(store: Store) -> None:
    """The link, the promise, its history and the SMS, together, and each listener told."""
    moments = target = 0
    task: asyncio.Future[Any] | None = None
    loop = asyncio.get_running_loop()
    heard: list[str] = []
    store.changed.append(lambda promise: heard.append(promise.number))

    def pass_by(*_anything: Any) -> None:
        nonlocal moments
        moments += 1
        if task is not None and moments == target:
            loop.call_soon_threadsafe(task.cancel)

    for name in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(store.database.sync_engine, name, pass_by)
    reached = 0
    while target <= reached:
        target += 1
        number = f"+81312340{target:03}"
        link = BookingLink(number, Purpose.BOOK, "sales", number, "ja", NOON + timedelta(hours=1))
        await store.links.issue(link)
        heard.clear()
        moments = 0
        wish = Ask(wanted(f"link-{number}", number=number, confirm=True))
        task = asyncio.ensure_future(store.links.redeem(number, wish, NOON))
        await asyncio.wait({task})
        reached, was_cancelled, task = moments, task.cancelled(), None
        assert was_cancelled is (target <= reached)
        found = await store.links.find(number, NOON)
        assert found is not None
        assert found.used_at == NOON
        made = await store.promises.made_on_call(f"link-{number}")
        assert made is not None
        assert heard == [number]
        owed = await rows(store, f"SELECT promise_id FROM sms_outbox WHERE number = '{number}'")  # noqa: S608 - ours
        assert owed == [{"promise_id": made.id}]
        moments = reached
    assert target > 15
