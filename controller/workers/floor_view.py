"""One look at the floor of one office: its line, agents, queues and trunks. From memory; no database is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState, RestKind
from controller.domain.line import WaiterKind
from controller.ports.floor import AgentEntry, EntryState, FloorNow, Problem, QueueEntry, Severity
from controller.workers.floor_line import FloorLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.journeys.closed_by_hand import ClosedByHand
    from controller.journeys.house import House, Queue
    from controller.ports.floor import LineEntry, TrunkEntry
    from controller.ports.floor_book import FloorLook
    from controller.workers.agent_desk import AgentDesk
    from controller.workers.line_keeper import LineKeeper

LIVE, DUE, LATER = "live", "due", "later"


class FloorView:
    """Puts it together, each time anew."""

    def __init__(
        self,
        house: House,
        keeper: LineKeeper,
        desk: AgentDesk,
        trunks: Callable[[], Sequence[TrunkEntry]],
        *,
        misses_phones: bool,
    ) -> None:
        """Take what it looks at. `misses_phones`: a phone that is away, of an agent who is signed in, is a problem."""
        self._house = house
        self._keeper = keeper
        self._desk = desk
        self._trunks = trunks
        self._misses_phones = misses_phones

    def now(self, look: FloorLook) -> FloorNow:
        """Return what is so now; `look` has what only the database can tell."""
        now = self._house.clock.now()
        seen = FloorLine(self._keeper, self._desk, self._house.pbx, now, look.due_by)
        line = tuple(seen.entries())
        expected = self._keeper.outlook.behind(seen.standing, self._house.queues)
        queues = self._queues(line, now)
        return FloorNow(
            at=now,
            line=line,
            agents=tuple(self._agent(agent, look) for agent in self._desk.agents),
            queues=tuple(
                replace(
                    each,
                    expected_low_s=None if (wait := expected[each.name]) is None else wait.low_s,
                    expected_high_s=None if wait is None else wait.high_s,
                )
                for each in queues
            ),
            trunks=tuple(self._trunks()),
            problems=tuple(self._phones_away()),
        )

    def _agent(self, agent: Agent, look: FloorLook) -> AgentEntry:
        serving = self._desk.serving(agent.name)
        recording = self._house.recorded.of(agent.name)
        is_missed = agent.state is AgentState.PAUSED and agent.rest is not None and agent.rest.kind is RestKind.MISSED
        return AgentEntry(
            name=agent.name,
            pbx=self._house.pbx,
            queues=tuple(sorted(agent.queues)),
            state=agent.state,
            since=agent.state_since,
            reason=agent.pause_reason or ("missed" if is_missed else ""),
            phone_registered=agent.phone_registered,
            phone_idle=agent.phone_idle,
            rest_ends_at=self._desk.rest_ends_at(agent.name),
            waiter_id=serving.waiter_id if serving is not None else "",
            queue=serving.queue if serving is not None else "",
            talks_today=look.talks.get(agent.name, 0),
            recording=recording[1] if recording is not None else None,
        )

    def _queues(self, line: Iterable[LineEntry], now: datetime) -> Iterator[QueueEntry]:
        counts = counted(line)
        longest: dict[str, datetime] = {}
        for place in self._keeper.places.values():
            if place.agent is None:
                queue = place.waiter.queue
                longest[queue] = min(longest.get(queue, place.joined_at), place.joined_at)
        for name, of_house in self._house.queues.items():
            entry = QueueEntry(
                name=name,
                is_open=False,
                live=counts[name, LIVE],
                promises_due=counts[name, DUE],
                promises_later=counts[name, LATER],
                agents_on_duty=self._keeper.agents_on_duty(name),
                agents_free=sum(agent.is_free and name in agent.queues for agent in self._desk.agents),
                longest_wait_since=longest.get(name),
            )
            yield with_door(entry, of_house, self._house.closures, now)

    def _phones_away(self) -> Iterator[Problem]:
        if not self._misses_phones or not self._keeper.phones_are_known():
            return
        for agent in self._desk.agents:
            if agent.signed_in and not agent.phone_registered:
                yield Problem("phone_away", Severity.WARNING, agent.name, agent.state_since)


def counted(line: Iterable[LineEntry]) -> Counter[tuple[str, str]]:
    """Return how many wait for each queue: callers who hold, promises that are due, and those that are not yet."""
    return Counter(
        (each.queue, LIVE if each.kind is WaiterKind.LIVE else LATER if each.place is None else DUE)
        for each in line
        if each.state is EntryState.WAITING
    )


def with_door(entry: QueueEntry, queue: Queue, closures: ClosedByHand, now: datetime) -> QueueEntry:
    """Return an entry with what there is to say of the queue's door: by its hours, and by hand."""
    closure = closures.of(queue.name, now)
    if closure is None and queue.hours.is_open(now):
        return replace(entry, is_open=True)
    opens_from = now if closure is None else closure.until
    return replace(
        entry,
        is_open=False,
        opens_at=None if opens_from is None else queue.hours.next_opening(opens_from),
        closed_by=closure.by if closure is not None else "",
        closed_until=closure.until if closure is not None else None,
    )
