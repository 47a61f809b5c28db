"""Faults of two controllers for one Asterisk: one works, one stands by; one that was replaced stands by, too."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

from lab.chaos.bench import back_in_control
from lab.chaos.faults import LOAD_PER_S, changed_settings, send
from lab.cluster_front import one_front
from lab.controller_process import ControllerFailedError, ControllerProcess
from lab.text_messages import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from controller.provision import Site
    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures

STOPPED_S = 8.0
"""Long enough for a standby to take over: a lease, and the time to connect and recover."""
IN_CONTROL, STANDS_BY = "in control", "standing by"
RENEWED = "calls are placed from here"


class NamedController(ControllerProcess):
    """`python -m controller run --member NAME`, for a site with one Asterisk."""

    def __init__(self, site: Site, settings: Path, name: str) -> None:
        super().__init__(site, settings)
        self.name = name
        self.log_path = settings.with_suffix(".log")

    def _command(self) -> list[str]:
        return [*super()._command(), "--member", self.name]


async def _two(bench: Bench, *names: str) -> Iterator[NamedController]:
    """Return two controllers, not started yet. They share a machine, so each has its pages at a port of its own."""
    ports = [free_port() for _ in names]
    await bench.until_judged.enter_async_context(one_front(bench.post.web_port, ports))
    files = [changed_settings(bench, f"of-{port}.toml", "web", "port", str(port)) for port in ports]
    return (bench.watched(NamedController(bench.site, file, name)) for file, name in zip(files, names, strict=True))


async def stopped(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Stop a controller (SIGSTOP) past its lease; the standby takes over; then the first goes on, and stands by."""
    owner, standby = await _two(bench, "controller-1", "controller-2")
    await owner.start()
    await standby.start(until=STANDS_BY)
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(1, 3))
            if await _replaced(bench, figures, owner, standby):
                owner, standby = standby, owner
            figures.runs += 1
    figures.broken += await bench.settle()
    if (code := await standby.stop()) != 0:
        figures.broken.append(f"{standby.name}, which stood by, ended with {code}")
    return owner


async def _replaced(bench: Bench, figures: Figures, owner: NamedController, standby: NamedController) -> bool:
    """Stop the owner and have it go on; tell whether the other is in control now."""
    from_owner, from_standby, stopped_s = len(owner.lines), len(standby.lines), time.monotonic()
    send(owner, signal.SIGSTOP)
    try:
        await standby.logged(IN_CONTROL, since=from_standby, timeout_s=STOPPED_S)
    except ControllerFailedError:
        if standby.pid is None:
            raise
        # SQLite's lock outlasts a program that is stopped: then nobody writes, and nobody dials.
        figures.notes.append("it was stopped in the middle of a transaction: nobody could take over")
        send(owner, signal.SIGCONT)
        if not await _takes_over(standby, from_standby, owner, from_owner):
            return False
    else:
        figures.back(time.monotonic() - stopped_s)
        await asyncio.sleep(bench.rng.uniform(0, 2))
        send(owner, signal.SIGCONT)
    await owner.logged(STANDS_BY, since=from_owner)
    return True


async def _takes_over(standby: NamedController, from_standby: int, owner: NamedController, from_owner: int) -> bool:
    """Wait until one of them may dial, as both try for the lease at once; tell whether it is the standby."""
    came = asyncio.ensure_future(standby.logged(IN_CONTROL, since=from_standby))
    stays = asyncio.ensure_future(owner.logged(RENEWED, since=from_owner))
    done, waits = await asyncio.wait((came, stays), return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    await next(iter(done))
    return came in done


async def started_twice(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Start another under the same name: it takes over, the first stands by; kill it: the first takes over again."""
    first, later = await _two(bench, "controller", "controller")
    await first.start()
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(1, 3))
            at, began_s = len(first.lines), time.monotonic()
            figures.back(await back_in_control(later, since_s=began_s))
            await first.logged(STANDS_BY, since=at)
            await asyncio.sleep(bench.rng.uniform(0.2, 2))
            at, killed_s = len(first.lines), time.monotonic()
            await later.kill9()
            await first.logged(IN_CONTROL, since=at)
            figures.back(time.monotonic() - killed_s)
            figures.runs += 1
    return first
