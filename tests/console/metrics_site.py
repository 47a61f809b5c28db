"""A process with a page for Prometheus: real database, real HTTP, a floor by a script, and a day of calls behind."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import structlog
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from controller.console.meter import Meter
from controller.console.metering import OverheardQueueLog, count_in
from controller.console.metrics import MetricsPage, Sources
from controller.console.today import TodaysFigures
from controller.domain.agents import Agent, AgentState
from controller.domain.call_ending import Ending
from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.queue_events import Abandoned, Connected, Entered, LeftWithKey, QueueEvent, RangOut
from controller.domain.sms import SmsStatus
from controller.ports.floor import EntryState, Problem, Severity, TrunkEntry
from controller.store.backlog import StoredBacklogBook
from controller.web.health import HealthServer, OfficeHealth, OfficeState
from tests.console.house import ConsoleSite, site_at
from tests.contract.store_under_test import attempt_for, make, wanted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from prometheus_client.core import Metric

    from controller.domain.promise import Promise

CALLER = "+819012345678"


@dataclass
class Process:
    """What a process knows of itself."""

    offices: tuple[OfficeHealth, ...] = (
        OfficeHealth("asterisk", OfficeState.IN_CONTROL, 7),
        OfficeHealth("pbx-2", OfficeState.STANDING_BY),
    )
    stopping: bool = False
    was_in_control: bool = True
    member: str = "controller-0"


class Ignored:
    """A queue_log that nobody reads."""

    def note(self, event: QueueEvent) -> None:
        """Take it."""


class MetricsSite:
    """The page, and what stands behind it."""

    def __init__(self, site: ConsoleSite, *, with_agents: bool) -> None:
        self.site = site
        self.store = site.store
        self.clock = site.clock
        self.process = Process()
        self.meter = Meter(self.clock)
        self.ticks = itertools.count()
        """The clock of transactions: each look at it is a second later."""
        count_in(self.store, self.meter, structlog.get_logger(), lambda: float(next(self.ticks)))
        self.queue_log = OverheardQueueLog(Ignored(), self.meter.queue_event)
        self.today = TodaysFigures(site.house)
        sources = Sources(
            offices=lambda: self.process.offices,
            floor=site.floor.now,
            today=self.today.now,
            backlog=StoredBacklogBook(self.store.database).backlog,
        )
        self.page = MetricsPage(self.meter, sources, self.clock, with_agents=with_agents)
        self.server = HealthServer(self.process, self.store.leases, "127.0.0.1", 0, metrics=self.page.scrape)
        self.http: Any = None

    async def text(self, **headers: str) -> str:
        """Return the page."""
        async with self.http.get("/metrics", headers=headers) as answer:
            assert answer.status == 200
            found: str = await answer.text()
            return found

    async def families(self) -> dict[str, Metric]:
        """Return what is on the page, as the official library reads it, by name."""
        return {one.name: one for one in read_text(await self.text())}

    async def openmetrics(self) -> dict[str, Metric]:
        """Likewise, of the page in the newer format."""
        page = await self.text(Accept="application/openmetrics-text; version=1.0.0")
        found = read_openmetrics(page)  # type: ignore[no-untyped-call]  # it has no types
        return {one.name: one for one in found}

    async def value(self, sample: str, **labels: str) -> float | None:
        """Return one sample of the page; None: it is not there."""
        for family in (await self.families()).values():
            for each in family.samples:
                if each.name == sample and each.labels == labels:
                    return float(each.value)
        return None

    # -- a day

    async def a_caller(self, call_id: str, ending: Ending, *, waits_s: float = 30, agent: str = "") -> None:
        """Let somebody call, wait, and be served, or not."""
        calls, clock = self.store.calls, self.clock
        await calls.arrived(call_id, dialled="0312345678", number=CALLER, arrived_at=clock.now())
        clock.turn(10)
        await calls.joined(call_id, queue="support", joined_at=clock.now())
        self.queue_log.note(Entered(call_id, "support", CALLER, 1))
        clock.turn(waits_s)
        if agent:
            self.rung(agent)
            clock.turn(0.05)
            self.queue_log.note(Connected(call_id, "support", agent, waits_s, "leg", 4.0))
            await calls.answered(call_id, agent=agent, answered_at=clock.now())
            clock.turn(60)
        elif ending is Ending.PROMISED:
            self.queue_log.note(LeftWithKey(call_id, "support", "1", 1, 1, waits_s))
        else:
            self.queue_log.note(Abandoned(call_id, "support", 1, 1, waits_s))
        await calls.ended(call_id, ending=ending, ended_at=clock.now())

    def rung(self, agent: str) -> None:
        """Let an agent's phone be answered."""
        was = Agent(agent, agent, frozenset({"support"}), AgentState.RINGING, self.clock.now())
        self.meter.agent_changed(was, replace(was, state=AgentState.ON_CALL))

    async def a_callback(self, call_id: str, outcome: Outcome = Outcome.TALKED) -> Promise:
        """Let somebody be promised a call, and called."""
        since = self.clock.now()
        made = await make(
            self.store, wanted(call_id, queue="support", number=f"+8190000{len(call_id):05}", since=since)
        )
        self.clock.turn(300)
        attempt = attempt_for(made.promise, f"a-{call_id}", started_at=self.clock.now())
        await self.store.promises.open_attempt(made.promise, attempt)
        if outcome is Outcome.TALKED:
            await self.store.promises.advance(made.promise.id, CustomerConnected())
            self.clock.turn(60)
        return await self.store.promises.advance(made.promise.id, AttemptEnded(outcome))

    async def a_day(self) -> None:
        """Let one of everything happen."""
        await self.a_caller("c-1", Ending.SERVED, agent="agent-1")
        await self.a_caller("c-2", Ending.ABANDONED)
        await self.a_caller("c-3", Ending.PROMISED)
        self.queue_log.note(RangOut("c-4", "support", "agent-2", 20.0))
        await self.a_callback("p-1")
        await self.a_callback("p-22", Outcome.NO_ANSWER)
        self.meter.sms("not_reached", SmsStatus.SENT)
        self.meter.ari_answered("asterisk", 0.004)
        self.meter.lag(0.002)
        floor, now = self.site.floor, self.clock.now()
        shown = floor.now()
        served = replace(shown.line[0], id="c-9", state=EntryState.TALKING)
        floor.changed(
            replace(
                shown,
                line=(*shown.line, served),
                queues=(
                    replace(
                        shown.queues[0],
                        longest_wait_since=now - timedelta(seconds=45),
                        expected_low_s=60.0,
                        expected_high_s=180.0,
                    ),
                    *shown.queues[1:],
                ),
                trunks=(TrunkEntry("main", "asterisk", healthy=True, calls=1, circuits=10, failures=2, rests_s=5.0),),
                problems=(Problem("trunk_down", Severity.CRITICAL, "main"),),
            )
        )


@asynccontextmanager
async def metrics_at(folder: Path, *, with_agents: bool = False) -> AsyncIterator[MetricsSite]:
    """Serve the page for the length of the block."""
    async with site_at(folder) as site:
        found = MetricsSite(site, with_agents=with_agents)
        serving = asyncio.create_task(found.server.run())
        try:
            await found.server.listening.wait()
            async with aiohttp.ClientSession(f"http://127.0.0.1:{found.server.bound_port}") as found.http:
                yield found
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
