from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import column, table

from controller.domain.promise import Attempt, Promise
from controller.ports.lease import MAIL, Lease, lease_of_pbx
from controller.store.dialect import connect_to, for_writing
from controller.store.migrate import migrate
from controller.store.types import UtcDateTime
from tests.contract.databases import ENGINES
from tests.contract.store_under_test import HandClock, store_at
from tests.migrations.test_kept_rows import move, rows, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncEngine

THEN = datetime(2030, 5, 5, 23, 0, tzinfo=UTC)
NUMBER = "+819011112222"
PROMISE = {
    "since": THEN,
    "made_at": THEN,
    "not_before": THEN,
    "expires_at": THEN + timedelta(days=9),
    "language": "ja",
    "queue": "sales",
    "attempts_used": 0,
    "version": 1,
    "dials": 1,
    "state": "dialling",
}
ATTEMPT = {"agent": "hanako", "started_at": THEN, "term": 7}
LEASE = {"id": 1, "holder": "pbx-host:71:20300505", "term": 7, "expires_at": THEN + timedelta(seconds=4)}


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the fourth version left it: a lease, a call that goes on, a caller who waits."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0004")
    async with for_writing(connected).begin() as connection:
        columns = (column(key, UtcDateTime() if key == "expires_at" else None) for key in LEASE)
        await connection.execute(table("leases", *columns).insert().values(LEASE))
    await write(
        connected,
        ("promises", {**PROMISE, "id": "p1", "number": NUMBER}),
        ("promises", {**PROMISE, "id": "p2", "number": "+819033334444", "state": "waiting"}),
        ("attempts", {**ATTEMPT, "id": "a1", "promise_id": "p1", "number": NUMBER}),
        ("calls", {"id": "c1", "arrived_at": THEN}),
    )
    yield connected
    await connected.dispose()


async def contents(engine: AsyncEngine) -> dict[str, list[dict[str, Any]]]:
    """Return all that the tables hold that were changed."""
    tables = ("leases", "attempts", "calls")
    return {name: await rows(engine, f"SELECT * FROM {name} ORDER BY 1") for name in tables}  # noqa: S608 - the names above


def url_of(engine: AsyncEngine) -> str:
    """Return the address that leads there."""
    return engine.url.render_as_string(hide_password=False)


async def test_what_was_the_only_asterisk_gets_its_name_and_every_row_is_kept(engine: AsyncEngine) -> None:
    """Its calls, its attempts, and its lease with the term that they were made under."""
    before = await contents(engine)
    await move(engine, "0005")
    after = await contents(engine)
    for name in ("attempts", "calls"):
        assert after[name] == [{**row, "pbx": "asterisk"} for row in before[name]]
    (was,), (lease,) = before["leases"], after["leases"]
    del was["id"]
    assert lease == {**was, "name": "pbx:asterisk", "member": "", "wanted_by": ""}


async def test_who_starts_after_the_upgrade_goes_on_where_the_version_before_stopped(engine: AsyncEngine) -> None:
    """It waits until the old lease is over, finds the call that goes on, and dials under a higher term."""
    clock = HandClock(THEN + timedelta(seconds=1))
    async with store_at(url_of(engine), clock) as store:
        theirs = await store.leases.take(lease_of_pbx(), "one.1", "one", 3)
        assert (theirs.holder, theirs.member, theirs.term) == (LEASE["holder"], "", 7)
        clock.turn(3)
        assert await store.leases.take(lease_of_pbx(), "one.1", "one", 3) == Lease(
            lease_of_pbx(), "one.1", "one", 8, clock.now() + timedelta(seconds=3)
        )
        (opened,) = await store.promises.open_attempts()
        assert (opened.attempt.id, opened.attempt.term) == ("a1", 7)
        promise = await store.promises.get("p2")
        assert await store.promises.hold(promise, "asterisk", 8) is None
        attempt = Attempt("new", promise_id="p2", number=promise.number, agent="hanako", started_at=THEN, term=8)
        assert isinstance(await store.promises.open_attempt(promise, attempt), Promise)
        assert await store.calls.close_orphans(frozenset(), ended_at=THEN) == 1


async def test_the_way_back_leaves_one_lease_whose_term_is_as_high_as_any_that_was_dialled_under(
    engine: AsyncEngine,
) -> None:
    """The version before knows one Asterisk; its next term is above all that the attempts have. Holds go."""
    before = await contents(engine)
    await migrate(engine)
    end = {"expires_at": THEN, "wanted_by": ""}
    await write(
        engine,
        ("leases", {"name": MAIL, "holder": "h", "member": "m", "term": 99, **end}),
        ("leases", {"name": "pbx:pbx-2", "holder": "h", "member": "m", "term": 31, **end}),
        ("holds", {"promise_id": "p2", "pbx": "pbx-2", "term": 31}),
    )
    await move(engine, "0004")
    after = await contents(engine)
    before["leases"][0]["term"] = 31
    assert after == before


async def test_the_way_back_from_a_database_without_leases_leaves_none(engine: AsyncEngine) -> None:
    """The next version but one takes the first."""
    await migrate(engine)
    await write(
        engine,
        ("leases", {"name": MAIL, "holder": "h", "member": "m", "term": 99, "expires_at": THEN, "wanted_by": ""}),
    )
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM leases WHERE name != 'mail'")
    await move(engine, "0004")
    assert await rows(engine, "SELECT * FROM leases") == []
