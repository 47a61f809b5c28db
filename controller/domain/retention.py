"""How long what is known of people is kept, and when the rest is looked for (保存期間).

Japan's APPI, article 22: personal data that is of no use any more is to be deleted without delay. The GDPR, article
5(1)(e), wants the same. How long it is of use, a house decides: each period is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.caps import LONG_CAP_PERIOD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

SWEPT_AT = time(3, 15)
"""On the clock of the house: after the last call of the day, and not on the hour, when everybody else's jobs run."""
DAY = timedelta(days=1)


class Period(StrEnum):
    """Which of the periods something is kept for."""

    NUMBERS = "numbers"
    """The numbers of calls and promises, and what was remembered of a caller."""
    CALLED = "called"
    """The numbers of calls that we placed: as above, but as long as a cap counts them at least."""
    RECORDINGS = "recordings"
    """The sound of talks, and whose they were."""
    NOTES = "notes"
    """What agents wrote."""
    SMS = "sms"
    """What was sent and what came back."""
    AUDIT = "audit"
    HOOKS = "hooks"
    """What other systems were told, once they were told."""
    OVER = "over"
    """What is of no use once it has expired: codes, sessions, answers that are kept for a request that comes again."""


@dataclass(frozen=True, slots=True)
class Periods:
    """Days; 0: for ever."""

    numbers_days: int = 90
    recordings_days: int = 30
    notes_days: int = 90
    sms_days: int = 90
    audit_days: int = 365
    hooks_days: int = 14


def cutoffs(periods: Periods, now: datetime) -> Mapping[Period, datetime]:
    """Return before which instant something has to go; a period that is missing never ends. `now`: aware."""
    days = {
        Period.NUMBERS: periods.numbers_days,
        Period.RECORDINGS: periods.recordings_days,
        Period.NOTES: periods.notes_days,
        Period.SMS: periods.sms_days,
        Period.AUDIT: periods.audit_days,
        Period.HOOKS: periods.hooks_days,
    }
    found = {period: now - timedelta(days=length) for period, length in days.items() if length}
    if Period.NUMBERS in found:
        # Countries allow so many calls to one number in 30 days: who forgets them would call once too often.
        found[Period.CALLED] = min(found[Period.NUMBERS], now - LONG_CAP_PERIOD - DAY)
    return found | {Period.OVER: now - DAY}


def next_sweep_at(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant after `now` (aware) at which the house's clock shows `SWEPT_AT`."""
    today = now.astimezone(zone).date()
    first = datetime.combine(today, SWEPT_AT, zone)
    return first if first > now else datetime.combine(today + DAY, SWEPT_AT, zone)
