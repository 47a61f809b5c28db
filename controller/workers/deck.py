"""The deck: where the customer is dialled first, it starts dials shortly before agents become free."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.domain.line import WaiterKind
from controller.domain.on_deck import Deck, DeckRecord, Pace, is_time, next_time
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.wait_estimate import crowd_before
from controller.journeys.house import DialMode
from controller.workers.line_timer import change_or_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from controller.domain.line import Waiter
    from controller.domain.promise import Promise
    from controller.journeys.dialled import Dialled
    from controller.journeys.house import House, Queue
    from controller.workers.agent_desk import AgentDesk
    from controller.workers.dialer import Dialer
    from controller.workers.line_keeper import LineKeeper

log = structlog.get_logger(__name__)

OURS_OR_THEIRS = NEVER_SENT | {Outcome.WITHDRAWN, Outcome.UNKNOWN, Outcome.AGENT_LOST}
"""Outcomes that say nothing about how often customers are reached."""


class DeckWatch:
    """Looks at the line whenever it was served, and when calls in progress are likely to have come near their end.

    Holds what was measured of each queue's dials; a restart forgets it, and begins by waiting for free agents.
    """

    def __init__(
        self, house: House, queues: Mapping[str, Queue], desk: AgentDesk, keeper: LineKeeper, dialer: Dialer
    ) -> None:
        self._house = house
        self._queues = {
            name: queue for name, queue in queues.items() if queue.callbacks.mode is DialMode.CUSTOMER_FIRST
        }
        self._desk = desk
        self._keeper = keeper
        self._dialer = dialer
        self._modes = {name: queue.callbacks.mode for name, queue in queues.items()}
        self._records: dict[str, DeckRecord] = {}
        self._next_at: datetime | None = None
        self._changed = asyncio.Event()
        keeper.on_served = self.look
        dialer.mode_of = self.mode_of
        dialer.on_ended = self.note

    def record(self, queue: str) -> DeckRecord:
        """Return what was measured of a queue's dials."""
        return self._records.get(queue, DeckRecord())

    def mode_of(self, queue: str) -> DialMode:
        """Return how the customers of a queue are called back now: too many abandoned, and the agent is rung first."""
        mode = self._modes[queue]
        is_too_bold = mode is DialMode.CUSTOMER_FIRST and self.record(queue).pace is Pace.AGENT_FIRST
        return DialMode.AGENT_FIRST if is_too_bold else mode

    def note(self, promise: Promise, dialled: Dialled) -> None:
        """Take note of how an attempt ended."""
        if promise.queue not in self._queues or dialled.outcome in OURS_OR_THEIRS:
            return
        before, evidence = self.record(promise.queue), dialled.evidence
        reach_s = None
        if evidence.confirmed_at is not None:
            since = evidence.placed_at or dialled.attempt.started_at
            reach_s = (evidence.confirmed_at - since).total_seconds()
        after = before.note(reach_s=reach_s, abandoned=dialled.outcome is Outcome.ABANDONED)
        self._records[promise.queue] = after
        if before.pace is not after.pace:
            log.warning(
                "customers are dialled at another pace",
                queue=promise.queue,
                pace=after.pace.name.lower(),
                abandoned_share=round(after.abandoned_share, 4),
            )

    async def run(self) -> None:
        """Look again when it is likely to be time, for ever. All else is told by the line."""
        while True:
            self._changed.clear()
            await change_or_time(self._changed, self._next_at, self._house.clock)
            if self._next_at is not None and self._next_at <= self._house.clock.now():
                self._next_at = None
                # By the line, which knows whether anybody may be served at all.
                self._keeper.serve()

    def look(self, now: datetime) -> None:
        """Start the dials whose time has come, in the order of the line, and find out when to look again."""
        before, self._next_at = self._next_at, None
        if self._queues and not self._house.dry_run and self._dialer.has_room:
            self._start_dials(now)
        if self._next_at != before:
            self._changed.set()

    def _start_dials(self, now: datetime) -> None:
        waiting_on = {name for name in self._queues if self.record(name).pace is Pace.AHEAD}
        on_the_way = {waiter.id for waiter in self._keeper.promises.ahead()}
        line = self._keeper.standing(now) if waiting_on else []
        for place, waiter in enumerate(line):
            is_candidate = waiter.kind is WaiterKind.PROMISE and waiter.id not in on_the_way
            if not is_candidate or waiter.queue not in waiting_on:
                continue
            deck = self._deck(waiter.queue, line[:place], on_the_way)
            record, handle = self.record(waiter.queue), self._keeper.outlook.handle_times(waiter.queue)
            if is_time(deck, record, handle, now):
                on_the_way.add(waiter.id)
                self._dialer.start(waiter.id)
            else:
                # Nobody overtakes them: the others of their queue have to wait too.
                waiting_on.discard(waiter.queue)
                again_at = next_time(deck, record, handle, now)
                if again_at is not None:
                    self._next_at = min(again_at, self._next_at or again_at)
            if not waiting_on or not self._dialer.has_room:
                return

    def _deck(self, queue: str, before: list[Waiter], on_the_way: set[str]) -> Deck:
        mine = {each.id for each in before if each.id in on_the_way and each.queue == queue}
        ahead = crowd_before((each for each in before if each.id not in mine), queue, self._desk.agents).ahead
        agents = [agent for agent in self._desk.agents if queue in agent.queues]
        return Deck(agents, ahead, len(mine), self._queues[queue].wrap_up_s)
