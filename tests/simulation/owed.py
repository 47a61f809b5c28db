"""What callers were promised, as the judge keeps it: from what they heard and pressed, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tests.simulation.far_end import Sighting

HIDING = re.compile(r"\A18[46](?=0)")
ACKNOWLEDGED = frozenset({"promise-made", "promise-exists", "promise-asap-opening", "slot-before", "promise-moved"})
WITH_SLOT = frozenset({"slot-before", "promise-moved"})
CLOCK = {"am": 0, "pm": 12}


def e164(shown: str | None) -> str | None:
    """Return the number that a Japanese network means by what it shows, or what somebody keyed; None for none."""
    text = HIDING.sub("", (shown or "").rstrip("#"))
    if text.startswith("+"):
        return text
    return "+81" + text[1:] if text.startswith("0") else None


@dataclass
class Owed:
    """A call that somebody is owed, by one queue, at one number. Seconds are those of the day."""

    queue: str
    number: str
    wished_at_s: float = -1.0
    """When they last said which number to call; a wish that nobody acknowledged may be kept, and need not be."""
    acknowledged_at_s: float | None = None
    slot_at: datetime | None = None
    """The start of the window that they were told."""
    not_before: datetime | None = None
    """By the wall clock: they chose a later time, or were not reached a short while ago."""
    gap_since_s: float | None = None
    """When the gap after a try began; what was seen of a try may be lost with a controller that dies just then."""
    deadline: datetime | None = None
    last_try_s: float = 0.0
    """When the last call ended."""
    tries: int = 0
    """Calls that rang out, or were busy, since the last wish."""
    closed_at_s: float | None = None
    closed_by: str = ""
    closed_for_sure: bool = True
    """Not where the product could not know of it: its database was away, it had just died."""

    @property
    def is_open(self) -> bool:
        """Whether a call may be owed."""
        return self.closed_at_s is None or max(self.wished_at_s, self.acknowledged_at_s or -1.0) > self.closed_at_s

    @property
    def must_be_kept(self) -> bool:
        """Whether it was acknowledged, and nothing came of it yet."""
        if self.acknowledged_at_s is None:
            return False
        return self.closed_at_s is None or self.acknowledged_at_s > self.closed_at_s

    @property
    def is_certain(self) -> bool:
        """Whether what they were told last is what they last wished for."""
        return self.acknowledged_at_s is not None and self.wished_at_s <= self.acknowledged_at_s

    def wish(self, at_s: float) -> None:
        """Take note that they said which number to call."""
        self.wished_at_s, self.tries, self.not_before = at_s, 0, None

    def acknowledge(self, seen: Sighting, lifetime_s: float, *, is_closed: bool) -> None:
        """Take note that they were told that they will be called. `is_closed`: the queue has to open first."""
        self.acknowledged_at_s, self.slot_at = seen.at_s, None
        # When the queue opens, or when the window begins that they may not have heard to its end.
        is_some_time = is_closed or seen.detail in WITH_SLOT | {"promise-asap-opening"}
        self._extend(seen.wall, lifetime_s + (26 * 3600 if is_some_time else 0))

    def tell_slot(self, slot_at: datetime, lifetime_s: float) -> None:
        """Take note of the window that they were told."""
        self.slot_at = slot_at
        self._extend(slot_at, lifetime_s)

    def hear_of_slot(self, slot_at: datetime, lifetime_s: float) -> None:
        """Take note that a text named a window, which may not be the last that was agreed on."""
        self._extend(slot_at, lifetime_s)

    def put_off(self, seen: Sighting, later_s: float, lifetime_s: float) -> None:
        """Take note that they want to be called so much later."""
        self.not_before, self.gap_since_s = seen.wall + timedelta(seconds=later_s - 10), None
        self._extend(seen.wall, later_s + lifetime_s)

    def keep_gap(self, seen: Sighting, gap_s: float) -> None:
        """Take note that they were not reached, and are to be left in peace for so long."""
        self.not_before, self.gap_since_s = seen.wall + timedelta(seconds=gap_s - 1), seen.at_s

    def close(self, at_s: float, by: str, *, for_sure: bool = True) -> None:
        """Take note that nothing is owed any more."""
        if self.closed_at_s is None or self.is_open or self.must_be_kept:
            self.closed_at_s, self.closed_by, self.closed_for_sure = at_s, by, for_sure
        elif self.closed_by == by:
            self.closed_at_s = at_s

    def _extend(self, start: datetime, by_s: float) -> None:
        deadline = start + timedelta(seconds=by_s)
        self.deadline = deadline if self.deadline is None else max(self.deadline, deadline)


def spoken_start(words: list[str], heard_at: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the start of a window from the prompts that told it, in Japanese or English; None if it cannot be told."""
    if "to" in words:  # English: day, "from", start, "to", end.
        words = [word for word in words[: words.index("to")] if word != "from"]
    elif "from" in words:  # Japanese: day, start, "から", end.
        words = words[: words.index("from")]
    counted = {kind: int(value) for kind, _, value in (word.partition("-") for word in words) if value.isdecimal()}
    hour = 12 if "noon" in words else counted.get("hour")
    if hour is None:
        return None
    half = sum(CLOCK.get(word, 0) for word in words)
    today = heard_at.astimezone(zone).date()
    day = today + timedelta(days=1) if "tomorrow" in words else today
    if "month" in counted:
        day = day.replace(month=counted["month"], day=counted["day"])
        if day < today - timedelta(days=2):
            day = day.replace(year=day.year + 1)
    return datetime.combine(day, time(hour + half, counted.get("clock", 0)), zone)
