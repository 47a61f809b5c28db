from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import StatementError

from controller.domain.line import Decision, WaiterKind
from controller.ports.promises import StoreUnavailableError
from controller.store.listing import list_decisions
from tests.contract.store_under_test import NOON, refuse_writes, rows

if TYPE_CHECKING:
    from controller.store import Store

DECISION = Decision(
    at=NOON,
    queue="sales",
    waiter_id="call-1",
    kind=WaiterKind.LIVE,
    agent="hanako",
    since=NOON - timedelta(minutes=3),
    place=2,
    urgent=True,
    starving=False,
    passed=("promise-1", "call-0"),
)
OTHER = replace(
    DECISION, waiter_id="promise-2", kind=WaiterKind.PROMISE, urgent=False, starving=True, queue="support", passed=()
)


async def test_decisions_are_read_as_they_were_written_newest_first(url: str, store: Store) -> None:
    """Two of the same instant in the order in which they were made."""
    await store.line_audit.record([DECISION, OTHER])
    later = replace(OTHER, at=NOON + timedelta(seconds=1))
    await store.line_audit.record([later])
    assert await list_decisions(url, queue=None, limit=9) == [later, OTHER, DECISION]
    assert await list_decisions(url, queue="sales", limit=9) == [DECISION]
    assert await list_decisions(url, queue=None, limit=2) == [later, OTHER]


async def test_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    """A batch that failed is written again: what was half written would be there twice."""
    naive = replace(OTHER, at=NOON.replace(tzinfo=None))
    with pytest.raises(StatementError, match="has no time zone"):
        await store.line_audit.record([DECISION, naive])
    assert await rows(store, "SELECT id FROM line_decisions") == []


async def test_no_decisions_need_no_database(store: Store) -> None:
    """Nothing is sent at all."""
    await refuse_writes(store)
    await store.line_audit.record([])
    with pytest.raises(StoreUnavailableError, match="can be read but not written"):
        await store.line_audit.record([DECISION])
