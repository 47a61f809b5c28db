"""What the judges have in common: whose channel it is, what went wrong when, and what they found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.ports.survey import Role
from tests.simulation import people
from tests.simulation.day_plan import Deed
from tests.simulation.far_end import What
from tests.simulation.owed import e164

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.journeys.scripted_channel import Channel
    from tests.simulation.day_plan import Day
    from tests.simulation.far_end import FarEnd, Sighting

QUEUE_OF = {people.CARDS: "cards", people.LOANS: "loans", people.URGENT: "cards"}
GRACE_S = 3.0
BEGINNINGS = frozenset({What.RINGS_IN, What.INVITE, What.DIALS})
DEATHS = frozenset({Deed.KILL.value, Deed.PBX_DIES.value, Deed.LINK_LOST.value, "worker failed"})


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never happen, and did."""

    kind: str
    at_s: float
    what: str


class Notebook:
    """Goes through the sightings of a day once, in order."""

    def __init__(self, day: Day, far_end: FarEnd) -> None:
        self._day = day
        self._far_end = far_end
        self._live: dict[str, Sighting] = {}
        """The calls that are up or ring, with how each began."""
        self._deaths: list[float] = []
        self.violations: list[Violation] = []

    def rules(self) -> Mapping[What, Callable[[Sighting], None]]:
        """Return what is done about each kind of sighting."""
        raise NotImplementedError

    def at_the_end(self, last: Sighting) -> None:
        """Look at what is left."""

    def verdict(self) -> list[Violation]:
        """Return all that must not have happened."""
        rules = self.rules()
        # All of them beforehand: whoever dies in the next moment has not written down what was seen in this one.
        faults = (seen for seen in self._far_end.sightings if seen.what is What.FAULT and seen.who in DEATHS)
        self._deaths = [seen.at_s for seen in faults]
        for seen in self._far_end.sightings:
            if seen.what in BEGINNINGS:
                rule = rules.get(seen.what)
                if rule is not None:
                    rule(seen)
                self._live[seen.who] = seen
                continue
            rule = rules.get(seen.what)
            if rule is not None:
                rule(seen)
            if seen.what is What.ENDS:
                self._live.pop(seen.who, None)
        self.at_the_end(self._far_end.sightings[-1])
        return self.violations

    def found(self, kind: str, seen: Sighting, what: str) -> None:
        """Write down a violation."""
        self.violations.append(Violation(kind, seen.at_s, what))

    def channel(self, who: str) -> Channel:
        """Return a channel."""
        return self._far_end.channels[who]

    @staticmethod
    def party(channel: Channel) -> tuple[str, str]:
        """Return the queue and the number (E.164; "" when withheld) of a caller or customer."""
        if channel.role is Role.CUSTOMER:
            return channel.marks["queue"], channel.facts.dialled
        return QUEUE_OF[channel.facts.dialled], e164(channel.facts.number) or ""

    def was_blind(self, since_s: float, until_s: float) -> bool:
        """Tell whether the product could not know all, in a span of the day: its database was away, or it was dead."""
        away = any(each.starts_s < until_s + GRACE_S and each.ends_s + GRACE_S > since_s for each in self._day.outages)
        return away or any(since_s - GRACE_S < each < until_s + GRACE_S for each in self._deaths)
