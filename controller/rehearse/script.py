"""What is walked through: the settings, the moment, and the words of the prompts; and what is told of a queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controller.domain.menu_graph import ways_of
from controller.domain.opening_hours import Unending
from controller.domain.slots import slots
from controller.rehearse.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from controller.domain.menu import Entrance, Menu
    from controller.domain.menu_graph import Way
    from controller.settings import Queue, Settings

_OFFERS = {
    "at_once": "is offered a callback at once, and again every {interval_s:g} s; key 1 takes it",
    "by_wait": "is offered a callback when the wait may pass {offer_s:g} s; key 1 takes it",
    "on_key": "is not told of callbacks; key 1 takes one all the same",
    "never": "is offered no callback",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A settings file at one moment."""

    settings: Settings
    at: datetime
    """Aware."""
    catalogue: Catalogue = field(default_factory=Catalogue)

    @property
    def entrances(self) -> tuple[Entrance, ...]:
        """Every way in."""
        return self.settings.ways_in

    @property
    def menus(self) -> Mapping[str, Menu]:
        """The menus, by name."""
        return self.settings.menus_by_name

    @property
    def queues(self) -> Mapping[str, Queue]:
        """The queues, by name."""
        return {queue.name: queue for queue in self.settings.queues}

    @property
    def ways(self) -> list[Way]:
        """Every way that a call can take."""
        limits = {name: queue.limits.exits for name, queue in self.queues.items()}
        return ways_of(self.entrances, self.menus.values(), limits)

    def is_open(self, queue: str) -> bool:
        """Tell whether a queue is open at the moment."""
        return self.settings.opening_hours[queue].is_open(self.at)

    def title(self, titles: Mapping[str, str], language: str) -> str:
        """Return a title in a language, in English where there is none."""
        return titles.get(language, titles["en"])

    def facts(self, queue: Queue, *, urgent: bool = False) -> list[str]:
        """Return what holds for a queue at the moment, and for whoever waits for it, one sentence each."""
        waiting = list(self._waiting(queue, urgent=urgent))
        return [*self._hours(queue), *waiting, *self._booking(queue)]

    def _hours(self, queue: Queue) -> Iterator[str]:
        hours = self.settings.opening_hours[queue.name]
        if queue.hours is None:
            yield "always open"
            return
        today = self.at.astimezone(hours.zone).date()
        spans = ", ".join(str(span) for span in hours.spans_on(today)) or "no hours"
        closes, opens = hours.closes_at(self.at), hours.next_opening(self.at)
        if isinstance(closes, Unending):
            state = "open, and stays so"
        elif closes is not None:
            state = f"open until {_moment(closes, self.at, hours.zone)}"
        else:
            reason = hours.why_closed(self.at)
            state = f"closed ({reason.value if reason else 'closed'})"
            state += f", opens {_moment(opens, self.at, hours.zone)}" if opens else ", and does not open within a year"
        yield f"{state}; today {spans}{'' if hours.zone == self.settings.zone else f' ({hours.zone.key})'}"

    def _waiting(self, queue: Queue, *, urgent: bool) -> Iterator[str]:
        agents = [agent.name for agent in self.settings.agents if queue.name in agent.queues]
        yield f"served by {', '.join(agents)}"
        announcements = queue.announcements
        told = [word for word, is_told in (("place", announcements.place), ("wait", announcements.wait)) if is_told]
        if told:
            yield f"hears {' and '.join(told)} every {announcements.interval_s:g} s"
        offer = "is not told of callbacks first; key 1 takes one" if urgent else _OFFERS[announcements.offer]
        yield offer.format(interval_s=announcements.interval_s, offer_s=announcements.offer_after_wait_s)
        if queue.recaptured_after_s is not None:
            yield f"who hangs up after {queue.recaptured_after_s:g} s of waiting gets an SMS"
        if queue.confirm_sms:
            yield "who leaves a number gets an SMS that says what was promised"

    def _booking(self, queue: Queue) -> Iterator[str]:
        plan, gate = queue.slot_plan, self.settings.gate
        if plan is None:
            return
        hours = self.settings.opening_hours[queue.name]
        first = next(slots(plan, hours, gate.hours, self.at), None)
        when = f"the first {_moment(first.starts_at, self.at, hours.zone)}" if first else "none in reach"
        callbacks = "one callback" if plan.capacity == 1 else f"{plan.capacity} callbacks"
        yield f"times of {plan.length_min} min can be booked, {callbacks} in each; {when}"


def _moment(instant: datetime, at: datetime, zone: ZoneInfo) -> str:
    """Return an instant on the clock of `zone`: the time alone on the day of `at`, else with its date."""
    local = instant.astimezone(zone)
    is_today = local.date() == at.astimezone(zone).date()
    return f"{local:%H:%M}" if is_today else f"{local:%a %Y-%m-%d %H:%M}"
