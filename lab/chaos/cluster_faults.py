"""Faults of a cluster: a controller killed or stopped whose Asterisk another takes over, a database, an Asterisk."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

from lab.chaos.faults import LOAD_PER_S, STOPPED_S, send
from lab.controller_process import ControllerFailedError
from lab.ledger.facts import Kind

if TYPE_CHECKING:
    from lab.chaos.cluster_bench import ClusterBench
    from lab.chaos.figures import Figures
    from lab.cluster import Member

AWAY_S = (0.5, 6.0)
"""So long is the database away: for less than a lease, and for more."""
DIALLED_AGAIN_S = 30.0
RESTING_S = 2.0
"""So long does an Asterisk that was killed stay away."""


async def owner_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill a controller at any moment: the other takes over. Then it comes back, and has its home again."""
    members = await bench.started()
    await bench.talks_everywhere()
    async with bench.load(per_s=LOAD_PER_S):
        for turn in range(times):
            name = bench.names[turn % len(bench.names)]
            owner, other = members[name], _other(members, name)
            await asyncio.sleep(bench.rng.uniform(0.2, 2.5))
            at, killed_s = len(other.lines), time.monotonic()
            await owner.kill9()
            await other.in_control_of(bench.home_of(name).name, since=at)
            figures.back(time.monotonic() - killed_s)
            await asyncio.sleep(bench.rng.uniform(0, 2))
            await _comes_home(bench, figures, owner)
            figures.runs += 1
    await _ended(bench, figures, members)


async def owner_stopped(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Stop a controller (SIGSTOP) past its lease; the other takes over; then the first goes on, and has it again."""
    members = await bench.started()
    await bench.talks_everywhere()
    async with bench.load(per_s=LOAD_PER_S):
        for turn in range(times):
            name = bench.names[turn % len(bench.names)]
            owner, other = members[name], _other(members, name)
            home = bench.home_of(name).name
            await asyncio.sleep(bench.rng.uniform(0.5, 2))
            at, stopped_s = len(other.lines), time.monotonic()
            send(owner, signal.SIGSTOP)
            await other.in_control_of(home, since=at)
            figures.back(time.monotonic() - stopped_s)
            await asyncio.sleep(bench.rng.uniform(0, STOPPED_S / 2))
            at = len(owner.lines)
            send(owner, signal.SIGCONT)
            try:
                await owner.in_control_of(home, since=at)
            except ControllerFailedError:
                if owner.pid is not None:
                    raise
                figures.notes.append(f"{name} ended when it found its place taken, and was started again")
                await _comes_home(bench, figures, owner)
            figures.runs += 1
    await _ended(bench, figures, members)


async def database_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill PostgreSQL, all of it at once, and start it again after a moment, or after more than a lease."""
    members = await bench.started()
    await bench.talks_everywhere()
    async with bench.load(per_s=LOAD_PER_S):
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
    await _ended(bench, figures, members)


async def one_asterisk_killed(bench: ClusterBench, figures: Figures, times: int) -> None:
    """Kill one Asterisk: whoever calls meanwhile comes to the other one. Then it comes back."""
    members = await bench.started()
    await bench.talks_everywhere()
    async with bench.load(per_s=LOAD_PER_S):
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
    await _ended(bench, figures, members)


def _other(members: dict[str, Member], name: str) -> Member:
    return next(one for other, one in members.items() if other != name)


async def _comes_home(bench: ClusterBench, figures: Figures, owner: Member) -> None:
    """Start a controller whose home another has, and see that it is handed back."""
    at, began_s = len(owner.lines), time.monotonic()
    await owner.start()
    await owner.in_control_of(bench.home_of(owner.name).name, since=at)
    figures.notes.append(f"{owner.name} had its home again {time.monotonic() - began_s:.1f} s after its start")


async def _dialled(bench: ClusterBench, *, since: int) -> None:
    """Wait for the next call to a customer. Raises TimeoutError."""
    async with asyncio.timeout(DIALLED_AGAIN_S):
        while True:
            if any(fact.kind is Kind.INVITE for fact in bench.ledger.facts()[since:]):
                return
            await asyncio.sleep(0.05)


async def _ended(bench: ClusterBench, figures: Figures, members: dict[str, Member]) -> None:
    """Let what is owed be done, while all of them work; then end them in the orderly way, one after the other."""
    figures.broken += await bench.settle()
    for name, one in members.items():
        code = await one.stop()
        if code != 0:
            figures.broken.append(f"{name} ended with {code}")
