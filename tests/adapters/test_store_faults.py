"""Each fault is made for real: a lock held by another connection, a full database, a folder in the file's place."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from controller.domain.lifecycle import DeadlinePassed
from controller.domain.signed import Purpose
from controller.domain.sms import Delivery
from controller.ports.lease import Lease
from controller.ports.links import BookingLink, Challenge, Withdraw
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import IncomingSms, Receipt
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, refuse_writes, store_at, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from controller.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is to be."""
    return tmp_path / "orikaeshi.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """Open it; a lock is waited for only briefly."""
    async with store_at(url_of(path), HandClock(), busy_timeout_s=0.05) as opened:
        yield opened


def url_of(path: Path | str) -> str:
    """Return the address of the database in a file."""
    return f"sqlite+aiosqlite:///{path}"


async def open_and_close(url: str) -> None:
    """Start on a database, as the controller does."""
    async with store_at(url, HandClock(), busy_timeout_s=0.05):
        pass


def assert_one_line_for_a_person(raised: pytest.ExceptionInfo[StoreUnavailableError], *said: str) -> None:
    """Check that a message has what it should, in one line, and no number."""
    message = str(raised.value)
    assert "\n" not in message
    assert NUMBER not in message
    assert "sqlalche" not in message
    for words in said:
        assert words in message


async def test_a_locked_database_says_so_and_works_again_once_it_is_free(store: Store, path: Path) -> None:
    """The lock is another program's."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError) as raised:
        await make(store, wanted())
    assert_one_line_for_a_person(raised, f"{path} is locked by another program", "Stop the other program")
    assert await store.promises.waiting() == []
    other.execute("ROLLBACK")
    other.close()
    assert (await make(store, wanted())).is_new


async def test_a_locked_database_is_reported_at_the_start_too(path: Path) -> None:
    """A second controller by mistake."""
    await open_and_close(url_of(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(path))
    other.close()
    assert_one_line_for_a_person(raised, "is locked by another program")


async def test_a_database_that_can_only_be_read_says_so(path: Path) -> None:
    """Opened read-only, as a read-only disk does it."""
    await open_and_close(url_of(path))
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true")
    assert_one_line_for_a_person(raised, str(path), "can be read but not written", "write permission")


async def test_a_full_disk_says_so_and_loses_nothing_that_was_acknowledged(store: Store) -> None:
    """The database may not grow beyond the pages it has; what was made before is whole, and it can be read."""

    def stop_growing(connection: Any, *_rest: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    made: set[str] = set()

    async def book_on() -> None:
        for n in range(2000):
            made.add((await make(store, wanted(f"call-{n}", number=f"+81{n:010}"))).promise.id)

    event.listen(store.database.sync_engine.pool, "checkout", stop_growing)
    with pytest.raises(StoreUnavailableError) as raised:
        await book_on()
    assert_one_line_for_a_person(raised, "the disk is full", "Free space")
    assert made
    assert {promise.id for promise in await store.promises.waiting()} == made


async def test_a_folder_in_the_place_of_the_file_says_so(path: Path) -> None:
    """The admin named a folder."""
    path.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(path))
    assert_one_line_for_a_person(raised, f"{path} cannot be opened: it is a folder", "Name a file")


async def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    """The commonest mistake of all."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(tmp_path / "missing" / "orikaeshi.db"))
    assert_one_line_for_a_person(raised, f"there is no folder {tmp_path}/missing", "Create it")


async def test_a_file_where_a_folder_should_be_says_so(tmp_path: Path) -> None:
    """A path that goes through a file."""
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(tmp_path / "file" / "orikaeshi.db"))
    assert_one_line_for_a_person(raised, f"there is no folder {tmp_path}/file")


@pytest.fixture
def letter(path: Path) -> Path:
    """Put a text in the database's place."""
    path.write_text("Dear customer, " * 100)
    return path


async def test_a_file_that_is_no_database_says_so_and_is_not_touched(letter: Path) -> None:
    """It may be somebody's letter."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(letter))
    assert_one_line_for_a_person(raised, f"{letter} is not a database", "Check the path")
    assert await asyncio.to_thread(letter.read_text) == "Dear customer, " * 100


async def test_a_damaged_database_says_so(path: Path) -> None:
    """Its header is whole, its first table is not."""
    await open_and_close(url_of(path))
    content = bytearray(await asyncio.to_thread(path.read_bytes))
    content[100:4000] = b"\xff" * 3900
    await asyncio.to_thread(path.write_bytes, content)
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url_of(path))
    assert_one_line_for_a_person(raised, f"{path} is damaged", "restore the file from a backup")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite+aiosqlite://", "is in memory"),
        ("sqlite+aiosqlite:///:memory:", "is in memory"),
        ("sqlite+aiosqlite:///file:x?mode=memory&uri=true", "is in memory"),
        ("sqlite:////var/lib/x.db", "starts with sqlite, which is not supported"),
        ("mysql+aiomysql://u:secret@h/d", "starts with mysql+aiomysql, which is not supported"),
        ("/var/lib/secret.db", "cannot be read"),
        ("postgresql://u:secret@h/d", "starts with postgresql, which is not supported"),
    ],
)
async def test_an_address_that_cannot_be_used_says_what_to_write(url: str, said: str) -> None:
    """Without repeating a password."""
    with pytest.raises(StoreUnavailableError) as raised:
        await open_and_close(url)
    assert_one_line_for_a_person(raised, said)
    assert "secret" not in str(raised.value)


async def test_the_file_is_its_owners_alone(store: Store, path: Path) -> None:
    """It holds phone numbers; so do its journal files."""
    await make(store, wanted())
    for file in path.parent.glob("orikaeshi.db*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 50}


async def test_every_connection_is_durable_and_checks_references(store: Store) -> None:
    """WAL, synchronous FULL (2), foreign keys on; on each of several connections."""
    async with store.database.engine.connect(), store.database.engine.connect() as second:
        for pragma, value in PRAGMAS.items():
            assert (await second.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == value
    with store.database.sync_engine.connect(), store.database.sync_engine.connect() as in_thread:
        for pragma, value in PRAGMAS.items():
            assert in_thread.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


async def test_a_number_stays_out_of_the_text_of_a_database_error(store: Store) -> None:
    """Such a text ends up in a log."""
    promise = (await make(store, wanted())).promise
    async with store.database.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE sms_outbox RENAME TO gone")
    with pytest.raises(DBAPIError, match="no such table: sms_outbox") as raised:
        await store.promises.advance(promise.id, DeadlinePassed())
    assert NUMBER not in str(raised.value)


async def hold_the_first(store: Store) -> None:
    """Keep other offices away from the promise that has waited the longest."""
    await store.promises.hold((await store.promises.waiting())[0], "asterisk", 0)


BOOKS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "block": lambda store: store.do_not_call.block(NUMBER, reason="STOP"),
    "unblock": lambda store: store.do_not_call.unblock(NUMBER),
    "take": lambda store: store.leases.take("pbx:one", "one", "one", 4),
    "renew": lambda store: store.leases.renew(Lease("pbx:one", "one", "one", 1, NOON), 4),
    "release": lambda store: store.leases.release(Lease("pbx:one", "one", "one", 1, NOON)),
    "hold": hold_the_first,
    "let go": lambda store: store.promises.let_go("promise-1", "asterisk", 0),
    "outbox": lambda store: store.outbox.settle_interrupted(),
    "receipt": lambda store: store.inbox.note_receipt(Receipt("p", "1", "ref", Delivery.DELIVERED), NOON),
    "reply": lambda store: store.inbox.note_reply(IncomingSms("p", "1", NUMBER, "+81312345678", "STOP"), NOON),
    "link": lambda store: store.links.issue(BookingLink("1", Purpose.BOOK, "sales", NUMBER, "ja", NOON)),
    "redeem": lambda store: store.links.redeem("1", Withdraw(), NOON),
    "proof": lambda store: store.proofs.start(Challenge("1", "sales", NUMBER, "ja", NOON, 5), None),
    "guess": lambda store: store.proofs.guess("1", is_right=True, now=NOON),
}
"""What writes to the books of the dialer, of SMS and of the web."""


@pytest.mark.parametrize("book", BOOKS)
async def test_each_book_says_that_the_database_is_locked_and_works_again(store: Store, path: Path, book: str) -> None:
    """Nothing is half done: the list and the lease are as they were."""
    promise = (await make(store, wanted())).promise
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError) as raised:
        await BOOKS[book](store)
    assert_one_line_for_a_person(raised, "is locked by another program")
    assert await store.do_not_call.listed() == []
    assert await store.promises.get(promise.id) == promise
    other.execute("ROLLBACK")
    other.close()
    await BOOKS[book](store)


@pytest.mark.parametrize("book", BOOKS)
async def test_each_book_says_that_the_database_can_only_be_read(store: Store, book: str) -> None:
    """And the list can be asked all the same."""
    await make(store, wanted())
    await refuse_writes(store)
    with pytest.raises(StoreUnavailableError) as raised:
        await BOOKS[book](store)
    assert_one_line_for_a_person(raised, "can be read but not written")
    assert not await store.do_not_call.is_blocked(NUMBER)


async def test_a_block_on_a_full_disk_says_so_and_leaves_the_promise_as_it_was(store: Store) -> None:
    """Number after number, until no page is left."""

    def stop_growing(connection: Any, *_rest: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    promise = (await make(store, wanted())).promise
    done: set[str] = set()

    async def block_on() -> None:
        for n in range(4000):
            await store.do_not_call.block(f"+44{n:010}", reason="a reason of some length " * 8)
            done.add(f"+44{n:010}")

    event.listen(store.database.sync_engine.pool, "checkout", stop_growing)
    with pytest.raises(StoreUnavailableError) as raised:
        await block_on()
    assert_one_line_for_a_person(raised, "the disk is full", "Free space")
    assert done
    assert {one.number for one in await store.do_not_call.listed()} == done
    assert await store.promises.get(promise.id) == promise
