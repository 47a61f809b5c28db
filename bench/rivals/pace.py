"""What the programs of all asyncio clients share: the work that is asked for, and how it is timed.

A program gets one argument, a JSON object: `host`, `port`, `user`, `password`, `app`; `tasks`, a list of
[operation, in flight, seconds]; `channel`, whose variable is set; `events`, how many are to be replayed (0: none), and
`kinds`, their types. It prints one JSON object: `operations` (operation/in flight to a list of operations a second and
CPU microseconds for each), `events` (how many came, a second, and CPU microseconds for each).

Nothing but the standard library, since it runs in the clients' own environments.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

PATIENCE_S = 30.0
"""Events that have not come by then are lost."""


@dataclass
class Asked:
    """The work that this program is to do."""

    host: str
    port: int
    user: str
    password: str
    app: str
    channel: str
    tasks: list[tuple[str, int, float]]
    events: int
    kinds: list[str]

    @property
    def base_url(self) -> str:
        """The web server's address, as the older clients want it."""
        return f"http://{self.host}:{self.port}/"


def asked() -> Asked:
    """Return what the command line asks for."""
    return Asked(**json.loads(sys.argv[1]))


@dataclass
class EventCount:
    """Counts calls of the user's handler, and knows when all have come."""

    wanted: int
    seen: int = 0
    all_came: asyncio.Event = field(default_factory=asyncio.Event)
    began_s: float = 0.0
    cpu_began_s: float = 0.0
    ended_s: float = 0.0
    cpu_ended_s: float = 0.0

    def note(self, *_: object) -> None:
        """Take note of one event."""
        if not self.seen:
            self.began_s, self.cpu_began_s = time.perf_counter(), time.process_time()
        self.seen += 1
        if self.seen == self.wanted:
            self.ended_s, self.cpu_ended_s = time.perf_counter(), time.process_time()
            self.all_came.set()

    def result(self) -> dict[str, float]:
        """Return what is printed of it."""
        if self.seen < self.wanted:
            return {"came": self.seen, "per_s": 0.0, "cpu_us": 0.0}
        took_s, cpu_s = self.ended_s - self.began_s, self.cpu_ended_s - self.cpu_began_s
        return {"came": self.seen, "per_s": (self.seen - 1) / took_s, "cpu_us": cpu_s / self.seen * 1e6}


async def paced(one: Callable[[], Awaitable[object]], in_flight: int, during_s: float) -> list[float]:
    """Do an operation again and again, so many at a time; return operations a second, CPU microseconds for each."""
    ends_s = time.perf_counter() + during_s

    async def again_and_again() -> int:
        done = 0
        while time.perf_counter() < ends_s:
            await one()
            done += 1
        return done

    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(again_and_again() for _ in range(in_flight)))
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_began_s
    return [sum(counts) / took_s, cpu_s / sum(counts) * 1e6]


async def work_off(todo: Asked, operations: Mapping[str, Callable[[], Awaitable[object]]], count: EventCount) -> None:
    """Do all that is asked for with a client that is connected and calls `count.note`; print the result."""
    for one in operations.values():
        await one()  # Connections are made, and what is imported late is imported.
    result: dict[str, Any] = {"operations": {}}
    for name, in_flight, during_s in todo.tasks:
        result["operations"][f"{name}/{in_flight}"] = await paced(operations[name], in_flight, during_s)
    if todo.events:
        await asyncio.to_thread(start_replay, todo)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(count.all_came.wait(), PATIENCE_S)
        result["events"] = count.result()
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def start_replay(todo: Asked) -> None:
    """Have the server send its recorded events to the socket that was opened last."""
    connection = http.client.HTTPConnection(todo.host, todo.port, timeout=PATIENCE_S)
    try:
        connection.request("GET", f"/replay?events={todo.events}")
        connection.getresponse().read()
    finally:
        connection.close()
