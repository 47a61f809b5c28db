"""Caps: how many calls to a number, to a prefix, and for how much money, in any 24 hours.

Any 24 hours and not a calendar day: a cap then means the same on both sides of midnight, in every zone, and on the
days on which clocks are changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CAP_PERIOD = timedelta(hours=24)
LONG_CAP_PERIOD = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a call to a prefix costs, in thousandths of the currency's unit (1,000 are one yen)."""

    per_call_milli: int = 0
    per_minute_milli: int = 0

    def cost_milli(self, talk_s: float) -> int:
        """Return what a call of so many seconds costs; a begun minute counts whole."""
        return self.per_call_milli + self.per_minute_milli * -(-int(talk_s + 0.999) // 60)


@dataclass(frozen=True, slots=True)
class Caps:
    """What one call has to stay below, counted over every call that left, or may have left, in the last 24 hours."""

    per_number: int | None = None
    """Calls to the same number, whatever the promise and queue. None: no cap."""
    per_number_30_days: int | None = None
    """The same in `LONG_CAP_PERIOD`, as France counts. None: no cap."""
    per_prefix: Mapping[str, int] = field(default_factory=dict)
    """Calls to all numbers with an E.164 prefix (`+8150`); only prefixes of the number in question."""
    max_cost_milli: int | None = None
    """Money for all calls together. None: no cap."""
    tariff: Tariff = Tariff()
    """What calls to this number cost."""
    reserve_s: float = 180
    """A call that has not ended counts as one of so many seconds."""

    @property
    def reserved_milli(self) -> int:
        """What this call is counted with until it has ended."""
        return self.tariff.cost_milli(self.reserve_s)


NO_CAPS = Caps()
