"""Where the counters hear of things: the books of the store, its transactions, the queue_log, and the loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from controller.domain.promise import DEFAULT_PBX
from controller.domain.sms import SmsStatus
from controller.ports.promises import StoreUnavailableError
from controller.store.call_log import StoredCallLog
from controller.store.outbox import StoredSmsOutbox
from controller.store.timing import time_transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from controller.console.meter import Meter
    from controller.domain.call_ending import Ending
    from controller.domain.queue_events import QueueEvent
    from controller.domain.sms_limits import SmsBill, SmsLimits
    from controller.ports.clock import Clock
    from controller.ports.queue_log import QueueLog
    from controller.ports.sms import Claim, QueuedSms, SendResult
    from controller.store import Store
    from controller.store.engine import Database

LOOP_PAUSE_S = 0.25


class CountedCallLog(StoredCallLog):
    """The record of calls, counted as it is written."""

    def __init__(self, database: Database, log: FilteringBoundLogger, meter: Meter) -> None:
        super().__init__(database, log)
        self._meter = meter

    async def arrived(
        self, call_id: str, *, dialled: str, number: str | None, arrived_at: datetime, pbx: str = DEFAULT_PBX
    ) -> None:
        """As the book does it."""
        self._meter.arrived(call_id, arrived_at)
        await super().arrived(call_id, dialled=dialled, number=number, arrived_at=arrived_at, pbx=pbx)

    async def joined(self, call_id: str, *, queue: str, joined_at: datetime, closed: bool = False) -> None:
        """As the book does it."""
        self._meter.joined(call_id, queue)
        await super().joined(call_id, queue=queue, joined_at=joined_at, closed=closed)

    async def answered(self, call_id: str, *, agent: str, answered_at: datetime) -> None:
        """As the book does it."""
        self._meter.answered(call_id, answered_at)
        await super().answered(call_id, agent=agent, answered_at=answered_at)

    async def ended(self, call_id: str, *, ending: Ending, ended_at: datetime) -> None:
        """As the book does it."""
        self._meter.ended(call_id, ending.value)
        await super().ended(call_id, ending=ending, ended_at=ended_at)


class CountedOutbox(StoredSmsOutbox):
    """The outbox, counted as its SMS get somewhere."""

    def __init__(self, database: Database, meter: Meter) -> None:
        super().__init__(database)
        self._meter = meter

    async def claim(self, sms: QueuedSms, bill: SmsBill, limits: SmsLimits, now: datetime) -> Claim:
        """As the book does it."""
        claim = await super().claim(sms, bill, limits, now)
        if claim.status in {SmsStatus.BLOCKED, SmsStatus.LAPSED}:
            self._meter.sms(sms.template, claim.status)
        return claim

    async def block(self, sms: QueuedSms, reason: str, now: datetime) -> SmsStatus:
        """As the book does it."""
        status = await super().block(sms, reason, now)
        self._meter.sms(sms.template, status)
        return status

    async def record(self, sms: QueuedSms, result: SendResult, now: datetime) -> SmsStatus:
        """As the book does it."""
        status = await super().record(sms, result, now)
        self._meter.sms(sms.template, status)
        return status


class OverheardQueueLog:
    """A queue_log that somebody else hears of, too."""

    def __init__(self, queue_log: QueueLog, hear: Callable[[QueueEvent], None]) -> None:
        self._queue_log = queue_log
        self._hear = hear

    def note(self, event: QueueEvent) -> None:
        """Write one event, as `QueueLog` does."""
        self._queue_log.note(event)
        self._hear(event)


def count_in(store: Store, meter: Meter, log: FilteringBoundLogger, monotonic_s: Callable[[], float]) -> None:
    """Let a meter hear of all that a store writes. Once, before anybody uses its books."""
    store.calls = CountedCallLog(store.database, log, meter)
    store.outbox = CountedOutbox(store.database, meter)
    store.changed.append(meter.promise_changed)
    time_transactions(store.database, meter.transaction, monotonic_s)


async def watch(store: Store, meter: Meter, clock: Clock, pbxs: Iterable[str]) -> None:
    """Tell a meter what an earlier process left, then for ever how late the event loop wakes up."""
    with suppress(StoreUnavailableError):  # Some are then counted as if they were new.
        meter.found(await store.promises.waiting())
        for pbx in pbxs:
            meter.found(opened.promise for opened in await store.promises.open_attempts(pbx))
    loop = asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        await clock.sleep(LOOP_PAUSE_S)
        meter.lag(loop.time() - began_s - LOOP_PAUSE_S)
