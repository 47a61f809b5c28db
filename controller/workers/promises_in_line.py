"""The promises in line: which of them can be served now, and when that changes although nothing happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from controller.domain.line import Waiter, WaiterKind, not_asked
from controller.domain.promise import PromiseState
from controller.workers.withdrawals import Withdrawals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from controller.domain.line import PassedOn
    from controller.domain.promise import Promise
    from controller.journeys.house import Queue


class Hours(Protocol):
    """When a number may be dialled. Hashable; equal hours are asked once for all their promises."""

    def allow(self, now: datetime) -> bool:
        """Tell whether `now` (aware) is inside the hours."""
        ...

    def next_opening(self, now: datetime) -> datetime:
        """Return the first instant from `now` on that is inside them. Raises ValueError when there is none near."""
        ...


@dataclass(slots=True)
class _Entry:
    """One promise that waits, with what would be computed again at each look at the line."""

    promise: Promise
    waiter: Waiter
    hours: int
    """Which of the hours that are known; -1: of a queue that nobody serves."""


class PromisesInLine:
    """Keeps the promises that wait, as the database holds them. A line of a thousand is gone through at each change."""

    def __init__(self, queues: Mapping[str, Queue], hours_for: Callable[[str], Hours] | None) -> None:
        self._queues = queues
        self._hours_for = hours_for
        self._entries: dict[str, _Entry] = {}
        self._in_hand: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._passed_on: dict[str, dict[str, PassedOn]] = {}
        self._ahead: dict[str, _Entry] = {}
        self._aside: dict[str, datetime] = {}
        self._hours: list[Hours] = []
        self._hours_at: dict[Hours, int] = {}
        self._openings: dict[int, tuple[datetime, datetime]] = {}
        self._begun: dict[str, Promise] = {}
        self.withdrawals = Withdrawals()

    def __contains__(self, promise_id: object) -> bool:
        return promise_id in self._entries

    def note(self, promise: Promise) -> None:
        """Take note of a promise as it now stands in the database."""
        self._aside.pop(promise.id, None)
        if promise.state is PromiseState.WAITING:
            self._entries[promise.id] = _Entry(promise, self._waiter(promise), self._hours_of(promise))
        else:
            self._entries.pop(promise.id, None)
            self._begun[promise.id] = promise
        if promise.state.is_final or promise.state is PromiseState.WAITING:
            self._begun.pop(promise.id, None)
        if promise.state.is_final:
            del self._passed[promise.id]
            self._passed_on.pop(promise.id, None)
        if promise.state is PromiseState.CANCELLED and promise.id in self._in_hand:
            self.withdrawals.cancel(promise.id)

    def take(self, promise_id: str) -> None:
        """Take note that somebody has a promise in hand: the line does not offer it until they have let go."""
        self._in_hand[promise_id] += 1

    def set_aside(self, promise_id: str, until: datetime) -> None:
        """Take note that others have a promise in hand: it is not offered until then, or until it is heard of."""
        if promise_id in self._entries:
            self._aside[promise_id] = until

    @property
    def waiting(self) -> list[Promise]:
        """All that wait, in hand or not, due or not."""
        return [entry.promise for entry in self._entries.values()]

    def find(self, promise_id: str) -> Promise | None:
        """Return a promise that waits, or is being dialled or talked with, as far as it was heard of."""
        entry = self._entries.get(promise_id)
        return entry.promise if entry is not None else self._begun.get(promise_id)

    @property
    def in_hand(self) -> frozenset[str]:
        """The ids of those that somebody here has in hand."""
        return frozenset(self._in_hand)

    def may_be_dialled_at(self, promise: Promise, now: datetime) -> datetime:
        """Return the first moment at which its number may be rung, as far as hours and what was agreed tell."""
        entry = self._entries.get(promise.id)
        opens_at = self._opens_at(entry.hours, now) if entry is not None and entry.hours >= 0 else None
        return promise.not_before if opens_at is None else max(promise.not_before, opens_at)

    @property
    def known(self) -> frozenset[str]:
        """The ids of all that wait or are in hand, as far as the line knows."""
        return frozenset(self._entries) | frozenset(self._in_hand)

    def is_attended(self, promise_id: str) -> bool:
        """Tell whether somebody has a promise in hand, or its customer stands in line themselves."""
        return promise_id in self._in_hand or promise_id in self.withdrawals.stood_in_for

    def take_ahead(self, promise_id: str) -> Promise:
        """Take a promise whose customer is dialled before there is an agent. It keeps its place, and gets its turn."""
        self._ahead[promise_id] = self._entries[promise_id]
        self.take(promise_id)
        return self._ahead[promise_id].promise

    def ahead(self) -> list[Waiter]:
        """Return those that were taken ahead and still need an agent."""
        return [entry.waiter for entry in self._ahead.values()]

    def needs_no_agent(self, promise_id: str) -> None:
        """Take note that one that was taken ahead needs none any more: the customer stands in line, or is not there."""
        self._ahead.pop(promise_id, None)

    def needs_agent(self, promise: Promise) -> None:
        """Take note that one that is in hand has lost its agent, and is to get another one in its turn."""
        self._ahead[promise.id] = _Entry(promise, self._waiter(promise), self._hours_of(promise))

    def give_agent(self, promise_id: str) -> Promise:
        """Return a promise whose turn it is; it is taken now, if it was not taken ahead."""
        entry = self._ahead.pop(promise_id, None)
        if entry is None:
            self.take(promise_id)
            entry = self._entries[promise_id]
        return entry.promise

    def let_go(self, promise_id: str) -> None:
        """Take note that one of those who had it in hand has it no longer."""
        self._in_hand[promise_id] -= 1
        if self._in_hand[promise_id] <= 0:
            del self._in_hand[promise_id]
            self.withdrawals.over(promise_id)

    def passed(self, promise_id: str | None) -> int:
        """Return how often a promise was passed."""
        return self._passed[promise_id] if promise_id is not None else 0

    def has_place(self, queue: str, since: datetime) -> bool:
        """Tell whether a promise has this place in line."""
        places = (entry.promise for entry in self._entries.values())
        return any((promise.queue, promise.since) == (queue, since) for promise in places)

    def count_passed(self, promise_id: str, *, at_least: int | None = None) -> None:
        """Count that a promise was passed; or `at_least` so often, while its customer stood in line themselves."""
        if promise_id not in self._entries and promise_id not in self._ahead:
            return
        now = self._passed[promise_id]
        self._passed[promise_id] = now + 1 if at_least is None else max(now, at_least)
        self._renew(promise_id)

    def pass_on(self, promise_id: str, agent: str, passed_on: PassedOn) -> None:
        """Take note that an agent left a promise to the others."""
        self._passed_on.setdefault(promise_id, {})[agent] = passed_on

    def waiters(self) -> Iterator[Waiter]:
        """Yield every promise that waits and whose customer does not stand in line themselves."""
        stood_in_for = self.withdrawals.stood_in_for
        return (entry.waiter for entry in self._entries.values() if entry.promise.id not in stood_in_for)

    def dialable(self, now: datetime, on_duty: Callable[[str], Iterable[str]]) -> list[Waiter]:
        """Return the promises that nobody has in hand, inside their calling hours, due or not.

        `on_duty` names the agents on duty for a queue.
        """
        is_open = [hours.allow(now) for hours in self._hours]
        is_open.append(False)  # The hours of a queue that nobody serves: -1.
        waiters = [entry.waiter for entry in self._unattended(now) if is_open[entry.hours]]
        if not self._passed_on:
            return waiters
        return [self._offered(waiter, now, on_duty) for waiter in waiters]

    def overdue(self, now: datetime) -> list[Promise]:
        """Return the promises that nobody has in hand and whose deadline has passed."""
        return [entry.promise for entry in self._unattended(now) if entry.promise.expires_at <= now]

    def next_change_at(self, now: datetime) -> datetime | None:
        """Return when one of those that nobody has in hand falls due, may be dialled, or passes its deadline next."""
        entries = self._unattended(now)
        instants = [entry.promise.expires_at for entry in entries]
        instants += [entry.promise.not_before for entry in entries if entry.promise.not_before > now]
        for which in {entry.hours for entry in entries} - {-1}:
            opens_at = self._opens_at(which, now)
            if opens_at is not None:
                instants.append(opens_at)
        passed_on = [each for agents in self._passed_on.values() for each in agents.values()]
        instants += [at for each in passed_on for at in (each.asked_again_at, each.until) if at > now]
        instants += self._aside.values()  # Those that are over were dropped by the look above.
        return min(instants, default=None)

    def _unattended(self, now: datetime) -> list[_Entry]:
        if self._aside:
            self._aside = {one: until for one, until in self._aside.items() if until > now}
        taken = self._in_hand.keys() | self.withdrawals.stood_in_for | self._aside.keys()
        if not taken:
            return list(self._entries.values())
        return [entry for promise_id, entry in self._entries.items() if promise_id not in taken]

    def _offered(self, waiter: Waiter, now: datetime, on_duty: Callable[[str], Iterable[str]]) -> Waiter:
        passed_on = self._passed_on.get(waiter.id)
        if passed_on is None:
            return waiter
        return replace(waiter, not_for=not_asked(passed_on, on_duty(waiter.queue), now))

    def _renew(self, promise_id: str) -> None:
        for entries in (self._entries, self._ahead):
            if promise_id in entries:
                entries[promise_id].waiter = self._waiter(entries[promise_id].promise)

    def _waiter(self, promise: Promise) -> Waiter:
        return Waiter(
            promise.id,
            WaiterKind.PROMISE,
            promise.queue,
            promise.since,
            promise.not_before,
            urgent=promise.urgent,
            passed=self._passed[promise.id],
            only_for=promise.assigned_to,
        )

    def _hours_of(self, promise: Promise) -> int:
        queue = self._queues.get(promise.queue)
        if queue is None:
            return -1
        hours: Hours = self._hours_for(promise.number) if self._hours_for is not None else queue.calling_hours
        if hours not in self._hours_at:
            self._hours_at[hours] = len(self._hours)
            self._hours.append(hours)
        return self._hours_at[hours]

    def _opens_at(self, which: int, now: datetime) -> datetime | None:
        """Return when hours that are closed open; None when they are open, or stay closed for days."""
        hours = self._hours[which]
        if hours.allow(now):
            return None
        asked_at, opens_at = self._openings.get(which, (now, now))
        if not asked_at <= now < opens_at:  # Never asked, over, or the wall clock was set back.
            try:
                opens_at = hours.next_opening(now)
            except ValueError:
                return None
            self._openings[which] = (now, opens_at)
        return opens_at
