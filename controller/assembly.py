"""The only place that builds objects and joins them. Everything else is handed what it needs."""

from __future__ import annotations

import asyncio
import random
import secrets
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.asterisk.agi.server import AgiServer
from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ami_errors import AmiError
from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.errors import AriError
from controller.asterisk.outbound_call import Trunk
from controller.asterisk.queue_log import AmiQueueLog
from controller.asterisk.sounds_check import PromptsMissingError, missing_music, missing_prompts
from controller.asterisk.telephony import AriTelephony
from controller.domain.queue_events import agent_events
from controller.journeys.house import House
from controller.ports.promises import StoreUnavailableError
from controller.sms.log_gateway import LogGateway
from controller.sms.texts import renderer
from controller.store import open_store
from controller.system_clock import SystemClock
from controller.workers.agent_desk import AgentDesk
from controller.workers.agent_reception import AgentReception
from controller.workers.agi_desk import AgiDesk
from controller.workers.dialer import Dialer
from controller.workers.duty_desk import DutyDesk
from controller.workers.line_keeper import LineKeeper
from controller.workers.line_recorder import LineRecorder
from controller.workers.reception import Reception
from controller.workers.recovery import Recovery
from controller.workers.sms_sender import SmsSender
from controller.workers.supervisor import Supervisor

if TYPE_CHECKING:
    from controller.asterisk.ari.events import Event
    from controller.domain.agents import Agent
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
        self._store = store
        self._clock = clock
        self._connected = asyncio.Event()
        self._recovered = False
        self._prompts_are_there = False
        self._supervisor = Supervisor()
        self._queues = from_settings.queues(settings)
        self._client = self._ari_client()
        self._telephony = self._ari_telephony()
        self._ami = self._ami_watcher()
        self._queue_log = AmiQueueLog(self._ami_account(), clock=clock)
        self._desk = AgentDesk(from_settings.agents(settings, clock.now()), clock, self._supervisor)
        self._duty = DutyDesk(self._desk, store.agents, clock, pin_required=settings.agents_by_phone.sign_in == "pin")
        self._recorder = LineRecorder(store.line_audit, clock, structlog.get_logger("controller.line"))
        self._keeper = LineKeeper(self._desk, self._queues, clock, max_passes=settings.line.max_passes)
        house = self._house()
        self._reception = Reception(house, settings.ways_in, self._supervisor)
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
        self._sms = self._sms_sender()
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
                        "ARI": self._client.run(),
                        "AMI": self._ami.run(),
                        "line keeper": self._keeper.run(),
                        "SMS sender": self._sms.run(),
                        "recovery": self._recover(),
                        "queue log": self._queue_log.run(),
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
        finally:
            await self._supervisor.leave()

    async def _recover(self) -> None:
        """After each connection, first settle what happened meanwhile; only then serve anybody."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            try:
                await self._telephony.prepare()
                if not self._prompts_are_there:
                    await self._require_prompts()
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
            self._supervisor.spawn(self._check_sounds())

    async def _require_prompts(self) -> None:
        """Find a prompt that is missing at the start, and not in a call: Asterisk would speak English without a word.

        Raises PromptsMissingError, AriError.
        """
        missing = await self._missing_prompts()
        if missing:
            raise PromptsMissingError(missing)
        self._prompts_are_there = True

    async def _missing_prompts(self) -> list[str]:
        settings = self._settings
        return await missing_prompts(self._client, from_settings.wanted_prompts(settings), sorted(settings.languages))

    async def _check_sounds(self) -> None:
        """Tell of music that the PBX has not, and of prompts that it has lost; callers are served meanwhile."""
        classes = from_settings.music(self._settings).values()
        try:
            lost = await self._missing_prompts()
            missing = await missing_music(self._client, self._ami_account(), classes, new_id=new_id)
        except (AriError, AmiError) as error:
            log.warning("prompts and hold music could not be looked at", reason=str(error))
            return
        if lost:
            log.error("the PBX has lost prompts; render them again", prompts=lost)
        if missing:
            log.error("the PBX lacks hold music; callers hear its default in its place", classes=missing)

    def _house(self) -> House:
        settings, store = self._settings, self._store
        return House(
            line=self._keeper,
            telephony=self._telephony,
            promises=store.promises,
            calls=store.calls,
            queue_log=self._queue_log,
            texts=store.texts,
            callers=store.callers if settings.callers.remember_language else None,
            clock=self._clock,
            plan=settings.gate.plan,
            new_id=new_id,
            queues=self._queues,
            menus=settings.menus_by_name,
            web_pages=settings.pages_by_name,
            languages=tuple(sorted(settings.languages)),
        )

    def _wire(self) -> None:
        store = self._store
        self._telephony.on_new_call = self._reception.welcome
        self._telephony.on_agent_menu = AgentReception(self._duty, self._supervisor).welcome
        self._keeper.may_serve = lambda: self._recovered and self._client.connected
        self._keeper.may_dial = lambda: self._dialer.has_room
        self._keeper.phones_are_known = lambda: not self._ami.stale
        self._ami.on_known = self._keeper.phones_known
        store.on_change = self._keeper.promise_changed
        store.on_sms_queued = self._sms.wake
        self._ami.subscribe(self._desk.phone_changed)
        self._desk.on_changed = self._agent_changed
        self._desk.on_handled = self._keeper.outlook.note_handled
        self._keeper.on_decision = self._recorder.note

    def _agent_changed(self, before: Agent, after: Agent) -> None:
        self._keeper.agent_changed(before, after)
        for event in agent_events(before, after):
            self._queue_log.note(event)

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
            languages=from_settings.languages(self._settings),
            music=from_settings.music(self._settings),
            agent_endpoints=[agent.endpoint for agent in self._settings.agents],
            clock=self._clock,
            new_id=new_id,
            spawn=self._supervisor.spawn,
        )

    def _ami_account(self) -> AmiAccount:
        asterisk, secret = self._settings.asterisk, self._settings.secrets.ami_password
        return AmiAccount(asterisk.ami_host, asterisk.ami_port, asterisk.ami_username, secret.get_secret_value())

    def _ami_watcher(self) -> AmiWatcher:
        account = self._ami_account()
        return AmiWatcher(
            host=account.host,
            port=account.port,
            username=account.username,
            secret=account.secret,
            endpoints=[agent.endpoint for agent in self._settings.agents],
            clock=self._clock,
        )

    def _sms_sender(self) -> SmsSender:
        settings, store = self._settings, self._store
        gateway = LogGateway(settings.sms.outbox_path, sender=from_settings.shown_number(settings), clock=self._clock)
        return SmsSender(
            store.outbox,
            gateway,
            renderer(from_settings.signatures(settings), pages=settings.pages_by_name),
            self._clock,
            structlog.get_logger("controller.sms"),
            max_tries=settings.sms.retry_limit,
        )

    def _agi_server(self, house: House) -> AgiServer | None:
        agi = self._settings.agi
        if not agi.enabled:
            return None
        desk = AgiDesk(house, languages=self._settings.languages)
        return AgiServer(host=agi.host, port=agi.port, clock=self._clock, on_call=desk.receive, allowed=agi.allowed)
