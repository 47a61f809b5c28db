"""The pace of a trunk: how many calls a second may leave by it, and how it finds back to that after an outage.

A token bucket that holds one call (a burst of one): each call that leaves keeps the next one back. Instants are
seconds of a monotonic clock that is handed in.
"""

from __future__ import annotations

import math

RAMP_S = 60.0
RAMP_FROM = 0.1
"""The part of the full rate that follows an outage: everybody who was not called meanwhile is due at once."""


class Pace:
    """At most `calls_per_s * t + 1` calls leave within any `t` seconds."""

    def __init__(self, calls_per_s: float, *, ramp_s: float = RAMP_S) -> None:
        """Begin without a ramp. Raises ValueError for a rate or a ramp that is no positive number."""
        for what, value in (("calls a second", calls_per_s), ("seconds of ramp", ramp_s)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"a pace needs a positive number of {what}, not {value}")
        self._calls_per_s = calls_per_s
        self._ramp_s = ramp_s
        self._ramp_began_s = -math.inf
        self._last_call_s = -math.inf

    def rate(self, now_s: float) -> float:
        """Return how many calls a second may leave at an instant; before a ramp began it is as slow as at its start."""
        done = min(1.0, max(0.0, (now_s - self._ramp_began_s) / self._ramp_s))
        return self._calls_per_s * (RAMP_FROM + (1 - RAMP_FROM) * done)

    @property
    def free_at_s(self) -> float:
        """The instant from which on the next call may leave; -inf before the first."""
        if math.isinf(self._last_call_s):
            return -math.inf
        # The rate only grows: that of the last call, or of a ramp that began since, is the slowest until the next one.
        return self._last_call_s + 1 / self.rate(self._last_call_s)

    def wait_s(self, now_s: float) -> float:
        """Return how long the next call has to wait; 0 when it may leave."""
        return max(0.0, self.free_at_s - now_s)

    def left(self, now_s: float) -> None:
        """Take note that a call leaves now."""
        self._last_call_s = now_s

    def outage_over(self, now_s: float) -> None:
        """Begin anew at a tenth of the rate, and grow to the whole of it within the ramp."""
        self._ramp_began_s = now_s
