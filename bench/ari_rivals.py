"""ARI clients: how many requests and events a second each carries, ours and the others that Python has.

Each client is a process of its own, in an environment of its own (`bench/rivals/`), used as its documentation says.
It counts the requests that were answered, 1 and 64 at a time, and the events for which the user's handler was called.

- *wire*: a server of the bench answers, in another process; it does next to nothing, so the client is the limit. Events
  are those of a recorded call, as many different ones as are asked for, sent as fast as the client takes them.
- *live*: a real Asterisk answers. It works off the requests of one WebSocket one after the other, and makes far fewer
  events than any of these clients could take: so requests alone.

Clients take turns, three rounds; the middle one counts. What is compared is the rate, on the clock of the wall. With
other work on the machine it is worth little; `cpu` rows, processor time for each, then say more.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.results import Row
from bench.rivals.environments import Client, ours, rivals
from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.wire import EVENT_TYPES
from controller.system_clock import SystemClock
from lab.pbx import REPOSITORY, running_pair
from lab.rootfolder import root_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from bench.results import Options

NAME: Final = "ari-client"
GOAL_REQUESTS, GOAL_EVENTS = 4.0, 3.0
"""Times the fastest of the others."""
OPERATIONS: Final = ("ping", "set variable")
MANY: Final = 64
EVENTS: Final = "events"
TIMEOUT_S: Final = 180.0
SUBJECT: Final = "bench-subject"


class ClientFailedError(Exception):
    """A client's program ended badly, or lost events; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server that clients talk to."""

    name: str
    host: str
    port: int
    user: str
    password: str


Figures = dict[tuple[str, str, str], tuple[float, float]]
"""(place, what, client) to (each second, CPU microseconds for each)."""


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Measure all clients at both places. Raises ClientFailedError, NoEnvironmentError, and what a lab raises."""
    tell("environments")
    others = await rivals(tell)
    figures: Figures = {}
    async with replaying(max(each.events for each in [*ours(), *others])) as place:
        figures |= await at(place, [*ours(), *others], options, tell)
    async with real_asterisk() as place:
        figures |= await at(place, [*ours(), *others], options, tell, events=False)
    return rows(figures, [each.name for each in others])


async def at(
    place: Place, clients: Sequence[Client], options: Options, tell: Callable[[str], None], *, events: bool = True
) -> Figures:
    """Return the middle one of the rounds."""
    seen: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for nth in range(1 if options.quick else 3):
        for client in clients:
            if client.only_events and not events:
                continue
            tell(f"{place.name}, round {nth + 1}: {client.name}")
            wanted = 0 if not events else client.events // (10 if options.quick else 1)
            said = await _played(client, place, wanted, during_s=0.2 if options.quick else 1.0)
            for what, (per_s, cpu_us) in said["operations"].items():
                seen.setdefault((place.name, what, client.name), []).append((per_s, cpu_us))
            if wanted:
                came = said["events"]
                if came["came"] != wanted:
                    raise ClientFailedError(f"{client.name}: {came['came']} of {wanted} events came")
                seen.setdefault((place.name, EVENTS, client.name), []).append((came["per_s"], came["cpu_us"]))
    return {key: (median(each[0] for each in all_), median(each[1] for each in all_)) for key, all_ in seen.items()}


async def _played(client: Client, place: Place, events: int, *, during_s: float) -> dict[str, Any]:
    tasks = [(operation, in_flight, during_s) for operation in OPERATIONS for in_flight in (1, MANY)]
    todo = {
        "host": place.host,
        "port": place.port,
        "user": place.user,
        "password": place.password,
        "app": f"bench-{client.name.split(',')[0].lower()}",
        "channel": SUBJECT,
        "tasks": [] if client.only_events else tasks,
        "events": events,
        "kinds": EVENT_TYPES,
    }
    program, *arguments = client.command
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments[:1],
        json.dumps(todo),
        *arguments[1:],
        env={**os.environ, **client.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            said, complained = await process.communicate()
        result: dict[str, Any] = json.loads(said)
    except (TimeoutError, ValueError) as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
            raise ClientFailedError(f"{client.name}: nothing within {TIMEOUT_S:.0f} s") from error
        raise ClientFailedError(f"{client.name}: {complained.decode(errors='replace')[-2000:]}") from error
    return result


@asynccontextmanager
async def replaying(events: int) -> AsyncIterator[Place]:
    """Run the bench's own server, with so many events, in a process of its own."""
    descriptions = await asyncio.to_thread(root_folder) / "usr/share/asterisk/rest-api"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.rivals.server", str(descriptions), str(events)),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without its pipes")
    try:
        yield Place("wire", "127.0.0.1", int(await process.stdout.readline()), "bench", "bench")
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def real_asterisk() -> AsyncIterator[Place]:
    """Run a real Asterisk with a channel on it that does nothing but have variables."""
    with tempfile.TemporaryDirectory() as home:
        async with running_pair(Path(home)) as (site, _pbx, _carrier):
            client = AriClient(
                *(site.ari_url, SUBJECT, site.ari_user, site.ari_password),
                on_event=lambda _event: None,
                on_connected=lambda: None,
                on_disconnected=lambda: None,
                clock=SystemClock(),
                rng=random.Random(1),  # noqa: S311 - spreads reconnects, guards nothing
            )
            running = asyncio.create_task(client.run())
            try:
                await client.wait_connected()
                await client.channels.create("Local/s@orikaeshi-inbound", channel_id=SUBJECT, app=SUBJECT)
                yield Place("live", "127.0.0.1", site.ports.ari, site.ari_user, site.ari_password)
                await client.channels.named(SUBJECT).hangup()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


def rows(figures: Figures, others: Sequence[str]) -> list[Row]:
    """Return the table: at 64 in flight and for events each client, else the fastest of the others."""
    found = []
    for place, what in dict.fromkeys((place, what) for place, what, _ in figures):
        ranked = sorted(
            (name for name in others if (place, what, name) in figures),
            key=lambda name: figures[place, what, name][0],
            reverse=True,
        )
        best = ranked[0]
        many = what == EVENTS or what.endswith(f"/{MANY}")
        for other in ranked if many else [best]:
            goal = None
            if many and other == best:
                goal = GOAL_EVENTS if what == EVENTS else GOAL_REQUESTS
            found.append(_row(figures, (place, what), "WebSocket", other, goal))
        if what != EVENTS:
            found.append(_row(figures, (place, what), "HTTP", best, None))
        found.append(_row(figures, (place, what), "WebSocket", best, None, cpu=True))
    return found


def _row(
    figures: Figures, at_what: tuple[str, str], mine: str, other: str, goal: float | None, *, cpu: bool = False
) -> Row:
    place, what = at_what
    operation, _, in_flight = what.partition("/")
    text = f"{place}: {operation}" + (f", {in_flight} in flight, over {mine}" if in_flight else "")
    return Row(
        measurement=NAME,
        what=f"{text}, cpu for each" if cpu else text,
        unit="us" if cpu else "per s",
        ours=figures[place, what, mine][cpu],
        other=figures[place, what, other][cpu],
        other_name=other,
        more_is_better=not cpu,
        goal_ratio=goal,
    )
