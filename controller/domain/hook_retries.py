"""When a webhook that was not taken is sent again: growing gaps, apart by chance, for three days."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

GAPS_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 21_600.0, 28_800.0)
"""After each try that failed; the last one is kept."""
JITTER = 0.25
"""By so much of itself a gap may be longer: what failed together does not come again together."""
LIFETIME = timedelta(days=3)
"""What was not taken by then never is."""
LONGEST_TOLD_S = 3600.0
"""A receiver may ask for more time than the gap (Retry-After), up to this."""
LONGEST_REST_S = 60.0
_HASH_BYTES = 8


def next_try_at(made_at: datetime, now: datetime, *, tries: int, event_id: str, told_s: float = 0.0) -> datetime | None:
    """Return when to send again what has failed `tries` times (from 1), the last time `now`; None: never.

    Always after `now`. The jitter is drawn from a hash of event and try: the same arguments give the same instant.
    `told_s`: after how many seconds the receiver wants to be asked again.
    """
    gap_s = GAPS_S[min(max(tries, 1), len(GAPS_S)) - 1] * (1 + JITTER * _share(event_id, tries))
    again_at = now + timedelta(seconds=max(gap_s, min(told_s, LONGEST_TOLD_S)))
    return again_at if again_at < made_at + LIFETIME else None


def rest_s(failures: int) -> float:
    """Return for how long a receiver that is away is left alone, after so many failures (from 1) in a row."""
    return float(min(2.0 ** min(failures - 1, 16), LONGEST_REST_S))


def _share(event_id: str, tries: int) -> float:
    """Return a number in [0, 1) that is always the same for this try, and like no other's."""
    drawn = hashlib.sha256(f"{event_id}:{tries}".encode()).digest()[:_HASH_BYTES]
    # 53 bits: what a float holds exactly, so that the share never rounds up to 1.
    return (int.from_bytes(drawn) >> 11) / 2**53
