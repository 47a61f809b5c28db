"""How good the announced waits were: the share of callers whose true wait lay in the range that they were told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class QuotedWait:
    """What one caller was told first, in seconds, and how long they then waited."""

    queue: str
    low_s: float
    high_s: float
    waited_s: float
    """From the announcement to the agent's answer, or until the caller left the line."""
    was_answered: bool
    """False: the caller left (hung up, booked a callback); their true wait is longer than `waited_s`."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A tally. `within + below + above + unknown` is the number of announcements."""

    within: int
    below: int
    """Were served sooner than the near end."""
    above: int
    """Waited longer than the far end, served or not."""
    unknown: int
    """Left before the far end: nobody knows how long they would have waited."""
    width: timedelta = timedelta(0)
    """Of the ranges that were told, far end less near end, all together."""

    def __add__(self, other: Coverage) -> Coverage:
        """Return the tally of both."""
        return Coverage(
            within=self.within + other.within,
            below=self.below + other.below,
            above=self.above + other.above,
            unknown=self.unknown + other.unknown,
            width=self.width + other.width,
        )

    @property
    def mean_width_s(self) -> float | None:
        """The mean width of a range that was told; None without any."""
        told = self.known + self.unknown
        return self.width.total_seconds() / told if told else None

    @property
    def known(self) -> int:
        """How many announcements can be judged."""
        return self.within + self.below + self.above

    @property
    def within_percent(self) -> float | None:
        """The coverage; None when nothing can be judged."""
        return 100 * self.within / self.known if self.known else None

    @property
    def below_percent(self) -> float | None:
        """How many in a hundred were served sooner than told."""
        return 100 * self.below / self.known if self.known else None

    @property
    def above_percent(self) -> float | None:
        """How many in a hundred waited longer than told."""
        return 100 * self.above / self.known if self.known else None


def coverage(waits: Iterable[QuotedWait]) -> Coverage:
    """Return the tally of `waits`; both ends of a range belong to it.

    A caller who left is counted only if they were past the far end by then: if not, their true wait may be anything
    from there on. Those who left but would have been served in time are passed over: the coverage is rather too low.
    """
    tally = {"within": 0, "below": 0, "above": 0, "unknown": 0}
    width = timedelta(0)
    for wait in waits:
        tally[_verdict(wait)] += 1
        width += timedelta(seconds=wait.high_s - wait.low_s)
    return Coverage(**tally, width=width)


def by_queue(waits: Iterable[QuotedWait]) -> dict[str, Coverage]:
    """Return the tally of each queue, by name in order."""
    sorted_out: dict[str, list[QuotedWait]] = {}
    for wait in waits:
        sorted_out.setdefault(wait.queue, []).append(wait)
    return {queue: coverage(sorted_out[queue]) for queue in sorted(sorted_out)}


def _verdict(wait: QuotedWait) -> str:
    if wait.waited_s > wait.high_s:
        return "above"
    if not wait.was_answered:
        return "unknown"
    return "below" if wait.waited_s < wait.low_s else "within"
