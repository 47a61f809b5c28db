"""The sender of webhooks on a real outbox, to receivers over real HTTP; time is turned by hand."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import web

from controller.domain.hook_retries import LIFETIME
from controller.domain.lifecycle import Cancelled
from controller.workers.hook_sender import HookSender
from tests.adapters.hook_post import NUMBER, Post
from tests.adapters.hook_receiver import SECRET, Receiver
from tests.contract.store_under_test import NOON, HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """One hook that hears all. After each test, nothing that is nobody's business stood in the log."""
    opened = Post(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock())
    await opened.open("crm")
    yield opened
    await opened.close()
    told = repr(opened.entries)
    for secret in ("secret-path", NUMBER, SECRET, '"data"'):
        assert secret not in told


def types(receiver: Receiver) -> list[str]:
    """Return the types of what came, in order."""
    return [json.loads(request.body)["type"] for request in receiver.got]


async def test_what_happens_is_sent_at_once_and_in_its_order(post: Post) -> None:
    """Woken by the store, without a timer; each with its id, and written to have arrived."""
    post.start()
    promise = await post.promise()
    await post.receivers["crm"].came.get()
    await post.store.promises.advance(promise, Cancelled())
    await post.receivers["crm"].came.get()
    for _ in range(2):
        await post.logged("hook_taken")
    assert types(post.receivers["crm"]) == ["promise.made", "promise.cancelled"]
    assert await post.outbox() == [("crm", "promise.made", True, 1), ("crm", "promise.cancelled", True, 1)]
    (made, _) = post.receivers["crm"].got
    body = json.loads(made.body)
    assert (body["id"], body["data"]["number"]) == (made.id, NUMBER)
    assert made.headers["webhook-timestamp"] == str(int(NOON.timestamp()))


async def test_what_was_owed_before_the_start_is_sent_at_the_start(post: Post) -> None:
    """More than a few, oldest first."""
    promises = [await post.promise(f"call-{n}", number=f"+81901234560{n}") for n in range(8)]
    post.start()
    for _ in promises:
        await post.receivers["crm"].came.get()
    assert [json.loads(request.body)["data"]["id"] for request in post.receivers["crm"].got] == promises


async def test_what_is_not_taken_is_sent_again_when_its_gap_is_over_and_holds_back_its_own_alone(post: Post) -> None:
    """Under the same id, with a new timestamp."""
    receiver = post.receivers["crm"]
    receiver.answers = [400]
    first = await post.promise("call-1")
    await post.store.promises.advance(first, Cancelled())
    other = await post.promise("call-2", number="+819012345602")
    post.start()
    put_off = await post.logged("hook_put_off")
    assert (put_off["hook"], put_off["reason"], put_off["level"]) == ("crm", "it answered 400", "warning")
    await post.logged("hook_taken")
    assert [json.loads(request.body)["data"]["id"] for request in receiver.got] == [first, other]
    wait_s = await post.idle(1)
    assert 5 <= wait_s <= 6.25
    post.clock.turn(wait_s)
    for _ in range(2):
        await post.logged("hook_taken")
    assert types(receiver) == ["promise.made", "promise.made", "promise.made", "promise.cancelled"]
    assert receiver.got[2].id == receiver.got[0].id
    assert receiver.got[2].body == receiver.got[0].body
    assert receiver.got[2].headers["webhook-timestamp"] > receiver.got[0].headers["webhook-timestamp"]


async def test_a_receiver_that_is_away_is_left_alone_whatever_else_it_is_owed(post: Post) -> None:
    """For a second, then for longer; when it is back, all is sent."""
    receiver = post.receivers["crm"]
    receiver.answers = [503, 503]
    for n in range(3):
        await post.promise(f"call-{n}", number=f"+81901234560{n}")
    post.start()
    await receiver.came.get()
    assert await post.idle() == 1.0
    await post.promise("call-9", number="+819012345609")
    assert len(receiver.got) == 1
    post.clock.turn(1)
    await receiver.came.get()
    assert await post.idle() == 2.0
    assert len(receiver.got) == 2
    post.clock.turn(2)
    for _ in range(2):
        await post.logged("hook_taken")
    for _ in range(2):
        post.clock.turn(await post.idle())
        await post.logged("hook_taken")
    assert all(delivered for _, _, delivered, _ in await post.outbox())


async def test_what_is_not_taken_for_three_days_is_given_up_and_told(post: Post) -> None:
    """With all that is as old; what came later is still owed."""
    receiver = post.receivers["crm"]
    receiver.always = 503
    await post.promise("call-1")
    await post.promise("call-2", number="+819012345602")
    post.clock.turn(LIFETIME.total_seconds() + 1)
    await post.promise("call-3", number="+819012345603")
    post.start()
    told = await post.logged("hook_not_delivered")
    assert (told["level"], told["count"], told["hook"]) == ("error", 2, "crm")
    assert [tries for _, _, _, tries in await post.outbox()] == [1, 0, 0]
    (standing,) = await post.store.hooks.standing()
    assert (standing.backlog, standing.not_delivered) == (1, 2)


async def test_a_receiver_that_is_gone_gets_nothing_more_until_somebody_asks_for_it(post: Post) -> None:
    """Also after a restart; what it is owed meanwhile is settled as not delivered, and can be sent again."""
    receiver = post.receivers["crm"]
    receiver.answers = [410]
    await post.promise("call-1")
    await post.promise("call-2", number="+819012345602")
    post.start()
    gone = await post.logged("hook_gone")
    assert (gone["level"], "retry" in gone["remedy"]) == ("error", True)
    assert (await post.logged("hook_not_delivered"))["count"] == 1
    await post.kill()
    post.start()
    await post.promise("call-3", number="+819012345603")
    assert (await post.logged("hook_not_delivered"))["count"] == 1
    assert len(receiver.got) == 1
    assert await post.store.hooks.retry("crm", post.clock.now()) == 3
    await post.logged("hook_back")
    for _ in range(3):
        await post.logged("hook_taken")
    assert len(receiver.got) == 4


async def test_another_address_ends_being_gone(post: Post) -> None:
    """The settings were changed: the new one is tried."""
    post.receivers["crm"].answers = [410]
    await post.promise("call-1")
    post.start()
    await post.logged("hook_gone")
    await post.leave()
    moved = await post.rooms.enter_async_context(Receiver().listening())
    post.receivers["crm"] = moved
    await post.open("crm")
    post.start()
    await post.promise("call-2", number="+819012345602")
    await moved.came.get()
    assert types(moved) == ["promise.made"]


async def test_what_was_sent_when_the_sender_died_is_sent_again_under_the_same_id(post: Post) -> None:
    """At least once: nobody had written that it arrived."""
    receiver = post.receivers["crm"]
    arrived = asyncio.Event()

    async def never_ends(_request: web.Request) -> web.StreamResponse:
        arrived.set()
        await asyncio.Event().wait()
        raise AssertionError

    receiver.answers = [never_ends]
    await post.promise()
    post.start()
    await arrived.wait()
    await post.kill()
    assert await post.outbox() == [("crm", "promise.made", False, 0)]
    post.start()
    await post.logged("hook_taken")
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)


async def test_a_receiver_that_does_not_answer_keeps_no_other_from_hearing(post: Post) -> None:
    """Each hook has a courier of its own."""
    await post.open("crm", "chat")
    release = asyncio.Event()

    async def waits(_request: web.Request) -> web.StreamResponse:
        await release.wait()
        return web.Response(status=200)

    post.receivers["crm"].answers = [waits]
    post.start()
    promise = await post.promise()
    await post.receivers["crm"].came.get()
    await post.store.promises.advance(promise, Cancelled())
    for _ in range(2):
        await post.receivers["chat"].came.get()
    assert types(post.receivers["chat"]) == ["promise.made", "promise.cancelled"]
    assert types(post.receivers["crm"]) == ["promise.made"]
    release.set()
    await post.receivers["crm"].came.get()
    assert types(post.receivers["crm"]) == ["promise.made", "promise.cancelled"]


async def test_a_hook_that_was_taken_out_of_the_settings_is_settled_at_the_start(post: Post) -> None:
    """And told, since nobody will hear of it."""
    await post.open("crm", "chat")
    await post.promise()
    await post.open("chat")
    post.start()
    assert (await post.logged("hooks_removed"))["not_delivered"] == 1
    await post.receivers["chat"].came.get()
    assert post.receivers["crm"].got == []


async def test_what_another_process_owes_on_a_file_is_found_within_a_minute(post: Post) -> None:
    """A command changes a promise, and nobody tells us."""
    post.start()
    assert await post.idle() == 60.0
    wishes = post.store.hooks.wishes
    async with store_at(post.url, post.clock, prefix="other", hooks=wishes) as other:
        await make(other, wanted())
    post.clock.turn(60)
    await post.receivers["crm"].came.get()


async def test_a_database_that_is_away_is_outlasted(post: Post, tmp_path: Path) -> None:
    """What was taken is written to have been, and is not sent twice."""
    receiver = post.receivers["crm"]
    locked: list[sqlite3.Connection] = []

    async def locks(_request: web.Request) -> web.StreamResponse:
        holder = sqlite3.connect(tmp_path / "orikaeshi.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        locked.append(holder)
        return web.Response(status=200)

    receiver.answers = [locks]
    await post.promise()
    post.start()
    unavailable = await post.logged("hook_store_unavailable")
    assert unavailable["doing"] == "record"
    locked.pop().close()
    post.clock.turn(await post.idle(1))
    await post.logged("hook_taken")
    assert await post.outbox() == [("crm", "promise.made", True, 1)]
    assert len(receiver.got) == 1


async def test_a_client_that_raises_costs_its_own_event_alone(post: Post) -> None:
    """It is put off like one that was not taken, and the sender goes on."""

    class Broken:
        """Raises once, then takes all."""

        def __init__(self) -> None:
            self.sent: list[str] = []

        async def post(self, event_id: str, body: str) -> Any:
            """Raise with what nobody may read."""
            self.sent.append(event_id)
            raise RuntimeError(body)

        async def close(self) -> None:
            """Have nothing to close."""

    log = structlog.wrap_logger(None, processors=[post.keep])
    sender = HookSender(post.store.hooks, {"crm": Broken()}, post.clock, log)
    post.store.hooks_queued.append(sender.wake)
    post.task = asyncio.create_task(sender.run())
    await post.promise()
    assert (await post.logged("hook_client_raised"))["error"] == "RuntimeError"
    assert (await post.logged("hook_put_off"))["tries"] == 1
    assert await post.idle() == 1.0


async def test_what_is_asked_for_later_is_not_sent_before(post: Post) -> None:
    """Retry-After, where it is longer than the gap."""
    receiver = post.receivers["crm"]
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "300"})]
    await post.promise()
    post.start()
    assert (await post.logged("hook_put_off"))["retry_in_s"] == 300
    (row,) = await rows(post.store, "SELECT not_before FROM hook_deliveries")
    assert row["not_before"] == f"{NOON + timedelta(seconds=300):%Y-%m-%d %H:%M:%S.%f}"
