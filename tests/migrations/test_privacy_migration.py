from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from controller.domain.opt_out import NumberKey
from controller.store.dialect import connect_to
from controller.store.migrate import migrate
from tests.contract.databases import ENGINES
from tests.contract.store_under_test import HandClock, store_at
from tests.migrations.test_kept_rows import move, rows, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

THEN = datetime(2030, 5, 5, 23, 0, tzinfo=UTC)
NUMBER = "+819011112222"
KEY = NumberKey(b"a key of thirty-two bytes or more")
_LIST = "SELECT * FROM do_not_call ORDER BY 1"


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the sixth version left it: one number is on the list."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0006")
    await write(connected, ("do_not_call", {"number": NUMBER, "reason": "STOP", "blocked_at": THEN}))
    yield connected
    await connected.dispose()


def url_of(engine: AsyncEngine) -> str:
    """Return the address that leads there."""
    return engine.url.render_as_string(hide_password=False)


async def test_the_list_is_kept_in_clear_where_there_is_no_key_and_the_way_back_is_open(engine: AsyncEngine) -> None:
    """Row for row."""
    (before,) = await rows(engine, _LIST)
    await migrate(engine)
    assert await rows(engine, _LIST) == [{**before, "shown": ""}]
    async with store_at(url_of(engine), HandClock(THEN)) as store:
        assert await store.do_not_call.is_blocked(NUMBER)
    await move(engine, "0006")
    assert await rows(engine, _LIST) == [before]


async def test_the_first_start_with_the_key_hashes_it(engine: AsyncEngine) -> None:
    """Whoever was on it is on it."""
    async with store_at(url_of(engine), HandClock(THEN), number_key=KEY) as store:
        assert await store.do_not_call.is_blocked(NUMBER)
    _, entry = await rows(engine, _LIST)
    assert entry["number"] == KEY.entry(NUMBER)
    assert (entry["reason"], entry["shown"]) == ("STOP", "+81901111****")


async def test_there_is_no_way_back_from_a_hashed_list_since_older_versions_would_call_everybody(
    engine: AsyncEngine,
) -> None:
    """It says so, and nothing was changed."""
    async with store_at(url_of(engine), HandClock(THEN), number_key=KEY):
        pass
    before = await rows(engine, _LIST)
    with pytest.raises(RuntimeError, match="would call everybody on it"):
        await move(engine, "0006")
    assert await rows(engine, _LIST) == before
