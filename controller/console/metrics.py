"""The page for Prometheus, `/metrics` on the port of the probes: scrapers have no session, and the port is not public.

There are no phone numbers in it, and no names of agents unless the settings want them. A look at the floor costs no
transaction; the database is asked for the figures as often as the wallboard does, and a scrape does not wait long for
it; the text is written in a thread, beside the calls.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import structlog
from prometheus_client.exposition import choose_encoder

from controller.console.sight import Sight, families
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from controller.console.meter import Meter
    from controller.console.today import Today
    from controller.ports.backlog import Backlog
    from controller.ports.clock import Clock
    from controller.ports.floor import FloorNow
    from controller.web.health import OfficeHealth

log = structlog.get_logger(__name__)

ANSWERS_IN_S = 1.5
"""So long a scrape waits for the database; Prometheus itself waits 10 s, and asks every 15."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the metrics come from."""

    offices: Callable[[], Sequence[OfficeHealth]]
    floor: Callable[[], FloorNow | None]
    """None: this process has no office."""
    today: Callable[[], Awaitable[Today]]
    """Today's figures, kept for a moment (`TodaysFigures.now`); as the next, it may raise StoreUnavailableError."""
    backlog: Callable[[], Awaitable[Backlog]]


class MetricsPage:
    """Writes the page."""

    def __init__(
        self,
        meter: Meter,
        sources: Sources,
        clock: Clock,
        *,
        with_agents: bool = False,
        answers_in_s: float = ANSWERS_IN_S,
    ) -> None:
        self.sources = sources
        self._meter = meter
        self._clock = clock
        self._with_agents = with_agents
        self._answers_in_s = answers_in_s
        self._reading: asyncio.Task[tuple[Today, Backlog]] | None = None
        self._read: tuple[Today, Backlog] | None = None

    async def scrape(self, accept: str = "") -> tuple[bytes, str]:
        """Return the page and its content type: OpenMetrics where `accept` wants it, else the older text."""
        is_fresh = await self._ask_database()
        today, backlog = self._read or (None, None)
        sight = Sight(self.sources.offices(), self.sources.floor(), today, backlog, is_fresh, self._clock.now())
        encode, content_type = choose_encoder(accept)
        page = _Page(self._meter.registry, sight, with_agents=self._with_agents)
        return await asyncio.to_thread(encode, cast("Any", page)), content_type

    async def _ask_database(self) -> bool:
        """Read anew what is in the database; False: it does not answer (in time), and what was read before counts."""
        reading = self._reading
        if reading is None:
            reading = self._reading = asyncio.create_task(self._read_now())
        await asyncio.wait({reading}, timeout=self._answers_in_s)
        if not reading.done():
            return False
        self._reading = None
        try:
            self._read = reading.result()
        except StoreUnavailableError as error:
            log.warning("metrics without the database", reason=str(error))
            return False
        return True

    async def _read_now(self) -> tuple[Today, Backlog]:
        return await self.sources.today(), await self.sources.backlog()


class _Page:
    """What the writer of the text asks: all metrics, one after the other."""

    def __init__(self, registry: CollectorRegistry, sight: Sight, *, with_agents: bool) -> None:
        self._registry = registry
        self._sight = sight
        self._with_agents = with_agents

    def collect(self) -> Iterator[Metric]:
        yield from families(self._sight, with_agents=self._with_agents)
        for metric in self._registry.collect():
            # When each series began, as a series of its own: that many more, for nothing that anybody looks at.
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric
