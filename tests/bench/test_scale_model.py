"""The arithmetic of docs/scale.md."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scale import from_benchmarks
from bench.scale_line import growth
from bench.scale_model import GIVEN, MEASURED, Centre, Figure, erlang_wait_s
from controller.domain.staffing import erlang_b, erlang_c

FIGURES = {**GIVEN, "line_us_by_agent": Figure(1.4, "us", ""), "told_us_by_agent": Figure(0.5, "us", "")}


@given(st.integers(1, 400), st.floats(0.01, 0.999))
def test_more_wait_than_would_be_turned_away_and_never_more_than_all(agents: int, occupancy: float) -> None:
    """Who waits keeps the others waiting."""
    load = agents * occupancy
    assert 0 <= erlang_b(agents, load) <= erlang_c(agents, load) <= 1


@given(st.integers(1, 200), st.floats(0.1, 0.95))
def test_the_same_load_by_agent_waits_less_where_there_are_more_agents(agents: int, occupancy: float) -> None:
    """Why one line is better than two."""
    alone = erlang_wait_s(agents, agents * occupancy, 300)
    together = erlang_wait_s(2 * agents, 2 * agents * occupancy, 300)
    assert together <= alone


def test_too_few_agents_make_people_wait_for_ever() -> None:
    """The formula holds below that only."""
    assert erlang_wait_s(10, 10, 300) == inf
    assert erlang_c(10, 11) == 1


def test_the_load_is_shared_by_so_many_asterisks_that_none_is_busier_than_it_may_be() -> None:
    """One machine more than that is one too many."""
    centre = Centre(10_000, 300, FIGURES)
    each = FIGURES["asterisk_cores"].value * FIGURES["busy_at_most"].value
    assert (centre.asterisks - 1) * each < centre.asterisk_cores <= centre.asterisks * each


def test_the_line_costs_four_times_as_much_with_twice_the_agents() -> None:
    """Twice the calls, and each has twice as many agents looked at."""
    small, large = (Centre(agents, 300, FIGURES) for agents in (1_000, 2_000))
    assert large.line_share(2_000) == pytest.approx(4 * small.line_share(1_000))


@given(st.integers(10, 50_000))
def test_what_one_of_each_carries_does_not_depend_on_the_centre_that_is_asked(agents: int) -> None:
    """Limits are a property of the machines."""
    found = {what: most for what, most, _ in Centre(agents, 300, FIGURES).limits()}
    other = {what: most for what, most, _ in Centre(1_000, 300, FIGURES).limits()}
    assert found == pytest.approx(other)


@given(st.sampled_from(["asterisk_cores", "postgres_claims_per_s"]))
def test_a_better_machine_carries_no_fewer_agents(name: str) -> None:
    """Of its own kind, and of no other."""
    better = {**FIGURES, name: replace(FIGURES[name], value=FIGURES[name].value * 2)}
    before, after = (dict(each[:2] for each in Centre(1_000, 300, one).limits()) for one in (FIGURES, better))
    assert all(after[what] >= most for what, most in before.items())
    assert after != before


def test_what_the_benchmarks_measured_takes_the_place_of_what_was_given() -> None:
    """By the beginning of the row; the last of several, which is the largest size."""
    rows = [
        {"measurement": "claims", "what": "PostgreSQL: claims a second, 8 at once, 100,000 promises", "ours": 90.0},
        {"measurement": "claims", "what": "PostgreSQL: claims a second, 8 at once, 1,000,000 promises", "ours": 80.0},
        {"measurement": "throughput", "what": "PostgreSQL: claims a second", "ours": 1.0},
    ]
    found = from_benchmarks(rows)
    assert {name: figure.value for name, figure in found.items()} == {"postgres_claims_per_s": 80.0}
    assert found.keys() <= MEASURED.keys() <= GIVEN.keys()


def test_growth_is_the_power_between_the_smallest_and_the_largest() -> None:
    """Ten times the size at a hundred times the cost: the square."""
    assert growth((10, 50, 100), (1.0, 7.0, 100.0)) == pytest.approx(2)
