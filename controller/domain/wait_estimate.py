"""The expected wait: a range in which the wait of a place lies in most cases, and what may be said of it next.

The wait of a place is the time until as many agents have become free as stand before it, and one more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, log1p, sqrt
from typing import TYPE_CHECKING

from controller.domain.line import WaiterKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.handle_times import HandleTimes
    from controller.domain.line import Waiter
    from controller.domain.patience import Patience

Z = 1.15
"""How many standard deviations each end lies from the middle: 75 % of the waits are within, before rounding."""
DRIFT = 0.07
"""How far, as a share of it, the mean handle time may move while somebody waits."""
FINE_MIN = 10
"""Up to so many minutes each minute is told; above, every fifth."""
COARSE_MIN = 5


@dataclass(frozen=True, slots=True)
class WaitRange:
    """From `low_s` to `high_s` seconds."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who stands before a place, and who serves them."""

    ahead: float
    """Live callers and due promises; who waits for another queue counts by the share of that queue's agents who serve
    this one too."""
    agents: int
    """On duty: free, on a call, or in between."""
    free_agents: int
    live_share: float
    """How many of those ahead are on the phone, from 0 to 1: who is not cannot hang up."""


@dataclass(frozen=True, slots=True)
class Announced:
    """What somebody was told, and when (aware UTC), and who was before them then."""

    at: datetime
    range: WaitRange
    crowd: Crowd


class Cause(StrEnum):
    """Why somebody may be told a shorter wait than the one they were told before."""

    MOVED_UP = "moved_up"
    """More have left the line before them than was to be expected."""
    AGENTS_JOINED = "agents_joined"


class Crowding:
    """Those who wait for one queue, counted as they come: what the wait behind them depends on."""

    def __init__(self, queue: str, agents: Iterable[Agent]) -> None:
        """Begin with nobody in line; `agents` are all there are, of whatever queue."""
        serving: dict[str, set[str]] = {}
        self._free_agents = 0
        for agent in agents:
            if agent.is_on_duty:
                self._free_agents += agent.is_free and queue in agent.queues
                for served in agent.queues:
                    serving.setdefault(served, set()).add(agent.name)
        ours = serving.get(queue, set())
        self._agents = len(ours)
        self._shares = {each: len(ours & theirs) / len(theirs) for each, theirs in serving.items()}
        self._load = self._live = 0.0

    def add(self, waiter: Waiter, times: int = 1) -> None:
        """Count one more, of whatever queue, who stands before; or several like them."""
        share = self._shares.get(waiter.queue, 0.0) * times  # Whom nobody serves holds nobody up.
        self._load += share
        self._live += share * (waiter.kind is WaiterKind.LIVE)

    @property
    def crowd(self) -> Crowd:
        """What came of it so far."""
        return Crowd(self._load, self._agents, self._free_agents, self._live / self._load if self._load else 0.0)


def crowd_before(ahead: Iterable[Waiter], queue: str, agents: Iterable[Agent]) -> Crowd:
    """Return what the wait in `queue` behind those `ahead`, of whatever queue, depends on."""
    crowding = Crowding(queue, agents)
    for waiter in ahead:
        crowding.add(waiter)
    return crowding.crowd


def wait_behind(crowd: Crowd, handle: HandleTimes, patience: Patience) -> WaitRange | None:
    """Return the expected wait behind a crowd; None when no agent is on duty."""
    leaving_per_s = patience.leaving_per_s * crowd.live_share
    return expected_wait(crowd.ahead, crowd.agents, crowd.free_agents, handle, leaving_per_s=leaving_per_s)


def expected_wait(
    ahead: float, agents: int, free_agents: int, handle: HandleTimes, *, leaving_per_s: float = 0.0
) -> WaitRange | None:
    """Return the range of the wait for somebody with `ahead` before them; None when nobody is there to serve them.

    `leaving_per_s`: how many of those ahead leave the line in a second, for each of them.
    """
    if agents <= 0:
        return None
    to_free = ahead + 1 - free_agents
    if to_free <= 0:
        return WaitRange(0.0, 0.0)
    steps, variance = _steps(to_free, agents, handle.cv**2)
    gap_s = handle.mean_s / agents
    mean_s = steps * gap_s
    by_chance, by_ignorance = variance * gap_s**2, mean_s**2 * (handle.cv**2 / handle.calls + DRIFT**2)
    leaving = leaving_per_s * mean_s
    if leaving > 0:
        # Each step is shorter the more there are who may leave: the sum of 1 / (service rate + those ahead * leaving).
        mean_s = log1p(leaving) / leaving_per_s
    return _middle(mean_s, by_chance / (1 + leaving) + by_ignorance / (1 + leaving) ** 2)


def _steps(to_free: float, agents: int, cv2: float) -> tuple[float, float]:
    """Return mean and variance of the time until so many agents became free, all being busy, in mean gaps between two.

    Until few of them did, that is like chance (Poisson), however even the calls are. Then it is as for one agent: even
    calls are half over on average when somebody comes, and what is left of uneven ones is longer than that.
    """
    half = min(0.5, to_free / (agents + 1))
    mean = to_free + (cv2 - 1) * half
    if cv2 < 1:
        return mean, to_free * cv2 + (1 - cv2) * min(to_free, agents / 6)
    return mean, mean * (1 + (cv2 - 1) * min(1.0, to_free / agents))


def _middle(mean_s: float, variance: float) -> WaitRange:
    """Return the middle part of the gamma distribution with this mean (Wilson and Hilferty's approximation, 1931)."""
    if mean_s <= 0:
        return WaitRange(0.0, 0.0)
    spread = variance / (9 * mean_s**2)
    low, high = (max(0.0, 1 - spread + z * sqrt(spread)) ** 3 * mean_s for z in (-Z, Z))
    return WaitRange(low, high)


def cause_of(previous: Announced, now: datetime, crowd: Crowd, handle: HandleTimes) -> Cause | None:
    """Tell why a shorter wait may be told than `previous`, or None when nothing happened that would explain it."""
    if crowd.agents > previous.crowd.agents:
        return Cause.AGENTS_JOINED
    elapsed_s = max(0.0, (now - previous.at).total_seconds())
    served = elapsed_s * previous.crowd.agents / handle.mean_s if handle.mean_s > 0 else 0.0
    return Cause.MOVED_UP if previous.crowd.ahead - crowd.ahead > served else None


def announce(previous: Announced | None, now: datetime, fresh: WaitRange, cause: Cause | None = None) -> WaitRange:
    """Return what is told now: `fresh`, rounded for speech, but without a cause no sooner than was told before.

    What was told before is an instant: without a cause the far end sinks with the time that went by, and not quicker.
    """
    told = heard(fresh)
    if previous is None or cause is not None:
        return told
    elapsed_s = max(0.0, (now - previous.at).total_seconds())
    rest_s = previous.range.high_s - elapsed_s
    # Not rounded again: the next announcement has to count from the same instant, or it would never come nearer.
    return told if fresh.high_s > rest_s else WaitRange(min(told.low_s, rest_s), rest_s)


def heard(exact: WaitRange) -> WaitRange:
    """Return the range as it is spoken, in seconds."""
    low_min, high_min = spoken_range(exact)
    return WaitRange(low_min * 60.0, high_min * 60.0)


def spoken_range(exact: WaitRange) -> tuple[int, int]:
    """Return both ends in minutes as they are spoken: the near end rounded down, the far end up and 1 at least."""
    low_min, high_min = floor(exact.low_s / 60), ceil(exact.high_s / 60)
    if low_min > FINE_MIN:
        low_min = low_min // COARSE_MIN * COARSE_MIN
    if high_min > FINE_MIN:
        high_min = -(-high_min // COARSE_MIN) * COARSE_MIN
    return low_min, max(1, high_min)


def passes_closing(expected: WaitRange, now: datetime, closes_at: datetime | None) -> bool:
    """Tell whether the far end lies after closing time; None never closes."""
    return closes_at is not None and expected.high_s > (closes_at - now).total_seconds()
