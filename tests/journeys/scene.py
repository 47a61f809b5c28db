"""A call centre on a stage: the real line, desk, dialer, reception, recovery and database; scripted telephones.

Time is virtual: `pass_s(60)` lets a minute happen at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from controller.domain.agents import Agent, AgentState
from controller.domain.caps import NO_CAPS
from controller.domain.gate import CallingHours
from controller.domain.lifecycle import Cancelled, CancelReason, RefusedTransitionError
from controller.domain.menu import Entrance, JoinQueue
from controller.domain.phone_number import NumberPlan
from controller.domain.promise import DEFAULT_PBX
from controller.journeys.house import House, Queue
from controller.ports.phones import DeviceState, PhoneStatus
from controller.ports.promises import Made, NewPromise, StoreUnavailableError
from controller.store.agent_book import StoredAgentBook
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.deck import DeckWatch
from controller.workers.dialer import Dialer
from controller.workers.duty_desk import DutyDesk
from controller.workers.hearsay import Hearsay
from controller.workers.line_keeper import LineKeeper
from controller.workers.reception import Reception
from controller.workers.recovery import Recovery
from controller.workers.redial_desk import RedialDesk
from controller.workers.supervisor import Supervisor
from tests.journeys.scene_rooms import Leading, Noted
from tests.journeys.scripted import ScriptedTelephony
from tests.journeys.virtual_time import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from controller.domain.menu import Destination, Menu, WebPage
    from controller.domain.promise import Promise
    from controller.domain.queue_events import QueueEvent
    from tests.journeys.scripted_channel import Channel, Person
    from tests.journeys.theatre import Theatre

T = TypeVar("T")

AROUND_THE_CLOCK = CallingHours(time(0), time(0))
CARDS = Queue(name="cards", language="ja", calling_hours=AROUND_THE_CLOCK)
LOANS = Queue(name="loans", language="ja", calling_hours=AROUND_THE_CLOCK)
EVERY_QUEUE = frozenset({CARDS.name, LOANS.name})
SERVICE_NUMBER = "0312345678"
ENTRANCES = (
    Entrance("cards", (SERVICE_NUMBER,), "ja", JoinQueue("cards")),
    Entrance("loans", ("0312345679",), "ja", JoinQueue("loans")),
)


class Scene:
    """One call centre, opened; `close` ends it."""

    pbx_name = DEFAULT_PBX

    def __init__(
        self,
        theatre: Theatre,
        staff: Mapping[str, Person] | None = None,
        *,
        signed_in: bool = True,
        queues: Mapping[str, frozenset[str]] | None = None,
        hours: CallingHours = AROUND_THE_CLOCK,
        max_concurrent_calls: int = 10,
        cards: Queue = CARDS,
        leads_to: Destination | None = None,
        menus: Iterable[Menu] = (),
        web_pages: Iterable[WebPage] = (),
        dry_run: bool = False,
        hours_for: Callable[[str], CallingHours] | None = None,
    ) -> None:
        theatre.empty()
        self.theatre = theatre
        self.pbx = ScriptedTelephony(theatre.clock)
        self.queues = {queue.name: replace(queue, calling_hours=hours) for queue in (cards, LOANS)}
        self.menus = {menu.name: menu for menu in menus}
        self.web_pages = {page.name: page for page in web_pages}
        self.entrances = ENTRANCES
        if leads_to is not None:
            self.entrances = (replace(ENTRANCES[0], leads_to=leads_to), ENTRANCES[1])
        self.queue_events: list[QueueEvent] = []
        self._max_concurrent_calls = max_concurrent_calls
        self._serves = queues or {}
        self.leadership = Leading()
        self.caps = NO_CAPS
        self._dry_run, self._hours_for = dry_run, hours_for
        self.killed = False
        """The controller is dead; `restart` brings up another one."""
        self._died = asyncio.Event()
        self._keeping: list[asyncio.Task[None]] = []
        self.pbx.agents.update(staff or {})
        self._open_up()
        if signed_in:
            for name in self.pbx.agents:
                self.registers(name)

    def _open_up(self) -> None:
        """Build a controller from nothing but the database."""
        theatre, loop, clock = self.theatre, self.theatre.loop, self.theatre.clock

        def watched(room: T) -> T:
            return cast("T", Watched(room, loop, self.pbx.transaction))

        self.supervisor = Supervisor()
        agents = [
            Agent(name, f"phone-{name}", self._serves.get(name, EVERY_QUEUE), AgentState.SIGNED_OUT, clock.now())
            for name in self.pbx.agents
        ]
        self.desk = AgentDesk(agents, clock, self.supervisor)
        self.keeper = LineKeeper(self.desk, self.queues, clock, hours_for=self._hours_for)
        self.desk.on_handled = self.keeper.outlook.note_handled
        self.house = House(
            line=self.keeper,
            telephony=self.pbx,
            promises=watched(theatre.store.promises),
            calls=watched(theatre.store.calls),
            queue_log=Noted(self.queue_events),
            texts=watched(theatre.store.texts),
            callers=watched(theatre.store.callers),
            clock=clock,
            plan=NumberPlan(),
            new_id=theatre.new_id,
            do_not_call=watched(theatre.store.do_not_call),
            links=watched(theatre.store.links),
            leadership=self.leadership,
            caps_for=lambda _number: self.caps,
            queues=self.queues,
            pbx=self.pbx_name,
            menus=self.menus,
            web_pages=self.web_pages,
            dry_run=self._dry_run,
            recordings=watched(theatre.store.recordings),
        )
        self.reception = Reception(self.house, self.entrances, self.supervisor)
        self.dialer = Dialer(
            self.house, self.queues, self.keeper, self.supervisor, max_concurrent_calls=self._max_concurrent_calls
        )
        self.recovery = Recovery(self.pbx, self.house, self.queues, self.desk, self.keeper, self.reception, self.dialer)
        self.hearsay = Hearsay(self.house.promises, self.keeper, clock, self.supervisor)
        self.deck = DeckWatch(self.house, self.queues, self.desk, self.keeper, self.dialer)
        self.keeper.may_dial = lambda: self.dialer.has_room
        theatre.store.changed.append(self.keeper.promise_changed)
        self.pbx.on_new_call = self.reception.welcome
        self.pbx.on_agent_phone = self._agent_phone
        duty = DutyDesk(self.desk, StoredAgentBook(theatre.store.database), clock, pin_required=False)
        redials = RedialDesk(self.house, self.desk, self.dialer)
        self.pbx.on_agent_menu = AgentReception(duty, self.supervisor, redials).welcome
        self._keeping = [loop.create_task(self.keeper.run()), loop.create_task(self.deck.run())]

    # -- what happens on the stage

    def registers(self, name: str, *, registered: bool = True) -> None:
        """Register an agent's phone, or have it gone."""
        self.do(partial(self.signs_in, name, registered=registered))

    def signs_in(self, name: str, *, registered: bool = True) -> None:
        """Do the same from within the story."""
        state = DeviceState.NOT_INUSE if registered else DeviceState.UNAVAILABLE
        self.desk.phone_changed(PhoneStatus(f"phone-{name}", registered=registered, device=state))

    def rings(self, person: Person, **call: Any) -> Channel:
        """Somebody calls the service number: see `ScriptedTelephony.rings`."""
        return self.do(lambda: self.pbx.rings(person, **call))

    def do(self, action: Callable[[], T]) -> T:
        """Do something on the stage's loop, at once."""

        async def act() -> T:
            return action()

        return self.theatre.loop.run_until_complete(act())

    def promised(self, number: str = "+819012345678", *, queue: str = "cards", person: Person | None = None) -> Promise:
        """There is a promise from an earlier call; `person` answers the number."""
        if person is not None:
            self.pbx.customers[number] = person
        since, call_id = self.theatre.clock.now(), self.theatre.new_id()
        wanted = NewPromise(queue=queue, number=number, language="ja", since=since, call_id=call_id)
        made = self.theatre.outside(self.theatre.store.promises.make(wanted))
        if not isinstance(made, Made):
            raise TypeError("a promise without a slot cannot find one full")
        return made.promise

    def cancel(self, promise: Promise, reason: CancelReason = CancelReason.ADMIN) -> None:
        """Somebody cancels a promise in another process, which then rings the doorbell."""
        store = self.theatre.store
        listeners, store.changed[:] = tuple(store.changed), ()
        with suppress(RefusedTransitionError):
            self.theatre.outside(store.promises.advance(promise.id, Cancelled(reason)))
        store.changed.extend(listeners)
        self.do(partial(self.hearsay.hear_of, promise.id))

    def blocks(self, number: str) -> None:
        """Have a number ask never to be called again."""
        self.theatre.outside(self.theatre.store.do_not_call.block(number, reason="STOP by SMS"))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, until the controller is killed at most."""

        async def wait() -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._died.wait()

        self.theatre.loop.run_until_complete(wait())

    def kill(self) -> None:
        """Kill the controller where it stands. The telephones go on."""
        self.pbx.lose_controller()
        self.killed = True
        self._died.set()

    def restart(self, *, after_s: float = 1.0) -> None:
        """Kill the controller where it stands; another one comes up and takes over."""
        self.pbx.lose_controller()
        self._let_go()
        self.killed = False
        self._died.clear()
        self.pass_s(after_s)
        self._open_up()
        for name in self.pbx.agents:
            busy = any(channel.agent == name for channel in self.pbx.live)
            self.do(partial(self._agent_phone, name, not busy))
        self.reconnect()

    def reconnect(self) -> None:
        """Have the same controller look at the PBX again, as after a lost connection."""
        self.keeper.may_serve = lambda: False
        while True:
            try:
                self.theatre.loop.run_until_complete(self.recovery.settle(in_hand=self.dialer.in_hand))
                break
            except StoreUnavailableError:
                self.pass_s(1)
        self.keeper.may_serve = lambda: True
        self.do(self.keeper.serve)

    def close(self) -> None:
        """Send everybody home."""
        self.pbx.lose_controller()
        self._let_go()
        for channel in self.pbx.live:
            channel.hang_up("closing time")

    # -- what can be seen

    def promises(self) -> list[Promise]:
        """Return every promise there is, oldest first."""
        ids = self.theatre.sql("SELECT id FROM promises ORDER BY made_at, id")
        return [self.theatre.outside(self.theatre.store.promises.get(row[0])) for row in ids]

    def attempts(self) -> list[tuple[str, str | None]]:
        """Return agent and outcome of every attempt, oldest first."""
        return [(row[0], row[1]) for row in self.theatre.sql("SELECT agent, outcome FROM attempts ORDER BY id")]

    def endings(self) -> dict[str, str | None]:
        """Return what became of each call."""
        return {row[0]: row[1] for row in self.theatre.sql("SELECT id, ending FROM calls")}

    def states(self) -> dict[str, AgentState]:
        """Return every agent's state."""
        return {agent.name: agent.state for agent in self.desk.agents}

    def tasks_left(self) -> list[str]:
        """Return the names of the tasks that are there, except those that look at the line, and what they wait for."""
        names = Counter(_name_of(task) for task in asyncio.all_tasks(self.theatre.loop))
        keeping = {"LineKeeper.run": 1, "DeckWatch.run": 1, "Event.wait": 2, "VirtualClock.sleep": 2}
        return sorted((names - Counter(keeping)).elements())

    def _agent_phone(self, name: str, idle: bool) -> None:
        state = DeviceState.NOT_INUSE if idle else DeviceState.INUSE
        self.desk.phone_changed(PhoneStatus(f"phone-{name}", registered=True, device=state))

    def _let_go(self) -> None:
        async def go() -> None:
            await self.supervisor.leave()
            await self.house.recorded.leave()
            for keeping in self._keeping:
                keeping.cancel()
            await asyncio.gather(*self._keeping, return_exceptions=True)

        self.theatre.store.changed.clear()
        self.theatre.loop.run_until_complete(go())


def _name_of(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "?")
