"""A database as it looks after a quarter of a year: promises made, called, kept; one in a hundred still waits.

Written by the database's own way for many rows (SQLite: executemany in one transaction, PostgreSQL: COPY), a million
promises in about a minute.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from sqlalchemy import make_url

from controller.store.tables import attempts, promise_events, promise_requests, promises

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Table

HISTORY: Final = timedelta(days=90)
MARGIN: Final = timedelta(hours=1)
"""So long ago is the last of them over."""
WAITING_SHARE: Final = 0.01
CUSTOMERS_SHARE: Final = 0.7
"""Numbers there are, by promises: some have asked more than once."""
CALLS_OF: Final = ((0.80, 1), (0.92, 2), (1.00, 3))
"""Up to which share of the promises took how many calls."""
BATCH: Final = 20_000
QUEUE: Final = "support"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Past:
    """One promise, with all that was written of it."""

    promise: Row
    request: Row
    attempts: list[Row]
    events: list[Row]


def number_of(customer: int) -> str:
    """Return a customer's number, E.164."""
    return f"+8190{customer:08d}"


def history(count: int, now: datetime) -> Iterator[Past]:
    """Yield so many promises. Those that still wait were made today, and are of customers who have no other open."""
    dice = random.Random(count)  # noqa: S311 - the same history each time
    customers = max(1, int(count * CUSTOMERS_SHARE))
    waiting = max(1, int(count * WAITING_SHARE))
    for nth in range(count):
        if nth < waiting:
            yield _waiting(nth, customers, now - timedelta(hours=8 * dice.random()))
        else:
            share = dice.random()
            calls = next(calls for upto, calls in CALLS_OF if share <= upto)
            made_at = now - MARGIN - HISTORY * dice.random()
            yield _done(nth, nth % customers, made_at, calls, dice)


def _waiting(nth: int, customers: int, made_at: datetime) -> Past:
    promise = _promise(nth, nth % customers, made_at, "waiting", calls=0)
    return Past(promise, _request(promise), [], [_event(promise, 0, made_at, "Made", None, "waiting")])


def _done(nth: int, customer: int, made_at: datetime, calls: int, dice: random.Random) -> Past:
    is_kept = calls < 3 or dice.random() < 0.5  # noqa: PLR2004 - half of those who took three calls were not reached
    promise = _promise(nth, customer, made_at, "fulfilled" if is_kept else "exhausted", calls=calls)
    events = [_event(promise, 0, made_at, "Made", None, "waiting")]
    made: list[Row] = []
    at = made_at
    for call in range(1, calls + 1):
        at += timedelta(seconds=120 + 600 * dice.random())
        talks = is_kept and call == calls
        ends_at = at + timedelta(seconds=200 if talks else 30)
        made.append(_attempt(promise, call, at, ends_at, "talked" if talks else "no_answer"))
        events.append(_event(promise, len(events), at, "AttemptStarted", "waiting", "dialling"))
        if talks:
            events.append(_event(promise, len(events), at, "CustomerConnected", "dialling", "connected"))
        came_from, after = ("connected", "fulfilled") if talks else ("dialling", "waiting")
        events.append(_event(promise, len(events), ends_at, "AttemptEnded", came_from, after))
        at = ends_at
    promise["version"] = len(events) - 1
    return Past(promise, _request(promise), made, events)


def _promise(nth: int, customer: int, made_at: datetime, state: str, *, calls: int) -> Row:
    return {
        "id": f"{nth:012x}-7a1c-4d27-9b55-5f0e2a6c9d31"[-36:],
        "queue": QUEUE,
        "number": number_of(customer),
        "language": "ja",
        "since": made_at,
        "made_at": made_at,
        "not_before": made_at,
        "expires_at": made_at + timedelta(days=1),
        "state": state,
        "attempts_used": calls,
        "dials": calls,
        "last_outcome": None if not calls else "talked" if state == "fulfilled" else "no_answer",
        "version": 0,
    }


def _request(promise: Row) -> Row:
    return {"call_id": f"call-{promise['id']}", "promise_id": promise["id"], "requested_at": promise["made_at"]}


def _attempt(promise: Row, call: int, at: datetime, ends_at: datetime, outcome: str) -> Row:
    return {
        "id": f"{promise['id']}-{call}",
        "promise_id": promise["id"],
        "number": promise["number"],
        "agent": f"agent-{call}",
        "started_at": at,
        "ended_at": ends_at,
        "outcome": outcome,
        "term": 1,
        "trunk": "carrier",
        "cause": 16,
        "rang": True,
        "placed_at": at,
        "counts_from": at,
        "cost_milli": 30_000,
    }


def _event(promise: Row, seq: int, at: datetime, event: str, came_from: str | None, to: str) -> Row:
    return {
        "promise_id": promise["id"],
        "seq": seq,
        "at": at,
        "event": event,
        "from_state": came_from,
        "to_state": to,
        "detail": "",
    }


async def fill(url: str, count: int, now: datetime, tell: Callable[[str], None]) -> None:
    """Write a history of so many promises into a database that has its tables and nothing in them."""
    pasts = history(count, now)
    if url.startswith("sqlite"):
        await asyncio.to_thread(_fill_sqlite, str(make_url(url).database), pasts)
    else:
        await _fill_postgres(url.replace("+asyncpg", ""), pasts)
    tell(f"{count:,} promises are written")


def _tables(batch: Sequence[Past]) -> Mapping[Table, list[Row]]:
    """Return the rows of each table, those first that others point to."""
    return {
        promises: [past.promise for past in batch],
        promise_requests: [past.request for past in batch],
        attempts: [row for past in batch for row in past.attempts],
        promise_events: [row for past in batch for row in past.events],
    }


def _fill_sqlite(path: str, pasts: Iterator[Past]) -> None:
    connection = sqlite3.connect(path)
    try:
        # Nothing of this has to outlive a loss of power, unlike what is measured afterwards.
        for pragma in ("synchronous = OFF", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        while batch := list(islice(pasts, BATCH)):
            for table, rows in _tables(batch).items():
                if rows:
                    names = list(rows[0])
                    marks = ", ".join("?" * len(names))
                    sql = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
                    connection.executemany(sql, _plain(rows))
            connection.commit()
    finally:
        connection.close()


def _plain(rows: Iterable[Row]) -> Iterator[tuple[Any, ...]]:
    """Yield rows as SQLAlchemy would write them: instants as text, in UTC."""
    for row in rows:
        yield tuple(f"{value:%Y-%m-%d %H:%M:%S.%f}" if hasattr(value, "utcoffset") else value for value in row.values())


async def _fill_postgres(url: str, pasts: Iterator[Past]) -> None:
    connection = await asyncpg.connect(url)
    try:
        while batch := list(islice(pasts, BATCH)):
            async with connection.transaction():
                for table, rows in _tables(batch).items():
                    if rows:
                        records = [tuple(row.values()) for row in rows]
                        await connection.copy_records_to_table(table.name, records=records, columns=list(rows[0]))
        await connection.execute("ANALYZE")  # What autovacuum would have done over the months.
    finally:
        await connection.close()
