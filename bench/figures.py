"""Figures of a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(sample: Sequence[float], percent: float) -> float:
    """Return the smallest value that so many percent of the sample do not exceed. Raises ValueError: it is empty."""
    if not sample:
        raise ValueError("there is nothing to take a percentile of")
    return sorted(sample)[max(0, math.ceil(percent / 100 * len(sample)) - 1)]
