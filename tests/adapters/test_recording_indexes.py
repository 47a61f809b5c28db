"""Recordings of a year are looked for by index: which one, asked of the planner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from controller.domain.retention import Period
from controller.ports.recordings import After, WantedRecordings
from tests.contract.recorded import later, over
from tests.contract.store_under_test import NOON, NUMBER, HandClock, store_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from controller.store import Store

ASKED: dict[str, tuple[Callable[[Store], Awaitable[object]], str]] = {
    "those that go on": (lambda store: store.recordings.going_on("asterisk"), "ix_recordings_open"),
    "those to erase": (lambda store: store.recordings.to_erase("asterisk", 9), "ix_recordings_to_erase"),
    "of a number": (
        lambda store: store.recordings.page(WantedRecordings(spelled=(NUMBER, "0")), after=None, limit=9),
        "ix_recordings_number",
    ),
    "of a caller": (
        lambda store: store.recordings.page(WantedRecordings(waiter_id="call-1"), after=None, limit=9),
        "ix_recordings_waiter",
    ),
    "a page": (
        lambda store: store.recordings.page(WantedRecordings(), after=After(NOON, "r-1"), limit=9),
        r"ix_recordings_(kept|began_at)",
    ),
    "the sweep": (lambda store: store.privacy.sweep({Period.RECORDINGS: NOON}, 9), "ix_recordings_kept"),
    "forgetting": (lambda store: store.privacy.forget((NUMBER, "0"), NOON), "ix_recordings_number"),
    "one": (lambda store: store.recordings.find("r-1"), "sqlite_autoindex_recordings_1"),
    "an end": (lambda store: store.recordings.end("r-1", NOON), "sqlite_autoindex_recordings_1"),
}


async def test_each_question_about_recordings_has_its_index(tmp_path: Path) -> None:
    """None reads the whole table, which keeps a row for each talk when its sound is long gone."""
    async with store_at(f"sqlite+aiosqlite:///{tmp_path}/orikaeshi.db", HandClock()) as store:
        await over(store, began_at=later(-60))
        for what, (ask, index) in ASKED.items():
            plans = await plans_of(store, ask)
            assert plans, what
            for plan in plans:
                assert re.search(rf"SEARCH recordings USING (COVERING )?INDEX {index}\b", plan), (what, plan)
                assert "SCAN recordings" not in plan, (what, plan)


async def plans_of(store: Store, ask: Callable[[Store], Awaitable[object]]) -> list[str]:
    """Return how SQLite goes about each statement on recordings that a question takes."""
    sent: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if re.match("SELECT|UPDATE", statement) and "recordings" in statement:
            sent.append((statement, parameters))

    event.listen(store.database.sync_engine, "before_cursor_execute", remember)
    await ask(store)
    event.remove(store.database.sync_engine, "before_cursor_execute", remember)
    plans = []
    async with store.database.engine.connect() as connection:
        for statement, parameters in sent:
            steps = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append("; ".join(str(step["detail"]) for step in steps.mappings()))
    return plans
