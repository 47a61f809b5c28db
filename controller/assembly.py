"""The only place that builds the objects of an office and joins them. Everything else is handed what it needs."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.asterisk.ari.errors import AriError
from controller.asterisk.legs import DialRights
from controller.console.metering import OverheardQueueLog
from controller.domain.queue_events import agent_events
from controller.journeys.house import House
from controller.pbx import Pbx
from controller.ports.promises import StoreUnavailableError
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.deck import DeckWatch
from controller.workers.dialer import Dialer
from controller.workers.duty_desk import DutyDesk
from controller.workers.floor import OfficeFloor
from controller.workers.hearsay import Hearsay
from controller.workers.line_keeper import LineKeeper
from controller.workers.line_recorder import LineRecorder
from controller.workers.reception import Reception
from controller.workers.recording_keeper import RecordingKeeper
from controller.workers.recovery import Recovery
from controller.workers.redial_desk import RedialDesk
from controller.workers.span_recorder import SpanRecorder
from controller.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controller.console.meter import Meter
    from controller.domain.agents import Agent
    from controller.journeys.closed_by_hand import ClosedByHand
    from controller.ports.queue_log import QueueLog
    from controller.settings import Asterisk, Settings
    from controller.store import Store
    from controller.system_clock import SystemClock
    from controller.workers.lease_keeper import LeaseKeeper

log = structlog.get_logger(__name__)

RECOVERY_RETRY_S = 1.0


def new_id() -> str:
    """Return a new id: 16 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


class Office:
    """All rooms of the house for one Asterisk, joined; from when its lease is ours until it is left, once."""

    def __init__(
        self,
        settings: Settings,
        asterisk: Asterisk,
        store: Store,
        clock: SystemClock,
        lease: LeaseKeeper,
        *,
        replies_read: Callable[[], Awaitable[None]],
        closures: ClosedByHand,
        meter: Meter | None = None,
        dry_run: bool,
    ) -> None:
        """`replies_read` returns once nobody's STOP lies unread any more; it may raise StoreUnavailableError.

        `closures` are the queues that are closed by hand, `meter` counts what happens; the same for all offices.
        """
        self.name = asterisk.name
        self.is_in_control = False
        """The Asterisk is connected, and what happened before is settled."""
        self.was_in_control = False
        self.left = asyncio.Event()
        """Set as soon as the office is being left."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._replies_read = replies_read
        self._closures = closures
        self._meter = meter
        self._connected = asyncio.Event()
        # Told in the log where there are several; a site with one has nothing to tell apart.
        self.bound = {"pbx": self.name} if len(settings.asterisks) > 1 else {}
        self._supervisor = Supervisor(**self.bound)
        self._queues = from_settings.queues(settings)
        self._dry_run = dry_run
        self._gate = settings.gate
        self._lease = lease
        self._pbx = Pbx(
            settings,
            asterisk,
            clock,
            gate=self._gate,
            rights=DialRights(lambda: self._lease.term is not None, store.do_not_call.is_blocked),
            dry_run=dry_run,
            new_id=new_id,
            spawn=self._supervisor.spawn,
            on_connected=self._connected.set,
            on_disconnected=self._connection_lost,
        )
        self._desk = AgentDesk(from_settings.agents(settings, self.name, clock.now()), clock, self._supervisor)
        self._duty = DutyDesk(self._desk, store.agents, clock, pin_required=settings.agents_by_phone.sign_in == "pin")
        self._recorder = LineRecorder(store.line_audit, clock, structlog.get_logger("controller.line"))
        self._spans = SpanRecorder(store.agent_spans, clock, structlog.get_logger("controller.agents"), pbx=self.name)
        self.line = LineKeeper(
            self._desk, self._queues, clock, max_passes=settings.line.max_passes, hours_for=self._gate.hours_of
        )
        self.house = self._house()
        self._reception = Reception(self.house, settings.ways_in, self._supervisor)
        self._dialer = Dialer(
            self.house,
            self._queues,
            self.line,
            self._supervisor,
            max_concurrent_calls=settings.dialer.max_concurrent_calls,
        )
        self._deck = DeckWatch(self.house, self._queues, self._desk, self.line, self._dialer)
        self._redials = RedialDesk(self.house, self._desk, self._dialer)
        self.hearsay = Hearsay(store.promises, self.line, clock, self._supervisor)
        self._recovery = Recovery(
            self._pbx.telephony, self.house, self._queues, self._desk, self.line, self._reception, self._dialer
        )
        self.shelf = self._pbx.shelf
        """Where the sound of recorded talks is."""
        self._recordings = RecordingKeeper(
            store.recordings, self.shelf, self.house.recorded, clock, pbx=self.name, unwanted=store.recordings_unwanted
        )
        self._wire()
        self.floor = OfficeFloor(
            self.house,
            self.line,
            self._desk,
            self._duty,
            self._pbx.telephony.oversight,
            rules=from_settings.floor_rules(settings),
            trunks=self._pbx.trunks_now,
            shelf=self.shelf,
        )
        """For supervisors: this office's part of it."""

    async def run(self) -> None:
        """Work until `left` is set, or a worker fails. Calls stay on the PBX.

        Raises AriError, StoreUnavailableError or OSError, in a group, for what waiting does not mend.
        """
        structlog.contextvars.bind_contextvars(**self.bound)
        await self._duty.load()
        for name, queue in self._queues.items():
            talks_s = await self._store.calls.recent_talks_s(name)
            self.line.outlook.note_handled(name, *(talk_s + queue.wrap_up_s for talk_s in talks_s))
        self._store.changed.append(self.line.promise_changed)
        try:
            async with asyncio.TaskGroup() as workers:
                ari = workers.create_task(self._pbx.ari.run(), name="ARI")
                others = [
                    workers.create_task(worker, name=name)
                    for name, worker in {
                        "AMI": self._pbx.ami.run(),
                        "line keeper": self.line.run(),
                        "deck": self._deck.run(),
                        "recovery": self._recover(),
                        "queue log": self._pbx.queue_log.run(),
                        "line recorder": self._recorder.run(),
                        "span recorder": self._spans.run(),
                        "recordings": self._recordings.run(),
                    }.items()
                ]
                await self.left.wait()
                log.info("stopping; calls stay on the PBX")
                self.is_in_control = False
                # The connection goes first: what is cancelled after it can hang nobody up.
                ari.cancel()
                await asyncio.gather(ari, return_exceptions=True)
                await self._supervisor.leave()
                await self._dialer.let_all_go()
                for task in others:
                    task.cancel()
        finally:
            self.left.set()
            self.is_in_control = False
            self._store.changed.remove(self.line.promise_changed)
            await self._supervisor.leave()
            await self.house.recorded.leave()
            await self._pbx.telephony.leave()

    async def _recover(self) -> None:
        """After each connection, first settle what happened meanwhile; only then serve anybody."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            try:
                await self._pbx.telephony.prepare()
                prompts_were_seen = await self._pbx.require_what_it_needs()
                await self._recovery.settle(in_hand=self._dialer.in_hand)
                # A reply that an earlier process acknowledged may say STOP.
                await self._replies_read()
            except (AriError, StoreUnavailableError) as error:
                log.error("recovery has to be tried again", reason=str(error))  # noqa: TRY400 - expected
                await self._clock.sleep(RECOVERY_RETRY_S)
                if self._pbx.ari.connected:
                    self._connected.set()
                continue
            if self._connected.is_set() or not self._pbx.ari.connected:
                continue  # Lost again meanwhile: what was read may be out of date.
            self.is_in_control = self.was_in_control = True
            log.info("in control")
            self.line.serve()
            self._recordings.connected()
            self._supervisor.spawn(self._pbx.tell_what_is_missing(prompts_were_seen=prompts_were_seen))

    def _house(self) -> House:
        settings, store = self._settings, self._store
        return House(
            line=self.line,
            telephony=self._pbx.telephony,
            promises=store.promises,
            calls=store.calls,
            queue_log=self._overheard(self._pbx.queue_log),
            texts=store.texts,
            callers=store.callers if settings.callers.remember_language else None,
            clock=self._clock,
            plan=settings.gate.plan,
            new_id=new_id,
            do_not_call=store.do_not_call,
            links=store.links,
            leadership=self._lease,
            caps_for=self._gate.caps_for,
            hours_for=self._gate.hours_of,
            dry_run=self._dry_run,
            queues=self._queues,
            pbx=self.name,
            menus=settings.menus_by_name,
            web_pages=settings.pages_by_name,
            languages=tuple(sorted(settings.languages)),
            closures=self._closures,
            recordings=store.recordings,
        )

    def _wire(self) -> None:
        self._pbx.telephony.on_new_call = self._reception.welcome
        self._pbx.telephony.on_agent_menu = AgentReception(self._duty, self._supervisor, self._redials).welcome
        self.line.may_serve = lambda: self.is_in_control and self._pbx.ari.connected
        self.line.may_dial = lambda: self._dialer.has_room
        self._dialer.room = self._has_circuit
        self._dialer.pen.other_way = lambda: self._pbx.trunks.other_way
        self._pbx.trunks.on_room = self.line.serve
        self._lease.on_gained = self.line.serve
        self.line.phones_are_known = lambda: not self._pbx.ami.stale
        self._pbx.ami.on_known = self.line.phones_known
        self._pbx.ami.subscribe(self._desk.phone_changed)
        self._pbx.ami.on_trunk = self._pbx.trunk_changed
        self._desk.on_changed = self._agent_changed
        if self._meter is not None:
            self._pbx.ari.on_answered = partial(self._meter.ari_answered, self.name)
        self._desk.on_handled = self.line.outlook.note_handled
        self.line.on_decision = self._recorder.note
        self.line.employs = frozenset(agent.name for agent in self._settings.agents).__contains__

    def _has_circuit(self) -> bool:
        """Tell whether a trunk takes one more call: each promise in hand will want one, when its agent has answered."""
        trunks = self._pbx.trunks
        return trunks.has_room and len(self._dialer.in_hand) < trunks.circuits

    def _overheard(self, queue_log: QueueLog) -> QueueLog:
        return queue_log if self._meter is None else OverheardQueueLog(queue_log, self._meter.queue_event)

    def _agent_changed(self, before: Agent, after: Agent) -> None:
        self.line.agent_changed(before, after)
        if self._meter is not None:
            self._meter.agent_changed(before, after)
        self._spans.note(after, self._desk.serving(after.name))
        for event in agent_events(before, after):
            self._pbx.queue_log.note(event)

    def _connection_lost(self) -> None:
        self.is_in_control = False
        self._pbx.telephony.connection_lost()
        self.floor.tell()
        log.warning("the connection to the PBX is lost; live calls go on, nobody is dialled")
