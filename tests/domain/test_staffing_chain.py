"""Erlang A against two ways of reckoning that share no line with it: a chain of states, and calls played with dice."""

from __future__ import annotations

from heapq import heappop, heappush
from math import exp, log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.domain.staffing import Demand, expected


def demand_of(traffic: float) -> Demand:
    """Return the calls of half an hour, of three minutes each, that make so many erlangs."""
    return Demand(calls=traffic * 10, handle_s=180, length_s=1800)


def chain(agents: int, traffic: float, impatience: float) -> list[float]:
    """Return how likely so many calls are in the house at once: birth and death, straight from its definition."""
    logs = [0.0]
    while len(logs) < agents + 2 or logs[-1] > max(logs) - 45:
        state = len(logs)
        leaving = min(state, agents) + max(0, state - agents) * impatience
        logs.append(logs[-1] + log(traffic / leaving))
    weights = [exp(each - max(logs)) for each in logs]
    return [each / sum(weights) for each in weights]


def served_by(agents: int, impatience: float, within: float, ahead_at_most: int) -> list[float]:
    """Return, by how many wait before a caller, how likely an agent takes the caller in time; all agents are busy.

    The chain of those ahead, stepped in jumps of a Poisson process (uniformisation).
    """
    rate = agents + (ahead_at_most + 1) * impatience
    chances = [0.0] * (ahead_at_most + 1)  # after no jump
    weight, answer = exp(-rate * within), [0.0] * (ahead_at_most + 1)
    for jump in range(1, int(rate * within + 12 * (rate * within) ** 0.5 + 40)):
        nearer = [1.0, *chances[:-1]]
        chances = [
            (
                (agents + ahead * impatience) * nearer[ahead]
                + (rate - agents - (ahead + 1) * impatience) * chances[ahead]
            )
            / rate
            for ahead in range(ahead_at_most + 1)
        ]
        weight *= rate * within / jump
        answer = [sofar + weight * chance for sofar, chance in zip(answer, chances, strict=True)]
    return answer


@given(agents=st.integers(1, 60), load=st.floats(0.05, 2.0), impatience=st.floats(0.02, 50))
def test_erlang_a_is_the_chain_that_it_is_defined_by(agents: int, load: float, impatience: float) -> None:
    """How many wait, and so how many give up, are sums over the chain; ours are integrals."""
    traffic = agents * load
    found = expected(demand_of(traffic), agents, 20, patience_s=180 / impatience)
    chances = chain(agents, traffic, impatience)
    in_line = sum((state - agents) * chance for state, chance in enumerate(chances) if state > agents)
    assert found.wait_probability == pytest.approx(sum(chances[agents:]), rel=1e-7, abs=1e-12)
    assert found.abandon_share == pytest.approx(impatience * in_line / traffic, rel=1e-7, abs=1e-12)
    busy = sum(min(state, agents) * chance for state, chance in enumerate(chances))
    assert found.occupancy == pytest.approx(busy / agents, rel=1e-9)


@settings(max_examples=25)
@given(
    agents=st.integers(1, 20),
    load=st.floats(0.3, 1.5),
    impatience=st.floats(0.1, 5),
    within=st.sampled_from([0.02, 0.11, 0.5]),
)
def test_the_service_level_of_erlang_a_is_the_one_of_the_chain(
    agents: int, load: float, impatience: float, within: float
) -> None:
    """By how many wait ahead: how likely all of them are gone, and the caller is not, in time."""
    traffic = agents * load
    chances = chain(agents, traffic, impatience)
    in_time = served_by(agents, impatience, within, len(chances) - agents - 1)
    by_chain = sum(chances[:agents]) + sum(chance * in_time[ahead] for ahead, chance in enumerate(chances[agents:]))
    found = expected(demand_of(traffic), agents, within * 180, patience_s=180 / impatience)
    assert found.service_level == pytest.approx(by_chain, abs=1e-8)


def simulated(
    agents: int, demand: Demand, patience_s: float, within_s: float, calls: int
) -> tuple[float, float, float]:
    """Return (service level, abandon share, ASA) of so many played calls, served in the order of arrival."""
    dice = Random(7)  # noqa: S311 - not a secret
    rate = demand.calls / demand.length_s
    free_at = [0.0] * agents
    now, in_time, gave_up, waited_s = 0.0, 0, 0, 0.0
    for _ in range(calls):
        now += dice.expovariate(rate)
        wait_s, patience = max(0.0, free_at[0] - now), dice.expovariate(1 / patience_s)
        if wait_s > patience:
            gave_up += 1
            continue
        heappop(free_at)
        heappush(free_at, now + wait_s + dice.expovariate(1 / demand.handle_s))
        in_time += wait_s <= within_s
        waited_s += wait_s
    return in_time / calls, gave_up / calls, waited_s / (calls - gave_up)


@pytest.mark.parametrize(("agents", "patience_s"), [(10, 120.0), (12, 60.0), (8, 300.0)])
def test_played_calls_come_to_the_same(agents: int, patience_s: float) -> None:
    """60,000 calls with dice: neither the formula nor the chain is in it."""
    demand = demand_of(10)
    level, gave_up, asa_s = simulated(agents, demand, patience_s, 20, calls=60_000)
    found = expected(demand, agents, 20, patience_s=patience_s)
    assert found.service_level == pytest.approx(level, abs=0.015)
    assert found.abandon_share == pytest.approx(gave_up, abs=0.01)
    assert found.asa_s == pytest.approx(asa_s, rel=0.05)
