"""The line as whoever looks at the floor sees it: who waits, in order, and then who is being served."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from controller.domain.agents import BUSY, AgentState
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.domain.wait_estimate import heard
from controller.ports.floor import EntryState, LineEntry, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.line import Waiter
    from controller.domain.promise import Promise
    from controller.domain.wait_estimate import WaitRange
    from controller.workers.agent_desk import AgentDesk
    from controller.workers.line_keeper import LineKeeper
    from controller.workers.line_place import LinePlace

_WITH_AGENT = {
    AgentState.RESERVED: EntryState.RINGING,
    AgentState.RINGING: EntryState.RINGING,
    AgentState.ON_CALL: EntryState.TALKING,
}


class FloorLine:
    """One look at the line of one office. Goes through it once, however long it is."""

    def __init__(
        self, keeper: LineKeeper, desk: AgentDesk, pbx: str, now: datetime, due_by: Mapping[str, datetime]
    ) -> None:
        """Look at it; `due_by` is when each promise, by id, is to be kept at the latest."""
        self._keeper, self._desk, self._pbx, self._now, self._due_by = keeper, desk, pbx, now, due_by
        self.standing: Sequence[Waiter] = keeper.standing(now)
        """Who needs an agent and can be served, first to be served first."""
        self._in_hand = keeper.promises.in_hand
        self._agents = self._by_waiter()

    def entries(self) -> Iterator[LineEntry]:
        """Yield everybody: who can be served, in order; promises whose time comes later; who is being served."""
        waits = self._keeper.outlook.along(self.standing)
        places: Counter[str] = Counter()
        shown: set[str] = set()
        for waiter, wait in zip(self.standing, waits, strict=True):
            places[waiter.queue] += 1
            shown.add(waiter.id)
            yield self._waiting(waiter, places[waiter.queue], wait)
        for entry in sorted(self._later(shown), key=lambda each: (each.due_at or self._now, each.since, each.id)):
            shown.add(entry.id)
            yield entry
        for place in self._keeper.places.values():
            if place.waiter.id not in shown:
                shown.add(place.waiter.id)
                yield self._live(place)
        yield from self._being_kept(shown)
        yield from self._unknown(shown)

    def _by_waiter(self) -> dict[str, Agent]:
        """Return who serves whom, or is on the way to."""
        agents = {}
        for agent in self._desk.agents:
            serving = self._desk.serving(agent.name)
            if serving is not None and agent.state in BUSY:
                agents[serving.waiter_id] = agent
        return agents

    def _waiting(self, waiter: Waiter, place: int, wait: WaitRange | None) -> LineEntry:
        held = self._keeper.places.get(waiter.id)
        if held is not None:
            return self._live(held, place, wait)
        promise = self._keeper.promises.find(waiter.id)
        if promise is not None:
            return self._promise(promise, place, wait)
        # Taken ahead of its agent a moment ago, and moved on since.
        return LineEntry(waiter.id, waiter.kind, waiter.queue, self._pbx, waiter.since, EntryState.DIALLING)

    def _later(self, shown: set[str]) -> Iterator[LineEntry]:
        stood_in_for = self._keeper.promises.withdrawals.stood_in_for
        for promise in self._keeper.promises.waiting:
            if promise.id not in shown and promise.id not in stood_in_for and promise.id not in self._in_hand:
                yield self._promise(promise)

    def _live(self, place: LinePlace, position: int | None = None, wait: WaitRange | None = None) -> LineEntry:
        waiter, announced = place.waiter, place.announced
        agent = self._agents.get(waiter.id) if place.agent is not None else None
        if agent is not None:
            position, wait = None, None
        told = heard(announced.range) if announced is not None else None
        return LineEntry(
            id=waiter.id,
            kind=WaiterKind.LIVE,
            queue=waiter.queue,
            pbx=self._pbx,
            since=waiter.since,
            state=_WITH_AGENT[agent.state] if agent is not None else EntryState.WAITING,
            number=place.number,
            place=position,
            expected_low_s=wait.low_s if wait is not None else None,
            expected_high_s=wait.high_s if wait is not None else None,
            urgent=waiter.urgent,
            passed=waiter.passed,
            told=Told(announced.at, told.low_s, told.high_s) if announced is not None and told is not None else None,
            agent=agent.name if agent is not None else waiter.only_for,
            state_since=agent.state_since if agent is not None else place.joined_at,
        )

    def _promise(self, promise: Promise, position: int | None = None, wait: WaitRange | None = None) -> LineEntry:
        agent = self._agents.get(promise.id)
        state = self._state_of(promise, agent)
        # Who has a place is due.
        due_at = self._now if position is not None else self._keeper.promises.may_be_dialled_at(promise, self._now)
        if state is not EntryState.WAITING:
            position, wait = None, None
        return LineEntry(
            id=promise.id,
            kind=WaiterKind.PROMISE,
            queue=promise.queue,
            pbx=self._pbx,
            since=promise.since,
            state=state,
            number=promise.number,
            place=position,
            expected_low_s=wait.low_s if wait is not None else None,
            expected_high_s=wait.high_s if wait is not None else None,
            due_at=due_at if due_at > self._now else None,
            urgent=promise.urgent,
            passed=self._keeper.promises.passed(promise.id),
            agent=agent.name if agent is not None else promise.assigned_to,
            state_since=agent.state_since if agent is not None else None,
            promise=promise.state,
            due_by=self._due_by.get(promise.id),
            slot_starts_at=promise.slot.starts_at if promise.slot else None,
            slot_ends_at=promise.slot.ends_at if promise.slot else None,
            attempts_used=promise.attempts_used,
        )

    def _state_of(self, promise: Promise, agent: Agent | None) -> EntryState:
        if promise.id not in self._in_hand:
            return EntryState.WAITING
        if promise.state is PromiseState.CONNECTED:
            return EntryState.TALKING
        if promise.state is PromiseState.DIALLING:
            return EntryState.DIALLING
        return EntryState.WAITING if agent is None else EntryState.RINGING

    def _being_kept(self, shown: set[str]) -> Iterator[LineEntry]:
        # A customer who has confirmed, and waits for an agent, stands in line themselves, in the place of theirs.
        on_deck = {(place.waiter.queue, place.waiter.since, place.number) for place in self._keeper.places.values()}
        for promise_id in sorted(self._in_hand - shown):
            promise = self._keeper.promises.find(promise_id)
            if promise is not None and (promise.queue, promise.since, promise.number) not in on_deck:
                shown.add(promise_id)
                yield self._promise(promise)

    def _unknown(self, shown: set[str]) -> Iterator[LineEntry]:
        """Yield whom agents serve who stand in no line here: they talked while we were restarted, say."""
        for waiter_id, agent in self._agents.items():
            serving = self._desk.serving(agent.name)
            if waiter_id in shown or serving is None:
                continue
            yield LineEntry(
                id=waiter_id,
                kind=serving.kind,
                queue=serving.queue,
                pbx=self._pbx,
                since=serving.since,
                state=_WITH_AGENT[agent.state],
                agent=agent.name,
                state_since=agent.state_since,
            )
