"""The only place that builds objects and joins them. Everything else is handed what it needs."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.asterisk.agi.server import AgiServer
from controller.asterisk.ari.errors import AriError
from controller.asterisk.legs import DialRights
from controller.domain.queue_events import agent_events
from controller.journeys.house import House
from controller.mail_room import MailRoom
from controller.pbx import Pbx
from controller.ports.promises import StoreUnavailableError
from controller.store import open_store
from controller.store.doorbell import Doorbell, bell_of
from controller.system_clock import SystemClock, monotonic_s
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.agi_desk import AgiDesk
from controller.workers.deck import DeckWatch
from controller.workers.dialer import Dialer
from controller.workers.duty_desk import DutyDesk
from controller.workers.hearsay import Hearsay
from controller.workers.lease_keeper import LeaseKeeper, name_of_this_process
from controller.workers.line_keeper import LineKeeper
from controller.workers.line_recorder import LineRecorder
from controller.workers.reception import Reception
from controller.workers.recovery import Recovery
from controller.workers.redial_desk import RedialDesk
from controller.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from controller.domain.agents import Agent
    from controller.settings import Settings
    from controller.store import Store

log = structlog.get_logger(__name__)

RECOVERY_RETRY_S = 1.0


async def run(settings: Settings, *, stop: asyncio.Event | None = None, dry_run: bool = False) -> None:
    """Run the controller until `stop` is set. Calls stay on the PBX; the next start takes them up.

    Run dry, it does everything for a callback but the call itself.

    Raises AriError, StoreUnavailableError or OSError for what waiting does not mend.
    """
    clock = SystemClock()
    async with open_store(settings.store.url, policies=settings.retry_policies, clock=clock, new_id=new_id) as store:
        await Controller(settings, store, clock, dry_run=dry_run).run(stop or asyncio.Event())


def new_id() -> str:
    """Return a new id: 16 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


class Controller:
    """All rooms of the house, joined."""

    def __init__(self, settings: Settings, store: Store, clock: SystemClock, *, dry_run: bool) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._connected = asyncio.Event()
        self._recovered = False
        self._supervisor = Supervisor()
        self._queues = from_settings.queues(settings)
        self._dry_run = dry_run
        self._gate = settings.gate
        self._lease = LeaseKeeper(
            store.leases,
            clock,
            holder=name_of_this_process(clock.now()),
            monotonic_s=monotonic_s,
            lease_s=settings.dialer.lease_s,
        )
        self._pbx = Pbx(
            settings,
            clock,
            gate=self._gate,
            rights=DialRights(lambda: self._lease.term is not None, store.do_not_call.is_blocked),
            dry_run=dry_run,
            new_id=new_id,
            spawn=self._supervisor.spawn,
            on_connected=self._connected.set,
            on_disconnected=self._connection_lost,
        )
        self._desk = AgentDesk(from_settings.agents(settings, clock.now()), clock, self._supervisor)
        self._duty = DutyDesk(self._desk, store.agents, clock, pin_required=settings.agents_by_phone.sign_in == "pin")
        self._recorder = LineRecorder(store.line_audit, clock, structlog.get_logger("controller.line"))
        self._keeper = LineKeeper(
            self._desk, self._queues, clock, max_passes=settings.line.max_passes, hours_for=self._gate.hours_of
        )
        house = self._house()
        self._reception = Reception(house, settings.ways_in, self._supervisor)
        self._dialer = Dialer(
            house,
            self._queues,
            self._keeper,
            self._supervisor,
            max_concurrent_calls=settings.dialer.max_concurrent_calls,
        )
        self._deck = DeckWatch(house, self._queues, self._desk, self._keeper, self._dialer)
        self._redials = RedialDesk(house, self._desk, self._dialer)
        self._hearsay = Hearsay(store.promises, self._keeper, clock, self._supervisor)
        self._bell = Doorbell(bell_of(settings.store.path), clock)
        self._recovery = Recovery(
            self._pbx.telephony, house, self._queues, self._desk, self._keeper, self._reception, self._dialer
        )
        self._mail = MailRoom(settings, store, house, self._keeper, clock)
        self._agi = self._agi_server(house)
        self._wire()

    async def run(self, stop: asyncio.Event) -> None:
        """Run every worker until `stop` is set or one of them fails."""
        await self._duty.load()
        for name, queue in self._queues.items():
            talks_s = await self._store.calls.recent_talks_s(name)
            self._keeper.outlook.note_handled(name, *(talk_s + queue.wrap_up_s for talk_s in talks_s))
        try:
            async with asyncio.TaskGroup() as workers:
                running = [
                    workers.create_task(worker, name=name)
                    for name, worker in {
                        "ARI": self._pbx.ari.run(),
                        "AMI": self._pbx.ami.run(),
                        "lease": self._lease.run(),
                        "line keeper": self._keeper.run(),
                        "deck": self._deck.run(),
                        "doorbell": self._bell.run(self._hearsay.hear_of),
                        **self._mail.workers,
                        "recovery": self._recover(),
                        "queue log": self._pbx.queue_log.run(),
                        "line recorder": self._recorder.run(),
                        **({"AGI": self._agi.run()} if self._agi else {}),
                    }.items()
                ]
                await stop.wait()
                log.info("stopping; calls stay on the PBX")
                # The connection goes first: what is cancelled after it can hang nobody up.
                running[0].cancel()
                await asyncio.gather(running[0], return_exceptions=True)
                await self._supervisor.leave()
                for task in running[1:]:
                    task.cancel()
                await self._lease.release()
        finally:
            await self._supervisor.leave()

    async def _recover(self) -> None:
        """After each connection, first settle what happened meanwhile; only then serve anybody."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            try:
                await self._pbx.telephony.prepare()
                prompts_were_seen = await self._pbx.require_prompts()
                await self._recovery.settle(in_hand=self._dialer.in_hand)
                # A reply that an earlier process acknowledged may say STOP.
                await self._mail.replies.caught_up.wait()
            except (AriError, StoreUnavailableError) as error:
                log.error("recovery has to be tried again", reason=str(error))  # noqa: TRY400 - expected
                await self._clock.sleep(RECOVERY_RETRY_S)
                if self._pbx.ari.connected:
                    self._connected.set()
                continue
            if self._connected.is_set() or not self._pbx.ari.connected:
                continue  # Lost again meanwhile: what was read may be out of date.
            self._recovered = True
            log.info("in control")
            self._keeper.serve()
            self._supervisor.spawn(self._pbx.tell_what_is_missing(prompts_were_seen=prompts_were_seen))

    def _house(self) -> House:
        settings, store = self._settings, self._store
        return House(
            line=self._keeper,
            telephony=self._pbx.telephony,
            promises=store.promises,
            calls=store.calls,
            queue_log=self._pbx.queue_log,
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
            menus=settings.menus_by_name,
            web_pages=settings.pages_by_name,
            languages=tuple(sorted(settings.languages)),
        )

    def _wire(self) -> None:
        store = self._store
        self._pbx.telephony.on_new_call = self._reception.welcome
        self._pbx.telephony.on_agent_menu = AgentReception(self._duty, self._supervisor, self._redials).welcome
        self._keeper.may_serve = lambda: self._recovered and self._pbx.ari.connected
        self._keeper.may_dial = lambda: self._dialer.has_room
        self._dialer.room = self._has_circuit
        self._dialer.pen.other_way = lambda: self._pbx.trunks.other_way
        self._pbx.trunks.on_room = self._keeper.serve
        self._lease.on_gained = self._keeper.serve
        self._keeper.phones_are_known = lambda: not self._pbx.ami.stale
        self._pbx.ami.on_known = self._keeper.phones_known
        store.on_change = self._keeper.promise_changed
        self._pbx.ami.subscribe(self._desk.phone_changed)
        self._pbx.ami.on_trunk = self._pbx.trunk_changed
        self._desk.on_changed = self._agent_changed
        self._desk.on_handled = self._keeper.outlook.note_handled
        self._keeper.on_decision = self._recorder.note

    def _has_circuit(self) -> bool:
        """Tell whether a trunk takes one more call: each promise in hand will want one, when its agent has answered."""
        trunks = self._pbx.trunks
        return trunks.has_room and len(self._dialer.in_hand) < trunks.circuits

    def _agent_changed(self, before: Agent, after: Agent) -> None:
        self._keeper.agent_changed(before, after)
        for event in agent_events(before, after):
            self._pbx.queue_log.note(event)

    def _connection_lost(self) -> None:
        self._recovered = False
        self._pbx.telephony.connection_lost()
        log.warning("the connection to the PBX is lost; live calls go on, nobody is dialled")

    def _agi_server(self, house: House) -> AgiServer | None:
        agi = self._settings.agi
        if not agi.enabled:
            return None
        desk = AgiDesk(house, languages=self._settings.languages)
        return AgiServer(host=agi.host, port=agi.port, clock=self._clock, on_call=desk.receive, allowed=agi.allowed)
