"""The only place that builds objects and joins them. Everything else is handed what it needs."""

from __future__ import annotations

import asyncio
import random
import secrets
from typing import TYPE_CHECKING

import structlog

from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.errors import AriError
from controller.asterisk.languages import Languages
from controller.asterisk.outbound_call import Trunk
from controller.asterisk.telephony import AriTelephony
from controller.domain.agents import Agent, AgentState
from controller.domain.phone_number import as_printed
from controller.journeys.house import House, Queue
from controller.ports.promises import StoreUnavailableError
from controller.sms.log_gateway import LogGateway
from controller.sms.texts import Signature, renderer
from controller.store import open_store
from controller.system_clock import SystemClock
from controller.workers.agent_desk import AgentDesk
from controller.workers.dialer import Dialer
from controller.workers.line_keeper import LineKeeper
from controller.workers.reception import Reception
from controller.workers.recovery import Recovery
from controller.workers.sms_sender import SmsSender
from controller.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from controller.asterisk.ari.events import Event
    from controller.settings import Settings
    from controller.store import Store

log = structlog.get_logger(__name__)

RECOVERY_RETRY_S = 1.0


async def run(settings: Settings, *, stop: asyncio.Event | None = None) -> None:
    """Run the controller until `stop` is set. Calls stay on the PBX; the next start takes them up.

    Raises AriError, StoreUnavailableError or OSError for what waiting does not mend.
    """
    clock = SystemClock()
    async with open_store(settings.store.url, policies=settings.retry_policies, clock=clock, new_id=new_id) as store:
        await Controller(settings, store, clock).run(stop or asyncio.Event())


def new_id() -> str:
    """Return a new id: 16 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


class Controller:
    """All rooms of the house, joined."""

    def __init__(self, settings: Settings, store: Store, clock: SystemClock) -> None:
        self._settings = settings
        self._clock = clock
        self._connected = asyncio.Event()
        self._recovered = False
        self._supervisor = Supervisor()
        self._queues = {queue.name: queue for queue in journey_queues(settings)}
        self._client = self._ari_client()
        self._telephony = self._ari_telephony()
        self._desk = AgentDesk(agents(settings, clock), clock, self._supervisor)
        self._keeper = LineKeeper(self._desk, self._queues, settings.gate.hours, clock)
        house = House(
            line=self._keeper,
            telephony=self._telephony,
            promises=store.promises,
            calls=store.calls,
            clock=clock,
            plan=settings.gate.plan,
            new_id=new_id,
        )
        self._reception = Reception(house, tuple(self._queues.values()), self._supervisor)
        self._dialer = Dialer(
            house,
            self._queues,
            self._keeper,
            self._supervisor,
            max_concurrent_calls=settings.dialer.max_concurrent_calls,
        )
        self._recovery = Recovery(
            self._telephony, house, self._queues, self._desk, self._keeper, self._reception, self._dialer
        )
        self._sms = self._sms_sender(store)
        self._ami = self._ami_watcher()
        self._wire(store)

    async def run(self, stop: asyncio.Event) -> None:
        """Run every worker until `stop` is set or one of them fails."""
        try:
            async with asyncio.TaskGroup() as workers:
                running = [
                    workers.create_task(worker, name=name)
                    for name, worker in {
                        "ARI": self._client.run(),
                        "AMI": self._ami.run(),
                        "line keeper": self._keeper.run(),
                        "SMS sender": self._sms.run(),
                        "recovery": self._recover(),
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
        finally:
            await self._supervisor.leave()

    async def _recover(self) -> None:
        """After each connection, first settle what happened meanwhile; only then serve anybody."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            try:
                await self._telephony.prepare()
                await self._recovery.settle(in_hand=self._dialer.in_hand)
            except (AriError, StoreUnavailableError) as error:
                log.error("recovery has to be tried again", reason=str(error))  # noqa: TRY400 - expected
                await self._clock.sleep(RECOVERY_RETRY_S)
                if self._client.connected:
                    self._connected.set()
                continue
            if self._connected.is_set() or not self._client.connected:
                continue  # Lost again meanwhile: what was read may be out of date.
            self._recovered = True
            log.info("in control")
            self._keeper.serve()

    def _wire(self, store: Store) -> None:
        self._telephony.on_new_call = self._reception.welcome
        self._keeper.may_serve = lambda: self._recovered and self._client.connected
        self._keeper.may_dial = lambda: self._dialer.has_room
        store.on_change = self._keeper.promise_changed
        store.on_sms_queued = self._sms.wake
        self._ami.subscribe(self._desk.phone_changed)

    def _connection_lost(self) -> None:
        self._recovered = False
        self._telephony.connection_lost()
        log.warning("the connection to the PBX is lost; live calls go on, nobody is dialled")

    def _ari_client(self) -> AriClient:
        asterisk = self._settings.asterisk

        def deliver(event: Event) -> None:
            self._telephony.on_event(event)

        return AriClient(
            asterisk.url,
            asterisk.app,
            asterisk.ari_username,
            self._settings.secrets.ari_password.get_secret_value(),
            on_event=deliver,
            on_connected=self._connected.set,
            on_disconnected=self._connection_lost,
            clock=self._clock,
            rng=random.Random(),  # noqa: S311 - spreads reconnects, guards nothing
        )

    def _ari_telephony(self) -> AriTelephony:
        dialer = self._settings.dialer
        return AriTelephony(
            self._client,
            trunk=Trunk(dialer.trunk, dialer.caller_id, national=dialer.number_format == "national"),
            gate=self._settings.gate,
            languages=Languages(
                by_queue={queue.name: queue.language for queue in self._queues.values()},
                by_dialled={
                    number: queue.language for queue in self._queues.values() for number in queue.dialled_numbers
                },
            ),
            agent_endpoints=[agent.endpoint for agent in self._settings.agents],
            clock=self._clock,
            new_id=new_id,
            spawn=self._supervisor.spawn,
        )

    def _ami_watcher(self) -> AmiWatcher:
        asterisk = self._settings.asterisk
        return AmiWatcher(
            host=asterisk.ami_host,
            port=asterisk.ami_port,
            username=asterisk.ami_username,
            secret=self._settings.secrets.ami_password.get_secret_value(),
            endpoints=[agent.endpoint for agent in self._settings.agents],
            clock=self._clock,
        )

    def _sms_sender(self, store: Store) -> SmsSender:
        settings = self._settings
        shown = as_printed(settings.dialer.caller_id, settings.dialer.home_country)
        signatures = {queue.name: Signature(queue.titles, shown) for queue in settings.queues}
        gateway = LogGateway(settings.sms.outbox_path, sender=shown, clock=self._clock)
        return SmsSender(
            store.outbox,
            gateway,
            renderer(signatures),
            self._clock,
            structlog.get_logger("controller.sms"),
            max_tries=settings.sms.retry_limit,
        )


def journey_queues(settings: Settings) -> list[Queue]:
    """Return the queues as journeys know them."""
    return [
        Queue(
            name=queue.name,
            language=queue.language,
            dialled_numbers=queue.dialled_numbers,
            reminder_interval_s=queue.reminder_interval_s,
            agent_ring_timeout_s=queue.agent_ring_timeout_s,
            customer_ring_timeout_s=queue.customer_ring_timeout_s,
            wrap_up_s=queue.wrap_up_s,
            missed_pause_s=queue.missed_pause_s,
        )
        for queue in settings.queues
    ]


def agents(settings: Settings, clock: SystemClock) -> list[Agent]:
    """Return every agent, signed out until their phone reports itself."""
    return [
        Agent(agent.name, agent.endpoint, frozenset(agent.queues), AgentState.SIGNED_OUT, clock.now())
        for agent in settings.agents
    ]
