"""A line keeper on a real desk, in virtual time, with nobody else in the house."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.agents import Agent, AgentState
from controller.domain.gate import CallingHours
from controller.domain.promise import Promise
from controller.journeys.house import Queue
from controller.ports.phones import DeviceState, PhoneStatus
from controller.workers.agent_desk import AgentDesk, DeskReservation
from controller.workers.line_keeper import LineKeeper
from controller.workers.supervisor import Supervisor
from tests.journeys.virtual_time import VirtualClock, VirtualTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.line import Decision
    from controller.workers.line_place import LinePlace

AROUND_THE_CLOCK = CallingHours(time(0), time(0))
AT_NIGHT = CallingHours(time(20), time(22))
QUEUES = {
    "cards": Queue("cards", "ja", calling_hours=AROUND_THE_CLOCK),
    "loans": Queue("loans", "ja", calling_hours=AROUND_THE_CLOCK),
    "nights": Queue("nights", "ja", calling_hours=AT_NIGHT),
}
START = VirtualClock.START


class LineHouse:
    """A keeper and a desk; agents come when they are told to. The dialer is a list of promises whose turn it was."""

    def __init__(self, *agents: str, max_passes: int = 2) -> None:
        self.loop = VirtualTimeLoop()
        self.clock = VirtualClock(self.loop)
        staff = [Agent(name, name, frozenset(QUEUES), AgentState.SIGNED_OUT, START) for name in agents]
        self.desk = AgentDesk(staff, self.clock, Supervisor())
        self.keeper = LineKeeper(self.desk, QUEUES, self.clock, max_passes=max_passes)
        self.decisions: list[Decision] = []
        self.dialled: list[tuple[Promise, DeskReservation]] = []
        self.places = ExitStack()
        self.keeper.on_decision = self.decisions.append
        self.keeper.on_promise_turn = lambda promise, reservation: self.dialled.append((promise, reservation))

    def is_there(self, name: str, *, there: bool = True) -> None:
        """Have an agent's phone register, or go."""
        state = DeviceState.NOT_INUSE if there else DeviceState.UNAVAILABLE
        self.desk.phone_changed(PhoneStatus(name, registered=there, device=state))

    def joins(self, call_id: str, *, minute: float = 0, queue: str = "cards", **more: Any) -> LinePlace:
        """Have a caller stand in line who arrived so many minutes after the start, until the house is closed."""
        since = START + timedelta(minutes=minute)
        return self.places.enter_context(self.keeper.join(call_id, queue, since, **more))

    def promised(self, promise_id: str, *, minute: float = 0, due_min: float = 0, queue: str = "cards") -> Promise:
        """Have a promise stand in line."""
        since, due = (START + timedelta(minutes=minutes) for minutes in (minute, due_min))
        promise = Promise(promise_id, queue, "+819012345678", "ja", since, due, START + timedelta(days=3))
        self.keeper.promise_changed(promise)
        return promise

    def ends_call(self, place: LinePlace) -> None:
        """Have a caller's agent be free again, without a wrap-up, and the caller leave the turn."""
        reservation = self.do(place.turn())
        with reservation:
            pass

    def do(self, story: Any) -> Any:
        """Run something on the loop until it is done."""
        return self.loop.run_until_complete(story)

    def ends(self, story: Any) -> Callable[[], bool]:
        """Begin something; the answer tells whether it has ended."""
        task = self.loop.create_task(story)
        self.places.callback(task.cancel)

        async def turn_round() -> None:
            return None

        def has_ended() -> bool:
            for _ in range(5):
                self.do(turn_round())
            return task.done()

        return has_ended

    def served(self) -> list[str]:
        """Return who got an agent, in order."""
        return [decision.waiter_id for decision in self.decisions]
