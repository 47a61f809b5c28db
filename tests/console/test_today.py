"""Today's figures, which the wallboard, the stream and the metrics of a process share."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.console.app import build
from controller.console.live import LIVE
from controller.console.today import ALL, TodaysFigures
from controller.domain.call_ending import Ending
from controller.ports.promises import StoreUnavailableError
from tests.console.house import TUESDAY_TEN

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.figure_facts import Facts, FactsSince
    from controller.ports.facts import FactsBook, FactsSoFar
    from tests.console.house import ConsoleSite


class WatchedFacts:
    """`FactsBook` of a store: it writes down each look, and is away when it is told to be."""

    def __init__(self, book: FactsBook) -> None:
        self._book = book
        self.looks: list[bool] = []
        """Of each whether all was read anew."""
        self.is_away = False

    async def facts(self, start: datetime, end: datetime, *, as_of: datetime, queue: str | None = None) -> Facts:
        """As the store does it."""
        return await self._book.facts(start, end, as_of=as_of, queue=queue)

    def so_far(self, start: datetime, end: datetime) -> FactsSoFar:
        """As the store does it."""
        return WatchedDay(self, self._book.so_far(start, end))


class WatchedDay:
    """`FactsSoFar` of `WatchedFacts`."""

    def __init__(self, watched: WatchedFacts, day: FactsSoFar) -> None:
        self._watched = watched
        self._day = day

    async def read(self, as_of: datetime) -> FactsSince:
        """As the store does it, or not at all."""
        if self._watched.is_away:
            raise StoreUnavailableError("the database is away")
        news = await self._day.read(as_of)
        self._watched.looks.append(news.is_anew)
        return news


@pytest.fixture
def watched(site: ConsoleSite) -> WatchedFacts:
    """Watch what is read."""
    return WatchedFacts(site.store.facts)


@pytest.fixture
def today(site: ConsoleSite, watched: WatchedFacts) -> TodaysFigures:
    """Return today's figures."""
    return TodaysFigures(replace(site.house, facts=watched))


async def a_call(site: ConsoleSite, call_id: str) -> None:
    """Let somebody ring, and give up."""
    now = site.clock.now()
    await site.store.calls.arrived(call_id, dialled="0312345678", number=None, arrived_at=now)
    await site.store.calls.joined(call_id, queue="support", joined_at=now)
    await site.store.calls.ended(call_id, ending=Ending.ABANDONED, ended_at=now)


async def test_however_many_ask_the_day_is_read_once_in_a_while_and_then_only_what_is_new(
    site: ConsoleSite, today: TodaysFigures, watched: WatchedFacts
) -> None:
    """The first look reads all; within the seconds for which figures are fresh there is no other."""
    await a_call(site, "call-1")
    first = await asyncio.gather(*(today.now() for _ in range(5)))
    assert all(one is first[0] for one in first)
    site.clock.turn(4.9)
    assert await today.now() is first[0]
    for nth in range(2, 6):
        site.clock.turn(30)
        await a_call(site, f"call-{nth}")
        found = await today.now()
        assert (found.totals[ALL].calls.offered, found.totals["support"].calls.offered) == (nth, nth)
        assert found.as_of == site.clock.now()
    assert watched.looks == [True, False, False, False, False]


async def test_who_leaves_while_the_figures_are_reckoned_leaves_them_to_the_others(
    site: ConsoleSite, today: TodaysFigures, watched: WatchedFacts
) -> None:
    """A browser that is closed, a scrape that took too long."""
    await a_call(site, "call-1")
    gone, stays = asyncio.create_task(today.now()), asyncio.create_task(today.now())
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).totals[ALL].calls.offered == 1
    assert gone.cancelled()
    site.clock.turn(10)
    assert (await today.now()).totals[ALL].calls.offered == 1
    assert watched.looks == [True, False]


async def test_after_a_database_that_was_away_all_is_read_anew(
    site: ConsoleSite, today: TodaysFigures, watched: WatchedFacts
) -> None:
    """What others wrote meanwhile, and how late, nobody knows."""
    await a_call(site, "call-1")
    await today.now()
    site.clock.turn(10)
    watched.is_away = True
    with pytest.raises(StoreUnavailableError):
        await today.now()
    watched.is_away = False
    assert (await today.now()).totals[ALL].calls.offered == 1
    assert watched.looks == [True, True]


async def test_a_new_day_begins_with_nothing_at_midnight_on_the_wall(
    site: ConsoleSite, today: TodaysFigures, watched: WatchedFacts
) -> None:
    """Fourteen hours after ten in the morning, in Tokyo."""
    await a_call(site, "call-1")
    assert (await today.now()).totals[ALL].calls.offered == 1
    site.clock.turn(14 * 3600 - 1)
    assert (await today.now()).totals[ALL].calls.offered == 1
    site.clock.turn(6)
    found = await today.now()
    assert found.totals[ALL].calls.offered == 0
    assert found.half_hours[ALL][0].interval.since == TUESDAY_TEN + timedelta(hours=14)
    assert watched.looks == [True, True, True]


async def test_the_console_shows_the_figures_that_it_is_handed(site: ConsoleSite, today: TodaysFigures) -> None:
    """Those that the metrics of the same process have."""
    assert build(site.house, today=today)[LIVE].today is today
