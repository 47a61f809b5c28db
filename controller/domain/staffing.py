"""How many agents are needed: Erlang C (callers wait for ever) and Erlang A (callers have a patience).

Both take calls that come at random (Poisson) and lengths that vary at random (exponential); one queue, served in the
order of arrival. `erlang_integrals.py` says how Erlang A is reckoned. Sources: N. Gans, G. Koole, A. Mandelbaum,
"Telephone Call Centers: Tutorial, Review, and Research Prospects", M&SOM 5 (2003), section 4; A. Mandelbaum, S. Zeltyn,
"Service Engineering in Action: The Palm/Erlang-A Queue" (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, inf, isfinite
from typing import TYPE_CHECKING

from controller.domain.erlang_integrals import patient_wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.domain.intervals import Interval

MOST_AGENTS = 10_000
"""No more are looked for: what would need them is a mistake in what was asked."""


@dataclass(frozen=True, slots=True)
class Demand:
    """The calls of a time. Raises ValueError for what is none."""

    calls: float
    """How many are expected; need not be whole."""
    handle_s: float
    """AHT: talk and wrap-up."""
    length_s: float
    """How long the time is."""

    def __post_init__(self) -> None:
        if not (0 <= self.calls < inf and 0 < self.handle_s < inf and 0 < self.length_s < inf):
            raise ValueError(f"no demand of a call centre: {self}")

    @property
    def traffic(self) -> float:
        """呼量 in erlangs: calls x AHT / length."""
        return self.calls * self.handle_s / self.length_s


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached; None: whatever comes. Shares are 0 to 1. Raises ValueError for what nobody can reach."""

    service_level: float = 0.8
    """The share of all calls that are answered within `answer_within_s`."""
    answer_within_s: float = 20.0
    asa_s: float | None = None
    """Answered within this on average at most."""
    abandon_share: float | None = 0.05
    """At most; Erlang C, where nobody gives up, reaches it always. Without it Erlang A may answer four of five quickly
    because the fifth hangs up."""
    occupancy: float | None = None
    """At most: people who are busy without a pause do not stay."""

    def __post_init__(self) -> None:
        shares = [self.service_level, *(each for each in (self.abandon_share, self.occupancy) if each is not None)]
        times_s = [self.answer_within_s, *([] if self.asa_s is None else [self.asa_s])]
        if not all(0 <= share < 1 for share in shares) or self.occupancy == 0 or not all(0 <= s < inf for s in times_s):
            raise ValueError(f"no target that can be reached: {self}")


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be expected with so many agents. Shares are 0 to 1."""

    agents: int
    wait_probability: float
    """The share of calls that do not find a free agent."""
    service_level: float
    """The share of all calls, those that give up included, answered in the target time."""
    asa_s: float
    """Mean wait of those who are answered; infinite where more calls come than can ever be served."""
    abandon_share: float
    occupancy: float

    def meets(self, target: Target) -> bool:
        """Tell whether a target is reached."""
        return (
            self.service_level >= target.service_level
            and (target.asa_s is None or self.asa_s <= target.asa_s)
            and (target.abandon_share is None or self.abandon_share <= target.abandon_share)
            and (target.occupancy is None or self.occupancy <= target.occupancy)
        )


@dataclass(frozen=True, slots=True)
class Needed:
    """The agents for one interval; None where `MOST_AGENTS` would not do."""

    interval: Interval
    demand: Demand
    expected: Expected | None


def erlang_b(agents: int, traffic: float) -> float:
    """Return the share of calls that find all agents busy and go away (Erlang B); `traffic` in erlangs.

    By the recursion B(n) = a B(n-1) / (n + a B(n-1)), in which nothing grows beyond 1. Raises ValueError for a traffic
    or a number below 0.
    """
    if agents < 0 or not 0 <= traffic < inf:
        raise ValueError(f"no {agents} agents for {traffic} erlangs")
    blocked = 1.0
    for nth in range(1, agents + 1):
        blocked = traffic * blocked / (nth + traffic * blocked)
    return blocked


def erlang_c(agents: int, traffic: float) -> float:
    """Return the share of calls that have to wait when nobody gives up (Erlang C); 1 where there are too few agents.

    C = B / (1 - a/n (1 - B)). Raises ValueError as `erlang_b`.
    """
    blocked = erlang_b(agents, traffic)
    if traffic >= agents:
        return 1.0
    return blocked / (1 - traffic / agents * (1 - blocked))


def expected(demand: Demand, agents: int, answer_within_s: float, patience_s: float | None = None) -> Expected:
    """Return what is to be expected of so many agents: by Erlang A with a mean patience, by Erlang C without (None).

    Raises ValueError for less than one agent, and for a patience that is none.
    """
    if agents < 1:
        raise ValueError(f"{agents} agents answer nobody")
    if demand.traffic == 0:
        return Expected(agents, 0.0, 1.0, 0.0, 0.0, 0.0)
    if patience_s is None:
        return _by_erlang_c(demand, agents, answer_within_s)
    if not (patience_s > 0 and isfinite(patience_s)):
        raise ValueError(f"a patience of {patience_s} s is none")
    return _by_erlang_a(demand, agents, answer_within_s, patience_s)


def agents_needed(demand: Demand, target: Target, patience_s: float | None = None) -> Expected | None:
    """Return the least number of agents that reach a target, and what is to be expected of them.

    0 agents for no calls. None when not even `MOST_AGENTS` reach it. Raises ValueError as `expected`.
    """
    if demand.traffic == 0:
        return Expected(0, 0.0, 1.0, 0.0, 0.0, 0.0)
    too_few, enough = 0, max(1, min(MOST_AGENTS, ceil(demand.traffic)))
    while not (found := expected(demand, enough, target.answer_within_s, patience_s)).meets(target):
        if enough == MOST_AGENTS:
            return None
        too_few, enough = enough, min(MOST_AGENTS, enough + max(1, (enough - too_few) * 2 if too_few else enough // 8))
    # Each agent more makes everything better, so the least number is found by halving.
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        outlook = expected(demand, middle, target.answer_within_s, patience_s)
        if outlook.meets(target):
            enough, found = middle, outlook
        else:
            too_few = middle
    return found


def day_plan(
    demands: Iterable[tuple[Interval, Demand]], target: Target, patience_s: float | None = None
) -> list[Needed]:
    """Return the agents for each interval of a day. Each is taken for itself: it finds no line from the one before."""
    return [Needed(interval, demand, agents_needed(demand, target, patience_s)) for interval, demand in demands]


def rostered(agents: int, shrinkage: float) -> int:
    """Return how many have to be on the roster so that so many are there: agents / (1 - shrinkage), rounded up.

    `shrinkage` is the share of paid time spent otherwise (breaks, training, leave), 0 to below 1. Raises ValueError.
    """
    if not 0 <= shrinkage < 1 or agents < 0:
        raise ValueError(f"no roster for {agents} agents and a shrinkage of {shrinkage}")
    return ceil(agents / (1 - shrinkage))


def _by_erlang_c(demand: Demand, agents: int, answer_within_s: float) -> Expected:
    traffic, spare = demand.traffic, agents - demand.traffic
    if spare <= 0:
        return Expected(agents, 1.0, 0.0, inf, 0.0, 1.0)
    waits = erlang_c(agents, traffic)
    return Expected(
        agents=agents,
        wait_probability=waits,
        service_level=1 - waits * exp(-spare * answer_within_s / demand.handle_s),
        asa_s=waits * demand.handle_s / spare,
        abandon_share=0.0,
        occupancy=traffic / agents,
    )


def _by_erlang_a(demand: Demand, agents: int, answer_within_s: float, patience_s: float) -> Expected:
    traffic, handle_s = demand.traffic, demand.handle_s
    blocked = erlang_b(agents - 1, traffic)
    wait = patient_wait(agents, traffic, handle_s / patience_s, answer_within_s / handle_s, blocked)
    waits = wait.probability
    abandoned = waits * wait.gave_up
    served = 1 - abandoned
    return Expected(
        agents=agents,
        wait_probability=waits,
        service_level=(1 - waits) + waits * wait.served_in_time,
        asa_s=waits * wait.served_wait / served * handle_s if served > 0 else inf,
        abandon_share=abandoned,
        occupancy=min(1.0, traffic * served / agents),
    )
