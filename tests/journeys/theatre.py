"""The stage that all scenes share: an event loop with virtual time, and a real database."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import text

from controller.domain.outcome import Outcome
from controller.domain.retry_policy import RetryPolicy
from controller.store import open_store
from controller.store.tables import metadata
from tests.journeys.virtual_time import VirtualClock, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from pathlib import Path

    from controller.ports.hooks import HookWish
    from controller.ports.survey import Role
    from controller.store import Store
    from tests.journeys.scripted_call import Moment, Step

T = TypeVar("T")

LATER_S = 3600.0
POLICY = RetryPolicy(
    max_attempts=3,
    gap_s={outcome: LATER_S for outcome in Outcome if outcome not in {Outcome.AGENT_LOST, Outcome.TALKED}},
)
"""A customer who was not reached is not rung again within a scene, unless it passes an hour."""


class Theatre:
    """The loop and the database that all scenes of a run share; each scene finds the database empty."""

    def __init__(self, folder: Path, *, hooks: Sequence[HookWish] = ()) -> None:
        self.loop = VirtualTimeLoop()
        self.clock = VirtualClock(self.loop)
        self.file = folder / "orikaeshi.db"
        self.known: dict[str, dict[tuple[Step, Moment], set[Role]]] = {}
        """For the sweeps: the moments of each journey that was played already."""
        self.fresh: dict[str, set[tuple[Step, Moment]]] = {}
        """Those of them that are like no moment of a journey before."""
        self.seen: set[tuple[object, ...]] = set()
        """What all moments so far were like."""
        self._ids = itertools.count(1)
        self._opened = open_store(
            f"sqlite+aiosqlite:///{self.file}",
            policies={"cards": POLICY, "loans": POLICY},
            clock=self.clock,
            new_id=self.new_id,
            busy_timeout_s=0.01,
            hooks=hooks,
        )
        self.store: Store = self.outside(self._opened.__aenter__())

    def new_id(self) -> str:
        """Return an id that sorts by age."""
        return f"id{next(self._ids):06}"

    def close(self) -> None:
        """Close the database and the loop."""
        self.outside(self._opened.__aexit__(None, None, None))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def outside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the database while time stands still."""
        with self.loop.outside():
            return self.loop.run_until_complete(work)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""

        async def run() -> list[tuple[Any, ...]]:
            async with self.store.database.engine.begin() as connection:
                result = await connection.execute(text(statement))
                return [tuple(row) for row in result] if result.returns_rows else []

        return self.outside(run())

    def empty(self) -> None:
        """Forget everything that earlier scenes left in the database."""
        self.store.changed.clear()

        async def delete() -> None:
            async with self.store.database.engine.begin() as connection:
                for table in reversed(metadata.sorted_tables):
                    await connection.execute(table.delete())

        self.outside(delete())

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Have another process hold the database's write lock, so that every write of ours fails."""
        other = sqlite3.connect(self.file, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            yield
        finally:
            other.close()
