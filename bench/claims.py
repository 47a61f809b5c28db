"""Claims: what a database full of old promises costs each callback, SQLite and PostgreSQL, both durable (fsync).

Counted is the time that the dialer waits for the database in one callback, on the wall: `hold`, `open_attempt`,
`advance` with the outcome; one callback at a time, each for a promise that was made for it the moment before. The three
sizes take turns, callback by callback, so that whatever else the machine does meets all of them alike. The caps are
those that a careful admin sets on calls to one number; caps on a prefix and on money, which count all calls of a day,
are rows of their own.

Also: claims a second, eight at a time, and how long a controller waits for the database when it starts (the check of
the migrations, and the load of all promises that wait).
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.claims_history import QUEUE, fill
from bench.figures import percentile
from bench.results import Row
from controller.domain.caps import Caps, Tariff
from controller.domain.lifecycle import AttemptEnded
from controller.domain.outcome import Outcome
from controller.domain.promise import DEFAULT_PBX, Attempt, Promise
from controller.ports.lease import lease_of_pbx
from controller.ports.promises import Made, NewPromise
from controller.store.store import open_store
from controller.system_clock import SystemClock
from lab.postgres import open_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.results import Options
    from controller.store.store import Store

NAME: Final = "claims"
GOAL: Final = 1.5
"""Times what a thousand promises cost, at most."""
AT_ONCE: Final = 8
LEASE_S: Final = 3600.0
PER_NUMBER: Final = Caps(per_number=3, per_number_30_days=4)
ALL_CAPS: Final = Caps(
    per_number=3,
    per_number_30_days=4,
    per_prefix={"+8190": 50_000},
    max_cost_milli=10**9,
    tariff=Tariff(per_call_milli=3_000, per_minute_milli=18_000),
)
POSTGRES: Final = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
"""What an admin gives a server of this size; the rest is the lab's."""


class NotClaimedError(Exception):
    """A callback that nothing speaks against was refused: the measurement is wrong."""


@dataclass
class Book:
    """A database of one size, open."""

    size: int
    store: Store
    clock: SystemClock
    term: int
    serial: itertools.count[int] = field(default_factory=itertools.count)
    claim_s: list[float] = field(default_factory=list)

    async def promise(self) -> Promise:
        """Make a promise for a customer who was never called."""
        nth = next(self.serial)
        now = self.clock.now()
        made = await self.store.promises.make(
            NewPromise(QUEUE, f"+8190{90_000_000 + nth}", "ja", now, f"bench-{now.timestamp()}-{nth}")
        )
        if not isinstance(made, Made):
            raise NotClaimedError(str(made))
        return made.promise

    async def claimed(self, promise: Promise, caps: Caps) -> float:
        """See a callback through the database, and return how long that took."""
        book = self.store.promises
        attempt = Attempt(
            f"attempt-{promise.id}", promise.id, promise.number, "agent-1", self.clock.now(), self.term, pbx=DEFAULT_PBX
        )
        began_s = time.perf_counter()
        refused = await book.hold(promise, DEFAULT_PBX, self.term, caps)
        opened = await book.open_attempt(promise, attempt, caps) if refused is None else refused
        if not isinstance(opened, Promise):
            raise NotClaimedError(str(opened))
        await book.advance(promise.id, AttemptEnded(Outcome.TALKED))
        return time.perf_counter() - began_s


async def measure(options: Options, tell: Callable[[str], None]) -> list[Row]:
    """Measure both databases. Raises PackageError, PostgresError, StoreUnavailableError."""
    sizes = (200, 1_000, 5_000) if options.quick else (1_000, 100_000, 1_000_000)
    claims = 20 if options.quick else 300
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="orikaeshi-bench-") as folder,
        open_postgres(is_durable=True, settings=POSTGRES) as server,
    ):
        places = {
            "SQLite": {size: f"sqlite+aiosqlite:///{Path(folder) / str(size)}.db" for size in sizes},
            "PostgreSQL": {size: server.url(server.create(), by_tcp=True) for size in sizes},
        }
        for name, urls in places.items():
            for size, url in urls.items():
                tell(f"{name}: {size:,} promises are made")
                async with open_store(url, policies={}, clock=SystemClock(), new_id=str):
                    pass
                await fill(url, size, SystemClock().now(), tell)
            rows += await _of(name, urls, claims, tell)
    return rows


async def _of(name: str, urls: dict[int, str], claims: int, tell: Callable[[str], None]) -> list[Row]:
    ids = (f"bench-{nth}" for nth in itertools.count())
    start_s: dict[int, float] = {}
    async with AsyncExitStack() as open_ones:
        books: list[Book] = []
        for size, url in urls.items():
            began_s = time.perf_counter()
            opening = open_store(url, policies={}, clock=SystemClock(), new_id=lambda: next(ids))
            store = await open_ones.enter_async_context(opening)
            await store.promises.waiting()
            start_s[size] = time.perf_counter() - began_s
            lease = await store.leases.take(lease_of_pbx(DEFAULT_PBX), "bench", "bench", LEASE_S)
            books.append(Book(size, store, SystemClock(), lease.term))
        rows: list[Row] = []
        for what, caps in (("caps on a number", PER_NUMBER), ("caps on a prefix and money", ALL_CAPS)):
            tell(f"{name}: {claims} claims each, {what}")
            await _in_turns(books, claims, caps)
            rows += _rows(name, what, books, goal=caps is PER_NUMBER)
        for book in books:
            tell(f"{name}: {AT_ONCE} at once, {book.size:,} promises")
        rates = {book.size: await _rate(book, claims) for book in books}
    smallest = min(urls)
    for size in urls:
        if size != smallest:
            text = f"{name}: claims a second, {AT_ONCE} at once, {size:,} promises"
            rows.append(Row(NAME, text, "per s", rates[size], rates[smallest], _with(smallest), more_is_better=True))
            text = f"{name}: start-up, {size:,} promises"
            rows.append(Row(NAME, text, "ms", start_s[size] * 1e3, start_s[smallest] * 1e3, _with(smallest)))
    return rows


async def _in_turns(books: Sequence[Book], claims: int, caps: Caps) -> None:
    for book in books:
        book.claim_s.clear()
    for nth in range(claims + 5):
        for book in books:
            took_s = await book.claimed(await book.promise(), caps)
            if nth >= 5:  # noqa: PLR2004 - the first ones warm the caches
                book.claim_s.append(took_s)


async def _rate(book: Book, claims: int) -> float:
    """Return how many claims a second get through, so many at once."""
    wanted = [await book.promise() for _ in range(claims)]
    began_s = time.perf_counter()

    async def one_after_the_other(mine: Sequence[Promise]) -> None:
        for promise in mine:
            await book.claimed(promise, PER_NUMBER)

    await asyncio.gather(*(one_after_the_other(wanted[nth::AT_ONCE]) for nth in range(AT_ONCE)))
    return claims / (time.perf_counter() - began_s)


def _rows(name: str, what: str, books: Sequence[Book], *, goal: bool) -> list[Row]:
    smallest = min(books, key=lambda book: book.size)
    return [
        Row(
            measurement=NAME,
            what=f"{name}: claim, {what}, {book.size:,} promises, p{percent}",
            unit="ms",
            ours=percentile(book.claim_s, percent) * 1e3,
            other=percentile(smallest.claim_s, percent) * 1e3,
            other_name=_with(smallest.size),
            goal_ratio=round(1 / GOAL, 2) if goal and percent == 50 else None,  # noqa: PLR2004 - the median
        )
        for book in books
        if book is not smallest
        for percent in (50, 99)
    ]


def _with(size: int) -> str:
    return f"ours, with {size:,}"
