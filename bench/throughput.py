"""Calls a second through the whole journey, and what one costs: ours beside app_queue, on the same Asterisk.

A call: INVITE, answer, half a second of greeting, music when nobody is free, an agent is rung and answers at once,
they talk for TALK_S, the agent hangs up, so does the PBX. Callers come at an even pace by a trunk, each from a number
of their own. Both sides have the same agents, enough of them that none is ever waited for. Ours is the controller as
in production: a process of its own, SQLite with WAL and synchronous FULL, its log at `info` in a file. While app_queue
is measured, the controller does not run.

A pace is sustained when over STEP_S seconds every call is answered by an agent and ended in order, the number of those
who wait does not grow from the second quarter to the last, and the generator was never late: it shares the processors
with what it measures, in both cases. The phones of the load measure (`bench/load.py`), and /proc for the processor.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

from bench.cpu import used_by
from bench.figures import percentile
from bench.load import running_load
from bench.load_site import OURS, QUEUES, running_site
from bench.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.load import LoadProcess
    from bench.load_phones import CallMade
    from bench.load_site import LoadSite
    from bench.results import Options

NAME: Final = "throughput"
OTHER: Final = "app_queue"
TALK_S: Final = 1.0
STEP_S: Final = 20.0
QUICK_STEP_S: Final = 4.0
PACES_PER_S: Final = (10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0)
QUICK_PACES_PER_S: Final = (4.0, 8.0)
AGENTS: Final = 150
QUICK_AGENTS: Final = 30
COST_PER_S: Final = 10.0
"""The pace at which the cost of a call is taken: both sustain it with ease."""
QUICK_COST_PER_S: Final = 4.0
ROUNDS: Final = 3
SHARE_GOAL: Final = 0.4
LATE_S: Final = 0.25
GROWTH: Final = 1.25
FEW: Final = 2.0
"""So many more who wait are chance."""
DRAIN_S: Final = 15.0
SETTLE_S: Final = 2.0


class Side(StrEnum):
    """Who serves the callers."""

    OURS = "ours"
    QUEUE = OTHER


@dataclass(frozen=True, slots=True)
class Step:
    """What a pace came to."""

    side: Side
    per_s: float
    against: str
    """Why it is not sustained; empty: it is."""
    asterisk_ms: float
    controller_ms: float
    """CPU time a call, user and system, over all processors; 0 without a controller."""
    to_agent_s: tuple[float, ...]
    """For each call from its answer to the INVITE at the agent's phone, the greeting included; sorted."""

    def __str__(self) -> str:
        """For whoever watches."""
        said = (
            f"{self.side} at {self.per_s:g}/s: {self.against or 'sustained'}; Asterisk {self.asterisk_ms:.1f} ms a call"
        )
        if self.controller_ms:
            said += f", controller {self.controller_ms:.1f} ms"
        if self.to_agent_s:
            said += f"; answer to agent p50 {percentile(self.to_agent_s, 50):.2f} s, p99 {_p99(self):.2f} s"
        return said


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Find the paces, then the costs; about 12 minutes, quick: one. Needs root, as Asterisk does here."""
    agents = QUICK_AGENTS if options.quick else AGENTS
    with tempfile.TemporaryDirectory(prefix="orikaeshi-throughput-") as home:
        async with (
            running_site(Path(home), agents=agents) as site,
            running_load(site.site.host, site.site.ports.sip) as load,
        ):
            await load.register(site.site.agents)
            await load.talk_for(TALK_S)
            step_s = QUICK_STEP_S if options.quick else STEP_S
            bench = Bench(site, load, step_s, tell)
            costs = await bench.costs(QUICK_COST_PER_S if options.quick else COST_PER_S, 1 if options.quick else ROUNDS)
            paces = await bench.highest_paces(QUICK_PACES_PER_S if options.quick else PACES_PER_S)
    return rows_of(costs, paces)


def rows_of(costs: Sequence[Step], paces: dict[Side, float]) -> list[Row]:
    """Return the table's rows; each cost is the mean of its rounds."""
    ours = [step for step in costs if step.side is Side.OURS]
    queue = [step for step in costs if step.side is Side.QUEUE]
    at = f"at {ours[0].per_s:g} calls/s"
    asterisk_ms = fmean(step.asterisk_ms for step in ours)
    controller_ms = fmean(step.controller_ms for step in ours)
    waits_ms = [fmean(_p99(step) for step in side) * 1e3 for side in (ours, queue)]
    journeys = "whole journeys, every one answered by an agent"
    return [
        Row(
            NAME,
            journeys,
            "calls/s",
            paces[Side.OURS],
            paces[Side.QUEUE],
            OTHER,
            more_is_better=True,
            goal_ratio=1.0,
        ),
        Row(NAME, f"Asterisk's CPU a call, {at}", "ms", asterisk_ms, fmean(step.asterisk_ms for step in queue), OTHER),
        Row(NAME, f"the controller's CPU a call, {at}", "ms", controller_ms),
        Row(NAME, f"... by Asterisk's, {at}", "times", controller_ms / asterisk_ms, goal=SHARE_GOAL),
        Row(
            NAME, f"p99, answer to INVITE at the agent, 480 ms of greeting, {at}", "ms", waits_ms[0], waits_ms[1], OTHER
        ),
    ]


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs steps."""

    site: LoadSite
    load: LoadProcess
    step_s: float
    tell: Callable[[str], None]

    async def costs(self, per_s: float, rounds: int) -> list[Step]:
        """Return steps of both sides in turn, at a pace that both sustain."""
        return [await self.step(side, per_s) for _ in range(rounds) for side in Side]

    async def highest_paces(self, paces_per_s: Sequence[float]) -> dict[Side, float]:
        """Return the highest pace of each side, both in turn; one that failed has a second try, since much disturbs."""
        highest = dict.fromkeys(Side, 0.0)
        left = set(Side)
        for per_s in paces_per_s:
            for side in Side:
                if side not in left:
                    continue
                tries = [await self.step(side, per_s)]
                if tries[0].against:
                    tries.append(await self.step(side, per_s))
                if all(step.against for step in tries):
                    left.discard(side)
                else:
                    highest[side] = per_s
        return highest

    async def step(self, side: Side, per_s: float) -> Step:
        """Have callers call at a pace, and wait until the last one is through."""
        if side is Side.OURS:
            await self.site.controller.start()
        await asyncio.sleep(SETTLE_S)
        pids = [self.site.pbx_pid] + ([self.site.controller.pid] if side is Side.OURS else [])
        before_s = [used_by(pid).cpu_s for pid in pids]
        count = round(per_s * self.step_s)
        ended_before = (await self.load.state())["ended"]
        await self.load.call(OURS if side is Side.OURS else QUEUES, count=count, per_s=per_s)
        drained = await self.load.until_ended(ended_before + count, timeout_s=DRAIN_S)
        cpu_s = [used_by(pid).cpu_s - before for pid, before in zip(pids, before_s, strict=True)]
        if not drained:
            await self.site.pbx.cli("channel request hangup all")
            await self.load.until_ended(ended_before + count, timeout_s=DRAIN_S)
        if side is Side.OURS:
            await self.site.controller.stop()
        calls = await self.load.calls()
        step = Step(
            side,
            per_s,
            against(calls),
            asterisk_ms=cpu_s[0] / count * 1e3,
            controller_ms=cpu_s[1] / count * 1e3 if side is Side.OURS else 0.0,
            to_agent_s=tuple(sorted(call.agent_rung_s - call.answered_s for call in calls if call.agent_rung_s)),
        )
        self.tell(str(step))
        return step


def against(calls: Sequence[CallMade]) -> str:
    """Return what speaks against a pace, empty when nothing does."""
    refused = [call.refused for call in calls if call.refused]
    if refused:
        return f"{len(refused)} of {len(calls)} refused, the first with {refused[0]}"
    unserved = sum(1 for call in calls if not call.agent_answered_s or not call.ended_s)
    if unserved:
        return f"{unserved} of {len(calls)} without an agent or an end"
    late_s = max(call.invited_s - call.due_s for call in calls)
    if late_s > LATE_S:
        return f"the generator was late by {late_s:.2f} s"
    second, last = waiting_in_quarters(calls)
    if last > second * GROWTH + FEW:
        return f"those who wait grew from {second:.1f} to {last:.1f}"
    return ""


def waiting_in_quarters(calls: Sequence[CallMade]) -> tuple[float, float]:
    """Return how many waited for an agent on the mean in the second and in the last quarter of the calls' arrivals."""
    begin_s, end_s = min(call.invited_s for call in calls), max(call.invited_s for call in calls)
    quarter_s = (end_s - begin_s) / 4 or 1.0

    def mean_in(from_s: float) -> float:
        until_s = from_s + quarter_s
        waits = (min(call.agent_answered_s, until_s) - max(call.invited_s, from_s) for call in calls)
        return sum(wait_s for wait_s in waits if wait_s > 0) / quarter_s

    return mean_in(begin_s + quarter_s), mean_in(end_s - quarter_s)


def _p99(step: Step) -> float:
    return percentile(step.to_agent_s, 99) if step.to_agent_s else 0.0
