"""The lease keeper, in virtual time on a real database: two controllers, one of which may place calls."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from controller.domain.promise import Attempt, PromiseState
from controller.ports.promises import Made, NewPromise, NotClaimed, NotClaimedReason
from controller.workers.lease_keeper import LEASE_S, name_of_this_process
from tests.journeys.lease_site import Site, leads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.ports.lease import Leadership
    from tests.journeys.theatre import Theatre


@pytest.fixture
def site(theatre: Theatre) -> Iterator[Site]:
    """Return a site with an empty database."""
    opened = Site(theatre)
    yield opened
    opened.close()
    theatre.empty()


def test_the_keeper_is_the_leadership_that_whoever_dials_asks(site: Site) -> None:
    """Checked by the type checker; nobody leads who has not asked yet."""
    leadership: Leadership = site.opens("one")
    assert leadership.term is None


def test_the_first_leads_and_the_second_waits(site: Site) -> None:
    """For as long as the first lives, and is told of it once."""
    first, second = site.opens_two()
    for _ in range(100):
        site.pass_s(0.7)
        assert (first.term, second.term) == (1, None)
    assert site.gained == ["one"]
    assert site.others == [("two", "one")]


def test_nobody_asks_more_often_than_they_need_to(site: Site) -> None:
    """The holder three times in a lease; who stands by, once when it would run out: a look, and no more."""
    site.opens_two()
    site.pass_s(61)
    times = {name: [at for at, who in site.asked if who == name] for name in ("one", "two")}
    assert all(later - sooner == pytest.approx(LEASE_S / 3, abs=0.01) for sooner, later in pairwise(times["one"][1:]))
    assert len(times["two"]) < 61 / LEASE_S * 3 / 2 + 2


def test_a_controller_that_was_stopped_past_its_lease_no_longer_leads_and_its_claim_is_refused(site: Site) -> None:
    """It gives up by its own clock before the other takes over, and the database refuses what it had in hand."""
    first, second = site.opens_two()
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
    assert site.is_over(first.lost())
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
    """Counted from the last renewal that was sent. When it is back, the same controller leads again.

    Its office goes on all the while: nobody else has taken the lease.
    """
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
        assert not site.is_over(keeper.lost())
    site.pass_s(LEASE_S / 12 + 0.1)
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
    site.pass_s(0.1)
    assert leads(keeper)


def test_a_database_that_stands_still_for_a_second_costs_nobody_the_lease(site: Site) -> None:
    """Two seconds, even: whenever it begins."""
    keeper = site.opens("one")
    site.pass_s(1)
    for nth in range(20):
        site.freezes("one")
        for _ in range(20):
            site.pass_s(0.0999)
            assert leads(keeper)
        site.freezes("one", frozen=False)
        site.pass_s(0.5 + nth * 0.13)
    assert keeper.term == 1


def test_a_clean_end_hands_over_without_waiting_for_the_lease_to_run_out(site: Site) -> None:
    """And leads no more at once."""
    first, second = site.opens_two()
    site.pass_s(1)
    site.theatre.outside(first.release())
    assert first.term is None
    assert site.is_over(first.lost())
    site.pass_s(LEASE_S)
    assert (first.term, second.term) == (None, 2)


def test_who_hears_that_a_lease_was_given_back_has_it_at_once(site: Site) -> None:
    """Without waiting for the time at which it would have run out."""
    first, second = site.opens_two()
    site.pass_s(1)
    site.theatre.outside(first.release())
    second.hear()
    site.pass_s(0.01)
    assert second.term == 2


def test_a_lease_that_is_given_back_while_a_renewal_is_on_its_way_stays_given_back(site: Site) -> None:
    """The renewal, which takes its time, would let it last on."""
    first, second = site.opens_two()
    site.pass_s(LEASE_S / 3 - 0.01)
    site.held_up = "renew"
    site.freezes("one")
    site.pass_s(0.1)
    ending = site.theatre.loop.create_task(first.release())
    site.pass_s(0.1)
    assert first.term is None
    site.freezes("one", frozen=False)
    site.pass_s(0.01)
    assert ending.done()
    second.hear()
    site.pass_s(0.01)
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
