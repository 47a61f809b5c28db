"""A real database for each test, and a clock that is turned by hand."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text

from controller.domain.outcome import Outcome
from controller.domain.promise import Attempt, Promise
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import Slot
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.promises import Made, NewPromise
from controller.store import open_store
from controller.store.tables import metadata
from tests.simulation.memory_store import SCHEME, open_memory_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from controller.ports.sms import QueuedSms
    from controller.store import Store

NOON = datetime(2030, 5, 6, 3, 0, 0, 123456, tzinfo=UTC)
NUMBER = "+819012345678"
OTHER_NUMBER = "+81312345678"

POLICIES = {
    "sales": RetryPolicy(max_attempts=2, gap_s={Outcome.BUSY: 90}, lifetime_s=3600),
    "support": RetryPolicy(lifetime_s=7200),
}


class HandClock:
    """A `Clock` that moves when it is told to. `slept` yields each delay that somebody begins to wait for."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self.slept: asyncio.Queue[float] = asyncio.Queue()

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._now

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock has been turned by `delay_s`."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + timedelta(seconds=delay_s), done))
        self.slept.put_nowait(delay_s)
        await done

    def turn(self, by_s: float) -> None:
        """Let `by_s` seconds pass."""
        self._now += timedelta(seconds=by_s)
        for wakes_at, done in self._sleepers:
            if wakes_at <= self._now and not done.done():
                done.set_result(None)


@asynccontextmanager
async def store_at(url: str, clock: HandClock, *, prefix: str = "promise", **options: Any) -> AsyncIterator[Store]:
    """Open a store whose promises are named `promise-1`, `promise-2`, ..."""
    numbers = itertools.count(1)
    opener: Callable[..., Any] = open_memory_store if url.startswith(SCHEME) else open_store
    async with opener(
        url, policies=POLICIES, clock=clock, new_id=lambda: f"{prefix}-{next(numbers)}", **options
    ) as store:
        yield store


def wanted(
    call_id: str = "call-1",
    *,
    number: str = NUMBER,
    queue: str = "sales",
    since: datetime = NOON - timedelta(minutes=5),
    **more: Any,
) -> NewPromise:
    """Return a request for a promise."""
    return NewPromise(queue=queue, number=number, language="ja", since=since, call_id=call_id, **more)


def slot_after(hours: int) -> Slot:
    """Return the window of half an hour that starts so many hours after noon."""
    starts_at = NOON.replace(microsecond=0) + timedelta(hours=hours)
    return Slot(starts_at, starts_at + timedelta(minutes=30))


async def make(store: Store, request: NewPromise) -> Made:
    """Make a promise, for which there is a place."""
    made = await store.promises.make(request)
    assert isinstance(made, Made)
    return made


def attempt_for(
    promise: Promise, attempt_id: str = "attempt-1", *, started_at: datetime = NOON, **more: Any
) -> Attempt:
    """Return an attempt to keep `promise`."""
    given = {"agent": "hanako", **more}
    return Attempt(attempt_id, promise_id=promise.id, number=promise.number, started_at=started_at, **given)


async def dialling(
    store: Store, call_id: str = "call-1", attempt_id: str = "attempt-1", *, term: int = 0, **request: Any
) -> Promise:
    """Make a promise and open an attempt for it."""
    made = await make(store, wanted(call_id, **request))
    moved = await store.promises.open_attempt(made.promise, attempt_for(made.promise, attempt_id, term=term))
    assert isinstance(moved, Promise)
    return moved


NO_LIMITS = SmsLimits(per_number=None, breaker=None)
ONE_SEGMENT = SmsBill(1)


async def take_sms(
    store: Store, now: datetime, *, limits: SmsLimits = NO_LIMITS, bill: SmsBill = ONE_SEGMENT
) -> QueuedSms | None:
    """Claim what is due the longest and may be sent, as a sender does; None: nothing is left that is due."""
    while (sms := await store.outbox.due(now)) is not None:
        if (await store.outbox.claim(sms, bill, limits, now)).status is SmsStatus.SENDING:
            return sms
    return None


async def take_all_sms(store: Store, now: datetime) -> list[QueuedSms]:
    """Claim all that is due and may be sent."""
    taken: list[QueuedSms] = []
    while (sms := await take_sms(store, now)) is not None:
        taken.append(sms)
    return taken


async def rows(store: Store, query: str) -> list[dict[str, Any]]:
    """Return what a query finds, past every mapping of ours; an instant on each engine as the text that SQLite has."""
    async with store.database.engine.connect() as connection:
        found = (await connection.execute(text(query))).mappings()
        return [{name: _as_kept(value) for name, value in row.items()} for row in found]


def _as_kept(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


async def everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return the whole contents of the database."""
    return {name: await rows(store, f"SELECT * FROM {name} ORDER BY 1, 2") for name in metadata.tables}  # noqa: S608 - our own names


async def refuse_writes(store: Store) -> None:
    """Let the database take no more writes, as a disk that is read-only, or a server that only stands by."""
    if store.database.engine.dialect.name == "postgresql":
        async with store.database.engine.connect() as holder:  # the one connection, which all that follows will have
            await holder.exec_driver_sql("SET default_transaction_read_only = on")
            await holder.commit()
        return

    def read_only(connection: Any, *_rest: Any) -> None:
        connection.execute("PRAGMA query_only = ON")

    event.listen(store.database.sync_engine.pool, "checkout", read_only)
