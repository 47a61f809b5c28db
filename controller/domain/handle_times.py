"""How long a call keeps an agent (平均処理時間, AHT): talk and wrap-up together, of the last calls of one queue.

A value without a clock: whoever sees a call end makes the next value with `note`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import fsum, inf, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = 50
"""How many of the last calls count: enough for a steady mean, few enough to follow the hour of the day."""
PRIOR_CALLS = 4
"""What is assumed weighs as much as so many calls, before any was measured."""
ENOUGH = 20
"""With so many calls measured nothing is assumed."""
PRIOR_CV = 0.8
"""Coefficient of variation that is assumed: between even calls (0.5) and such as end by chance (1)."""


@dataclass(frozen=True, slots=True)
class HandleTimes:
    """The handle times of one queue, in seconds, oldest first; what is assumed of it until enough was measured."""

    recent_s: tuple[float, ...] = ()
    prior_mean_s: float = 240.0

    def note(self, handle_s: float) -> HandleTimes:
        """Return the value after one more call. Raises ValueError for what is no length of time."""
        return self.note_all([handle_s])

    def note_all(self, handles_s: Iterable[float]) -> HandleTimes:
        """Return the value after more calls, oldest first. Raises ValueError for what is no length of time."""
        handles_s = tuple(handles_s)
        if not all(0 <= handle_s < inf for handle_s in handles_s):
            raise ValueError(f"a call cannot keep an agent for that long: {handles_s}")
        return replace(self, recent_s=(self.recent_s + handles_s)[-KEPT:])

    @property
    def assumed(self) -> float:
        """As how many calls the prior counts: fewer with each call that was measured, none once there are enough."""
        return PRIOR_CALLS * max(0.0, 1 - len(self.recent_s) / ENOUGH)

    @property
    def calls(self) -> float:
        """How many calls the figures rest on, with what is assumed counted as a few."""
        return len(self.recent_s) + self.assumed

    @property
    def mean_s(self) -> float:
        """The mean, in seconds."""
        return (fsum(self.recent_s) + self.assumed * self.prior_mean_s) / self.calls

    @property
    def cv(self) -> float:
        """The coefficient of variation: standard deviation by mean; that of the prior when all were 0."""
        mean_s = self.mean_s
        if mean_s <= 0:
            return PRIOR_CV
        own = fsum((each - mean_s) ** 2 for each in self.recent_s)
        prior = self.assumed * ((PRIOR_CV * self.prior_mean_s) ** 2 + (self.prior_mean_s - mean_s) ** 2)
        return sqrt((own + prior) / self.calls) / mean_s
