"""Who has the lease after a restart, after a death, and when the member comes home whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.workers.lease_keeper import LEASE_S
from tests.journeys.lease_site import GIVES_WAY_S, Site, leads, seek

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.journeys.theatre import Theatre


@pytest.fixture
def site(theatre: Theatre) -> Iterator[Site]:
    """Return a site with an empty database."""
    opened = Site(theatre)
    yield opened
    opened.close()
    theatre.empty()


def test_a_lease_that_was_lost_or_given_back_is_sought_again_when_it_is_asked_for_and_not_before(site: Site) -> None:
    """Whoever worked under it may have to stop first."""
    keeper = site.opens("one")
    site.pass_s(0.1)
    assert site.is_over(keeper.held())
    for _ in range(2):
        site.theatre.outside(keeper.release())
        site.pass_s(20)
        assert (keeper.term, site.is_over(keeper.lost())) == (None, True)
    held = site.theatre.loop.create_task(keeper.held())
    site.pass_s(0.01)
    assert (keeper.term, held.done()) == (2, True)
    assert not site.is_over(keeper.lost())
    site.opens("one.later")
    site.pass_s(2)
    assert site.is_over(keeper.lost())
    site.kills("one.later", 1)
    site.pass_s(20)
    assert keeper.term is None


def test_a_member_that_was_killed_and_starts_again_has_its_lease_at_once_and_dials_when_the_old_one_is_over(
    site: Site,
) -> None:
    """Its callers need not wait for it; and until then a frozen earlier life could still place a call."""
    first = site.opens("one.1")
    site.pass_s(1.5)
    renewed_s = max(at for at, _ in site.asked)
    site.kills("one.1", 0)
    second = site.opens("one.2")
    site.pass_s(0.05)
    assert site.is_over(second.held())
    while first.term is not None:
        assert second.term is None
        site.pass_s(0.01)
    site.until_s(lambda: leads(second))
    assert site.theatre.loop.time() == pytest.approx(renewed_s + LEASE_S, abs=0.05)
    site.pass_s(0.1)
    assert second.term == 2
    assert site.gained == ["one.1", "one.2"]


def test_a_member_that_gave_its_lease_back_and_starts_again_dials_at_once(site: Site) -> None:
    """Nobody can believe to have it."""
    first = site.opens("one.1")
    site.pass_s(1)
    site.theatre.outside(first.release())
    second = site.opens("one.2")
    site.pass_s(0.01)
    assert second.term == 2


def test_of_two_that_run_under_one_name_the_later_has_the_lease_and_they_do_not_take_it_from_each_other(
    site: Site,
) -> None:
    """The later one looks like a restart of the earlier, which stands by, and takes over when the later dies."""
    first = site.opens("one.1")
    site.pass_s(1)
    second = site.opens("one.2")
    seeks = site.theatre.loop.create_task(seek(first))
    site.pass_s(60)
    assert (first.term, second.term) == (None, 2)
    site.kills("one.2", 1)
    assert site.until_s(lambda: leads(first)) < LEASE_S + 0.1
    seeks.cancel()


@pytest.mark.parametrize("home", ["", "one", "two"])
def test_who_is_killed_is_replaced_in_time(site: Site, home: str) -> None:
    """Whosever home it is: within 3.6 s, so that 1.4 s of the 5 s are left for connecting and recovery."""
    first = site.opens("one", "" if home == "two" else home)
    site.pass_s(1)
    second = site.opens("two", home)
    site.pass_s(7.77)
    site.kills("one", 0)
    assert first.term == 1
    assert site.until_s(lambda: site.is_over(second.held())) < 3.6
    assert second.term == 2


def test_of_two_that_find_a_lease_free_the_one_whose_home_it_is_has_it(site: Site) -> None:
    """Although the other one looked first; and the other one has it when nobody comes."""
    other = site.opens("two", "home")
    site.pass_s(GIVES_WAY_S - 0.1)
    home = site.opens("home", "home")
    site.pass_s(20)
    assert (home.term, other.term) == (1, None)
    site.kills("home", 1)
    assert LEASE_S / 2 < site.until_s(lambda: leads(other)) < LEASE_S + GIVES_WAY_S + 0.1


def test_who_comes_home_is_waited_for_and_gets_the_lease_when_it_is_handed_back(site: Site) -> None:
    """The other one hears it with its next renewal, stops its work, and stands by from then on."""
    other = site.opens("two", "home")
    site.pass_s(10)
    assert (other.term, site.is_over(other.wanted())) == (1, False)
    home = site.opens("home", "home")
    site.pass_s(LEASE_S / 3 + 0.01)
    assert site.is_over(other.wanted())
    assert site.theatre.loop.run_until_complete(other.wanted()) == "home"
    assert (home.term, other.term) == (None, 1)
    site.theatre.outside(other.release())
    seeks = site.theatre.loop.create_task(seek(other))
    assert site.until_s(lambda: leads(home)) < LEASE_S  # nobody told it
    site.pass_s(60)
    assert (home.term, other.term) == (2, None)
    assert not site.is_over(home.wanted())
    seeks.cancel()


def test_a_lease_that_was_handed_back_to_nobody_is_taken_again(site: Site) -> None:
    """Whoever wanted it died meanwhile."""
    other = site.opens("two", "home")
    site.pass_s(10)
    site.opens("home", "home")
    site.pass_s(2)
    site.kills("home", 1)
    site.theatre.outside(other.release())
    seeks = site.theatre.loop.create_task(seek(other))
    assert LEASE_S < site.until_s(lambda: leads(other)) < LEASE_S + GIVES_WAY_S + 0.1
    seeks.cancel()
