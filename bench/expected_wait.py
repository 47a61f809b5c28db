"""How honest the announced wait is: how often the true wait lies in the range that was told, over many kinds of days.

wait, width: means in minutes, of the true wait and of the range that was told on joining the line. within, below,
above: where the true wait lay. again: within, of what was told later, each minute, by the rule that nothing is told
sooner than before without a cause. Beside it two figures that are often told, each with a range just as wide as ours
around it: holdtime (app_queue's running average of what those before have waited), and place (place x mean / agents).
point: that last figure told as one number, right to a minute. Only who could not be served at once is told a wait, and
where callers hang up only those are counted who never do.

.venv/bin/python -m bench.expected_wait     # about a minute
"""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from bench.call_centre import CallCentre, Scenario, Waited

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20260401
ONE_MINUTE_S = 60.0


def slow_swing(now_s: float) -> float:
    """Let calls grow longer and shorter by a third within eight hours."""
    return 1 + math.sin(now_s / (8 * 3600) * 2 * math.pi) / 3


def step(now_s: float) -> float:
    """Let calls be half as long again, every other three hours: an outage that everybody asks about."""
    return 1.5 if now_s % (6 * 3600) >= 3 * 3600 else 1.0


def breaks(now_s: float) -> float:
    """Have a fifth of the agents away in every third hour."""
    return 0.8 if now_s % (3 * 3600) >= 2 * 3600 else 1.0


SCENARIOS = [
    Scenario("1 agent", 1, load=0.8, hours=500),
    Scenario("2 agents", 2, load=0.85, hours=333),
    Scenario("5 agents", 5, hours=150),
    Scenario("10 agents", 10, load=0.95, hours=66),
    Scenario("20 agents", 20, load=0.97, hours=41),
    Scenario("5 agents, quiet", 5, load=0.6, hours=333),
    Scenario("5 agents, rush hours", 5, load=0.7, rush=2.0, hours=100),
    Scenario("20 agents, rush hours", 20, load=0.75, rush=1.6, hours=40),
    Scenario("1 agent, exponential", 1, load=0.8, shape="exponential", hours=500),
    Scenario("5 agents, exponential", 5, shape="exponential", hours=150),
    Scenario("20 agents, exponential", 20, load=0.97, shape="exponential", hours=41),
    Scenario("1 agent, near-constant", 1, load=0.9, shape="constant", hours=500),
    Scenario("5 agents, near-constant", 5, load=0.95, shape="constant", hours=150),
    Scenario("20 agents, near-constant", 20, load=0.98, shape="constant", hours=41),
    Scenario("5 agents, even calls (cv 0.5)", 5, load=0.93, cv=0.5, hours=150),
    Scenario("5 agents, uneven calls (cv 1.5)", 5, load=0.85, cv=1.5, hours=150),
    Scenario("5 agents, callers give up (5 min)", 5, load=1.2, patience_s=300, hours=100),
    Scenario("20 agents, callers give up (3 min)", 20, load=1.2, patience_s=180, hours=40),
    Scenario("5 agents, a third wants to be called", 5, promise_share=0.35, load=0.85, hours=150),
    Scenario("10 agents, promises, giving up", 10, load=0.8, rush=1.6, promise_share=0.3, patience_s=400, hours=50),
    Scenario("5 agents, one in twenty urgent", 5, urgent_share=0.05, hours=150),
    Scenario("10 agents, half serve two queues", 10, load=0.9, other_share=0.3, hours=66),
    Scenario("5 agents, calls swing by a third", 5, load=0.75, drift=slow_swing, hours=150),
    Scenario("10 agents, calls half as long again", 10, load=0.75, drift=step, hours=66),
    Scenario("10 agents, a fifth takes breaks", 10, load=0.85, staff=breaks, hours=66),
]


def measured(scenario: Scenario) -> str:
    """Run one scenario and return its row."""
    waited = CallCentre(scenario, SEED).run()
    first = [each for each in waited if each.quote.is_first]
    again = [each for each in waited if not each.quote.is_first]
    width_min = sum(each.quote.told.high_s - each.quote.told.low_s for each in first) / len(first) / 60
    shares = [
        *(percent(first, holds) for holds in (within, sooner, later)),
        percent(again, within),
        *(percent(first, holds) for holds in (near_hold_time, near_place_by_agents, by_the_minute)),
    ]
    wait_min = sum(each.true_s for each in first) / len(first) / 60
    figures = (f"{len(first)}", f"{wait_min:.1f}", f"{width_min:.1f}", *shares)
    return f"{scenario.name:<37}" + "".join(f"{figure:>9}" for figure in figures)


def within(each: Waited) -> bool:
    """Tell whether the truth is in the range that was told."""
    return not sooner(each) and not later(each)


def sooner(each: Waited) -> bool:
    """Tell whether they were served before the near end."""
    return each.true_s < each.quote.told.low_s


def later(each: Waited) -> bool:
    """Tell whether they were served after the far end."""
    return each.true_s > each.quote.told.high_s


def near_hold_time(each: Waited) -> bool:
    """Tell whether app_queue's hold time would have been right with as wide a range."""
    return _near(each, each.quote.hold_time_s)


def near_place_by_agents(each: Waited) -> bool:
    """Tell whether place x mean / agents would have been right with as wide a range."""
    return _near(each, each.quote.place_by_agents_s)


def by_the_minute(each: Waited) -> bool:
    """Tell whether place x mean / agents, told as one number, would have been right to a minute."""
    return abs(each.true_s - each.quote.place_by_agents_s) <= ONE_MINUTE_S


def _near(each: Waited, told_s: float) -> bool:
    width_s = each.quote.told.high_s - each.quote.told.low_s
    # What is cut off below 0 is added above.
    low_s = max(0.0, told_s - width_s / 2)
    return low_s <= each.true_s <= low_s + width_s


def percent(waited: list[Waited], holds: Callable[[Waited], bool]) -> str:
    """Return the share of quotes for which it holds."""
    return f"{100 * sum(map(holds, waited)) / len(waited):.0f}%" if waited else "-"


def main() -> None:
    """Print the table."""
    columns = ("quotes", "wait", "width", "within", "below", "above", "again", "holdtime", "place", "point")
    print(f"{'scenario':<37}" + "".join(f"{column:>9}" for column in columns))  # noqa: T201 - the result
    with ProcessPoolExecutor(2) as workers:
        for row in workers.map(measured, SCENARIOS):
            print(row, flush=True)  # noqa: T201 - the result


if __name__ == "__main__":
    main()
