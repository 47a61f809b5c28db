"""Agents with phones, their desk, and the database: all but the line is real, the telephones and time are scripted."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from controller.domain.agents import Agent, AgentState, Duty
from controller.domain.pin import hashed, matches
from controller.ports.phones import DeviceState, PhoneStatus
from controller.store.agent_book import StoredAgentBook
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.duty_desk import DutyDesk
from controller.workers.supervisor import Supervisor
from tests.journeys.scripted import ScriptedTelephony
from tests.journeys.scripted_channel import Channel, Person
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from controller.domain.agents import AgentEvent
    from controller.ports.agents import KeptAgent
    from tests.journeys.theatre import Theatre

T = TypeVar("T")

QUEUES = frozenset({"cards"})
SALT = bytes(16)


class Office:
    """Two agents, alice and bob; their phones are registered. `restart` brings up another controller."""

    def __init__(self, theatre: Theatre, *, pin_required: bool = False, pins: Mapping[str, str] | None = None) -> None:
        theatre.empty()
        self.theatre = theatre
        self.pbx = ScriptedTelephony(theatre.clock)
        self.book = StoredAgentBook(theatre.store.database)
        self.handled: list[tuple[str, float]] = []
        self.changes: list[tuple[Agent, Agent]] = []
        self._pin_required = pin_required
        for name, pin in (pins or {}).items():
            self.give_pin(name, hashed(pin, SALT))
        self._open_up()

    def _open_up(self) -> None:
        theatre, clock = self.theatre, self.theatre.clock
        self.supervisor = Supervisor()
        self.desk = AgentDesk(
            [Agent(name, f"phone-{name}", QUEUES, AgentState.SIGNED_OUT, clock.now()) for name in ("alice", "bob")],
            clock,
            self.supervisor,
        )
        self.desk.on_handled = lambda queue, handle_s: self.handled.append((queue, handle_s))
        self.desk.on_changed = lambda before, after: self.changes.append((before, after))
        self.duty = DutyDesk(
            self.desk,
            Watched(self.book, theatre.loop, self.pbx.transaction),
            clock,
            pin_required=self._pin_required,
            is_right=self._is_right,
        )
        theatre.loop.run_until_complete(self.duty.load())
        self.pbx.on_agent_menu = AgentReception(self.duty, self.supervisor).welcome
        for name in ("alice", "bob"):
            self.phone(name)

    async def _is_right(self, pin: str, kept: str) -> bool:
        with self.theatre.loop.outside():
            return await asyncio.to_thread(matches, pin, kept)

    def give_pin(self, name: str, pin_hash: str) -> None:
        """Do what the command line does."""
        duty = Duty(signed_in=not self._pin_required)
        self.theatre.outside(self.book.set_pin(name, pin_hash, duty_if_new=duty, at=self.theatre.clock.now()))

    def phone(self, name: str, *, registered: bool = True, idle: bool = True) -> None:
        """Let an agent's phone report itself."""
        state = DeviceState.NOT_INUSE if idle else DeviceState.INUSE
        status = PhoneStatus(f"phone-{name}", registered=registered, device=state)
        self.do(partial(self.desk.phone_changed, status))

    def begins(self, code: str, person: Person | None = None, *, name: str = "alice", **more: Any) -> Channel:
        """Let an agent dial a code."""
        return self.do(lambda: self.pbx.agent_dials(name, code, person or Person(), **more))

    def dials(self, code: str, presses: Mapping[str, list[str]] | None = None, *, name: str = "alice") -> Channel:
        """Let an agent dial a code and press keys at prompts, and wait until the call is over."""
        channel = self.begins(code, Person(presses=presses or {}), name=name)
        self.until_over(channel)
        return channel

    def moves(self, *events: AgentEvent, name: str = "alice") -> None:
        """Let events happen to an agent."""
        for event in events:
            self.do(partial(self.desk.move, name, event))

    def until_over(self, *channels: Channel) -> None:
        """Let time pass until these calls are over."""
        for channel in channels:
            self.theatre.loop.run_until_complete(channel.until(lambda: False))

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.theatre.loop.run_until_complete(asyncio.sleep(seconds))

    def do(self, action: Callable[[], T]) -> T:
        """Do something on the loop, at once."""

        async def act() -> T:
            return action()

        return self.theatre.loop.run_until_complete(act())

    def state(self, name: str = "alice") -> str:
        """Return an agent's state, with the reason of a pause."""
        agent = self.desk.agent(name)
        return agent.state.value + (f": {agent.pause_reason}" if agent.pause_reason is not None else "")

    def kept(self, name: str = "alice") -> KeptAgent | None:
        """Return what the database keeps of an agent."""
        return self.theatre.outside(self.book.find(name))

    def restart(self) -> None:
        """Bring up another controller from the same database."""
        self.theatre.loop.run_until_complete(self.supervisor.leave())
        self.pbx.lose_controller()
        self._open_up()

    def close(self) -> None:
        """Send everybody home."""
        self.pbx.lose_controller()
        self.theatre.loop.run_until_complete(self.supervisor.leave())
        for channel in self.pbx.live:
            channel.hang_up("closing time")


@contextmanager
def offices(theatre: Theatre) -> Iterator[Callable[..., Office]]:
    """Give a way to open an office, with the arguments of `Office`; all are closed in the end."""
    opened: list[Office] = []

    def begin(**options: Any) -> Office:
        opened.append(Office(theatre, **options))
        return opened[-1]

    try:
        yield begin
    finally:
        for office in opened:
            office.close()
