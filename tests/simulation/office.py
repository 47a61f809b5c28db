"""One controller of a day: the real domain, workers and journeys, on books in memory and phones that are acted."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from controller.domain.agents import Agent, AgentState
from controller.domain.sms_gate import SmsGate
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.journeys.house import House
from controller.ports.lease import lease_of_pbx
from controller.ports.phones import DeviceState, PhoneStatus
from controller.ports.promises import StoreUnavailableError
from controller.sms.texts import WITH_LINK
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.deck import DeckWatch
from controller.workers.dialer import Dialer
from controller.workers.duty_desk import DutyDesk
from controller.workers.hearsay import Hearsay
from controller.workers.late_watch import LateWatch
from controller.workers.lease_keeper import LeaseKeeper
from controller.workers.line_keeper import LineKeeper
from controller.workers.link_clerk import LinkClerk
from controller.workers.reception import Reception
from controller.workers.recovery import Recovery
from controller.workers.redial_desk import RedialDesk
from controller.workers.reply_desk import ReplyDesk
from controller.workers.sms_sender import Postage, SmsSender
from controller.workers.supervisor import Supervisor
from tests.simulation.correspondents import PUBLIC_URL, SIGNER
from tests.simulation.far_end import What
from tests.simulation.memory_store import MemoryStore
from tests.simulation.weather import Weather, Weathered

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from controller.domain.queue_events import QueueEvent
    from controller.ports.sms import QueuedSms, SmsInbox
    from tests.simulation.premises import Premises

LEASE_S = 1800.0
"""Longer than in life, as each renewal costs the day some time; the death of a holder shortens what is left of it."""
RECOVERY_RETRY_S = 1.0
SMS_A_NUMBER = 100
"""More than anybody gets on a day: who is told nothing because of a cap would look forgotten."""


class NoLog:
    """The queue_log of a day: nobody reads it."""

    def note(self, event: QueueEvent) -> None:
        """Forget it."""


def text_of(sms: QueuedSms, link: str | None) -> str:
    """Return what a customer needs to understand: which text, which queue, its page, and the times that it names."""
    more = "".join(f" {name}={value}" for name, value in sms.details.items())
    return f"{sms.template} {sms.queue} {sms.key} {link or '-'}{more}"


class Office:
    """A controller from its start to its death."""

    def __init__(self, premises: Premises, nth: int) -> None:
        self.premises = premises
        self.name = f"controller-{nth}"
        day, clock = premises.day, premises.clock
        self._weather = Weather(clock, day.dice("weather", nth), day.outages)
        self.store = MemoryStore(premises.data, policies=premises.policies, clock=clock, new_id=premises.new_id)
        self.supervisor = Supervisor()
        agents = [
            Agent(name, f"phone-{name}", serves, AgentState.SIGNED_OUT, clock.now())
            for name, serves in day.staff.items()
        ]
        self.desk = AgentDesk(agents, clock, self.supervisor)
        self.keeper = LineKeeper(self.desk, premises.queues, clock, hours_for=premises.gate.hours_of)
        self.lease = LeaseKeeper(
            self._room(self.store.leases),
            clock,
            name=lease_of_pbx(),
            holder=self.name,
            member="controller",
            monotonic_s=clock.monotonic,
            lease_s=LEASE_S,
        )
        self.house = self._house()
        self.reception = Reception(self.house, premises.entrances, self.supervisor)
        self.dialer = Dialer(
            self.house, premises.queues, self.keeper, self.supervisor, max_concurrent_calls=day.max_concurrent_calls
        )
        self.hearsay = Hearsay(self.house.promises, self.keeper, clock, self.supervisor)
        self.deck = DeckWatch(self.house, premises.queues, self.desk, self.keeper, self.dialer)
        self.duty = DutyDesk(self.desk, self._room(self.store.agents), clock, pin_required=False)
        self.recovery = Recovery(
            premises.pbx, self.house, premises.queues, self.desk, self.keeper, self.reception, self.dialer
        )
        log = structlog.get_logger("controller.sms")
        self.inbox: SmsInbox = self._room(self.store.inbox)
        self.replies = ReplyDesk(self.inbox, self.house)
        self.late = LateWatch(self.house, self.keeper)
        clerk = LinkClerk(self.house.links, SIGNER, PUBLIC_URL, clock, templates=WITH_LINK)
        postage = Postage(
            text_of=text_of,
            sender_of=lambda _sms: "0312345678",
            bill=lambda _sms, _text: SmsBill(1),
            gate=SmsGate(premises.gate.plan, premises.gate.plan.countries),
            limits=SmsLimits(per_number=SMS_A_NUMBER),
            link_for=clerk.link_for,
        )
        self.sms = SmsSender(self._room(self.store.outbox), premises.carrier, postage, clock, log)
        self.connected = asyncio.Event()
        self._recovered = False
        self._tasks: list[asyncio.Task[None]] = []
        self.alive = True
        self._wire()

    def _room(self, book: object) -> Any:
        return Weathered(book, self._weather, self.premises.pbx.transaction)

    def _house(self) -> House:
        premises, store = self.premises, self.store
        return House(
            line=self.keeper,
            telephony=premises.pbx,
            promises=self._room(store.promises),
            calls=self._room(store.calls),
            queue_log=NoLog(),
            texts=self._room(store.texts),
            callers=self._room(store.callers),
            clock=premises.clock,
            plan=premises.gate.plan,
            new_id=premises.new_id,
            leadership=self.lease,
            caps_for=premises.gate.caps_for,
            queues=premises.queues,
            do_not_call=self._room(store.do_not_call),
            links=self._room(store.links),
        )

    def _wire(self) -> None:
        pbx = self.premises.pbx
        redials = RedialDesk(self.house, self.desk, self.dialer)
        pbx.on_agent_menu = AgentReception(self.duty, self.supervisor, redials).welcome
        pbx.on_new_call = self.reception.welcome
        pbx.on_agent_phone = self.phone_changed
        self.keeper.may_serve = lambda: self._recovered and pbx.link.is_set()
        self.keeper.may_dial = lambda: self.dialer.has_room and self.lease.term is not None
        self.lease.on_gained = self.keeper.serve
        self.store.changed.append(self.keeper.promise_changed)
        self.store.sms_queued.append(self.sms.wake)
        self.store.replied.append(self.replies.wake)
        self.desk.on_handled = self.keeper.outlook.note_handled

    # -- its life

    def open(self) -> None:
        """Begin to work."""
        for name in self.premises.day.staff:
            self.look_at_phone(name)
        workers = (
            *(self.keeper.run(), self.deck.run(), self.sms.run(), self.lease.run(), self._recover()),
            *(self.replies.run(), self.late.run(), self._seek_lease()),
        )
        for worker in workers:
            self._tasks.append(asyncio.ensure_future(self._guarded(worker)))
        self.connected.set()

    def lose_link(self) -> None:
        """Take note that there is no connection to the PBX any more."""
        self._recovered = False

    @property
    def is_disturbed(self) -> bool:
        """Whether its database is not as it should be."""
        return self._weather.now() is not None

    async def die(self) -> None:
        """Be gone, with everything that was under way."""
        self.alive = False
        for listeners in (self.store.changed, self.store.sms_queued, self.store.replied):
            listeners.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.001):
                await self.supervisor.leave()

    async def _guarded(self, worker: Coroutine[Any, Any, None]) -> None:
        """Run a worker; its fault ends the process, and another one is started."""
        try:
            await worker
        except Exception as fault:  # noqa: BLE001 - any: that is what the process manager sees
            self.premises.far_end.see(What.FAULT, "worker failed", f"{type(fault).__name__}: {fault}")
            self.premises.kill(self, after_s=1.0)

    async def _seek_lease(self) -> None:
        """Want the lease back whenever a rival has taken it."""
        while True:
            await self.lease.held()
            await self.lease.lost()

    async def _recover(self) -> None:
        while True:
            await self.connected.wait()
            self.connected.clear()
            link = self.premises.pbx.link
            await link.wait()
            try:
                await self.recovery.settle(in_hand=self.dialer.in_hand)
            except StoreUnavailableError:
                await self.premises.clock.sleep(RECOVERY_RETRY_S)
                self.connected.set()
                continue
            if self.connected.is_set() or not link.is_set():
                continue
            self._recovered = True
            self.premises.far_end.see(What.FAULT, "in control")
            self.keeper.serve()

    # -- phones

    def look_at_phone(self, name: str) -> None:
        """Be told how an agent's phone is."""
        self.phone_changed(name, all(channel.agent != name for channel in self.premises.pbx.live))

    def phone_changed(self, name: str, idle: bool) -> None:
        """Take note of an agent's phone."""
        registered = name in self.premises.registered
        state = DeviceState.UNAVAILABLE
        if registered:
            state = DeviceState.NOT_INUSE if idle else DeviceState.INUSE
        self.desk.phone_changed(PhoneStatus(f"phone-{name}", registered=registered, device=state))
