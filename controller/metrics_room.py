"""The metrics of a process, from the settings: imported only where they are wanted, with all that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.console.meter import Meter
from controller.console.metering import count_in, watch
from controller.console.metrics import MetricsPage, Sources
from controller.store.backlog import StoredBacklogBook
from controller.system_clock import monotonic_s
from controller.web.health import OfficeState

if TYPE_CHECKING:
    from controller.console.today import TodaysFigures
    from controller.ports.floor import Floor, FloorNow
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock
    from controller.web.health import Health

_HAS_AN_OFFICE = frozenset({OfficeState.IN_CONTROL, OfficeState.OPENING})


class MetricsRoom:
    """Counts from when it is made, which has to be before anybody uses the books of the store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: SystemClock,
        health: Health,
        floor: Floor,
        today: TodaysFigures,
    ) -> None:
        self.meter = Meter(clock)
        self._store = store
        self._clock = clock
        self._health = health
        self._floor = floor
        self._pbxs = tuple(asterisk.name for asterisk in settings.asterisks)
        sources = Sources(
            offices=lambda: health.offices,
            floor=self._floor_now,
            today=today.now,
            backlog=StoredBacklogBook(store.database).backlog,
        )
        self._page = MetricsPage(self.meter, sources, clock, with_agents=settings.health.metrics_agents)
        self.scrape = self._page.scrape
        count_in(store, self.meter, structlog.get_logger("controller.store"), monotonic_s)

    async def run(self) -> None:
        """Measure how late the event loop wakes up, until cancelled."""
        await watch(self._store, self.meter, self._clock, self._pbxs)

    def _floor_now(self) -> FloorNow | None:
        # Who stands by would tell of queues without agents, where another controller has them.
        is_ours = any(office.state in _HAS_AN_OFFICE for office in self._health.offices)
        return self._floor.now() if is_ours else None
