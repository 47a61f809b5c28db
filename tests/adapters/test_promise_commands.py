"""The commands that change promises: on a real database, with and without somebody who hears the bell."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, Promise
from controller.ports.promises import Made, NewPromise
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import Store, open_store
from controller.store.doorbell import Doorbell, bell_of, ring
from controller.system_clock import SystemClock
from tests.adapters.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

THEN = datetime(2030, 5, 6, 3, tzinfo=UTC)
ID = "5f1c9a0b7d3e2468"
NUMBER, MASKED = "+819012345678", "+81901234****"


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of the database, in which one promise waits."""
    address = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    wanted = NewPromise(queue="support", number=NUMBER, language="ja", since=THEN, call_id="call-1")
    assert isinstance(in_store(address, lambda store: store.promises.make(wanted)), Made)
    return address


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Path:
    """Write the default settings, with this database."""
    path = tmp_path / "controller.toml"
    path.write_text(with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"'), encoding="utf-8")
    return path


def in_store(url: str, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do something in the database, as a controller would."""

    async def go() -> T:
        async with open_store(url, policies={}, clock=SystemClock(), new_id=lambda: ID) as store:
            return await work(store)

    return asyncio.run(go())


async def dial(store: Store) -> Promise:
    """Begin to call the customer back."""
    promise = await store.promises.get(ID)
    attempt = Attempt("a1", promise_id=ID, number=NUMBER, agent="agent-1", started_at=THEN)
    opened = await store.promises.open_attempt(promise, attempt)
    assert isinstance(opened, Promise)
    return opened


async def connect(store: Store) -> None:
    """Let them talk."""
    await dial(store)
    await store.promises.advance(ID, CustomerConnected())


def promise_in(url: str) -> Promise:
    """Return the promise as it is in the database."""
    return in_store(url, lambda store: store.promises.get(ID))


@contextmanager
def listening(folder: Path) -> Iterator[SimpleQueue[str]]:
    """Hang a bell, as a controller that runs does; yield what is rung for."""
    heard: SimpleQueue[str] = SimpleQueue()
    bell = bell_of(folder / "orikaeshi.db")
    loop = asyncio.new_event_loop()
    task = loop.create_task(Doorbell(bell, SystemClock()).run(heard.put))

    def listen() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    thread = threading.Thread(target=listen)
    thread.start()
    while not ring(bell, []):
        assert thread.is_alive()
    try:
        yield heard
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def test_a_promise_that_waits_is_cancelled_in_one_line(controller: CommandLine, settings: Path, url: str) -> None:
    """No controller needs to run; a second time it says what it is."""
    said = controller("cancel", ID, "--settings", settings)
    assert (said.code, said.out, said.err) == (0, f"promise {ID} ({MASKED}) is cancelled\n", "")
    assert promise_in(url).state == "cancelled"
    again = controller("cancel", ID, "--settings", settings)
    assert (again.code, again.out, again.err) == (1, "", f"promise {ID} is over already: cancelled\n")


def test_the_history_says_that_an_admin_cancelled_it(controller: CommandLine, settings: Path, tmp_path: Path) -> None:
    """Whoever asks why is told."""
    controller("cancel", ID, "--settings", settings)
    with closing(sqlite3.connect(tmp_path / "orikaeshi.db")) as database:
        found = database.execute("SELECT event, detail FROM promise_events ORDER BY seq DESC LIMIT 1").fetchall()
    assert found == [("Cancelled", "admin")]


def test_a_call_that_is_on_its_way_is_taken_back_by_the_controller_that_hears_of_it(
    controller: CommandLine, settings: Path, url: str, tmp_path: Path
) -> None:
    """The attempt stays open until that has happened."""
    in_store(url, dial)
    with listening(tmp_path) as heard:
        said = controller("cancel", ID, "--settings", settings)
        assert heard.get(timeout=10) == ID
    assert said.out == f"promise {ID} ({MASKED}) is cancelled; the call that is on its way is taken back\n"
    assert promise_in(url).state == "cancelled"
    assert len(in_store(url, lambda store: store.promises.open_attempts())) == 1


def test_without_a_controller_the_admin_is_told_that_the_phone_rings_on(
    controller: CommandLine, settings: Path, url: str
) -> None:
    """It is cancelled all the same."""
    in_store(url, dial)
    said = controller("cancel", ID, "--settings", settings)
    assert said.code == 0
    assert said.out.endswith("is cancelled; no controller heard of it: a phone that rings already rings on\n")
    assert promise_in(url).state == "cancelled"


def test_a_talk_is_not_cancelled(controller: CommandLine, settings: Path, url: str) -> None:
    """Exit code 1, and why."""
    in_store(url, connect)
    said = controller("cancel", ID, "--settings", settings)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"promise {ID} is being kept: they are talking, and a talk is not cut\n"
    assert promise_in(url).state == "connected"


@pytest.mark.parametrize("promise", ["0000000000000000", "'; DROP TABLE promises; --", "5f1c"])
def test_a_promise_that_is_not_there_is_told_in_one_line(controller: CommandLine, settings: Path, promise: str) -> None:
    """Part of an id is no id: the wrong one would be cancelled."""
    said = controller("cancel", promise, "--settings", settings)
    assert (said.code, said.out) == (1, "")
    assert said.err == "there is no such promise; `controller promises` lists them\n"


def test_a_cancellation_as_json(controller: CommandLine, settings: Path) -> None:
    """With the number masked."""
    assert controller("cancel", ID, "--json", "--settings", settings).data == {
        "promise": ID,
        "number": MASKED,
        "state": "cancelled",
        "was": "waiting",
        "heard": False,
    }


@pytest.mark.parametrize("spelled", [NUMBER, "09012345678", "090-1234-5678", "+81 90 1234 5678", "(090)1234.5678"])
def test_a_number_is_put_on_the_list_however_it_is_spelled(
    controller: CommandLine, settings: Path, url: str, tmp_path: Path, spelled: str
) -> None:
    """Its promise is cancelled, and rung for; the number is not shown."""
    with listening(tmp_path) as heard:
        said = controller("do-not-call", "add", spelled, "--reason", "手紙で", "--settings", settings)
        assert heard.get(timeout=10) == ID
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{MASKED} is on the do-not-call list; promises cancelled: 1\n"
    assert promise_in(url).state == "cancelled"
    (listed,) = in_store(url, lambda store: store.do_not_call.listed())
    assert (listed.number, listed.reason) == (NUMBER, "手紙で")


def test_a_number_of_which_nothing_is_open_needs_nobody_to_hear(
    controller: CommandLine, settings: Path, url: str
) -> None:
    """Nor does a talk count as open; abroad is taken as it is."""
    in_store(url, connect)
    for number, masked in ((NUMBER, MASKED), ("+44 20 7946 0958", "+44207946****"), ("+4930123456", "+493012****")):
        said = controller("do-not-call", "add", number, "--settings", settings)
        assert (said.code, said.out) == (0, f"{masked} is on the do-not-call list; promises cancelled: 0\n")
    assert promise_in(url).state == "connected"
    ended = AttemptEnded(Outcome.TALKED)
    assert in_store(url, lambda store: store.promises.advance(ID, ended)).state == "fulfilled"


@pytest.mark.parametrize(
    "number", ["110", "", "no number", "+81", "090-1234-567x", "０９０１２３４５６７８", "09012345678;1"]
)
@pytest.mark.parametrize("action", ["add", "remove"])
def test_what_is_no_number_is_refused(
    controller: CommandLine, settings: Path, url: str, action: str, number: str
) -> None:
    """Exit code 2; what was written is not repeated."""
    said = controller("do-not-call", action, number, "--settings", settings)
    assert (said.code, said.out, said.err) == (2, "", "this is no phone number\n")
    assert in_store(url, lambda store: store.do_not_call.listed()) == []


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "\x1b[31mred", "x" * 201])
def test_a_reason_is_one_line_of_text(controller: CommandLine, settings: Path, url: str, reason: str) -> None:
    """It is shown on terminals."""
    said = controller("do-not-call", "add", NUMBER, "--reason", reason, "--settings", settings)
    assert (said.code, said.out) == (2, "")
    assert said.err == "the reason has to be one line of 1 to 200 characters\n"
    assert in_store(url, lambda store: store.do_not_call.listed()) == []


def test_a_number_comes_off_the_list_and_its_promise_stays_cancelled(
    controller: CommandLine, settings: Path, url: str
) -> None:
    """One that is not on it is told so, with exit code 1."""
    controller("do-not-call", "add", NUMBER, "--settings", settings)
    said = controller("do-not-call", "remove", "090-1234-5678", "--settings", settings)
    assert said.out == f"{MASKED} is off the do-not-call list; what was cancelled stays cancelled\n"
    again = controller("do-not-call", "remove", NUMBER, "--settings", settings)
    assert (again.code, again.out, again.err) == (1, "", f"{MASKED} is not on the do-not-call list\n")
    assert promise_in(url).state == "cancelled"


def test_the_list_is_shown_with_numbers_masked_unless_they_are_asked_for(
    controller: CommandLine, settings: Path
) -> None:
    """Newest first, also as JSON."""
    assert controller("do-not-call", "list", "--settings", settings).out == "no numbers on the list\n"
    controller("do-not-call", "add", NUMBER, "--reason", "STOP", "--settings", settings)
    shown = controller("do-not-call", "list", "--settings", settings).out
    assert MASKED in shown
    assert NUMBER not in shown
    assert "STOP" in shown
    assert NUMBER in controller("do-not-call", "list", "--show-numbers", "--settings", settings).out
    data: dict[str, Any] = controller("do-not-call", "list", "--json", "--settings", settings).data
    (entry,) = data["do_not_call"]
    assert (entry["number"], entry["reason"]) == (MASKED, "STOP")
    assert datetime.fromisoformat(entry["blocked_at"]).tzinfo is not None


WORDS = [("cancel", ID), ("do-not-call", "add", NUMBER), ("do-not-call", "list")]


@pytest.mark.parametrize("words", WORDS)
def test_without_a_database_there_is_one_clear_line_and_no_file(
    controller: CommandLine, settings: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """The controller makes it."""
    for file in tmp_path.glob("orikaeshi.db*"):
        file.unlink()
    said = controller(*words, "--settings", settings)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"There is no database {tmp_path}/orikaeshi.db yet")
    assert list(tmp_path.glob("orikaeshi.db*")) == []


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("version", ["0002", "9999"])
def test_the_tables_of_another_version_are_not_touched(
    controller: CommandLine, settings: Path, tmp_path: Path, words: tuple[str, ...], version: str
) -> None:
    """A command is not the moment for an upgrade: a controller of the other version may be running."""
    with closing(sqlite3.connect(tmp_path / "orikaeshi.db", isolation_level=None)) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
        said = controller(*words, "--settings", settings)
        assert (said.code, said.out) == (1, "")
        assert "has the tables of another version. Start this version of the controller once" in said.err
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]


def test_a_locked_database_is_told_in_one_line(controller: CommandLine, settings: Path, tmp_path: Path) -> None:
    """Nothing was changed, and nobody is rung for."""
    with listening(tmp_path) as heard, closing(sqlite3.connect(tmp_path / "orikaeshi.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        said = controller("cancel", ID, "--settings", settings)
        other.execute("ROLLBACK")
    assert (said.code, said.out) == (1, "")
    assert "is locked by another program" in said.err
    assert heard.empty()
