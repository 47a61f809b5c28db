"""A day of a hundred thousand calls is read by index: no statement of the facts goes through a table of other days."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from controller.domain.agents import AgentState
from controller.domain.line import Decision, WaiterKind
from controller.ports.agent_spans import SpanRecord
from controller.store.tables import metadata
from tests.contract.store_under_test import NOON, HandClock, dialling, store_at

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store

LOOKED_UP = re.compile(r"^(?:SEARCH|SCAN) (\w+)(.*)$")
SHORT_NAMES = {"wrapped": "agent_spans", "later": "agent_spans"}


async def _something_of_each(store: Store) -> None:
    """Write a call, a promise and a talk that go on, and what is over beside them."""
    await store.calls.arrived("call-1", dialled="0312345678", number=None, arrived_at=NOON)
    promise = await dialling(store)
    turn = Decision(NOON, "sales", "customer-attempt-1", WaiterKind.LIVE, "taro", NOON, 1, False, False, ())
    await store.line_audit.record([turn, replace(turn, waiter_id=promise.id, kind=WaiterKind.PROMISE)])
    talk = SpanRecord("taro", AgentState.ON_CALL, NOON, waiter_id=promise.id, kind=WaiterKind.PROMISE, queue="sales")
    over = replace(talk, agent="umi", until=NOON + timedelta(seconds=9))
    await store.agent_spans.record([talk, over])


async def test_no_table_is_read_whole_for_the_figures_of_a_day(tmp_path: Path) -> None:
    """Each step of SQLite's plan that reads a table of ours says which index leads it there."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:
        sent: list[tuple[str, Any]] = []

        def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
            if re.match("SELECT|WITH|UPDATE", statement):
                sent.append((statement, parameters))

        event.listen(store.database.sync_engine, "before_cursor_execute", remember)
        for queue in (None, "sales"):
            await store.facts.facts(NOON, NOON + timedelta(days=1), as_of=NOON, queue=queue)
        await _something_of_each(store)
        day = store.facts.so_far(NOON, NOON + timedelta(days=1))
        for _ in range(2):
            await day.read(NOON + timedelta(seconds=90))
        span = SpanRecord("hanako", AgentState.AVAILABLE, NOON)
        await store.agent_spans.record([span])
        await store.agent_spans.close_left_open(span.pbx, before=NOON + timedelta(seconds=1))
        assert len(sent) > 20
        async with store.database.engine.connect() as connection:
            for statement, parameters in sent:
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                for step in plan.mappings():
                    read = LOOKED_UP.match(str(step["detail"]))
                    if read and SHORT_NAMES.get(read[1], read[1]) in metadata.tables:
                        assert re.search(r"USING (?:COVERING )?INDEX|PRIMARY KEY", read[2]), (statement, step["detail"])
                        # All of an index is no better than all of the table, unless it is read from one end.
                        assert read[0].startswith("SEARCH") or "min(" in statement.lower(), (statement, step["detail"])
