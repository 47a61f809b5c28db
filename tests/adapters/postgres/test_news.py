"""News between processes over a real server: what is told, when, and what happens when the server goes away."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from structlog.testing import capture_logs

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import Cancelled
from controller.ports.news import Kind, News
from controller.ports.sms import IncomingSms
from controller.store.dialect import tell_others
from controller.store.doorbell import bell_of, ring
from controller.store.news import news_of, read_payload
from lab.postgres import open_postgres
from tests.contract.databases import migrated_postgres, sqlite_file
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from controller.store import Store

OWN, OTHER = "0123456789abcdef", "fedcba9876543210"
A_PAGE = SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales")


class Heard:
    """What one process was told, in order."""

    def __init__(self) -> None:
        self._news: asyncio.Queue[News] = asyncio.Queue()

    def __call__(self, news: News) -> None:
        """Note one."""
        self._news.put_nowait(news)

    async def next(self) -> News:
        """Return the next one."""
        return await asyncio.wait_for(self._news.get(), 20)


@asynccontextmanager
async def two_processes(url: str, heard: Heard, clock: HandClock) -> AsyncIterator[tuple[Store, Store]]:
    """Open the database as two processes do, and listen as the first of them."""
    async with store_at(url, HandClock()) as ours, store_at(url, HandClock(), prefix="theirs") as theirs:
        task = asyncio.create_task(news_of(url, clock, ours.database).run(heard))
        try:
            assert await heard.next() == News(Kind.MISSED)
            yield ours, theirs
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of a database of its own."""
    return migrated_postgres(tmp_path)


async def test_what_another_process_commits_is_told_and_our_own_is_not(url: str) -> None:
    """A promise made and moved, an SMS owed, a reply; each is told once, and at the start that all may have changed."""
    heard = Heard()
    async with two_processes(url, heard, HandClock()) as (ours, theirs):
        own = (await make(ours, wanted("call-1"))).promise
        await theirs.promises.advance(own.id, Cancelled())
        assert await heard.next() == News(Kind.PROMISE, own.id)
        assert await theirs.texts.owe(A_PAGE)
        assert await heard.next() == News(Kind.SMS)
        assert not await theirs.texts.owe(A_PAGE)
        await theirs.inbox.note_reply(IncomingSms("p", "1", NUMBER, "+81312345678", "STOP"), NOON)
        assert await heard.next() == News(Kind.REPLY)
        made = (await make(theirs, wanted("call-2"))).promise
        assert await heard.next() == News(Kind.PROMISE, made.id)


async def test_what_was_rolled_back_is_never_told(url: str) -> None:
    """It is told by the transaction itself, so the next thing that is heard is the next that was committed."""
    heard = Heard()
    async with two_processes(url, heard, HandClock()) as (_, theirs):
        async with theirs.database.engine.connect() as connection:
            await tell_others(connection, Kind.LEASE, "pbx:undone")
            await connection.rollback()
            await tell_others(connection, Kind.LEASE, "pbx:asterisk")
            await connection.commit()
        assert await heard.next() == News(Kind.LEASE, "pbx:asterisk")


async def test_strangers_words_on_the_channel_are_passed_over(url: str) -> None:
    """The channel is open to whoever may connect to the database."""
    heard = Heard()
    async with two_processes(url, heard, HandClock()) as (_, theirs):
        async with theirs.database.engine.begin() as connection:
            for said in ("", "promise", "shutdown 0123456789abcdef now", f"promise {OTHER} a'; --"):
                await connection.execute(text("SELECT pg_notify('orikaeshi', :said)"), {"said": said})
        made = (await make(theirs, wanted())).promise
        assert await heard.next() == News(Kind.PROMISE, made.id)


async def test_a_listener_that_fails_goes_on_being_told(url: str) -> None:
    """Its mistake is logged, and costs that one alone."""
    heard, clock = Heard(), HandClock()

    def fails_once(news: News) -> None:
        heard(news)
        if news.kind is Kind.SMS:
            raise LookupError("a mistake")

    async with store_at(url, HandClock()) as ours, store_at(url, HandClock()) as theirs:
        with capture_logs() as logs:
            task = asyncio.create_task(news_of(url, clock, ours.database).run(fails_once))
            assert await heard.next() == News(Kind.MISSED)
            assert await theirs.texts.owe(A_PAGE)
            assert await heard.next() == News(Kind.SMS)
            made = (await make(theirs, wanted())).promise
            assert await heard.next() == News(Kind.PROMISE, made.id)
            task.cancel()
            await asyncio.wait({task})
    assert [log["event"] for log in logs] == ["news_listener_failed"]


async def next_sleep_of_at_most(clock: HandClock, most_s: float) -> float:
    """Return the next delay that is not the wait for the next ping."""
    while (slept_s := await asyncio.wait_for(clock.slept.get(), 20)) > most_s:
        pass
    return slept_s


async def test_a_server_that_restarts_is_found_again_and_all_is_to_be_looked_at() -> None:
    """It is tried again with growing pauses, and what happened meanwhile nobody could tell."""
    heard, clock = Heard(), HandClock()
    with open_postgres() as server:
        url = server.url(server.create())
        with capture_logs() as logs:
            async with two_processes(url, heard, clock) as (_, theirs):
                await asyncio.to_thread(server.stop, signal.SIGQUIT)
                pauses = []
                for _ in range(7):
                    pauses.append(await next_sleep_of_at_most(clock, 2.0))
                    clock.turn(pauses[-1])
                assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
                await next_sleep_of_at_most(clock, 2.0)
                await asyncio.to_thread(server.start)
                clock.turn(2.0)
                assert await heard.next() == News(Kind.MISSED)
                made = (await make(theirs, wanted())).promise
                assert await heard.next() == News(Kind.PROMISE, made.id)
        assert {log["event"] for log in logs} == {"news_interrupted"}
        assert all("\n" not in log["error"] for log in logs)


async def test_a_connection_that_the_server_ended_is_made_anew(url: str) -> None:
    """An administrator's pg_terminate_backend, a failover behind an address."""
    heard, clock = Heard(), HandClock()
    async with two_processes(url, heard, clock) as (_, theirs):
        async with theirs.database.engine.begin() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            )
        clock.turn(await next_sleep_of_at_most(clock, 2.0))
        assert await heard.next() == News(Kind.MISSED)


@given(st.text(max_size=60) | st.from_regex(r"(promise|sms|reply|lease) [0-9a-f]{16} [a-z0-9:-]{0,20}", fullmatch=True))
def test_a_payload_is_news_or_nothing(payload: str) -> None:
    """Whatever it is, nothing is raised, our own is passed over, and what is told is what was said."""
    news = read_payload(payload, own=OWN)
    if news is not None:
        kind, origin, what = payload.split(" ")
        assert (news.kind, news.what) == (kind, what)
        assert origin != OWN


def test_our_own_payload_is_passed_over() -> None:
    """And the same from another process is not."""
    assert read_payload(f"promise {OWN} p1", own=OWN) is None
    assert read_payload(f"promise {OTHER} p1", own=OWN) == News(Kind.PROMISE, "p1")
    assert read_payload(f"missed {OTHER} ", own=OWN) is None


async def test_beside_a_file_the_doorbell_tells_of_promises(tmp_path: Path) -> None:
    """The same interface, and what commands ring."""
    heard, url = Heard(), sqlite_file(tmp_path)
    async with store_at(url, HandClock()) as store:
        task = asyncio.create_task(news_of(url, HandClock(), store.database).run(heard))
        while not await asyncio.to_thread(ring, bell_of(tmp_path / "orikaeshi.db"), [OWN]):
            assert not task.done()
        assert await heard.next() == News(Kind.PROMISE, OWN)
        task.cancel()
        await asyncio.wait({task})
