"""The late watch: tells customers before their window ends that it cannot be kept, and when to expect the call."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from controller.domain.lifecycle import RefusedTransitionError, RunningLate
from controller.domain.promise import PromiseState
from controller.domain.running_late import DEFAULT_NOTICE_S, cannot_be_kept, expected_at, look_again_at
from controller.workers.line_timer import change_or_time
from controller.workers.until_stored import GROWING_S, until_stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import House
    from controller.ports.promises import StoreUnavailableError
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.promises_in_line import Hours

log = structlog.get_logger(__name__)

PAUSE_S = 1.0
"""At most one look in so long, however much happens in the line; and whoever can be served at once, is first."""
_MOST_OPENINGS = 30
"""A number may never be rung while its queue is open; whoever looks further finds out no more."""
_NO_NOTICES: Mapping[str, float] = {}


class LateWatch:
    """Looks at the windows that are promised whenever the line has changed, and when time alone decides.

    It goes by the database and the line, not by the PBX: with nobody to place calls windows pass all the same.
    """

    def __init__(self, house: House, keeper: LineKeeper, *, notice_s: Mapping[str, float] = _NO_NOTICES) -> None:
        """`notice_s` is, by queue, how long before the end of a window it is told at the latest."""
        self._house = house
        self._keeper = keeper
        self._notice_s = notice_s
        self._windows: dict[str, Promise] = {}
        self._can_wait: set[str] = set()
        """Those of which nothing new can be told before they begin."""
        self._changed = asyncio.Event()
        keeper.on_promise_changed = self.note
        keeper.on_line_changed = self.line_changed

    def note(self, promise: Promise) -> None:
        """Take note of a promise as it now stands in the database."""
        self._can_wait.discard(promise.id)
        has_window = promise.slot is not None and not promise.told_late
        if has_window and promise.state is PromiseState.WAITING:
            self._windows[promise.id] = promise
            self._changed.set()
        else:
            self._windows.pop(promise.id, None)

    def line_changed(self) -> None:
        """Take note that somebody came or went, or an agent did."""
        if self._windows:
            self._changed.set()

    async def run(self) -> None:
        """Watch the windows that the database holds, and those that are promised from now on, for ever."""
        clock = self._house.clock
        for promise in await until_stored(self._house.promises.waiting, clock, _away, pauses_s=GROWING_S):
            self.note(promise)
        while True:
            await clock.sleep(PAUSE_S)
            self._changed.clear()
            await change_or_time(self._changed, await self._look(), clock)

    async def _look(self) -> datetime | None:
        """Tell whoever is to be told now; return when to look again although nothing happens."""
        now = self._house.clock.now()
        self._windows = {one: each for one, each in self._windows.items() if each.slot and each.slot.ends_at > now}
        self._can_wait &= self._windows.keys()
        waits = self._waits(now)
        late: list[tuple[Promise, datetime]] = []
        again: list[datetime] = []
        for promise in self._windows.values():
            if promise.slot is None or self._keeper.promises.is_attended(promise.id):
                continue  # Being called, or here: what comes of it changes the line.
            if promise.id in self._can_wait and promise.slot.starts_at > now:
                again.append(promise.slot.starts_at)
                continue
            self._can_wait.add(promise.id)
            wait, notice_s = waits.get(promise.id), self._notice_s.get(promise.queue, DEFAULT_NOTICE_S)
            callable_from = partial(first_moment, promise, self._house)
            if cannot_be_kept(promise, now, wait, callable_from, notice_s):
                late.append((promise, expected_at(promise, now, wait, callable_from)))
            else:
                again.append(look_again_at(promise.slot, now, wait, notice_s))
        for promise, expected in late:
            await self._tell(promise, expected)
        return min(again, default=None)

    def _waits(self, now: datetime) -> dict[str, WaitRange]:
        """Return what the line expects for each window that has begun and can be served."""
        begun = {one for one, each in self._windows.items() if each.slot and each.slot.starts_at <= now}
        line = self._keeper.standing(now) if begun else []
        waits = {
            waiter.id: self._keeper.outlook.expected_wait(waiter.queue, line[:place])
            for place, waiter in enumerate(line)
            if waiter.id in begun
        }
        return {promise_id: wait for promise_id, wait in waits.items() if wait is not None}

    async def _tell(self, promise: Promise, expected: datetime) -> None:
        event = RunningLate(expected)
        advance = partial(self._house.promises.advance, promise.id, event)
        self._windows.pop(promise.id, None)
        try:
            await until_stored(advance, self._house.clock, _away, pauses_s=GROWING_S)
        except (RefusedTransitionError, LookupError) as error:
            # They are being called, chose another time, or were told: whatever it is, the line hears of it.
            log.info("nobody has to be told that a window is late", promise_id=promise.id, reason=str(error))
        else:
            log.info("a window cannot be kept", promise_id=promise.id, expected_at=expected.isoformat())


def first_moment(promise: Promise, house: House, at: datetime) -> datetime | None:
    """Return the first instant from `at` on at which the queue is open and the number may be rung; None: none near."""
    queue = house.queues.get(promise.queue)
    if queue is None:
        return None
    rings: Hours = queue.calling_hours if house.hours_for is None else house.hours_for(promise.number)
    for _ in range(_MOST_OPENINGS):
        opens_at = queue.hours.next_opening(at)
        if opens_at is None:
            return None
        try:
            at = rings.next_opening(opens_at)
        except ValueError:
            return None
        if at == opens_at:
            return at
    return None


def _away(error: StoreUnavailableError, retry_in_s: float) -> None:
    log.warning("windows wait for the database", reason=str(error), retry_in_s=retry_in_s)
