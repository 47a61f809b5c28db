"""Erlang C and A against printed figures, and against each other; and the agents that are needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.intervals import Interval
from controller.domain.staffing import (
    MOST_AGENTS,
    Demand,
    Expected,
    Target,
    agents_needed,
    day_plan,
    erlang_b,
    erlang_c,
    expected,
    rostered,
)

agents_st = st.integers(1, 60)
loads = st.floats(0.05, 2.0)
"""Erlangs by agent."""
patience_st = st.floats(5, 3600)


def demand_of(traffic: float, handle_s: float = 180.0) -> Demand:
    """Return the calls of half an hour that make so many erlangs."""
    return Demand(calls=traffic * 1800 / handle_s, handle_s=handle_s, length_s=1800)


def long_hand_erlang_c(agents: int, traffic: Fraction) -> float:
    """Return Erlang C as it stands in books, in exact fractions."""
    term, before = Fraction(1), Fraction(0)
    for nth in range(agents):
        before += term
        term = term * traffic / (nth + 1)
    waiting = term * agents / (agents - traffic)
    return float(waiting / (before + waiting))


@pytest.mark.parametrize(
    ("agents", "traffic", "blocked"), [(1, 1.0, 0.5), (2, 1.0, 0.2), (10, 4.4612, 0.01), (100, 84.064, 0.01)]
)
def test_erlang_b_is_what_the_tables_say(agents: int, traffic: float, blocked: float) -> None:
    """Two by hand; two of the columns for 1 % of the tables in every teletraffic handbook (ITU-D SG 2/16, annex)."""
    assert erlang_b(agents, traffic) == pytest.approx(blocked, rel=1e-3)


def test_the_example_of_the_r_package_erlangc_comes_out_to_the_last_digit_that_it_prints() -> None:
    """100 calls in 30 minutes of 3 minutes each, 14 agents, 20 s: the page of CRAN's ErlangC 0.1.0."""
    found = expected(Demand(calls=100, handle_s=180, length_s=1800), 14, 20)
    assert found.wait_probability == pytest.approx(0.1741319, abs=5e-8)
    assert found.service_level == pytest.approx(0.88835, abs=5e-6)
    assert found.asa_s == pytest.approx(7.83593701177724)
    assert found.occupancy == pytest.approx(0.7142857, abs=5e-8)
    assert found.abandon_share == 0


@pytest.mark.parametrize(("traffic", "agents"), [(10, 14), (100, 106)])
def test_the_agents_for_a_mean_wait_are_those_of_another_calculator(traffic: float, agents: int) -> None:
    """180 s a call, 15 s on average: Abstract Micro's ErlcNsrvFromWait says 13.164668 and 105.64029, in parts."""
    target = Target(service_level=0, answer_within_s=0, asa_s=15)
    found = agents_needed(demand_of(traffic), target)
    assert found is not None
    assert found.agents == agents


def test_with_and_without_patience_is_as_garnett_mandelbaum_and_reiman_print_it() -> None:
    """M&SOM 4 (2002), table 1: 50 agents, 48 calls a minute of a minute each, a patience of two minutes.

    Without: 20.8 s, 96 % busy. With: 3.1 % give up, all wait 3.7 s on average, 93 % busy.
    """
    demand = Demand(calls=48, handle_s=60, length_s=60)
    without, with_patience = expected(demand, 50, 20), expected(demand, 50, 20, patience_s=120)
    assert (round(without.asa_s, 1), round(without.occupancy, 2)) == (20.8, 0.96)
    assert round(with_patience.abandon_share, 3) == 0.031
    assert round(with_patience.abandon_share * 120, 1) == 3.7  # every caller's wait: those who give up by patience
    assert round(with_patience.occupancy, 2) == 0.93


@given(agents=agents_st, share=st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50))
def test_erlang_c_is_the_one_of_the_books(agents: int, share: Fraction) -> None:
    """In exact fractions, with the sums written out."""
    traffic = agents * share
    assert erlang_c(agents, float(traffic)) == pytest.approx(long_hand_erlang_c(agents, traffic), rel=1e-9)


def test_nothing_overflows_up_to_two_thousand_agents() -> None:
    """Where powers and factorials are beyond any float; and Erlang B's own rule of thumb at full load holds."""
    for agents in range(1, 2001, 37):
        for share in (0.001, 0.5, 0.99, 0.9999):
            assert 0 <= erlang_b(agents, agents * share) <= erlang_c(agents, agents * share) <= 1
    assert erlang_b(2000, 2000) == pytest.approx((2 / (3.141592653589793 * 2000)) ** 0.5, rel=0.02)


@given(agents=agents_st, load=st.floats(0.05, 0.97))
def test_with_patience_without_end_erlang_a_is_erlang_c(agents: int, load: float) -> None:
    """A hundred years of patience: who gives up in them are those whose wait is over first, mean wait / patience."""
    demand, patience_s = demand_of(agents * load), 100 * 365 * 86_400.0
    ever, long = expected(demand, agents, 20), expected(demand, agents, 20, patience_s=patience_s)
    assert long.wait_probability == pytest.approx(ever.wait_probability, rel=1e-4)
    assert long.service_level == pytest.approx(ever.service_level, rel=1e-4)
    assert long.asa_s == pytest.approx(ever.asa_s, rel=1e-3)
    assert long.abandon_share == pytest.approx(ever.asa_s / patience_s, rel=1e-3, abs=1e-15)


@given(agents=agents_st, load=loads)
def test_without_any_patience_erlang_a_is_erlang_b(agents: int, load: float) -> None:
    """Who finds no free agent is gone."""
    found = expected(demand_of(agents * load), agents, 20, patience_s=1e-6)
    assert found.abandon_share == pytest.approx(erlang_b(agents, agents * load), rel=1e-3, abs=1e-9)


@given(agents=st.integers(1, 2000), load=st.floats(0.01, 20), patience_s=st.floats(1e-3, 1e9))
def test_every_share_is_a_share_however_odd_the_centre(agents: int, load: float, patience_s: float) -> None:
    """Nor is anything lost: who is served keeps agents busy. With T = 0, who is in time is who does not wait."""
    demand = demand_of(agents * load)
    found = expected(demand, agents, 20, patience_s=patience_s)
    for share in (found.wait_probability, found.service_level, found.abandon_share, found.occupancy):
        assert 0 <= share <= 1 + 1e-12
    assert found.occupancy == pytest.approx(load * (1 - found.abandon_share), rel=1e-9)
    assert found.service_level <= 1 - found.abandon_share + 1e-9
    at_once = expected(demand, agents, 0, patience_s=patience_s)
    assert at_once.service_level == pytest.approx(1 - found.wait_probability, abs=1e-12)


@given(agents=st.integers(1, 300), load=st.floats(0.1, 3), patience_s=st.one_of(st.none(), patience_st))
def test_one_agent_more_makes_nothing_worse(agents: int, load: float, patience_s: float | None) -> None:
    """For the callers, and for the agents."""
    demand = demand_of(agents * load)
    few, more = (expected(demand, each, 20, patience_s) for each in (agents, agents + 1))
    for name, least in (("service_level", few.service_level),):
        assert getattr(more, name) >= least - 1e-9
    for name in ("wait_probability", "abandon_share", "occupancy"):
        assert getattr(more, name) <= getattr(few, name) + 1e-9
    assert more.asa_s <= few.asa_s * (1 + 1e-9)


@given(
    traffic=st.floats(0.01, 300),
    level=st.sampled_from([0.5, 0.8, 0.95, 0.999]),
    patience_s=st.one_of(st.none(), patience_st),
    busy=st.sampled_from([None, 0.85]),
)
def test_the_agents_that_are_needed_are_the_least_that_do(
    traffic: float, level: float, patience_s: float | None, busy: float | None
) -> None:
    """One less would not."""
    target, demand = Target(service_level=level, occupancy=busy), demand_of(traffic)
    found = agents_needed(demand, target, patience_s)
    assert found is not None
    assert found == expected(demand, found.agents, target.answer_within_s, patience_s)
    assert found.meets(target)
    if found.agents > 1:
        assert not expected(demand, found.agents - 1, target.answer_within_s, patience_s).meets(target)


def test_impatient_callers_alone_do_not_make_a_target() -> None:
    """A large centre answers 80 % within 20 s with 13 % who hang up; the default target does not call that reached."""
    demand = Demand(calls=108_000, handle_s=60, length_s=3600)
    lenient = agents_needed(demand, Target(abandon_share=None), patience_s=120)
    found = agents_needed(demand, Target(), patience_s=120)
    assert lenient is not None
    assert found is not None
    assert lenient.abandon_share > 0.1
    assert found.abandon_share <= 0.05
    assert lenient.agents < found.agents


def test_with_too_few_agents_the_line_grows_for_ever_unless_callers_give_up() -> None:
    """Erlang C says so; Erlang A has an answer also then."""
    demand = demand_of(10)
    assert expected(demand, 10, 20) == Expected(10, 1.0, 0.0, inf, 0.0, 1.0)
    assert expected(demand, 9, 20, patience_s=60).abandon_share > 0.1


def test_no_calls_need_nobody() -> None:
    """Nor does one agent then wait for anybody's target."""
    nothing = Demand(calls=0, handle_s=180, length_s=1800)
    assert agents_needed(nothing, Target()) == Expected(0, 0.0, 1.0, 0.0, 0.0, 0.0)
    assert expected(nothing, 1, 20, patience_s=60) == Expected(1, 0.0, 1.0, 0.0, 0.0, 0.0)


def test_what_not_even_ten_thousand_agents_do_has_no_answer() -> None:
    """Rather than an endless search."""
    assert agents_needed(demand_of(MOST_AGENTS + 5), Target()) is None
    assert agents_needed(demand_of(1), Target(occupancy=1e-9)) is None


def test_a_day_is_planned_interval_by_interval() -> None:
    """With the busiest quarter in the middle."""
    start = datetime(2026, 11, 24, tzinfo=UTC)
    quarters = [Interval(start + timedelta(minutes=at), start + timedelta(minutes=at + 15)) for at in (0, 15, 30)]
    demands = [Demand(calls=calls, handle_s=240, length_s=900) for calls in (10, 60, 0)]
    plan = day_plan(zip(quarters, demands, strict=True), Target())
    assert [each.interval for each in plan] == quarters
    assert [each.demand for each in plan] == demands
    assert [each.expected for each in plan] == [agents_needed(each, Target()) for each in demands]
    assert [each.expected and each.expected.agents for each in plan] == [5, 20, 0]


def test_the_roster_has_more_people_than_there_are_phones_to_take() -> None:
    """14 agents at 30 % who are away: 20, as pyworkforce's own page has it."""
    assert rostered(14, 0.3) == 20
    assert rostered(14, 0) == 14
    with pytest.raises(ValueError, match="no roster"):
        rostered(14, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Demand(calls=-1, handle_s=180, length_s=1800),
        lambda: Demand(calls=float("nan"), handle_s=180, length_s=1800),
        lambda: Demand(calls=1, handle_s=0, length_s=1800),
        lambda: Demand(calls=1, handle_s=180, length_s=0),
        lambda: Target(service_level=1),
        lambda: Target(occupancy=0),
        lambda: Target(answer_within_s=-1),
        lambda: expected(demand_of(1), 0, 20),
        lambda: expected(demand_of(1), 2, 20, patience_s=0),
        lambda: expected(demand_of(1), 2, 20, patience_s=inf),
        lambda: erlang_b(-1, 2),
        lambda: erlang_c(2, float("nan")),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: object) -> None:
    """Rather than reckoned with."""
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"no |nobody|none"):
        wrong()
