"""What a day's call centre is made of: its queues and its gate, who works there and who is called."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from controller.domain.caps import Caps
from controller.domain.gate import CallingHours, Gate
from controller.domain.opening_hours import OpeningHours, Span
from controller.domain.outcome import Outcome
from controller.domain.phone_number import NumberPlan
from controller.domain.slots import SlotPlan
from controller.journeys.house import Callbacks, DialMode, Queue
from tests.simulation import people

if TYPE_CHECKING:
    from tests.journeys.scripted_channel import Person
    from tests.simulation.day_plan import Day, QueuePlan

GAPS_S = {Outcome.BUSY: 120.0, Outcome.NO_ANSWER: 300.0}
"""Two that the judge knows as well."""
SLOT_MIN = 30


class Customers(dict[str, "Person"]):
    """Who answers a number: rolled for each call to it."""

    def __init__(self, day: Day) -> None:
        super().__init__()
        self._day = day
        self._calls: Counter[str] = Counter()

    def get(self, number: str, default: object = None) -> Person:  # noqa: ARG002 - dict's own
        """Return what happens this time."""
        self._calls[number] += 1
        return people.customer(self._day.dice("customer", number, self._calls[number]))


class Staff(dict[str, "Person"]):
    """What agents do when their phones ring: rolled for each time."""

    def __init__(self, day: Day) -> None:
        super().__init__({name: people.agent(day.dice("agent", name)) for name in day.staff})
        self._day = day
        self._rings: Counter[str] = Counter()

    def __getitem__(self, name: str) -> Person:
        self._rings[name] += 1
        return people.agent(self._day.dice("agent", name, self._rings[name]))


def gate_of(day: Day) -> Gate:
    """Return the gate of a day."""
    hours = CallingHours(*day.calling_hours, day.zone)
    return Gate(NumberPlan(own_numbers=frozenset({"+81312345678"})), hours, caps=Caps(per_number=day.per_number_cap))


def queue_of(day: Day, plan: QueuePlan) -> Queue:
    """Return one of its queues."""
    return Queue(
        name=plan.name,
        language="ja",
        hours=OpeningHours(((Span(plan.opens, plan.closes),),) * 7, day.zone),
        calling_hours=CallingHours(*day.calling_hours, day.zone),
        slots=SlotPlan(SLOT_MIN, plan.slot_capacity, horizon_days=1) if plan.slot_capacity else None,
        callbacks=Callbacks(mode=DialMode(plan.mode)),
    )
