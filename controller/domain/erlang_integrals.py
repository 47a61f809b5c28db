"""The wait of callers who have a patience (M/M/n+M, Erlang A), in closed form but for three integrals.

Time is in mean handle times, `traffic` = a in erlangs, `impatience` = mean handle time / mean patience = h. Somebody
without an end to their patience would wait V, and V = 0 unless all n agents are busy. Its density for v > 0 is

    a p(n-1) exp(phi(v)),    phi(v) = a (1 - exp(-h v)) / h - n v

with p(n-1) the probability of n-1 busy agents (F. Baccelli, G. Hebuterne, "On queues with impatient customers", 1981;
S. Zeltyn, A. Mandelbaum, "Call centers with impatient customers: M/M/n+G", Queueing Systems 51, 2005). A caller who
would wait v is there to be served with probability exp(-h v). phi is concave, so exp(phi) has one peak: everything is
reckoned relative to it, and nothing overflows, however many agents and however large the overload.
"""

from __future__ import annotations

from itertools import pairwise
from math import cos, exp, expm1, inf, log, pi
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NODES = 16
_PANELS = 4
_DROP = 45.0
"""Beyond a point at which the density is exp(-45) of its peak nothing is left that counts."""
_MOST_EXPONENT = 700.0
"""exp of more than that is beyond a float."""


class PatientWait(NamedTuple):
    """Of those who find no free agent; all but `probability` are shares or means of them alone."""

    probability: float
    """The share of calls that find none."""
    gave_up: float
    served_in_time: float
    served_wait: float
    """The waits of those who are served, summed up and divided by all who find no free agent; in handle times."""


def patient_wait(agents: int, traffic: float, impatience: float, within: float, blocked: float) -> PatientWait:
    """Return how those wait who find no free agent; `within` in handle times, `blocked`: Erlang B of one agent less.

    `agents` at least 1, the other numbers above 0; `within` and `blocked` may be 0.
    """
    peak = max(0.0, log(traffic / agents) / impatience)
    height = traffic * -expm1(-impatience * peak) / impatience - agents * peak
    coming = min(traffic, agents)  # a exp(-h peak)

    def density(beyond: float) -> float:
        """Return exp(phi(peak + beyond) - phi(peak)), without the difference of two large numbers."""
        return exp(coming * -expm1(-impatience * beyond) / impatience - agents * beyond)

    low, high = -_reach(density, -1.0 / agents, peak), _reach(density, 1.0 / agents, inf)
    limit = min(max(within - peak, low), high)
    mass = left = in_time = waited = 0.0
    # Cut where the integrand bends: at the peak, at the limit, and where impatience is at work.
    bends = (0.0, limit, *(turns / impatience - peak for turns in (2.0, 6.0, 15.0, 40.0)))
    for start, end in pairwise(sorted({low, high, *(each for each in bends if low < each < high)})):
        for beyond, weight in _points(start, end):
            share = weight * density(beyond)
            stayed = exp(-impatience * (peak + beyond))
            mass += share
            left += share * -expm1(-impatience * (peak + beyond))
            in_time += share * stayed if end <= limit else 0.0
            waited += share * stayed * (peak + beyond)
    if blocked <= 0:
        return PatientWait(0.0, 0.0, 1.0, 0.0)
    # P(V > 0) = a J / (1 / B(n-1) + a J), with J = exp(height) mass; by logarithms, since J may be beyond a float.
    odds = log(traffic) + height + log(mass) + log(blocked)
    probability = 1 / (1 + exp(-odds)) if odds > -_MOST_EXPONENT else 0.0
    return PatientWait(probability, left / mass, in_time / mass, waited / mass)


def _reach(density: Callable[[float], float], step: float, most: float) -> float:
    """Return how far from the peak, in the direction of `step`, the density drops out of sight; at most `most`."""
    seen = exp(-_DROP)
    near, far = 0.0, abs(step)
    sign = 1.0 if step > 0 else -1.0
    while far < most and density(sign * far) > seen:
        near, far = far, 2 * far
    far = min(far, most)
    for _ in range(8):
        middle = (near + far) / 2
        near, far = (middle, far) if density(sign * middle) > seen else (near, middle)
    return far


def _points(start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield (place, weight) for an integral from `start` to `end`: Gauss and Legendre's rule on each of some panels."""
    half = (end - start) / _PANELS / 2
    if half <= 0:
        return
    for panel in range(_PANELS):
        centre = start + (2 * panel + 1) * half
        for node, weight in _RULE:
            yield centre + half * node, half * weight


def _gauss_legendre(nodes: int) -> tuple[tuple[float, float], ...]:
    """Return the nodes and weights of the rule on [-1, 1]: the roots of Legendre's polynomial, by Newton's method."""
    rule = []
    for nth in range(nodes):
        at = cos(pi * (nth + 0.75) / (nodes + 0.5))
        slope = 1.0
        for _ in range(100):
            before, value = 1.0, at
            for degree in range(2, nodes + 1):
                before, value = value, ((2 * degree - 1) * at * value - (degree - 1) * before) / degree
            slope = nodes * (at * value - before) / (at * at - 1)
            at -= value / slope
            if abs(value / slope) < 1e-15:  # noqa: PLR2004 - as near as a float comes
                break
        rule.append((at, 2 / ((1 - at * at) * slope * slope)))
    return tuple(rule)


_RULE = _gauss_legendre(_NODES)
