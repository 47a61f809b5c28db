"""Faults of a cluster: a controller killed or stopped whose Asterisk another takes over, a database, an Asterisk."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lab.chaos.faults import LOAD_PER_S, send
from lab.cluster import Member
from lab.ledger.facts import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from lab.chaos.cluster_bench import ClusterBench
    from lab.chaos.figures import Figures

AWAY_S = (0.5, 6.0)
"""So long is the database away: for less than a lease, and for more."""
DIALLED_AGAIN_S = 30.0
RESTING_S = 2.0
"""So long does an Asterisk that was killed stay away."""


async def owner_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill a controller at any moment: the other takes over. Then it comes back, and has its home again."""
    await _owners_away(bench, figures, times, leave=Member.kill9, come_back=Member.start)


async def owner_stopped(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Stop a controller (SIGSTOP) past its lease; the other takes over; then the first goes on, and has it again."""
    await _owners_away(bench, figures, times, leave=_stop, come_back=_go_on)


async def database_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill PostgreSQL, all of it at once, and start it again after a moment, or after more than a lease."""
    async with _at_work(bench, figures) as members:
        for turn in range(times):
            await asyncio.sleep(bench.rng.uniform(1, 3))
            await asyncio.to_thread(bench.machines.postgres.stop, signal.SIGKILL)
            await asyncio.sleep(AWAY_S[turn % len(AWAY_S)])
            since = len(bench.ledger.facts())
            await asyncio.to_thread(bench.machines.postgres.start)
            up_s = time.monotonic()
            for name, one in members.items():
                if one.pid is None:
                    figures.broken.append(f"{name} ended while the database was away")
                    await one.start()
            await _dialled(bench, since=since)
            figures.notes.append(f"{time.monotonic() - up_s:.1f} s after the database was back somebody was dialled")
            figures.runs += 1


async def one_asterisk_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill one Asterisk: whoever calls meanwhile comes to the other one. Then it comes back."""
    async with _at_work(bench, figures) as members:
        for turn in range(times):
            name = bench.names[turn % len(bench.names)]
            site, left = bench.home_of(name), bench.home_of(bench.names[turn % len(bench.names) - 1])
            pbx = bench.machines.pbxs[site.name]
            await asyncio.sleep(bench.rng.uniform(0.5, 2))
            at, since = len(members[name].lines), len(bench.ledger.facts())
            bench.pbx_kills += 1
            await pbx.kill9()
            await bench.hang_up_all_of(site)
            # Two, since the first may have been on the phone already.
            await bench.until_told(left.name, since=since)
            await bench.until_told(left.name, since=len(bench.ledger.facts()))
            await asyncio.sleep(RESTING_S)
            await pbx.start()
            up_s = time.monotonic()
            await members[name].in_control_of(site.name, since=at)
            figures.back(time.monotonic() - up_s)
            await bench.machines.door.until_open(lives=len(bench.names))
            figures.runs += 1


async def _owners_away(
    bench: ClusterBench,
    figures: Figures,
    times: int,
    *,
    leave: Callable[[Member], Awaitable[None]],
    come_back: Callable[[Member], Awaitable[None]],
) -> None:
    """Have each controller in turn leave its home to the other, and come back to it."""
    async with _at_work(bench, figures) as members:
        for turn in range(times):
            name = bench.names[turn % len(bench.names)]
            owner, home = members[name], bench.home_of(name).name
            other = next(one for another, one in members.items() if another != name)
            await asyncio.sleep(bench.rng.uniform(0.2, 2.5))
            at, left_s = len(other.lines), time.monotonic()
            await leave(owner)
            await other.in_control_of(home, since=at)
            figures.back(time.monotonic() - left_s)
            await asyncio.sleep(bench.rng.uniform(0, 2))
            at, back_s = len(owner.lines), time.monotonic()
            await come_back(owner)
            await owner.in_control_of(home, since=at)
            figures.notes.append(f"{name} had its home again {time.monotonic() - back_s:.1f} s after it came back")
            figures.runs += 1


async def _stop(owner: Member) -> None:
    send(owner, signal.SIGSTOP)


async def _go_on(owner: Member) -> None:
    send(owner, signal.SIGCONT)


@asynccontextmanager
async def _at_work(bench: ClusterBench, figures: Figures) -> AsyncIterator[dict[str, Member]]:
    """Have all controllers work under load, with a talk at each Asterisk over all of it.

    After the block what is owed is done while all of them work; then they end in the orderly way, one after the other.
    """
    members = await bench.started()
    await bench.talks_everywhere()
    async with bench.load(per_s=LOAD_PER_S):
        yield members
    figures.broken += await bench.settle()
    for name, one in members.items():
        code = await one.stop()
        if code != 0:
            figures.broken.append(f"{name} ended with {code}")


async def _dialled(bench: ClusterBench, *, since: int) -> None:
    """Wait for the next call to a customer. Raises TimeoutError."""
    async with asyncio.timeout(DIALLED_AGAIN_S):
        while True:
            if any(fact.kind is Kind.INVITE for fact in bench.ledger.facts()[since:]):
                return
            await asyncio.sleep(0.05)
