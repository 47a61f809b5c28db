from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill, SmsLimits
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
RETRY_AT = THEN + timedelta(hours=3)
SETTLED = THEN + timedelta(seconds=9)
NUMBER = "+819011112222"
PROMISE = {
    **dict.fromkeys(("since", "made_at", "not_before", "expires_at"), THEN),
    "queue": "sales",
    "language": "ja",
    "state": "waiting",
    "attempts_used": 1,
    "version": 3,
}
SMS = {"number": NUMBER, "language": "ja", "queue": "sales", "tries": 1, "queued_at": THEN, "not_before": THEN}
_TABLES = ("promises", "sms_outbox")


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """Connect to a database as the third version left it: SMS that wait, that were sent, and that were not."""
    connected = connect_to(ENGINES[request.param](tmp_path), busy_timeout_s=1)
    await move(connected, "0003")
    settled = {**SMS, "template": "not_reached", "settled_at": SETTLED}
    await write(
        connected,
        ("promises", {**PROMISE, "id": "p1", "number": NUMBER}),
        ("sms_outbox", {**settled, "key": "p1:not_reached", "status": "sent", "reference": "ref"}),
        ("sms_outbox", {**SMS, "key": "p1:gave_up", "template": "gave_up", "status": "queued", "not_before": RETRY_AT}),
        ("sms_outbox", {**settled, "key": "gone:not_reached", "status": "failed", "error": "no"}),
        ("sms_outbox", {**SMS, "key": "page:p1:1", "template": "web_page", "status": "unknown"}),
        ("sms_outbox", {**SMS, "key": "p1", "template": "missed_you", "status": "blocked"}),
    )
    yield connected
    await connected.dispose()


async def contents(engine: AsyncEngine) -> dict[str, list[dict[str, Any]]]:
    """Return all that the tables hold that were changed."""
    return {name: await rows(engine, f"SELECT * FROM {name} ORDER BY id") for name in _TABLES}  # noqa: S608 - the names above


async def test_every_row_is_kept_and_each_sms_knows_its_promise_and_until_when_it_is_of_use(
    engine: AsyncEngine,
) -> None:
    """The promise by its key, where there is one; twelve hours, for one that waits from its next try on."""
    before = await contents(engine)
    await migrate(engine)
    after = await contents(engine)
    for name, was in before.items():
        for old, new in zip(was, after[name], strict=True):
            assert {**new, **old} == new
    assert {row["told_late"] for row in after["promises"]} == {0}
    assert [row["promise_id"] for row in after["sms_outbox"]] == ["p1", "p1", None, None, None]
    until = {row["key"]: row["valid_until"] for row in after["sms_outbox"]}
    told = {key: str(at)[:19] for key, at in until.items()}  # SQLite keeps a text, PostgreSQL an instant
    assert told == dict.fromkeys(until, "2030-05-06 11:00:00") | {"p1:gave_up": "2030-05-06 14:00:00"}
    sent = {row["key"]: row["sent_at"] for row in after["sms_outbox"] if row["sent_at"] is not None}
    told = {key: str(at)[:19] for key, at in sent.items()}
    assert told == {"p1:not_reached": "2030-05-05 23:00:09", "page:p1:1": "2030-05-05 23:00:00"}


async def test_sms_of_before_fill_the_caps_of_after_and_what_waits_is_sent(engine: AsyncEngine) -> None:
    """The upgrade is no way around a cap."""
    clock = HandClock(RETRY_AT)
    async with store_at(str(engine.url), clock) as store:
        for most, status in ((3, SmsStatus.SENDING), (2, SmsStatus.BLOCKED)):
            await write(
                engine,
                (
                    "sms_outbox",
                    {
                        **SMS,
                        "key": f"{most}",
                        "template": "gave_up",
                        "status": "queued",
                        "valid_until": RETRY_AT + timedelta(hours=1),
                    },
                ),
            )
            sms = await store.outbox.due(clock.now())
            assert sms is not None
            claim = await store.outbox.claim(sms, SmsBill(1), SmsLimits(per_number=most), clock.now())
            assert claim.status is status


async def test_the_way_back_keeps_what_the_third_version_knows(engine: AsyncEngine) -> None:
    """What a receipt said stays as far as it has a word for it; a text that it cannot write goes, if it still waits."""
    before = await contents(engine)
    await migrate(engine)
    now = {**SMS, "valid_until": THEN, "promise_id": "p1"}
    await write(
        engine,
        ("sms_outbox", {**now, "key": "a", "template": "expired", "status": "delivered"}),
        ("sms_outbox", {**now, "key": "b", "template": "code", "status": "undelivered", "receipt_error": "no phone"}),
        ("sms_outbox", {**now, "key": "c", "template": "expired", "status": "lapsed", "error": "too late"}),
        ("sms_outbox", {**now, "key": "d" * 255, "template": "code", "status": "sent"}),
        ("sms_outbox", {**now, "key": "e", "template": "code", "status": "queued"}),
        (
            "booking_links",
            {
                "id": "l",
                "purpose": "promise",
                "queue": "sales",
                "number": NUMBER,
                "language": "ja",
                "promise_id": "p1",
                "expires_at": THEN,
            },
        ),
    )
    await move(engine, "0003")
    after = await contents(engine)
    new = after["sms_outbox"][5:]
    del after["sms_outbox"][5:]
    assert after == before
    assert [(row["status"], row["error"]) for row in new] == [
        ("sent", None),
        ("failed", "no phone"),
        ("failed", "too late"),
        ("sent", None),
    ]
    assert [len(row["key"]) <= 128 for row in new] == [True] * 4
    assert len({row["key"] for row in new}) == 4
