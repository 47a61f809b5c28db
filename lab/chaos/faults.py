"""The faults. Each is done to a stack under load; it returns the controller that still runs at its end, if one does."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from contextlib import asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING

from controller.settings.first_file import with_value
from lab.chaos.bench import back_in_control
from lab.controller_process import ControllerFailedError
from lab.cut_proxy import Cut, cut_proxy
from lab.far_end import Does
from lab.ledger.facts import Kind

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures
    from lab.controller_process import ControllerProcess

LOAD_PER_S = 0.8
LOCKED_S = 6.0
"""Longer than a transaction waits for its turn."""
FULL_S = 5.0
CUT_OFF = "the connection to the PBX is lost; live calls go on, nobody is dialled"
DISC_BYTES = 8_000_000


async def nothing(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Do nothing: the load alone has to be without a fault before any fault means something."""
    controller = await started(bench)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(10)
            figures.runs += 1
    return controller


async def kill9(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill the controller at any moment, with two talks going on over all of it."""
    controller = await started(bench)
    await bench.long_talks(2)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(0.2, 2.5))
            killed_s = time.monotonic()
            await controller.kill9()
            figures.back(await back_in_control(controller, since_s=killed_s))
            figures.runs += 1
    return controller


async def pbx_killed(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill Asterisk while one customer's phone rings and another talks; it comes back after a second."""
    controller = await started(bench)
    for _ in range(times):
        async with bench.load(per_s=LOAD_PER_S):
            since = len(bench.ledger.facts())
            await bench.long_talks(1)
            await bench.seen(Kind.INVITE, bench.calls_in(Does.LET_RING, 0, 1), since=since)
            await asyncio.sleep(bench.rng.uniform(0.1, 1.0))
            at = len(controller.lines)
            bench.pbx_kills += 1
            await bench.pbx.kill9()
            # Nobody is left who could tell the others that their calls are over: they find out, and hang up.
            bench.talking.clear()
            await bench.carrier.cli("channel request hangup all")
            await asyncio.sleep(1)
            await bench.pbx.start()
            up_s = time.monotonic()
            await controller.logged("in control", since=at)
            figures.back(time.monotonic() - up_s)
            figures.runs += 1
            await asyncio.sleep(5)
    return controller


async def event_socket_cut(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Cut the line to ARI in each of four ways."""
    return await _cut(bench, figures, [how for _ in range(times) for how in Cut])


async def event_socket_reset(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Cut the line to ARI in the quickest way."""
    return await _cut(bench, figures, [Cut.RST] * times)


async def _cut(bench: Bench, figures: Figures, ways: list[Cut]) -> ControllerProcess:
    proxy = await bench.until_judged.enter_async_context(cut_proxy("127.0.0.1", bench.site.ports.ari))
    url = f'"http://127.0.0.1:{proxy.port}"'
    settings = changed_settings(bench, "cut.toml", "asterisk", "url", url)
    controller = bench.controller(settings)
    await controller.start()
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for how in ways:
            await asyncio.sleep(bench.rng.uniform(1, 4))
            at = len(controller.lines)
            proxy.cut(how)
            # Of a black hole nothing tells but that nothing comes: it takes a while to be believed.
            await controller.logged(CUT_OFF, since=at)
            await asyncio.sleep(bench.rng.uniform(0, 1))
            proxy.mend()
            mended_s = time.monotonic()
            await controller.logged("in control", since=at)
            figures.back(time.monotonic() - mended_s)
            figures.runs += 1
    return controller


async def database_locked(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Have another program hold the database's write lock for longer than a transaction waits."""
    controller = await started(bench)
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(1, 3))
            await asyncio.to_thread(hold_lock, str(bench.site.home / "orikaeshi.db"), LOCKED_S)
            await goes_on(controller, figures, "the database was locked")
    return controller


async def disc_full(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Fill the disc that the database is on, and make room again."""
    disc = await bench.until_judged.enter_async_context(small_disc(bench.site.home / "small-disc"))
    controller = bench.controller(on_disc(bench, disc))
    await controller.start()
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(1, 3))
            await asyncio.to_thread(fill, disc / "ballast")
            await asyncio.sleep(FULL_S)
            (disc / "ballast").unlink()
            await goes_on(controller, figures, "the disc was full")
    return controller


async def disc_read_only(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill the controller, have its database read-only when it starts again, and then as it was."""
    disc = await bench.until_judged.enter_async_context(small_disc(bench.site.home / "small-disc"))
    controller = bench.controller(on_disc(bench, disc))
    await controller.start()
    await bench.long_talks(1)
    async with bench.load(per_s=LOAD_PER_S):
        for _ in range(times):
            await asyncio.sleep(bench.rng.uniform(2, 4))
            await controller.kill9()
            mount("remount,ro", disc)
            try:
                await controller.start(timeout_s=4)
                figures.broken.append("in control though nothing can be written")
            except ControllerFailedError:
                await controller.kill9()
            mount("remount,rw", disc)
            figures.back(await back_in_control(controller, since_s=time.monotonic()))
            figures.runs += 1
    return controller


async def started(bench: Bench) -> ControllerProcess:
    """Start the controller as it is run in production. Raises ControllerFailedError."""
    controller = bench.controller()
    await controller.start()
    return controller


async def goes_on(controller: ControllerProcess, figures: Figures, what: str) -> None:
    """See that the controller has outlived it, or start it again: its service manager would."""
    figures.runs += 1
    if controller.pid is None:
        figures.notes.append(f"the controller ended while {what}, and was started again")
        figures.back(await back_in_control(controller, since_s=time.monotonic()))


def send(controller: ControllerProcess, what: signal.Signals) -> None:
    """Send a signal to a controller that runs."""
    if controller.pid is not None:
        os.kill(controller.pid, what)


def hold_lock(path: str, seconds: float) -> None:
    """Hold SQLite's exclusive lock."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as database:
        database.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        database.execute("ROLLBACK")


def changed_settings(bench: Bench, name: str, table: str, key: str, value: str) -> Path:
    """Write the bench's settings with another value under another name, in the same folder; return the file."""
    path = bench.settings.with_name(name)
    path.write_text(with_value(bench.settings.read_text("utf-8"), table, key, value), "utf-8")
    return path


def on_disc(bench: Bench, disc: Path) -> Path:
    """Write the bench's settings with a database of its own on another disc."""
    return changed_settings(bench, "disc.toml", "store", "url", f'"sqlite+aiosqlite:///{disc / "orikaeshi.db"}"')


@asynccontextmanager
async def small_disc(place: Path) -> AsyncIterator[Path]:
    """Mount a disc of a few megabytes (tmpfs) for the length of the block. Raises CalledProcessError: not root."""
    await asyncio.to_thread(place.mkdir, exist_ok=True)
    mount(f"size={DISC_BYTES}", place, "-t", "tmpfs", "tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S603, S607, ASYNC221 - at once


def mount(options: str, place: Path, *more: str) -> None:
    """Run the program of this name."""
    subprocess.run(["mount", *more[:2], "-o", options, *more[2:], str(place)], check=True)  # noqa: S603, S607


def fill(ballast: Path) -> None:
    """Leave no room on a disc."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):  # That is the end that is wanted.
        while True:
            file.write(b"\0" * 4096)
