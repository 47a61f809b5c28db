"""The lease keeper, in virtual time on a real database: two controllers, one of which may place calls."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest

from controller.domain.promise import Attempt, PromiseState
from controller.ports.promises import Made, NewPromise, NotClaimed, NotClaimedReason
from controller.workers.lease_keeper import LeaseKeeper, name_of_this_process
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from controller.ports.lease import Leadership, LeaseBook
    from tests.journeys.theatre import Theatre

LEASE_S = 4.0


class Site:
    """Two controllers on one database; each can be frozen, as a machine is."""

    def __init__(self, theatre: Theatre) -> None:
        theatre.empty()
        self.theatre = theatre
        self.asked: list[tuple[float, str]] = []
        self.gained: list[str] = []
        self.frozen: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def opens(self, name: str) -> LeaseKeeper:
        """Start a controller."""
        loop = self.theatre.loop
        self.frozen[name] = asyncio.Event()
        self.frozen[name].set()
        book = cast("LeaseBook", Watched(self.theatre.store.leases, loop, self._reaches(name)))
        keeper = LeaseKeeper(book, self.theatre.clock, holder=name, monotonic_s=loop.time, lease_s=LEASE_S)
        keeper.on_gained = lambda: self.gained.append(name)
        self.tasks.append(loop.create_task(keeper.run()))
        return keeper

    def _reaches(self, name: str) -> Callable[[str], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def reaches(_verb: str) -> AsyncIterator[None]:
            self.asked.append((self.theatre.loop.time(), name))
            await self.frozen[name].wait()
            yield

        return reaches

    def freezes(self, name: str, *, frozen: bool = True) -> None:
        """Stop a controller where it stands, or let it go on."""
        self.frozen[name].clear() if frozen else self.frozen[name].set()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.theatre.loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        """Stop both."""
        for task in self.tasks:
            task.cancel()

        async def end() -> None:
            await asyncio.gather(*self.tasks, return_exceptions=True)

        self.theatre.loop.run_until_complete(end())


@pytest.fixture
def site(theatre: Theatre) -> Iterator[Site]:
    """Return a site with an empty database."""
    opened = Site(theatre)
    yield opened
    opened.close()
    theatre.empty()


def leads(keeper: LeaseKeeper) -> bool:
    """Tell whether a controller may place calls now."""
    return keeper.term is not None


def test_the_keeper_is_the_leadership_that_whoever_dials_asks(site: Site) -> None:
    """Checked by the type checker; nobody leads who has not asked yet."""
    leadership: Leadership = site.opens("one")
    assert leadership.term is None


def test_the_first_leads_and_the_second_waits(site: Site) -> None:
    """For as long as the first lives, and is told of it once."""
    first, second = site.opens("one"), site.opens("two")
    for _ in range(100):
        site.pass_s(0.7)
        assert (first.term, second.term) == (1, None)
    assert site.gained == ["one"]


def test_nobody_asks_more_often_than_a_renewal_is_due(site: Site) -> None:
    """A lease of four seconds: each controller asks three times in it at most."""
    site.opens("one")
    site.opens("two")
    site.pass_s(60)
    for name in ("one", "two"):
        times = [at for at, who in site.asked if who == name]
        assert min(later - sooner for sooner, later in pairwise(times)) >= LEASE_S / 3 - 0.01


def test_a_controller_that_was_stopped_past_its_lease_no_longer_leads_and_its_claim_is_refused(site: Site) -> None:
    """It gives up by its own clock before the other takes over, and the database refuses what it had in hand."""
    first, second = site.opens("one"), site.opens("two")
    site.pass_s(3)
    old_term = first.term
    assert old_term is not None
    site.freezes("one")
    for _ in range(120):
        site.pass_s(0.1)
        assert first.term is None or second.term is None
    assert (first.term, second.term) == (None, 2)
    site.freezes("one", frozen=False)
    site.pass_s(0.5)
    assert (first.term, second.term) == (None, 2)
    store = site.theatre.store
    wanted = NewPromise("cards", "+819012345678", "ja", site.theatre.clock.now(), call_id="call")
    made = site.theatre.outside(store.promises.make(wanted))
    assert isinstance(made, Made)
    stale = Attempt("a1", made.promise.id, made.promise.number, "alice", site.theatre.clock.now(), term=old_term)
    refused = site.theatre.outside(store.promises.open_attempt(made.promise, stale))
    assert refused == NotClaimed(NotClaimedReason.NO_LEASE)
    ours = Attempt("a2", made.promise.id, made.promise.number, "alice", site.theatre.clock.now(), term=2)
    claimed = site.theatre.outside(store.promises.open_attempt(made.promise, ours))
    assert not isinstance(claimed, NotClaimed)
    assert claimed.state is PromiseState.DIALLING


def test_a_database_that_is_away_ends_the_leadership_when_the_lease_has_run_out_and_not_before(site: Site) -> None:
    """Counted from the last renewal that was sent. When it is back, the same controller leads again."""
    keeper = site.opens("one")
    site.pass_s(2)
    sent_s = max(at for at, _ in site.asked)
    with site.theatre.database_locked():
        while site.theatre.loop.time() < sent_s + LEASE_S - 0.05:
            assert leads(keeper)
            site.pass_s(0.02)
        site.pass_s(0.1)
        assert not leads(keeper)
        site.pass_s(20)
        assert not leads(keeper)
    site.pass_s(LEASE_S / 3 + 0.1)
    assert leads(keeper)
    assert site.gained == ["one", "one"]


def test_a_renewal_that_takes_longer_than_the_lease_gives_none(site: Site) -> None:
    """The answer came, but the time counts from the question."""
    keeper = site.opens("one")
    site.pass_s(1)
    site.freezes("one")
    site.pass_s(LEASE_S + 1)
    assert not leads(keeper)
    site.freezes("one", frozen=False)
    site.pass_s(0.05)
    assert not leads(keeper)
    site.pass_s(LEASE_S)
    assert leads(keeper)


def test_a_clean_end_hands_over_without_waiting_for_the_lease_to_run_out(site: Site) -> None:
    """And leads no more at once."""
    first, second = site.opens("one"), site.opens("two")
    site.pass_s(1)
    site.tasks[0].cancel()
    site.theatre.outside(first.release())
    assert first.term is None
    site.pass_s(LEASE_S)
    assert second.term == 2


def test_a_release_that_the_database_does_not_take_is_no_error(site: Site) -> None:
    """The lease runs out by itself."""
    keeper = site.opens("one")
    site.pass_s(1)
    site.tasks[0].cancel()
    with site.theatre.database_locked():
        site.theatre.outside(keeper.release())
    assert keeper.term is None


def test_the_name_of_a_process_tells_one_start_from_the_next(site: Site) -> None:
    """A restart may get the same process number."""
    before = name_of_this_process(site.theatre.clock.now())
    site.pass_s(0.001)
    assert name_of_this_process(site.theatre.clock.now()) != before
