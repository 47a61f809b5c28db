"""A house of which only the rooms for leaving a number are open: promises, the record of calls, the clock."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from controller.domain.caps import NO_CAPS
from controller.domain.phone_number import NumberPlan
from controller.domain.retry_policy import RetryPolicy
from controller.journeys.house import House, Queue
from controller.store import open_store
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SUPPORT = Queue(name="support", language="ja")


class LockedRoom:
    """A room that nobody has any business in."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"somebody wants {name} of a room that is locked")


@dataclass(frozen=True)
class PromiseHouse:
    """The house, and its database's file."""

    house: House
    file: Path

    def rows(self, query: str, *values: str) -> list[dict[str, Any]]:
        """Read the database as anybody else would."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query, values)]

    def endings(self) -> dict[str, tuple[str, str | None]]:
        """Return the queue and the ending of each call that was recorded."""
        return {row["id"]: (row["queue"], row["ending"]) for row in self.rows("select * from calls")}


@asynccontextmanager
async def promise_house(folder: Path, *queues: Queue) -> AsyncIterator[PromiseHouse]:
    """Open a house with a real database in `folder`, and a queue `support`, for the length of the block."""
    clock, ids, file = SystemClock(), count(1), folder / "orikaeshi.db"
    served = {queue.name: queue for queue in queues or (SUPPORT,)}
    locked: Any = LockedRoom()
    async with open_store(
        f"sqlite+aiosqlite:///{file}",
        policies={name: RetryPolicy(max_attempts=3, gap_s={}) for name in served},
        clock=clock,
        new_id=lambda: f"promise-{next(ids)}",
        busy_timeout_s=0.05,
    ) as store:
        house = House(
            line=locked,
            telephony=locked,
            promises=store.promises,
            calls=store.calls,
            queue_log=locked,
            texts=locked,
            callers=locked,
            clock=clock,
            plan=NumberPlan(),
            new_id=lambda: f"id-{next(ids)}",
            do_not_call=store.do_not_call,
            links=locked,
            leadership=locked,
            caps_for=lambda _number: NO_CAPS,
            queues=served,
        )
        yield PromiseHouse(house, file)
