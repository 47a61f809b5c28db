"""The commands for one person's data: on a real database, by the command line."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import pytest

from controller.domain.opt_out import NumberKey
from controller.settings.first_file import DEFAULT_TEMPLATE, with_value
from controller.store import Store, open_store
from tests.adapters.command_line import ENV, CommandLine
from tests.contract.privacy_lives import a_whole_life, traces
from tests.contract.store_under_test import NUMBER, HandClock, make, wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

T = TypeVar("T")

MASKED = "+81901234****"
KEY = "a-key-of-thirty-two-bytes-or-more"
WITH_KEY = ENV | {"ORIKAESHI_NUMBER_KEY": KEY}


@pytest.fixture
def controller(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Give the command line."""
    return CommandLine(capsys)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of the database, in which something is known of a number everywhere."""
    address = f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db"
    in_store(address, a_whole_life)
    return address


@pytest.fixture
def settings(tmp_path: Path, url: str) -> Path:
    """Write the default settings, with this database."""
    path = tmp_path / "controller.toml"
    path.write_text(with_value(DEFAULT_TEMPLATE.read_text("utf-8"), "store", "url", f'"{url}"'), encoding="utf-8")
    return path


def in_store(url: str, work: Callable[[Store], Awaitable[T]], key: NumberKey | None = None) -> T:
    """Do something in the database, as a controller would."""

    async def go() -> T:
        ids = iter(range(1000))
        async with open_store(
            url, policies={}, clock=HandClock(), new_id=lambda: f"id-{next(ids)}", number_key=key
        ) as store:
            return await work(store)

    return asyncio.run(go())


def audited(url: str) -> list[tuple[str, str, str]]:
    """Return (kind, action, subject) of what was written into the audit by commands."""
    with closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as database:
        return database.execute("SELECT kind, action, subject FROM audit WHERE kind = 'command'").fetchall()


def test_all_that_is_known_of_a_number_is_told_as_json_for_a_program(
    controller: CommandLine, settings: Path, url: str
) -> None:
    """With and without --json, since that is what it is for; and it is written down that somebody looked."""
    said = controller("export", "--settings", settings, "090-1234-5678")
    assert said.code == 0
    data = json.loads(said.out)
    assert data["number"] == NUMBER
    assert data["known"]["calls"][0]["number"] == NUMBER
    assert data["known"]["notes"][0]["disposition"] == "解決"
    again = controller("export", "--settings", settings, "--json", "+81 90 1234 5678").data
    assert again["known"] == data["known"]
    assert audited(url) == [("command", "export", MASKED)] * 2


def test_a_number_is_forgotten_and_what_was_done_is_told_without_it(
    controller: CommandLine, settings: Path, url: str
) -> None:
    """No trace is left, the audit has it masked, and nothing is left to do."""
    said = controller("forget", "--settings", settings, "--json", "--yes", "09012345678")
    assert said.code == 0
    assert said.data["number"] == MASKED
    assert said.data["left"] == {}
    assert said.data["erased"]["calls"] == 1
    assert in_store(url, traces) == set()
    assert audited(url) == [("command", "forget", MASKED)]


def test_nothing_is_forgotten_unless_somebody_means_it(controller: CommandLine, settings: Path, url: str) -> None:
    """Where nobody can be asked, --yes has to be there."""
    said = controller("forget", "--settings", settings, "09012345678")
    assert said.code == 2
    assert "--yes" in said.err
    assert "calls" in in_store(url, traces)


def test_a_promise_that_was_open_is_cancelled_and_told(controller: CommandLine, settings: Path, url: str) -> None:
    """By its id."""
    made = in_store(url, lambda store: make(store, wanted("call-new")))
    said = controller("forget", "--settings", settings, "--json", "--yes", "09012345678")
    assert said.data["cancelled"] == [made.promise.id]
    assert said.data["heard"] is False


@pytest.mark.parametrize("command", ["export", "forget"])
def test_what_is_no_number_is_refused(controller: CommandLine, settings: Path, command: str) -> None:
    """In one line, which does not repeat it."""
    said = controller(command, "--settings", settings, "12345")
    assert (said.code, said.err) == (2, "this is no phone number\n")


def test_the_list_is_changed_with_the_key_and_told_masked(controller: CommandLine, settings: Path, url: str) -> None:
    """From the environment or a file of secrets; without it nobody is taken off, and it says what to set."""
    key = NumberKey(KEY.encode())
    in_store(url, lambda store: store.do_not_call.block(NUMBER, reason="STOP"), key)
    listed = controller("do-not-call", "--settings", settings, "--json", "list", "--show-numbers")
    assert [one["number"] for one in listed.data["do_not_call"]] == [MASKED]
    without = controller("do-not-call", "--settings", settings, "remove", "09012345678")
    assert without.code == 1
    assert "ORIKAESHI_NUMBER_KEY" in without.err
    secrets = settings.parent / "secrets.env"
    secrets.write_text("".join(f"{name}={value}\n" for name, value in WITH_KEY.items()), encoding="utf-8")
    taken = controller("do-not-call", "--settings", settings, "--secrets", secrets, "remove", "09012345678", env={})
    assert taken.code == 0
    assert in_store(url, lambda store: store.do_not_call.listed(), key) == []


def test_a_key_that_is_too_short_is_told_with_the_other_mistakes(controller: CommandLine, settings: Path) -> None:
    """Before a controller hashes anything with it."""
    said = controller("doctor", "--settings", settings, env=ENV | {"ORIKAESHI_NUMBER_KEY": "short"})
    assert said.code != 0
    assert "ORIKAESHI_NUMBER_KEY" in said.out + said.err
