"""What agents set by phone, kept on each database: duties, PINs and the guesses at them."""

from __future__ import annotations

import asyncio
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.agents import Duty
from controller.domain.pin import Guesses
from controller.ports.agents import KeptAgent
from controller.ports.promises import StoreUnavailableError
from controller.store.agent_book import StoredAgentBook, open_agent_book
from tests.contract.store_under_test import NOON, HandClock, rows, store_at

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store

LATER = NOON + timedelta(seconds=40)
SIGNED_IN = Duty(signed_in=True)
AT_LUNCH = Duty(signed_in=True, pause_reason="lunch")
SIGNED_OUT = Duty(signed_in=False)


@pytest.fixture
def book(store: Store) -> StoredAgentBook:
    """Open the book of an empty database."""
    return StoredAgentBook(store.database)


async def test_of_an_agent_who_never_set_anything_nothing_is_kept(book: StoredAgentBook) -> None:
    """Who is signed in then is for the settings to say."""
    assert await book.find("hanako") is None
    assert await book.kept() == []


async def test_the_duty_that_was_set_last_is_kept(book: StoredAgentBook) -> None:
    """With when; no PIN comes of it."""
    await book.keep_duty("hanako", AT_LUNCH, at=NOON)
    assert await book.find("hanako") == KeptAgent("hanako", AT_LUNCH, None, Guesses(), NOON)
    await book.keep_duty("hanako", SIGNED_OUT, at=LATER)
    assert await book.find("hanako") == KeptAgent("hanako", SIGNED_OUT, None, Guesses(), LATER)


async def test_agents_are_kept_apart_and_listed_by_name(book: StoredAgentBook) -> None:
    """Names are any text, also in Japanese, or with signs that mean something to a database."""
    names = ["taro", "花子", "o'neil; --", "hanako"]
    for name in names:
        await book.keep_duty(name, Duty(signed_in=True, pause_reason=name), at=NOON)
    kept = await book.kept()
    assert [one.name for one in kept] == sorted(names)
    assert {one.name: one.duty.pause_reason for one in kept} == {name: name for name in names}


async def test_duty_pin_and_guesses_do_not_disturb_each_other(book: StoredAgentBook) -> None:
    """In any order."""
    await book.keep_duty("hanako", AT_LUNCH, at=NOON)
    await book.set_pin("hanako", "hash", duty_if_new=SIGNED_IN, at=LATER)
    assert await book.find("hanako") == KeptAgent("hanako", AT_LUNCH, "hash", Guesses(), LATER)
    await book.keep_guesses("hanako", Guesses(3, LATER))
    await book.keep_duty("hanako", SIGNED_OUT, at=LATER)
    assert await book.find("hanako") == KeptAgent("hanako", SIGNED_OUT, "hash", Guesses(3, LATER), LATER)


async def test_a_new_pin_forgets_wrong_ones_and_gives_a_new_agent_the_duty_of_the_settings(
    book: StoredAgentBook,
) -> None:
    """That is how an admin lets somebody in again who is locked out."""
    await book.set_pin("hanako", "first", duty_if_new=SIGNED_OUT, at=NOON)
    assert await book.find("hanako") == KeptAgent("hanako", SIGNED_OUT, "first", Guesses(), NOON)
    await book.keep_guesses("hanako", Guesses(5, LATER))
    await book.set_pin("hanako", "second", duty_if_new=SIGNED_IN, at=LATER)
    assert await book.find("hanako") == KeptAgent("hanako", SIGNED_OUT, "second", Guesses(), LATER)
    await book.set_pin("hanako", None, duty_if_new=SIGNED_IN, at=LATER)
    kept = await book.find("hanako")
    assert kept is not None
    assert kept.pin_hash is None


async def test_guesses_at_an_agent_of_whom_nothing_is_kept_leave_no_trace(book: StoredAgentBook) -> None:
    """There is no PIN to guess."""
    await book.keep_guesses("hanako", Guesses(1))
    assert await book.kept() == []


async def test_what_is_kept_is_there_after_a_restart_and_for_another_program(
    url: str, clock: HandClock, tmp_path: Path
) -> None:
    """The command line writes beside a controller that runs."""
    async with store_at(url, clock) as running:
        await StoredAgentBook(running.database).keep_duty("hanako", AT_LUNCH, at=NOON)
        async with open_agent_book(url) as beside:
            await beside.set_pin("hanako", "hash", duty_if_new=SIGNED_IN, at=LATER)
        kept = await StoredAgentBook(running.database).find("hanako")
        assert kept == KeptAgent("hanako", AT_LUNCH, "hash", Guesses(), LATER)
    async with store_at(url, clock) as restarted:
        assert await StoredAgentBook(restarted.database).find("hanako") == kept
    files = list(tmp_path.glob("orikaeshi.db"))  # noqa: ASYNC240 - nothing else runs any more
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * url.startswith("sqlite")


async def test_twenty_wishes_at_once_leave_one_row(store: Store, book: StoredAgentBook) -> None:
    """And none is lost to another's insert."""
    duties = [Duty(signed_in=True, pause_reason=str(number)) for number in range(20)]
    await asyncio.gather(*(book.keep_duty("hanako", duty, at=NOON) for duty in duties))
    assert await rows(store, "SELECT count(*) AS agents FROM agents") == [{"agents": 1}]


async def test_a_database_without_our_tables_says_what_to_do_and_is_not_changed(tmp_path: Path) -> None:
    """A command of a newer version must not change the tables under a controller of an older one."""
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreUnavailableError, match="Start this version of the controller once"):
        async with open_agent_book(f"sqlite+aiosqlite:///{path}"):
            pass
    assert b"CREATE" not in path.read_bytes()
