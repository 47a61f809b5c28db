"""The gate: the one place that lets a number be dialled, asked in the last step before a call is placed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.domain.calling_hours import CallingHours, NumberHours
from controller.domain.calling_rules import CallingRule, rule_of
from controller.domain.caps import NO_CAPS, Caps, Tariff
from controller.domain.number_zones import Place, place_of, zones_of
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, NumberPlan, Refusal, check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["CallingHours", "Gate", "NumberHours"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Which numbers may be dialled, when, and how often.

    The hours always apply, also to a time that the customer chose. At home they are those of the house, on the house's
    clock; or, where the home country has more zones than one, on the clock of each zone that the number may be in.
    Abroad they are the country's.
    """

    plan: NumberPlan
    hours: CallingHours
    """The house's."""
    external: frozenset[str] = frozenset()
    """The numbers (as the settings write them) that callers may be sent to: an answering service, another office."""
    rules: Mapping[str, CallingRule] = field(default_factory=dict, hash=False)
    """The settings' own rules by country (ISO 3166), each instead of the default one. That of the home country adds
    its hours to those of the house; without any its hours are the house's alone."""
    caps: Caps = field(default=NO_CAPS, hash=False)
    """What holds for every number: `per_number`, `per_prefix` of every prefix, `max_cost_milli`, `reserve_s`."""
    tariffs: Mapping[str, Tariff] = field(default_factory=dict, hash=False)
    """By E.164 prefix; the longest counts. A number that none names costs nothing."""
    _shared: dict[Place | None, NumberHours] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Hours that were asked for before: numbers are many, places few."""

    def clear_external(self, number: str) -> str | None:
        """Return the number to dial for a caller who is sent there, at any hour; None when no setting names it."""
        return number if number in self.external else None

    def clear(self, number: str, now: datetime) -> DialableNumber | Outcome:
        """Return the number to dial, or the outcome the attempt gets without a call (NOT_ALLOWED, OUTSIDE_HOURS)."""
        checked = check(number, self.plan)
        if isinstance(checked, Refusal):
            return Outcome.NOT_ALLOWED
        return checked if self.hours_of(checked.e164).allow(now) else Outcome.OUTSIDE_HOURS

    def hours_of(self, number: str) -> NumberHours:
        """Return when a number (E.164) may be rung; of what is no valid number, the hours of the house.

        Whether it may be dialled at all is for `clear` to say. Cheap enough to be asked for each promise in line.
        """
        place = place_of(number, self.plan.home)
        hours = self._shared.get(place)
        if hours is None:
            hours = self._shared[place] = self._hours_at(place)
        return hours

    def caps_for(self, number: str) -> Caps:
        """Return the caps of a number (E.164): its country's, with those of the settings that concern it."""
        place = place_of(number, self.plan.home)
        rule = self._rule(place.country if place else self.plan.home)
        longest = max((prefix for prefix in self.tariffs if number.startswith(prefix)), key=len, default=None)
        own = self.caps.per_number
        return replace(
            self.caps,
            per_number=rule.max_per_24h if own is None else min(own, rule.max_per_24h),
            per_number_30_days=rule.max_per_30_days,
            per_prefix={prefix: most for prefix, most in self.caps.per_prefix.items() if number.startswith(prefix)},
            tariff=Tariff() if longest is None else self.tariffs[longest],
        )

    def _rule(self, country: str) -> CallingRule:
        return self.rules.get(country) or rule_of(country)

    def _hours_at(self, place: Place | None) -> NumberHours:
        if place is None:
            return NumberHours((self.hours,))
        own = self.rules.get(place.country)
        clocks = own.hours_in(*place) if own else ()
        if place.country == self.plan.home:
            return NumberHours((*self._house_hours_at(place, own), *clocks))
        return NumberHours(clocks or rule_of(place.country).hours_in(*place))

    def _house_hours_at(self, place: Place, own: CallingRule | None) -> tuple[CallingHours, ...]:
        """Return the hours of the house, on every clock of the number where it is not that of the house for sure."""
        everywhere = zones_of(place.country)
        if len(everywhere) == 1:
            return (self.hours,)
        zones = everywhere if own and own.every_zone else place.zones
        return tuple(CallingHours(self.hours.opens, self.hours.closes, ZoneInfo(zone)) for zone in zones)
