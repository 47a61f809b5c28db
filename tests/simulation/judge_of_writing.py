"""The judge of what is written: each SMS once, none after STOP, each link once, no window that passes in silence."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from controller.domain.effects import SmsTemplate
from controller.ports.survey import Role
from tests.simulation.correspondents import Wish
from tests.simulation.day_plan import Deed
from tests.simulation.far_end import What
from tests.simulation.notebook import Notebook
from tests.simulation.site import SLOT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.simulation.day_plan import Day
    from tests.simulation.far_end import FarEnd, Sighting

PASSING = frozenset({"too busy"})
"""Only after these answers may the same SMS be handed over again."""
STOP_S = 1.0
"""What was on its way to the carrier when STOP was acknowledged."""
NOTICE_S = 300.0
AROUND_S = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """A time that somebody was told by a page."""

    number: str
    told: Sighting
    ends_at: datetime


class JudgeOfWriting(Notebook):
    """Reads what the carrier and the phones saw."""

    KINDS: ClassVar[tuple[str, ...]] = (
        *("SMS twice", "SMS after STOP", "call after STOP", "link used twice"),
        *("told late after the window", "window in silence"),
    )

    def __init__(self, day: Day, far_end: FarEnd) -> None:
        super().__init__(day, far_end)
        self._answers: dict[str, str] = {}
        self._blocked: dict[str, float] = {}
        self._links: set[str] = set()
        self._windows: list[Window] = []
        self._heard_of: defaultdict[str, list[Sighting]] = defaultdict(list)
        """All that happened to a number, by itself or by us."""
        self._is_clock_set = any(each.deed is Deed.CLOCK_SET for each in day.happenings)

    def rules(self) -> Mapping[What, Callable[[Sighting], None]]:
        """Return what is done about each kind of sighting."""
        return {
            What.HANDED_OVER: self._handed_over,
            What.INVITE: self._invite,
            What.RINGS_IN: lambda seen: self._happens(self.party(self.channel(seen.who))[1], seen),
            What.ENDS: self._ends,
            What.HEARS: self._hears,
            What.CANCELLED: lambda seen: self._happens(seen.who, seen),
            What.REPLIES: lambda seen: self._happens(seen.who, seen),
            What.REPLY_TAKEN: lambda seen: self._happens(seen.who, seen),
            What.ASKS: lambda seen: self._happens(seen.who, seen),
            What.DECIDED: self._decided,
            What.BLOCKED: self._stop,
        }

    def _happens(self, number: str, seen: Sighting) -> None:
        self._heard_of[number].append(seen)

    def _handed_over(self, seen: Sighting) -> None:
        answer, _, text = seen.detail.partition(": ")
        template, queue, key, *_ = text.split(" ")
        before = self._answers.get(key)
        if before is not None and before not in PASSING:
            self.found("SMS twice", seen, f"{key}, of which the carrier said: {before}")
        self._answers[key] = answer
        if seen.at_s > self._blocked.get(seen.who, float("inf")) + STOP_S:
            self.found("SMS after STOP", seen, f"{seen.who} said STOP at {self._blocked[seen.who]:.3f}")
        if template in {SmsTemplate.RUNNING_LATE, SmsTemplate.GAVE_UP}:
            # Who is told that there is no further call, and how to ask for one, waits for none.
            self._happens(seen.who, seen)
        if template == SmsTemplate.RUNNING_LATE:
            self._is_in_time(seen, queue)

    def _is_in_time(self, seen: Sighting, queue: str) -> None:
        """Look whether the last window that they were told is still open, if nothing else was asked for since."""
        told = [each for each in self._windows if each.number == seen.who and each.told.detail.split(" ")[1] == queue]
        if not told or self._is_clock_set:
            return
        since = [each for each in self._heard_of[seen.who] if each.at_s > told[-1].told.at_s and each is not seen]
        if seen.wall > told[-1].ends_at + timedelta(seconds=STOP_S) and not since:
            self.found("told late after the window", seen, f"{seen.who}'s ended {told[-1].ends_at:%d %H:%M} UTC")

    def _invite(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is not Role.CUSTOMER:
            return
        number = self.party(channel)[1]
        self._happens(number, seen)
        by_hand = any(self.channel(each).menu_code is not None for each in self._live)
        if seen.at_s > self._blocked.get(number, float("inf")) + STOP_S and not by_hand:
            self.found("call after STOP", seen, f"{number} said STOP at {self._blocked[number]:.3f}")

    def _ends(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is not Role.AGENT:
            self._happens(self.party(channel)[1], seen)

    def _hears(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is Role.CALLER:
            self._happens(self.party(channel)[1], seen)

    def _decided(self, seen: Sighting) -> None:
        wish, _, link, *told = seen.detail.split(" ")
        if link in self._links:
            self.found("link used twice", seen, link)
        self._links.add(link)
        if wish == Wish.TIME:
            ends_at = datetime.fromisoformat(told[0]) + timedelta(minutes=SLOT_MIN)
            self._windows.append(Window(seen.who, seen, ends_at))

    def _stop(self, seen: Sighting) -> None:
        self._blocked.setdefault(seen.who, seen.at_s)
        self._happens(seen.who, seen)

    def at_the_end(self, last: Sighting) -> None:
        """Look for windows in which nothing came: no call, and no word that it would be later."""
        for window in () if self._is_clock_set else self._windows:
            left_s = (window.ends_at - window.told.wall).total_seconds()
            ends_s = window.told.at_s + left_s
            if last.at_s < ends_s or left_s < 2 * NOTICE_S:
                continue
            happened = [each for each in self._heard_of[window.number] if window.told.at_s < each.at_s < ends_s]
            if not happened and not self.was_blind(ends_s - NOTICE_S - AROUND_S, ends_s):
                self.found("window in silence", last, f"{window.number} was told one that ended at {ends_s:.0f} s")
