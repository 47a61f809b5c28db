from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.caps import Caps
from controller.domain.promise import Attempt
from controller.ports.promises import NotClaimed, NotClaimedReason
from controller.store.dialect import connect_to
from controller.store.migrate import migrate
from tests.contract.databases import ENGINES
from tests.contract.store_under_test import HandClock, store_at
from tests.migrations.test_kept_rows import move, rows, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from sqlalchemy.ext.asyncio import AsyncEngine

THEN = datetime(2030, 5, 5, 23, 0, tzinfo=UTC)
ENDED = THEN + timedelta(seconds=30)
NUMBER, BLOCKED = "+819011112222", "+819033334444"
TIMES = {"since": THEN, "made_at": THEN, "not_before": THEN, "expires_at": THEN + timedelta(days=9)}
PROMISE = {**TIMES, "queue": "sales", "language": "ja", "state": "waiting", "attempts_used": 1, "version": 3}
ATTEMPT = {"promise_id": "p1", "number": NUMBER, "agent": "hanako", "started_at": THEN, "ended_at": ENDED}
SMS = {"template": "expired", "language": "ja", "queue": "sales", "tries": 0, "queued_at": THEN, "not_before": THEN}
_TABLES = ("promises", "attempts", "sms_outbox")


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the second version left it: calls that left, calls that did not, one that goes on."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0002")
    await write(
        connected,
        ("promises", {**PROMISE, "id": "p1", "number": NUMBER}),
        ("promises", {**PROMISE, "id": "p2", "number": BLOCKED}),
        ("promises", {**PROMISE, "id": "p3", "number": "+819055556666", "state": "dialling"}),
        ("attempts", {**ATTEMPT, "id": "a1", "outcome": "busy"}),
        ("attempts", {**ATTEMPT, "id": "a2", "outcome": "not_placed"}),
        ("attempts", {**ATTEMPT, "id": "a3", "outcome": "outside_hours"}),
        ("attempts", {**ATTEMPT, "id": "a4", "outcome": "withdrawn"}),
        ("attempts", {**ATTEMPT, "id": "a5", "promise_id": "p3", "number": "+819055556666", "ended_at": None}),
        ("sms_outbox", {**SMS, "key": "k1", "number": NUMBER, "status": "queued"}),
        ("sms_outbox", {**SMS, "key": "k2", "number": BLOCKED, "status": "queued"}),
    )
    yield connected
    await connected.dispose()


async def contents(engine: AsyncEngine) -> dict[str, list[dict[str, Any]]]:
    """Return all that the tables hold that were changed."""
    return {name: await rows(engine, f"SELECT * FROM {name} ORDER BY id") for name in _TABLES}  # noqa: S608 - the names above


async def test_every_row_is_kept_and_the_calls_that_left_are_counted(engine: AsyncEngine) -> None:
    """From their end, since nobody wrote when they were placed; what never left is not counted."""
    before = await contents(engine)
    await migrate(engine)
    after = await contents(engine)
    for name, was in before.items():
        for old, new in zip(was, after[name], strict=True):
            assert {**new, **old} == new
    assert [row["dials"] for row in after["promises"]] == [2, 0, 1]
    ends = {row["id"]: row["ended_at"] or row["started_at"] for row in before["attempts"]}
    counted = {row["id"]: row["counts_from"] for row in after["attempts"]}
    assert counted == {**ends, "a2": None, "a3": None}
    assert {row["answered_by"] for row in after["attempts"]} == {"not_asked"}


async def test_calls_of_before_fill_the_caps_of_after(engine: AsyncEngine) -> None:
    """The upgrade is no way around a cap; and the call that goes on is still found."""
    url = str(engine.url)
    async with store_at(url, HandClock(THEN + timedelta(hours=1))) as store:
        (opened,) = await store.promises.open_attempts()
        assert (opened.attempt.id, opened.attempt.term, opened.promise.dials) == ("a5", 0, 1)
        promise = await store.promises.get("p1")
        attempt = Attempt("new", promise_id="p1", number=NUMBER, agent="hanako", started_at=THEN)
        answer = await store.promises.open_attempt(promise, attempt, Caps(per_number=2))
        assert answer == NotClaimed(NotClaimedReason.OVER_CAP, ENDED + timedelta(hours=24))


async def test_the_way_back_keeps_the_rows_and_still_neither_calls_nor_texts_a_blocked_number(
    engine: AsyncEngine,
) -> None:
    """The older version knows of no list, so what it would do is closed before it is dropped."""
    before = await contents(engine)
    await migrate(engine)
    await write(engine, ("do_not_call", {"number": BLOCKED, "reason": "STOP", "blocked_at": THEN}))
    await move(engine, "0002")
    after = await contents(engine)
    assert after["promises"].pop(1) == {**before["promises"].pop(1), "state": "cancelled", "version": 4}
    refused = {"status": "failed", "error": "the number is on the do-not-call list"}
    assert after["sms_outbox"].pop() == {**before["sms_outbox"].pop(), **refused}
    assert after == before
