"""The line keeper: joins whoever is next in line with whoever is free, the moment that either changes.

Event-driven: it runs when a caller joins, an agent becomes free, a promise changes or a promise falls due. Nothing
is polled; one timer waits for the next promise that is not due yet.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.line import (
    DEFAULT_MAX_PASSES,
    Decision,
    Waiter,
    WaiterKind,
    ahead_of,
    as_assigned,
    next_match,
    order,
    place_of,
)
from controller.workers.line_outlook import LineOutlook
from controller.workers.line_place import LinePlace
from controller.workers.line_timer import change_or_time
from controller.workers.line_turns import tell_turn
from controller.workers.news import News
from controller.workers.promises_in_line import PromisesInLine
from controller.workers.rejoining import Rejoining

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.line import Match
    from controller.domain.promise import Promise
    from controller.domain.wait_estimate import WaitRange
    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.workers.agent_desk import AgentDesk, DeskReservation
    from controller.workers.promises_in_line import Hours


class LineKeeper:
    """The line of live callers and promises together."""

    def __init__(
        self,
        desk: AgentDesk,
        queues: Mapping[str, Queue],
        clock: Clock,
        *,
        max_passes: int = DEFAULT_MAX_PASSES,
        hours_for: Callable[[str], Hours] | None = None,
    ) -> None:
        """`hours_for` gives the hours of a number (E.164); None: those of its promise's queue."""
        self._desk, self._queues, self._clock = desk, queues, clock
        self._max_passes = max_passes
        self._places: dict[str, LinePlace] = {}
        self.promises = PromisesInLine(queues, hours_for)
        """For whoever dials them; what changes in the line is told by the methods here."""
        self._withdrawals = self.promises.withdrawals
        self._changed, self._duty_news = asyncio.Event(), News()
        self._serving = False
        self.rejoining = Rejoining()
        self.outlook = LineOutlook(desk, clock)
        self.may_serve: Callable[[], bool] = lambda: True
        """Asked before anybody gets an agent: is there a live connection to the PBX?"""
        self.phones_are_known: Callable[[], bool] = lambda: True
        """Asked before a queue counts as one without agents."""
        self.may_dial: Callable[[], bool] = lambda: True
        """Asked before a promise gets an agent: is there a free circuit?"""
        self.on_promise_turn: Callable[[Promise, DeskReservation], None] = lambda _promise, _reservation: None
        self.on_promise_changed: Callable[[Promise], None] = lambda _promise: None
        """Told of each promise as it now stands in the database."""
        self.on_line_changed: Callable[[], None] = lambda: None
        """Told when anybody may have to wait longer or shorter, whether somebody may be served at the moment or not."""
        self.watchers: list[Callable[[], None]] = []
        """Told of that, and of all that agents do. They come and go at any time, and have to be quick."""
        self.employs: Callable[[str], bool] = lambda _name: True
        """Asked whether there is an agent of this name at all, at whichever Asterisk."""
        self.on_promise_expired: Callable[[Promise], None] = lambda _promise: None
        self.on_decision: Callable[[Decision], None] = lambda _decision: None
        """Told of each decision, the moment that it is made."""
        self.on_joined: Callable[[Waiter], None] = lambda _waiter: None
        """Told of each live caller who joins, before anybody gets an agent for it."""
        self.on_served: Callable[[datetime], None] = lambda _now: None
        """Told when everybody has been joined who can be at the moment."""
        desk.on_free = self.serve
        desk.on_changed = self.agent_changed

    @property
    def waiters(self) -> list[Waiter]:
        """The whole line, first to be served first, whoever can be served at the moment or not."""
        live = [place.waiter for place in self._places.values() if not place.is_served]
        return order([*live, *self.promises.waiters()], self._max_passes)

    def standing(self, now: datetime) -> list[Waiter]:
        """Return who waits for an agent and is due, first to be served first."""
        return order((each for each in self._standing(now) if each.is_due(now)), self._max_passes)

    @property
    def places(self) -> Mapping[str, LinePlace]:
        """The places of the live callers, those with an agent included, by the calls' ids."""
        return self._places

    @contextmanager
    def join(
        self,
        call_id: str,
        queue: str,
        since: datetime,
        *,
        urgent: bool = False,
        in_place_of: str | None = None,
        number: str | None = None,
        only_for: str = "",
    ) -> Iterator[LinePlace]:
        """Give a live caller a place until the context is left.

        `in_place_of` is the promise of a customer who rings back: nobody dials it meanwhile, and what it was passed
        counts for the caller, and the other way round when they leave again.
        """
        passed = self.promises.passed(in_place_of)
        waiter = Waiter(call_id, WaiterKind.LIVE, queue, since, urgent=urgent, passed=passed, only_for=only_for)
        place = LinePlace(waiter, self, in_place_of=in_place_of, joined_at=self._clock.now(), number=number)
        self._places[call_id] = place
        self.rejoining.came(call_id)
        if in_place_of is not None:
            self._withdrawals.stands_in(call_id, in_place_of)
        self.on_joined(waiter)
        self.serve()
        try:
            yield place
        finally:
            self._leave(place)

    def length(self, queue: str) -> int:
        """Return how many live callers wait for a queue."""
        return sum(place.waiter.queue == queue and not place.is_served for place in self._places.values())

    def agents_on_duty(self, queue: str) -> int:
        """Return how many agents serve a queue now, on a call or not. Until phones are known, all who want calls do."""
        return self._desk.on_duty(queue, phones_are_known=self.phones_are_known())

    def expected_wait(self, queue: str) -> WaitRange | None:
        """Return how long somebody who joins now will probably wait; None when nobody is on duty."""
        return self.outlook.expected_wait(queue, self.standing(self._clock.now()))

    async def withdrawn(self, promise_id: str) -> None:
        """Return when a promise may not be dialled any more: its customer is here, or it was cancelled."""
        await self._withdrawals.come(promise_id)

    def is_withdrawn(self, promise_id: str) -> bool:
        """Tell whether a promise may not be dialled now."""
        return self._withdrawals.applies_to(promise_id)

    async def no_agents(self, queue: str) -> None:
        """Return once no agent is on duty for a queue."""
        while self.agents_on_duty(queue):
            await self._duty_news.come()

    def ahead_of(self, place: LinePlace) -> list[Waiter]:
        """Return those who are due, of every queue, and would be served before a caller."""
        now = self._clock.now()
        return ahead_of(place.waiter.id, self._standing(now, place), now, self._max_passes)[:-1]

    def position_of(self, place: LinePlace) -> int:
        """Return a caller's place among those who wait for the same queue and are due; 1 for the next."""
        now = self._clock.now()
        return place_of(place.waiter.id, self._standing(now, place), now, self._max_passes)

    def agent_changed(self, before: Agent, after: Agent) -> None:
        """Take note that an agent may have begun or ended their duty: who waits for them alone is then everybody's."""
        if before.is_on_duty != after.is_on_duty:
            self.phones_known()
            self.on_line_changed() if after.is_on_duty else self.serve()
        self._tell_watchers()

    def phones_known(self) -> None:
        """Take note that it is known (again) who is there."""
        self._duty_news.tell()

    def promise_changed(self, promise: Promise) -> None:
        """Take note of a promise as it now stands in the database."""
        self.promises.note(promise)
        self.on_promise_changed(promise)
        self.serve()

    def gone(self, call_id: str) -> None:
        """Wait no longer for a caller who was in line before a restart."""
        self.rejoining.came(call_id)
        self.serve()

    def load(self, promises: Iterable[Promise]) -> None:
        """Take over the promises that the database holds."""
        for promise in promises:
            self.promises.note(promise)
            self.on_promise_changed(promise)
        self.serve()

    def let_go(self, promise_id: str) -> None:
        """Let a promise, whose dial is over, be served again if it still waits."""
        self.promises.let_go(promise_id)
        self.serve()

    async def run(self) -> None:
        """Wait for promises to fall due, or to pass their deadline, for ever."""
        while True:
            self._changed.clear()
            now = self._clock.now()
            due_at = self.rejoining.ends_at(now) or self.promises.next_change_at(now)
            await change_or_time(self._changed, due_at, self._clock)
            self._expire(self._clock.now())
            self._serve(self._clock.now())

    def serve(self) -> None:
        """Join whoever can be joined now."""
        self._changed.set()
        self.on_line_changed()
        self._serve(self._clock.now())
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for watcher in tuple(self.watchers):
            watcher()

    def _serve(self, now: datetime) -> None:
        # A reservation moves an agent, and that calls back here.
        if self._serving or not self.may_serve() or self.rejoining.ends_at(now):
            return
        self._serving = True
        try:
            # One pair at a time: a promise that gets an agent may have taken the last free circuit.
            while any(agent.is_free for agent in self._desk.agents):
                pair = next_match(self._can_be_served(now), self._desk.agents, now, self._max_passes)
                if pair is None:
                    break
                self._join(pair, now)
        finally:
            self._serving = False
        self.on_served(now)

    def _expire(self, now: datetime) -> None:
        for promise in self.promises.overdue(now):
            self.promises.take(promise.id)
            self.on_promise_expired(promise)

    def _join(self, pair: Match, now: datetime) -> None:
        place = place_of(pair.waiter.id, self._standing(now), now, self._max_passes)
        decision = Decision.of(pair, now, place=place, max_passes=self._max_passes)
        reservation = self._desk.reserve(pair.agent, self._queues[pair.waiter.queue], pair.waiter)
        self._count(pair.passed)
        tell_turn(decision)
        if pair.waiter.kind is WaiterKind.LIVE:
            self._places[pair.waiter.id].offer(reservation, now)
        else:
            self.on_promise_turn(self.promises.give_agent(pair.waiter.id), reservation)
        self.on_decision(decision)

    def _count(self, passed: Iterable[str]) -> None:
        for waiter_id in passed:
            place = self._places.get(waiter_id)
            if place is not None:
                place.waiter = replace(place.waiter, passed=place.waiter.passed + 1)
            else:
                self.promises.count_passed(waiter_id)

    def _leave(self, place: LinePlace) -> None:
        waiter, now = place.waiter, self._clock.now()
        del self._places[waiter.id]
        self._withdrawals.left(waiter.id)
        until = place.offered_at if place.is_served else now
        stays = (
            place.is_served or place.in_place_of in self.promises or self.promises.has_place(waiter.queue, waiter.since)
        )
        # Who goes on waiting as a promise takes nobody's place away.
        self.outlook.note_waited(waiter.queue, (until - place.joined_at).total_seconds(), left=not stays)
        if place.in_place_of is not None:
            self.promises.count_passed(place.in_place_of, at_least=waiter.passed)
        place.give_back()
        self.serve() if place.in_place_of is not None else self._tell_watchers()

    def _can_be_served(self, now: datetime) -> list[Waiter]:
        waiters = [place.waiter for place in self._places.values() if place.wants_agent] + self.promises.ahead()
        waiters += self._dialable(now) if self.may_dial() else []
        return as_assigned(waiters, self._desk.agents, self.employs)

    def _standing(self, now: datetime, place: LinePlace | None = None) -> list[Waiter]:
        """Return everybody who waits for an agent; `place` too, whatever is happening there."""
        live = [each.waiter for each in self._places.values() if each is not place and not each.has_agent]
        promises = self.promises.ahead() + self._dialable(now)
        return live + promises + ([place.waiter] if place is not None else [])

    def _dialable(self, now: datetime) -> list[Waiter]:
        return self.promises.dialable(now, self._desk.names_on_duty)
