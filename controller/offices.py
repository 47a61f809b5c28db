"""A process: for each Asterisk of the settings it has the lease and an office, or stands by for whoever has it."""

from __future__ import annotations

import asyncio
import socket
from functools import cached_property, partial
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.assembly import Office, new_id
from controller.asterisk.ari.errors import AriReplaced
from controller.ground_floor import GroundFloor
from controller.journeys.closed_by_hand import ClosedByHand
from controller.journeys.race import first_of
from controller.ports.floor import PbxEntry
from controller.ports.lease import MAIL, lease_of_pbx
from controller.ports.news import Kind
from controller.ports.promises import StoreUnavailableError
from controller.store import open_store
from controller.store.news import news_of
from controller.system_clock import SystemClock, monotonic_s
from controller.web.health import HealthServer, OfficeHealth, OfficeState
from controller.workers.floor_closures import ClosureDesk
from controller.workers.floor_looks import FloorLooks
from controller.workers.floors import Floors
from controller.workers.lease_keeper import LeaseKeeper, name_of_this_process
from controller.workers.removed import RemovedAsterisks

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from controller.console.today import TodaysFigures
    from controller.metrics_room import MetricsRoom
    from controller.ports.lease import Lease
    from controller.ports.news import News
    from controller.ports.recordings import RecordingShelf
    from controller.settings import Asterisk, Settings
    from controller.store import Store

log = structlog.get_logger(__name__)


async def run(
    settings: Settings, *, stop: asyncio.Event | None = None, dry_run: bool = False, member: str | None = None
) -> None:
    """Run the controller until `stop` is set. Calls stay on the PBX; the next start, or a standby, takes them up.

    `member` is its name over all its starts; None: the host's. Run dry, it does everything for a callback but the
    call itself. Raises AriError, StoreUnavailableError or OSError for what waiting does not mend.
    """
    clock = SystemClock()
    async with open_store(
        settings.database_url,
        policies=settings.retry_policies,
        clock=clock,
        new_id=new_id,
        number_key=settings.number_key,
        hooks=settings.hook_wishes,
    ) as store:
        offices = Offices(settings, store, clock, member=member or socket.gethostname(), dry_run=dry_run)
        await offices.run(stop or asyncio.Event())


class Offices:
    """The offices of one process, and what they share. Its own `Health`, for whoever watches over it."""

    def __init__(self, settings: Settings, store: Store, clock: SystemClock, *, member: str, dry_run: bool) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._dry_run = dry_run
        self._holder = name_of_this_process(clock.now())
        self.member = member
        self.stopping = False
        self._was_in_control = False
        self._keepers = {asterisk.name: self._keeper_for(asterisk) for asterisk in settings.asterisks}
        self._mail = self._keeper(MAIL, home="")
        self._closures = ClosureDesk(store.closures, ClosedByHand(), clock)
        self._looks = FloorLooks(store.floor, clock, settings.zone)
        self.floor = Floors(
            from_settings.queues(settings),
            {agent.name: each.name for each in settings.asterisks for agent in settings.agents_of(each.name)},
            self._pbxs,
            self._looks,
            self._closures,
            clock,
        )
        """What supervisors see and do, over all offices of this process."""
        self._metrics = self._metrics_room() if settings.health.enabled and settings.health.metrics else None
        self._ground_floor = GroundFloor(settings, store, clock, self._mail, holder=self._holder)

    async def run(self, stop: asyncio.Event) -> None:
        """Have every office that can be had, until `stop` is set or something fails.

        Raises StoreUnavailableError where it cannot be read which queues are closed.
        """
        await self._closures.load()
        self._store.closed.append(self._closures.hear)
        self._store.replied.append(self.floor.hear)
        async with asyncio.TaskGroup() as workers:
            lasting = [workers.create_task(worker, name=name) for name, worker in self._lasting().items()]
            serving = [
                workers.create_task(self._serve(asterisk, stop), name=asterisk.name)
                for asterisk in self._settings.asterisks
            ]
            await stop.wait()
            self.stopping = True
            await asyncio.wait(serving)
            for task in lasting:
                task.cancel()

    @property
    def was_in_control(self) -> bool:
        """Whether we were in control of any Asterisk since we started."""
        return self._was_in_control or any(office.was_in_control for office in self._ground_floor.offices)

    @property
    def offices(self) -> list[OfficeHealth]:
        """Every Asterisk of the settings, as it is with us now."""
        return [self._health_of(asterisk) for asterisk in self._settings.asterisks]

    def _lasting(self) -> dict[str, Coroutine[None, None, None]]:
        settings, store = self._settings, self._store
        removed = RemovedAsterisks(
            store.leases, store.promises, store.calls, store.recordings, self._clock, known=self._keepers
        )
        metrics = self._metrics
        scrape = metrics.scrape if metrics else None
        health = HealthServer(self, store.leases, settings.health.host, settings.health.port, metrics=scrape)
        return {
            **({"health": health.run()} if settings.health.enabled else {}),
            **({"metrics": metrics.run()} if metrics else {}),
            **({"console": self._console()} if settings.console.enabled else {}),
            **{f"lease {name}": keeper.run() for name, keeper in self._keepers.items()},
            "lease of the mail": self._mail.run(),
            "news": news_of(settings.database_url, self._clock, store.database).run(self._hear),
            "ground floor": self._ground_floor.run(),
            "closed queues": self._closures.run(),
            "looks at the database": self._looks.run(),
            "removed Asterisks": removed.settle(after_s=2 * settings.dialer.lease_s),
        }

    def _console(self) -> Coroutine[None, None, None]:
        """Serve the console: also while we stand by, since people and figures are the same everywhere."""
        from controller.console_door import console_server  # noqa: PLC0415 - pages and all, for sites that have them

        house = (self._settings, self._store, self.floor, self._clock)
        return console_server(*house, shelf_of=self.shelf_of, today=self._today).run()

    def shelf_of(self, pbx: str) -> RecordingShelf | None:
        """Return where the sound of an Asterisk is; None: we have no office for it."""
        return next((office.shelf for office in self._ground_floor.offices if office.name == pbx), None)

    # -- one Asterisk

    async def _serve(self, asterisk: Asterisk, stop: asyncio.Event) -> None:
        """Have its office as often as the lease is ours, until `stop` is set."""
        keeper = self._keepers[asterisk.name]
        while not stop.is_set():
            came, _ = await first_of(stop=stop.wait(), held=keeper.held())
            if came == "stop":
                break
            office = Office(
                self._settings,
                asterisk,
                self._store,
                self._clock,
                keeper,
                replies_read=self._ground_floor.replies_read,
                closures=self._closures.seen,
                meter=self._metrics.meter if self._metrics else None,
                dry_run=self._dry_run,
            )
            await self._work(office, keeper, stop)
        # Also where it was never held: it may have been taken in this very moment.
        await keeper.release()

    async def _work(self, office: Office, keeper: LeaseKeeper, stop: asyncio.Event) -> None:
        """Have an office until it is to be left; then the lease is given back."""
        self._ground_floor.open_for(office)
        self.floor.opened(office.floor)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(office.run())
                why, _ = await first_of(stop=stop.wait(), lost=keeper.lost(), wanted=keeper.wanted())
                office.left.set()
        except* AriReplaced:
            why = "lost"
            if not await self._is_anothers(keeper):
                raise
        finally:
            self._was_in_control = self.was_in_control
            self._ground_floor.close_for(office)
            self.floor.closed(office.floor)
        await keeper.release()
        if why != "stop":
            log.warning("handed back" if why == "wanted" else "taken over by another controller", pbx=office.name)

    async def _is_anothers(self, keeper: LeaseKeeper) -> bool:
        """Tell whether another controller has the lease: then it is they who have taken our place at the PBX."""
        try:
            leases = await self._store.leases.all()
        except StoreUnavailableError:
            return False
        return any(lease.name == keeper.name and lease.holder != self._holder for lease in leases)

    def _keeper_for(self, asterisk: Asterisk) -> LeaseKeeper:
        keeper = self._keeper(lease_of_pbx(asterisk.name), home=asterisk.home or "")
        keeper.on_other = partial(self._stand_by, asterisk.name)
        return keeper

    def _keeper(self, name: str, *, home: str) -> LeaseKeeper:
        return LeaseKeeper(
            self._store.leases,
            self._clock,
            name=name,
            holder=self._holder,
            member=self.member,
            home=home,
            monotonic_s=monotonic_s,
            lease_s=self._settings.dialer.lease_s,
        )

    @cached_property
    def _today(self) -> TodaysFigures:
        """Today's figures, for the console and the metrics alike."""
        from controller.console_door import todays_figures  # noqa: PLC0415 - for sites that have one of them

        return todays_figures(self._settings, self._store, self.floor, self._clock)

    def _metrics_room(self) -> MetricsRoom:
        from controller.metrics_room import MetricsRoom  # noqa: PLC0415 - for sites that have Prometheus

        return MetricsRoom(self._settings, self._store, self._clock, self, self.floor, self._today)

    def _stand_by(self, pbx: str, lease: Lease) -> None:
        log.info("standing by", pbx=pbx, member=lease.member)
        self.floor.hear()

    def _health_of(self, asterisk: Asterisk) -> OfficeHealth:
        office = next((each for each in self._ground_floor.offices if each.name == asterisk.name), None)
        if office is not None:
            state = OfficeState.IN_CONTROL if office.is_in_control else OfficeState.OPENING
            return OfficeHealth(asterisk.name, state, self._keepers[asterisk.name].term)
        is_home = asterisk.home == self.member
        return OfficeHealth(asterisk.name, OfficeState.COMING_HOME if is_home else OfficeState.STANDING_BY)

    def _pbxs(self) -> list[PbxEntry]:
        return [PbxEntry(each.name, each.state.value, self._member_of(each)) for each in self.offices]

    def _member_of(self, office: OfficeHealth) -> str:
        """Return the controller that works for an Asterisk; "" when nobody is known to."""
        if office.term is not None:
            return self.member
        seen = self._keepers[office.name].seen
        return seen.member if seen is not None and self._clock.now() < seen.expires_at else ""

    # -- what others have changed

    def _hear(self, news: News) -> None:
        match news.kind:
            case Kind.PROMISE:
                for office in self._ground_floor.offices:
                    office.hearsay.hear_of(news.what)
                self._ground_floor.hooks_queued()  # beside a file nobody tells of them apart
            case Kind.SMS:
                self._ground_floor.sms_queued()
            case Kind.HOOK:
                self._ground_floor.hooks_queued()
            case Kind.REPLY:
                self._ground_floor.replied()
                self.floor.hear()
            case Kind.CLOSURE:
                self._closures.hear()
            case Kind.LEASE:
                self._look_at_leases(news.what)
            case Kind.MISSED:
                for office in self._ground_floor.offices:
                    office.hearsay.look_again()
                self._ground_floor.sms_queued()
                self._ground_floor.hooks_queued()
                self._ground_floor.replied()
                self._look_at_leases("")
                self._closures.hear()
                self.floor.hear()

    def _look_at_leases(self, name: str) -> None:
        """Look at one lease, or at all (``""``)."""
        for keeper in (*self._keepers.values(), self._mail):
            if name in {"", keeper.name}:
                keeper.hear()
