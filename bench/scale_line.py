"""What one decision of the line costs, by how many agents there are and how many wait: the pure code, then the keeper.

Each figure is the middle one of several, in microseconds of processor time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from math import log
from statistics import median
from typing import TYPE_CHECKING, Final

from controller.domain.agents import Agent, AgentState
from controller.domain.handle_times import HandleTimes
from controller.domain.line import Waiter, WaiterKind, next_match, order, place_of
from controller.domain.patience import Patience
from controller.domain.wait_estimate import crowd_before, wait_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW: Final = datetime(2026, 4, 1, tzinfo=UTC)
QUEUE: Final = "support"
AT_LEAST_S: Final = 0.05
TIMES: Final = 5


def agents(count: int, *, free: int = 1) -> list[Agent]:
    """Return so many agents of one queue, all on a call but the last `free` ones."""
    states = [AgentState.ON_CALL] * (count - free) + [AgentState.AVAILABLE] * free
    return [
        Agent(
            *(f"agent-{nth}", f"agent-{nth}", frozenset({QUEUE}), state, NOW - timedelta(seconds=nth % 300)),
            phone_registered=True,
            phone_idle=state is AgentState.AVAILABLE,
        )
        for nth, state in enumerate(states)
    ]


def waiters(count: int) -> list[Waiter]:
    """Return so many who wait: every second a promise, as they came, but in no order."""
    kinds = (WaiterKind.LIVE, WaiterKind.PROMISE)
    came = [NOW - timedelta(seconds=(nth * 7_919) % 3_600, microseconds=nth) for nth in range(count)]
    return [Waiter(f"w-{nth:06}", kinds[nth % 2], QUEUE, since) for nth, since in enumerate(came)]


def costs_us(people: int, waiting: int) -> dict[str, float]:
    """Return what each part costs with so many agents and so many who wait."""
    staff, line = agents(people), waiters(waiting)
    last = order(line)[-1].id
    handle, patience = HandleTimes(), Patience()
    parts: dict[str, Callable[[], object]] = {
        "order": lambda: order(line),
        "next_match": lambda: next_match(line, staff, NOW),
        "place_of the last": lambda: place_of(last, line, NOW),
        "expected wait": lambda: wait_behind(crowd_before(line, QUEUE, staff), handle, patience),
    }
    return {name: cost_us(part) for name, part in parts.items()}


def cost_us(part: Callable[[], object]) -> float:
    """Return what a call costs."""
    part()
    rounds = 1
    while True:
        began_s = time.process_time()
        for _ in range(rounds):
            part()
        if time.process_time() - began_s >= AT_LEAST_S / TIMES:
            break
        rounds *= 2
    seen = []
    for _ in range(TIMES):
        began_s = time.process_time()
        for _ in range(rounds):
            part()
        seen.append((time.process_time() - began_s) / rounds * 1e6)
    return median(seen)


def growth(sizes: Sequence[int], seen_us: Sequence[float]) -> float:
    """Return the power with which a cost grows from the smallest size to the largest: 1 is in proportion."""
    return log(seen_us[-1] / seen_us[0]) / log(sizes[-1] / sizes[0])
