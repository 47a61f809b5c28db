"""The sweep: when it runs, in how small steps, and what it does when the database is away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.retention import Period, Periods, cutoffs
from controller.ports.promises import StoreUnavailableError
from controller.workers.retention import BATCH_ROWS, FIRST_AFTER_S, PAUSE_S, RetentionKeeper
from tests.adapters.promise_house import LockedRoom
from tests.contract.store_under_test import HandClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

TOKYO = ZoneInfo("Asia/Tokyo")
EVENING = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)
"""21:00 in Tokyo."""
PERIODS = Periods(numbers_days=30)


class Book(LockedRoom):
    """A database with so many old calls, which may be away."""

    def __init__(self, old: int = 0, *, away: int = 0) -> None:
        self.old = old
        self.away = away
        self.asked: list[tuple[Mapping[Period, datetime], int]] = []

    async def sweep(self, before: Mapping[Period, datetime], limit: int) -> Mapping[str, int]:
        """Erase some."""
        if self.away:
            self.away -= 1
            raise StoreUnavailableError("the database does not answer")
        self.asked.append((before, limit))
        some = min(limit, self.old)
        self.old -= some
        return {"calls": some} if some else {}


@asynccontextmanager
async def kept(book: Book, clock: HandClock) -> AsyncIterator[None]:
    """Let a keeper run for the length of the block."""
    running = asyncio.create_task(RetentionKeeper(book, clock, PERIODS, TOKYO).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_it_sweeps_soon_after_the_start_and_then_at_its_hour_on_the_wall_each_day() -> None:
    """A quarter past three in Tokyo, whatever the time of the start."""
    book, clock = Book(), HandClock(EVENING)
    async with kept(book, clock):
        assert await clock.slept.get() == FIRST_AFTER_S
        assert book.asked == []
        clock.turn(FIRST_AFTER_S)
        until_s = await clock.slept.get()
        first = EVENING + timedelta(seconds=FIRST_AFTER_S)
        assert book.asked == [(cutoffs(PERIODS, first), BATCH_ROWS)]
        assert (first + timedelta(seconds=until_s)).astimezone(TOKYO).isoformat() == "2030-05-07T03:15:00+09:00"
        clock.turn(until_s)
        assert await clock.slept.get() == 24 * 3600
        assert len(book.asked) == 2


async def test_much_is_swept_in_small_steps_with_a_pause_between_them() -> None:
    """Whoever takes calls comes first."""
    book, clock = Book(old=2 * BATCH_ROWS + 1), HandClock(EVENING)
    async with kept(book, clock):
        await clock.slept.get()
        clock.turn(FIRST_AFTER_S)
        for left in (BATCH_ROWS + 1, 1, 0):
            assert await clock.slept.get() == PAUSE_S
            assert book.old == left
            clock.turn(PAUSE_S)
        assert await clock.slept.get() > 3600


async def test_a_database_that_is_away_is_waited_for() -> None:
    """In growing pauses; then it goes on."""
    book, clock = Book(old=1, away=2), HandClock(EVENING)
    async with kept(book, clock):
        pauses = []
        for _ in range(5):
            pauses.append(await clock.slept.get())
            clock.turn(pauses[-1])
        assert pauses[:4] == [FIRST_AFTER_S, 1.0, 2.0, PAUSE_S]
        assert book.old == 0
