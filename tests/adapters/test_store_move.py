"""Everything is moved from one engine to the other and back: every table filled, every row compared from outside."""

from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Boolean, Float, Integer, insert

from controller.commands import EXIT_OK, EXIT_USAGE
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import connect_to, for_writing
from controller.store.migrate import migrate
from controller.store.moving import Moved, move
from controller.store.tables import leases, metadata
from controller.store.types import UtcDateTime
from controller.store_commands import add_store_arguments, store
from lab.postgres import PostgresError, shared_postgres
from tests.adapters.test_settings import SMALL
from tests.contract.databases import ENGINES
from tests.contract.store_under_test import NOON, NUMBER, HandClock, everything, make, store_at, wanted

if TYPE_CHECKING:
    from sqlalchemy import Table

ROWS = 1100
"""More than one batch."""


def value_for(column: Any, n: int) -> object:
    """Return something for a column that differs from row to row, and is at the edge of what it may hold."""
    if column.foreign_keys:
        return value_for(next(iter(column.foreign_keys)).column, n)
    kind = column.type
    if column.name == "expires_at" and column.table is leases:
        return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n)
    if isinstance(kind, UtcDateTime):
        return NOON + timedelta(seconds=n, microseconds=n)
    if isinstance(kind, Boolean):
        return n % 2 == 0
    if isinstance(kind, Integer):
        return n + 1
    if isinstance(kind, Float):
        return n / 7
    if column.nullable and n % 3 == 0:
        return None
    text = f"{n:05} 折り返し 'é\n\" \U0001f4de"
    return text[: kind.length] if getattr(kind, "length", None) else text


def rows_for(table: Table) -> list[dict[str, object]]:
    """Return rows for every column of a table."""
    return [{column.name: value_for(column, n) for column in table.columns} for n in range(ROWS)]


async def fill(url: str) -> None:
    """Make a database and put rows into every table."""
    engine = connect_to(url, busy_timeout_s=5)
    await migrate(engine)
    async with for_writing(engine).begin() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(insert(table), rows_for(table))
    await engine.dispose()


async def contents(url: str) -> dict[str, set[frozenset[tuple[str, object]]]]:
    """Return all rows, past every mapping of ours."""
    async with store_at(url, HandClock()) as opened:
        found = await everything(opened)
    return {name: {frozenset(row.items()) for row in rows} for name, rows in found.items()}


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
async def test_every_row_of_every_table_is_moved(tmp_path: Path, source: str, target: str) -> None:
    """And the source is as it was; who hears of the progress hears of every batch."""
    (tmp_path / "to").mkdir()
    url_from, url_to = ENGINES[source](tmp_path), ENGINES[target](tmp_path if target != "sqlite" else tmp_path / "to")
    await fill(url_from)
    before = await contents(url_from)
    told: list[tuple[str, int]] = []
    moved = await move(url_from, url_to, NOON, lambda table, rows: told.append((table, rows)))
    assert {name: len(found) for name, found in before.items()} == dict.fromkeys(metadata.tables, ROWS)
    assert {one.table: one.rows for one in moved} == dict.fromkeys(metadata.tables, ROWS)
    assert len(told) == 2 * len(metadata.tables)
    assert await contents(url_from) == before
    assert await contents(url_to) == before


async def test_there_and_back_again_the_sums_are_the_same(tmp_path: Path) -> None:
    """Whatever order each of them reads its rows in."""
    (tmp_path / "back").mkdir()
    first, server = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path)
    await fill(first)
    there = await move(first, server, NOON, _nobody)
    back = await move(server, ENGINES["sqlite"](tmp_path / "back"), NOON, _nobody)
    assert there == back
    assert len({one.checksum for one in there}) == len(there)


async def test_the_next_row_gets_the_next_number(tmp_path: Path) -> None:
    """A server's sequence knows nothing of numbers that were copied."""
    first, server = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path)
    await fill(first)
    await move(first, server, NOON, _nobody)
    async with store_at(server, HandClock(), prefix="after") as opened:
        made = await make(opened, wanted("after", number="+81355556666", confirm=True))
        last = (await everything(opened))["sms_outbox"][-1]
    assert (made.is_new, last["id"], last["promise_id"]) == (True, ROWS + 1, "after-1")


async def test_nothing_is_moved_while_a_controller_works(tmp_path: Path) -> None:
    """Its next promise would stay behind."""
    url, server = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path)
    async with store_at(url, HandClock()) as opened:
        await opened.leases.take("pbx:asterisk", "one-1", "one", 4)
    with pytest.raises(StoreUnavailableError, match=r"controller one-1 works with .*pbx:asterisk.*Stop every"):
        await move(url, server, NOON, _nobody)
    moved = await move(url, server, NOON + timedelta(seconds=5), _nobody)
    assert Moved("leases", 1, next(one.checksum for one in moved if one.table == "leases")) in moved


async def test_nobody_writes_to_the_source_meanwhile(tmp_path: Path) -> None:
    """What they wrote into a table that was copied already would be left behind; to a server likewise."""
    url, server, refused = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path), []
    await fill(url)

    def write(_table: str, _rows: int) -> None:
        with closing(sqlite3.connect(tmp_path / "orikaeshi.db", timeout=0)) as another:
            try:
                another.execute("DELETE FROM callers")
            except sqlite3.OperationalError as error:
                refused.append(str(error))

    await move(url, server, NOON, write)
    assert set(refused) == {"database is locked"}
    refused.clear()
    (tmp_path / "back").mkdir()
    name = server.partition("?")[0].rpartition("/")[2]

    def write_there(_table: str, _rows: int) -> None:
        try:
            shared_postgres().sql("SET lock_timeout = '1ms'; DELETE FROM callers", database=name)
        except PostgresError as error:
            refused.append(str(error).partition("\n")[0])

    await move(server, ENGINES["sqlite"](tmp_path / "back"), NOON, write_there)
    assert {"lock timeout" in told for told in refused} == {True}
    assert len(refused) == 2 * len(metadata.tables)


async def test_a_target_with_rows_is_left_alone(tmp_path: Path) -> None:
    """It may be somebody's."""
    url, server = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path)
    await fill(url)
    async with store_at(server, HandClock()) as opened:
        await opened.callers.remember_language(NUMBER, "en")
        before = await everything(opened)
        with pytest.raises(StoreUnavailableError, match="is not empty: callers has rows"):
            await move(url, server, NOON, _nobody)
        assert await everything(opened) == before


async def test_a_row_that_the_target_refuses_leaves_it_empty(tmp_path: Path) -> None:
    """A file takes a text that is longer than its column; a server does not. What it says does not repeat the text."""
    url, server = ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path)
    await fill(url)
    with sqlite3.connect(tmp_path / "orikaeshi.db") as plain:
        plain.execute("UPDATE calls SET number = ? WHERE id = (SELECT max(id) FROM calls)", ("+" + "9" * 99,))
    plain.close()
    with pytest.raises(StoreUnavailableError, match=r"Nothing was moved") as raised:
        await move(url, server, NOON, _nobody)
    assert "999" not in str(raised.value)
    assert set(map(len, (await contents(server)).values())) == {0}


async def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A slip of the pen."""
    with pytest.raises(StoreUnavailableError, match="There is no database"):
        await move(ENGINES["sqlite"](tmp_path), ENGINES["postgresql"](tmp_path), NOON, _nobody)
    assert not list(tmp_path.glob("orikaeshi*"))  # noqa: ASYNC240 - nothing else runs any more


async def test_the_command_moves_and_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the settings' database; progress goes to stderr."""
    (tmp_path / "controller.toml").write_text(SMALL, encoding="utf-8")
    await fill(ENGINES["sqlite"](tmp_path))
    server = ENGINES["postgresql"](tmp_path)
    report = await store(command(tmp_path, "move", "--to", server), {})
    assert report.exit_code == EXIT_OK
    assert f"Moved to {server}.\nNow set store.url to it, and start the controller." in report.text
    assert [one["rows"] for one in report.data["moved"]] == [ROWS] * len(metadata.tables)
    assert f"calls: {ROWS} rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("sqlite+aiosqlite:///orikaeshi.db", "the same database"),
        ("postgresql+asyncpg://me:secret@db/name", "must not hold a password"),
        ("mysql://db/name", "must be a SQLite file"),
    ],
)
async def test_the_command_refuses_what_is_no_target(tmp_path: Path, to: str, said: str) -> None:
    """Before anything is opened, and without repeating a password."""
    (tmp_path / "controller.toml").write_text(SMALL, encoding="utf-8")
    report = await store(command(tmp_path, "move", "--to", to), {})
    assert report.exit_code == EXIT_USAGE
    assert said in report.text
    assert "secret" not in report.text


def command(folder: Path, *words: str) -> Any:
    """Return the command line as it is parsed."""
    parser = ArgumentParser()
    parser.add_argument("--settings", type=Path, default=folder / "controller.toml")
    parser.add_argument("--json", action="store_true")
    add_store_arguments(parser)
    return parser.parse_args(words)


def _nobody(_table: str, _rows: int) -> None:
    """Hear nothing of the progress."""
