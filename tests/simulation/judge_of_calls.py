"""The judge of calls: who was rung when, by how many at once, who was cut off, who was left waiting."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from controller.domain.evidence import AnsweredBy
from controller.domain.outcome import Outcome
from controller.ports.survey import Role
from tests.simulation import people
from tests.simulation.day_plan import Deed
from tests.simulation.far_end import What
from tests.simulation.notebook import GRACE_S, Notebook
from tests.simulation.owed import ACKNOWLEDGED, e164
from tests.simulation.weather import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.journeys.scripted_channel import Channel
    from tests.simulation.day_plan import Day
    from tests.simulation.far_end import FarEnd, Sighting

DIALABLE = re.compile(r"\+81[789]0[0-9]{8}")
FAREWELLS = frozenset({"goodbye", "call-again"})
WHILE_HOLDING = frozenset({"hold-offer", "offer", "offer-short", "welcome-back", "urgent-connecting"})
MAX_PASSES = 5
DAY = timedelta(hours=24)

PHONE_NEWS_S = 1.0
"""So long may it take until the PBX tells that a phone is in use."""


class JudgeOfCalls(Notebook):
    """Watches the phones."""

    KINDS: ClassVar[tuple[str, ...]] = (
        *("overlapping", "forbidden", "over cap", "stale lease", "database away", "called while here"),
        *("attempt used twice", "talk cut", "machine or no key", "agent twice", "overtaken", "hung up on"),
        *("apology", "still up", "worker failed"),
    )

    def __init__(self, day: Day, far_end: FarEnd) -> None:
        super().__init__(day, far_end)
        self._holding: dict[str, float] = {}
        self._talking: dict[str, str] = {}
        self._seen_off: set[str] = set()
        """Who was served, promised a call, or heard a farewell last."""
        self._pressed_yes: set[str] = set()
        self._rung_until: dict[str, float] = {}
        """When an agent's phone last rang for a caller in vain: they are back in line a moment later."""
        self._crowd: set[str] = set()
        self._overtaken: Counter[str] = Counter()
        self._visits: Counter[str] = Counter()
        self._invites: defaultdict[str, list[datetime]] = defaultdict(list)
        self._attempts: set[str] = set()
        self._blocked: dict[str, float] = {}
        self._rival_since: float | None = None

    def rules(self) -> Mapping[What, Callable[[Sighting], None]]:
        """Return what is done about each kind of sighting."""
        return {
            What.RINGS_IN: self._rings_in,
            What.INVITE: self._invite,
            What.HEARS: self._hears,
            What.PRESSES: self._presses,
            What.ON_HOLD: self._is_on_hold,
            What.TALKS: self._talks,
            What.ENDS: self._ends,
            What.BLOCKED: self._stop,
            What.FAULT: self._fault,
        }

    def _rings_in(self, seen: Sighting) -> None:
        number = self.party(self.channel(seen.who))[1]
        self._visits[number] += 1
        here = [each for each in self._live if self._is_caller(each) and self.party(self.channel(each))[1] == number]
        if here:  # An office with many phones: one of them may well be rung while another one talks.
            self._crowd.update({seen.who, *here})

    def _is_caller(self, who: str) -> bool:
        return self.channel(who).role is Role.CALLER

    def _presses(self, seen: Sighting) -> None:
        keys, _, prompt = seen.detail.partition(" at ")
        if (keys, prompt) == ("1", "callback-confirm"):
            self._pressed_yes.add(seen.who)
        elif prompt == "enter-number":  # Somebody else wants that phone to be rung, whoever talks on it.
            callers = [each for each in self._live if each != seen.who and self._is_caller(each)]
            self._crowd.update(each for each in callers if self.party(self.channel(each))[1] == e164(keys))

    def _is_on_hold(self, seen: Sighting) -> None:
        if self._is_caller(seen.who):
            self._holding.setdefault(seen.who, seen.at_s)

    def _stop(self, seen: Sighting) -> None:
        self._blocked.setdefault(seen.who, seen.at_s)

    def _hears(self, seen: Sighting) -> None:
        if not self._is_caller(seen.who):
            return
        if seen.detail == "apology":
            self.found("apology", seen, f"{seen.who} was met by a fault of ours")
        if seen.detail not in WHILE_HOLDING:  # Busy with something else: leaving a number, say.
            self._holding.pop(seen.who, None)
        if seen.detail in FAREWELLS | ACKNOWLEDGED:
            self._seen_off.add(seen.who)

    # -- calls that we place

    def _invite(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        if channel.role is Role.AGENT:
            self._is_free(seen, channel)
            self._is_next(seen, channel)
        elif channel.role is Role.CUSTOMER:
            self._is_allowed(seen, channel)
            self._is_elsewhere(seen, channel)
            self._has_room(seen, channel)
            self._is_in_control(seen)
            self._invites[channel.facts.dialled].append(seen.wall)

    def _is_free(self, seen: Sighting, channel: Channel) -> None:
        for other, began in self._live.items():
            # Who lifts the phone to dial in this very moment: the PBX tells of it a moment later.
            has_just_dialled = self.channel(other).menu_code is not None and seen.at_s - began.at_s < PHONE_NEWS_S
            if self.channel(other).agent == channel.agent and not has_just_dialled:
                self.found("agent twice", seen, f"{channel.agent} is rung while on {other}")

    def _is_next(self, seen: Sighting, channel: Channel) -> None:
        """See that nobody who holds is overtaken, but by an urgent caller, and a few times at most."""
        caller = self._far_end.channels.get(channel.for_call or "")
        if caller is None or caller.role is not Role.CALLER or caller.id not in self._live:
            return
        queue, number = self.party(caller)
        if self._visits[number] > 1 or not number:
            return  # They may stand in the place of an earlier call.
        is_urgent = caller.facts.dialled == people.URGENT
        rung_for = {self.channel(leg).for_call for leg in self._live}
        for waits, since_s in self._holding.items():
            came_later = self._live[waits].wall >= self._live[caller.id].wall
            was_rung_for = self._rung_until.get(waits, -GRACE_S) > seen.at_s - 1
            if came_later or waits in rung_for or was_rung_for or since_s > seen.at_s - GRACE_S:
                continue
            if self.party(self.channel(waits))[0] != queue or self.was_blind(self._live[waits].at_s, seen.at_s):
                continue
            self._overtaken[waits] += 1
            if self._overtaken[waits] > MAX_PASSES or not is_urgent:
                self.found("overtaken", seen, f"{waits} holds since {since_s:.0f}; {caller.id} came later")

    def _is_allowed(self, seen: Sighting, channel: Channel) -> None:
        number = channel.facts.dialled
        if seen.detail in self._attempts:
            self.found("attempt used twice", seen, seen.detail)
        self._attempts.add(seen.detail)
        opens, closes = self._day.calling_hours
        if not opens <= seen.wall.astimezone(self._day.zone).time() < closes:
            self.found("forbidden", seen, f"{number} was dialled outside the hours")
        if not DIALABLE.fullmatch(number):
            self.found("forbidden", seen, f"{number} may not be dialled")
        if number in self._blocked:
            self.found("forbidden", seen, f"{number} said STOP at {self._blocked[number]:.3f}")

    def _is_elsewhere(self, seen: Sighting, channel: Channel) -> None:
        """See that nobody is dialled who is on the telephone with the same queue."""
        for here in (self._holding.keys() | self._talking.keys()) - self._crowd:
            caller = self.channel(here)
            if caller.role is not Role.CALLER or self.party(caller) != self.party(channel):
                continue
            if not self.was_blind(self._live[here].at_s, seen.at_s):
                self.found("called while here", seen, f"{channel.facts.dialled} is on the telephone with us as {here}")

    def _has_room(self, seen: Sighting, channel: Channel) -> None:
        number = channel.facts.dialled
        others = [each for each in self._live if self.channel(each).role is Role.CUSTOMER]
        if any(self.channel(each).facts.dialled == number for each in others):
            self.found("overlapping", seen, f"{number} was called twice at once")
        if len(others) >= self._day.max_concurrent_calls:
            self.found("over cap", seen, f"{len(others) + 1} calls at once")
        in_24_h = [wall for wall in self._invites[number] if wall > seen.wall - DAY]
        if len(in_24_h) >= self._day.per_number_cap:
            self.found("over cap", seen, f"{number} was called {len(in_24_h)} times in 24 hours before")

    def _is_in_control(self, seen: Sighting) -> None:
        if self._rival_since is not None and seen.at_s > self._rival_since + GRACE_S:
            self.found("stale lease", seen, f"another controller places the calls since {self._rival_since:.0f}")
        for outage in self._day.outages:
            is_deaf = outage.trouble is Trouble.DEAF
            if outage.starts_s + GRACE_S < seen.at_s < outage.ends_s and not is_deaf:
                self.found("database away", seen, f"{outage.trouble.value} since {outage.starts_s:.0f}")

    # -- talks and ends

    def _talks(self, seen: Sighting) -> None:
        for one, other in ((seen.who, seen.detail), (seen.detail, seen.who)):
            channel = self.channel(one)
            self._holding.pop(one, None)
            if channel.role is Role.AGENT and self._talking.get(one, other) != other:
                self.found("agent twice", seen, f"{channel.agent} talks with two")
            self._talking[one] = other
            self._seen_off.add(one)
            is_machine = channel.person.answered_by is AnsweredBy.MACHINE
            if self.channel(other).menu_code is not None:  # Who dials by hand hears for themselves who answers.
                continue
            if channel.role is Role.CUSTOMER and (is_machine or one not in self._pressed_yes):
                self.found("machine or no key", seen, f"{one} reached an agent")

    def _ends(self, seen: Sighting) -> None:
        channel = self.channel(seen.who)
        for kept in (self._holding, self._talking, self._overtaken):
            kept.pop(seen.who, None)
        if channel.role is Role.AGENT and channel.for_call is not None:
            self._rung_until[channel.for_call] = seen.at_s
        by, _, in_a_talk = seen.detail.partition(" ")
        if by == "controller" and in_a_talk:
            self.found("talk cut", seen, f"{seen.who} was hung up in a talk")
        if channel.role is Role.CALLER and by == "controller" and seen.who not in self._seen_off:
            self.found("hung up on", seen, f"{seen.who} was neither served nor promised a call")
        if by == "network" and channel.person.refuses is Outcome.NOT_PLACED:
            self._invites[channel.facts.dialled].pop()

    def _fault(self, seen: Sighting) -> None:
        if seen.who == Deed.RIVAL.value:
            self._rival_since = seen.at_s
        elif seen.who == "lease given back":
            self._rival_since = None
        elif seen.who == "worker failed":
            self.found("worker failed", seen, seen.detail)

    def at_the_end(self, last: Sighting) -> None:
        """Look for calls that nobody ended."""
        for who in self._live:
            self.found("still up", last, who)
