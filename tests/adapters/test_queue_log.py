"""The queue log: app_queue's lines, in order, once each, and none that disturbs a call."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from controller.asterisk.ami_account import AmiAccount, Retries
from controller.asterisk.ami_wire import checked_text
from controller.asterisk.queue_log import AmiQueueLog, headers_of, line_of
from controller.domain.queue_events import (
    Abandoned,
    AgentAdded,
    AgentPaused,
    AgentRemoved,
    AgentUnpaused,
    Completed,
    Connected,
    Entered,
    LeftAfterMaxWait,
    LeftEmptyQueue,
    LeftWithKey,
    QueueEvent,
    RangOut,
)
from tests.adapters.ami_server import SECRET, USER, AmiServer, ami_server
from tests.adapters.ami_watching import GatedClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.timeout(20)

AS_APP_QUEUE_WRITES: list[tuple[QueueEvent, str]] = [
    (Entered("c1", "cards", "09012345678", 3), "c1|cards|NONE|ENTERQUEUE||09012345678|3"),
    (Entered("c1", "cards", None, 1), "c1|cards|NONE|ENTERQUEUE|||1"),
    (RangOut("c1", "cards", "alice", 4.0004), "c1|cards|alice|RINGNOANSWER|4000"),
    (Connected("c1", "cards", "alice", 63.9, "leg-1", 2.9), "c1|cards|alice|CONNECT|63|leg-1|2"),
    (Completed("c1", "cards", "alice", 63.9, 120.5, 3, True), "c1|cards|alice|COMPLETEAGENT|63|120|3"),
    (Completed("c1", "cards", "alice", 0, 0.4, 1, False), "c1|cards|alice|COMPLETECALLER|0|0|1"),
    (Abandoned("c1", "cards", 2, 5, 31.7), "c1|cards|NONE|ABANDON|2|5|31"),
    (LeftWithKey("c1", "cards", "1", 2, 5, 31.7), "c1|cards|NONE|EXITWITHKEY|1|2|5|31"),
    (LeftAfterMaxWait("c1", "cards", 2, 5, 600), "c1|cards|NONE|EXITWITHTIMEOUT|2|5|600"),
    (LeftEmptyQueue("c1", "cards", 2, 5, 31.7), "c1|cards|NONE|EXITEMPTY|2|5|31"),
    (AgentAdded("cards", "alice"), "MANAGER|cards|alice|ADDMEMBER|"),
    (AgentRemoved("cards", "alice"), "MANAGER|cards|alice|REMOVEMEMBER|"),
    (AgentPaused("cards", "alice", "lunch"), "NONE|cards|alice|PAUSE|lunch"),
    (AgentUnpaused("cards", "alice"), "NONE|cards|alice|UNPAUSE|"),
]
"""By apps/app_queue.c of Asterisk 22 and "Queue Logs" in its documentation; the time in front is Asterisk's."""


def written(headers: dict[str, str]) -> str:
    """Return the line that Asterisk makes of an action QueueLog (main/logger.c, ast_queue_log), without the time."""
    first = (headers.get(name, "") for name in ("Uniqueid", "Queue", "Interface", "Event"))
    return "|".join((*first, headers.get("Message", "")))


@pytest.fixture
async def server() -> AsyncIterator[AmiServer]:
    """Run an AMI server without faults."""
    async with ami_server() as running:
        yield running


class Book:
    """A queue log that runs, and the clock of its retries."""

    def __init__(self, port: int, *, secret: str = SECRET, **options: Any) -> None:
        self.clock = GatedClock()
        account = AmiAccount("127.0.0.1", port, USER, secret, action_timeout_s=0.3)
        self.log = AmiQueueLog(account, clock=self.clock, **options)

    def enters(self, *call_ids: str) -> None:
        """Note that these callers join the line."""
        for call_id in call_ids:
            self.log.note(Entered(call_id, "cards", None, 1))

    async def failed(self) -> float:
        """Return once a connection is given up, with the length of the pause before the next in seconds."""
        return await self.clock.asked.get()


@asynccontextmanager
async def running(book: Book) -> AsyncIterator[Book]:
    """Let it write for the length of the block."""
    task = asyncio.create_task(book.log.run())
    try:
        yield book
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def callers(server: AmiServer, count: int) -> list[str]:
    """Return the calls of the next lines that are sent."""
    return [(await server.queue_log.get())["Uniqueid"] for _ in range(count)]


@pytest.mark.parametrize(("event", "line"), AS_APP_QUEUE_WRITES, ids=lambda each: str(each).partition("(")[0])
def test_each_event_is_the_line_that_app_queue_writes(event: QueueEvent, line: str) -> None:
    """Its fields, their order, and their units."""
    assert written(headers_of(line_of(event))) == line


def test_every_kind_of_event_is_in_that_table() -> None:
    """One that is added needs its line there."""
    assert {type(event) for event, _ in AS_APP_QUEUE_WRITES} == set(QueueEvent.__args__)


HOSTILE = st.text(st.sampled_from("|\r\n\x00\t,:;é日\ud800\u2028") | st.characters(), max_size=200)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_stands_in_a_field_stays_in_it(call_id: str, queue: str, number: str) -> None:
    """Neither another field, nor another line, nor another AMI header comes of it."""
    headers = headers_of(line_of(Entered(call_id, queue, number, 1)))
    assert written(headers).count("|") == 6
    for name, value in headers.items():
        assert checked_text(name, value).encode().isascii() or value.isprintable()
        assert len(f"{name}: {value}") < 1000


@given(st.floats(-10, 1e9), st.floats(-10, 1e9))
def test_times_are_whole_and_never_negative(hold_s: float, ring_s: float) -> None:
    """A clock that was set back makes no minus in a report."""
    _, _, ring = headers_of(line_of(Connected("c1", "cards", "alice", hold_s, "leg-1", ring_s)))["Message"].split("|")
    assert int(ring) == max(0, int(ring_s))
    assert headers_of(line_of(RangOut("c1", "cards", "alice", ring_s)))["Message"].isdecimal()


async def test_lines_are_written_in_the_order_in_which_they_were_noted(server: AmiServer) -> None:
    """Those from before the connection first."""
    book = Book(server.port)
    book.enters("c1", "c2")
    async with running(book):
        assert await callers(server, 2) == ["c1", "c2"]
        book.enters("c3", "c4", "c5")
        assert await callers(server, 3) == ["c3", "c4", "c5"]
    assert len(server.sessions) == 1


async def test_lines_are_kept_while_ami_refuses_them(server: AmiServer) -> None:
    """As it does while Asterisk starts, or where the account lacks a class; the log says what to do."""
    server.refused = {"QueueLog": "Permission denied"}
    book = Book(server.port)
    with capture_logs() as logs:
        book.enters("c1", "c2")
        async with running(book):
            await book.failed()
            assert await callers(server, 1) == ["c1"]
            server.refused.clear()
            book.clock.let_go()
            assert await callers(server, 2) == ["c1", "c2"]
    (told,) = logs
    assert told["waiting"] == 2
    assert "QueueLog refused (Permission denied): give the AMI user write = agent" in told["problem"]


async def test_a_line_whose_answer_never_came_is_not_sent_again(server: AmiServer) -> None:
    """It may have been written: a call that is counted twice is as wrong as one that is not counted."""
    server.unanswered = {"QueueLog"}
    book = Book(server.port)
    book.enters("c1", "c2")
    async with running(book):
        await book.failed()
        assert await callers(server, 1) == ["c1"]
        server.unanswered.clear()
        book.clock.let_go()
        assert await callers(server, 1) == ["c2"]


async def test_past_its_bound_the_spool_gives_up_the_oldest_and_says_how_many(server: AmiServer) -> None:
    """Memory is not filled by a PBX that stays away."""
    server.refused = {"QueueLog": "Permission denied"}
    book = Book(server.port, capacity=2)
    with capture_logs() as logs:
        async with running(book):
            book.enters("c1", "c2", "c3", "c4", "c5")
            await book.failed()
            assert await callers(server, 1) == ["c4"]
            server.refused.clear()
            book.enters("c6")
            book.clock.let_go()
            assert await callers(server, 2) == ["c5", "c6"]
            book.enters("c7")
            assert await callers(server, 1) == ["c7"]
    assert [entry["lost"] for entry in logs if "lost" in entry] == [4]


async def test_noting_needs_nobody_to_be_there() -> None:
    """A report never disturbs a call: no connection, no worker, a full spool."""
    book = Book(1, capacity=3)
    book.enters(*(f"c{number}" for number in range(10)))


async def test_pauses_between_tries_grow_and_begin_anew_after_one_that_worked(server: AmiServer) -> None:
    """Asterisk is not hammered, and a restart of it costs half a second."""
    book = Book(server.port, secret="wrong", retries=Retries(first_s=0.5, longest_s=2))
    async with running(book):
        pauses = []
        for _ in range(4):
            pauses.append(await book.failed())
            book.clock.let_go()
        assert pauses == [0.5, 1, 2, 2]
        await book.failed()
        server.secret = "wrong"
        book.clock.let_go()
        book.enters("c1")
        await callers(server, 1)
        book.enters("c2")
        await callers(server, 1)
        server.sessions[-1].close()
        assert await book.failed() == 0.5


async def test_a_connection_that_has_nothing_to_say_is_tried_now_and_then(server: AmiServer) -> None:
    """One that went silent is found before a line is lost to it."""
    server.unanswered = {"Ping"}
    async with running(Book(server.port, ping_interval_s=0.01)) as book:
        await server.pings.get()
        await book.failed()


def test_the_secret_is_not_shown() -> None:
    """Accounts end up in tracebacks."""
    assert SECRET not in repr(AmiAccount("127.0.0.1", 5038, USER, SECRET))
