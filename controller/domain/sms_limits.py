"""What may be spent on SMS in any 24 hours, and when a run on codes is somebody's fraud."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import SmsTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping

SMS_CAP_PERIOD = timedelta(hours=24)
CONVERTING = frozenset({SmsTemplate.CODE})
"""What a stranger can have sent to any number, and of which we learn whether a person acted on it."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Stops codes when too few of them are used: somebody has them sent to numbers that they are paid for (pumping).

    Counted per range of numbers (the first `range_digits` digits of E.164) and over all together.
    """

    window_s: float = 3600
    min_sent: int = 20
    """Below this many in the window nothing is concluded."""
    min_rate: float = 0.2
    """The part that has to be used."""
    range_digits: int = 6

    def is_open(self, sent: int, converted: int) -> bool:
        """Tell whether no more may be sent: `converted` of `sent` were used."""
        return sent >= self.min_sent and converted < sent * self.min_rate


@dataclass(frozen=True, slots=True)
class SmsLimits:
    """Over all queues and templates, in any 24 hours. None: no such limit. Money in thousandths."""

    per_number: int | None = 10
    per_prefix: Mapping[str, int] = field(default_factory=dict)
    max_cost_milli: int | None = None
    breaker: Breaker | None = field(default_factory=Breaker)


@dataclass(frozen=True, slots=True)
class SmsBill:
    """What one SMS is paid as."""

    segments: int
    cost_milli: int = 0
