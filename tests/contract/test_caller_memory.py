from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from tests.contract.store_under_test import NUMBER, OTHER_NUMBER, HandClock, refuse_writes, rows, store_at

if TYPE_CHECKING:
    from pathlib import Path

    from controller.store import Store


async def test_a_language_is_remembered_until_another_one_is_chosen(url: str, store: Store, clock: HandClock) -> None:
    """Over restarts, for its number alone."""
    assert await store.callers.language_of(NUMBER) is None
    await store.callers.remember_language(NUMBER, "en")
    async with store_at(url, HandClock()) as other:
        assert await other.callers.language_of(NUMBER) == "en"
        assert await other.callers.language_of(OTHER_NUMBER) is None
    clock.turn(3600)
    await store.callers.remember_language(NUMBER, "ja")
    assert await store.callers.language_of(NUMBER) == "ja"
    assert await rows(store, "SELECT * FROM callers") == [
        {"number": NUMBER, "language": "ja", "changed_at": "2030-05-06 04:00:00.123456"}
    ]


async def test_twenty_choices_at_once_are_one_row(store: Store) -> None:
    """An office that calls with many phones under one number."""
    await asyncio.gather(*(store.callers.remember_language(NUMBER, ("ja", "en")[n % 2]) for n in range(20)))
    assert len(await rows(store, "SELECT * FROM callers")) == 1


async def test_a_memory_that_fails_does_not_disturb_the_call(tmp_path: Path) -> None:
    """Neither writing nor reading; the number does not appear in the log."""
    path = tmp_path / "orikaeshi.db"
    log = structlog.testing.LogCapture()
    logger = structlog.wrap_logger(None, processors=[log])
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock(), log=logger) as store:
        await refuse_writes(store)
        await store.callers.remember_language(NUMBER, "en")
        store.database.sync_engine.dispose()
        path.write_bytes(b"this is not a database" * 100)
        assert await store.callers.language_of(NUMBER) is None
    assert [(entry["event"], entry["doing"]) for entry in log.entries] == [
        ("caller_memory_failed", "write"),
        ("caller_memory_failed", "read"),
    ]
    assert NUMBER not in repr(log.entries)
