"""The line keeper: joins whoever is next in line with whoever is free, the moment that either changes.

Event-driven: it runs when a caller joins, an agent becomes free, a promise changes or a promise falls due. Nothing
is polled; one timer waits for the next promise that is not due yet.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from controller.domain.line import Waiter, WaiterKind, match, next_due_at, order
from controller.domain.promise import Promise, PromiseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from controller.domain.gate import CallingHours
    from controller.domain.line import Match
    from controller.journeys.house import Queue
    from controller.ports.clock import Clock
    from controller.workers.agent_desk import AgentDesk, DeskReservation

log = structlog.get_logger(__name__)


class LineKeeper:
    """The line of live callers and promises together."""

    def __init__(self, desk: AgentDesk, queues: Mapping[str, Queue], hours: CallingHours, clock: Clock) -> None:
        self._desk = desk
        self._queues = queues
        self._hours = hours
        self._clock = clock
        self._places: dict[str, LinePlace] = {}
        self._promises: dict[str, Promise] = {}
        self._in_hand: set[str] = set()
        self._changed = asyncio.Event()
        self._serving = False
        self.may_serve: Callable[[], bool] = lambda: True
        """Asked before anybody gets an agent: is there a live connection to the PBX?"""
        self.may_dial: Callable[[], bool] = lambda: True
        """Asked before a promise gets an agent: is there a free circuit?"""
        self.on_promise_turn: Callable[[Promise, DeskReservation], None] = lambda _promise, _reservation: None
        self.on_promise_expired: Callable[[Promise], None] = lambda _promise: None
        desk.on_free = self.serve

    @property
    def waiters(self) -> list[Waiter]:
        """The whole line, first to be served first, whoever can be served at the moment or not."""
        live = [place.waiter for place in self._places.values() if not place.is_served]
        return order(live + [_waiter(promise) for promise in self._promises.values()])

    @contextmanager
    def join(self, call_id: str, queue: str, since: datetime) -> Iterator[LinePlace]:
        """Give a live caller a place until the context is left."""
        place = LinePlace(Waiter(call_id, WaiterKind.LIVE, queue, since), self)
        self._places[call_id] = place
        self.serve()
        try:
            yield place
        finally:
            del self._places[call_id]
            place.give_back()

    def promise_changed(self, promise: Promise) -> None:
        """Take note of a promise as it now stands in the database."""
        if promise.state is PromiseState.WAITING:
            self._promises[promise.id] = promise
        else:
            self._promises.pop(promise.id, None)
        self.serve()

    def load(self, promises: Iterable[Promise]) -> None:
        """Take over the promises that the database holds."""
        for promise in promises:
            self.promise_changed(promise)

    def let_go(self, promise_id: str) -> None:
        """Let a promise, whose dial is over, be served again if it still waits."""
        self._in_hand.discard(promise_id)
        self.serve()

    async def run(self) -> None:
        """Wait for promises to fall due, or to pass their deadline, for ever."""
        while True:
            self._changed.clear()
            due_at = self._next_promise_at(self._clock.now())
            waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
            if due_at is not None:
                delay_s = (due_at - self._clock.now()).total_seconds()
                waits.append(asyncio.ensure_future(self._clock.sleep(delay_s)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            self._expire(self._clock.now())
            self._serve(self._clock.now())

    def serve(self) -> None:
        """Join whoever can be joined now."""
        self._changed.set()
        self._serve(self._clock.now())

    def _serve(self, now: datetime) -> None:
        if self._serving or not self.may_serve():  # A reservation moves an agent, and that calls back here.
            return
        self._serving = True
        try:
            # One pair at a time: a promise that gets an agent may have taken the last free circuit.
            while pairs := match(self._can_be_served(now), self._desk.agents, now):
                self._join(pairs[0], now)
        finally:
            self._serving = False

    def _expire(self, now: datetime) -> None:
        for promise in list(self._promises.values()):
            if promise.id not in self._in_hand and promise.expires_at <= now:
                self._in_hand.add(promise.id)
                self.on_promise_expired(promise)

    def _join(self, pair: Match, now: datetime) -> None:
        reservation = self._desk.reserve(pair.agent, self._queues[pair.waiter.queue])
        log.info(
            "turn",
            waiter=pair.waiter.id,
            kind=pair.waiter.kind.value,
            agent=pair.agent.name,
            waited_s=round((now - pair.waiter.since).total_seconds(), 3),
        )
        if pair.waiter.kind is WaiterKind.LIVE:
            self._places[pair.waiter.id].offer(reservation)
        else:
            self._in_hand.add(pair.waiter.id)
            self.on_promise_turn(self._promises[pair.waiter.id], reservation)

    def _can_be_served(self, now: datetime) -> list[Waiter]:
        waiters = [place.waiter for place in self._places.values() if place.wants_agent]
        if self.may_dial() and self._hours.allow(now):
            waiters += [_waiter(p) for p in self._promises.values() if p.id not in self._in_hand]
        return waiters

    def _next_promise_at(self, now: datetime) -> datetime | None:
        promises = [promise for promise in self._promises.values() if promise.id not in self._in_hand]
        if not promises:
            return None
        due_at = next_due_at(map(_waiter, promises), now) if self._hours.allow(now) else self._hours.next_opening(now)
        deadline = min(promise.expires_at for promise in promises)
        return deadline if due_at is None else min(deadline, due_at)


class LinePlace:
    """One live caller's place."""

    def __init__(self, waiter: Waiter, keeper: LineKeeper) -> None:
        self.waiter = waiter
        self._keeper = keeper
        self._aside = False
        self._offered: DeskReservation | None = None
        self._turn = asyncio.Event()

    @property
    def wants_agent(self) -> bool:
        """Whether an agent could be used now."""
        return not self._aside and self._offered is None

    @property
    def is_served(self) -> bool:
        """Whether an agent was taken: they talk, or the agent's phone rings."""
        return self._offered is not None and self._offered.taken

    async def turn(self) -> DeskReservation:
        """Return the agent when it is this caller's turn. What is not entered goes back to the line."""
        if self._offered is not None and self._offered.taken:
            self._offered = None
            self._turn.clear()
            self._keeper.serve()
        await self._turn.wait()
        if self._offered is None:
            raise RuntimeError("a turn without an agent")
        return self._offered

    def offer(self, reservation: DeskReservation) -> None:
        """Hand the caller an agent."""
        self._offered = reservation
        self._turn.set()

    def give_back(self) -> None:
        """Return an agent that was offered and never taken."""
        offered, self._offered = self._offered, None
        self._turn.clear()
        if offered is not None and not offered.taken:
            offered.give_back()

    def step_aside(self) -> _Aside:
        """Keep the place and get no agent meanwhile."""
        return _Aside(self, self._keeper)

    def set_aside(self, *, aside: bool) -> None:
        """Start or end being busy with something else."""
        self._aside = aside
        if aside:
            self.give_back()


class _Aside:
    def __init__(self, place: LinePlace, keeper: LineKeeper) -> None:
        self._place = place
        self._keeper = keeper

    def __enter__(self) -> None:
        self._place.set_aside(aside=True)

    def __exit__(self, *_: object) -> None:
        self._place.set_aside(aside=False)
        self._keeper.serve()


def _waiter(promise: Promise) -> Waiter:
    return Waiter(promise.id, WaiterKind.PROMISE, promise.queue, promise.since, promise.not_before)
