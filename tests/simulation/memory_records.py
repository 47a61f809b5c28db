"""Records in memory: calls, callers, agents, the line's decisions. Each passes the contract of its port."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.pin import Guesses
from controller.domain.promise import DEFAULT_PBX
from controller.ports.agents import KeptAgent
from tests.simulation.memory_data import AgentRow, CallRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from controller.domain.agents import Duty
    from controller.domain.line import Decision
    from controller.ports.clock import Clock
    from tests.simulation.memory_data import MemoryData


class MemoryCallLog:
    """`CallLog`."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data

    async def arrived(
        self, call_id: str, *, dialled: str, number: str | None, arrived_at: datetime, pbx: str = DEFAULT_PBX
    ) -> None:
        """Note that a call came in, once."""
        self._data.calls.setdefault(call_id, CallRow(call_id, dialled, number, arrived_at, pbx))

    async def joined(self, call_id: str, *, queue: str, joined_at: datetime, closed: bool = False) -> None:
        """Note the queue: the first time, the last queue."""
        row = self._data.calls.get(call_id)
        if row is not None:
            row.queue, row.joined_at, row.was_closed = queue, row.joined_at or joined_at, closed

    async def offered(self, call_id: str, *, offered_at: datetime) -> None:
        """Note the first offer of a callback."""
        row = self._data.calls.get(call_id)
        if row is not None:
            row.offered_at = row.offered_at or offered_at

    async def quoted(self, call_id: str, *, low_s: float, high_s: float, quoted_at: datetime) -> None:
        """Note the first wait that was told."""
        row = self._data.calls.get(call_id)
        if row is not None and row.quoted_at is None:
            row.quoted_low_s, row.quoted_high_s, row.quoted_at = low_s, high_s, quoted_at

    async def answered(self, call_id: str, *, agent: str, answered_at: datetime) -> None:
        """Note the first agent."""
        row = self._data.calls.get(call_id)
        if row is not None and row.answered_at is None:
            row.agent, row.answered_at = agent, answered_at

    async def ended(self, call_id: str, *, ending: Ending, ended_at: datetime) -> None:
        """Note the first ending."""
        row = self._data.calls.get(call_id)
        if row is not None and row.ending is None:
            row.ending, row.ended_at = ending.value, ended_at

    async def recent_talks_s(self, queue: str, limit: int = 50) -> list[float]:
        """Return how long the last talks of a queue took, oldest first."""
        talks = sorted(
            (row.ended_at, (row.ended_at - row.answered_at).total_seconds())
            for row in self._data.calls.values()
            if row.queue == queue and row.answered_at is not None and row.ended_at is not None
        )
        return [talk_s for _, talk_s in talks[-limit:]]

    async def close_orphans(self, live_call_ids: frozenset[str], *, ended_at: datetime, pbx: str = DEFAULT_PBX) -> int:
        """Give an ending to every call of an Asterisk that has none and is not live."""
        without_ending = (row for row in self._data.calls.values() if row.ending is None and row.pbx == pbx)
        orphans = [row for row in without_ending if row.id not in live_call_ids]
        for row in orphans:
            promised = Ending.PROMISED if row.id in self._data.requests else Ending.ABANDONED
            row.ending = (Ending.SERVED if row.answered_at is not None else promised).value
            row.ended_at = ended_at
        return len(orphans)


class MemoryCallerMemory:
    """`CallerMemory`."""

    def __init__(self, data: MemoryData, clock: Clock) -> None:
        self._data = data
        self._clock = clock

    async def language_of(self, number: str) -> str | None:
        """Return the language that was chosen."""
        found = self._data.callers.get(number)
        return None if found is None else found[0]

    async def remember_language(self, number: str, language: str) -> None:
        """Keep the language."""
        self._data.callers[number] = (language, self._clock.now())


class MemoryAgentBook:
    """`AgentBook`."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data

    async def kept(self) -> list[KeptAgent]:
        """Return every agent of whom something is kept, by name."""
        return [_kept(name, self._data.agents[name]) for name in sorted(self._data.agents)]

    async def find(self, name: str) -> KeptAgent | None:
        """Return what is kept of one agent."""
        row = self._data.agents.get(name)
        return None if row is None else _kept(name, row)

    async def keep_duty(self, name: str, duty: Duty, *, at: datetime) -> None:
        """Keep an agent's duty."""
        row = self._data.agents.get(name, AgentRow(duty, None, Guesses(), at))
        self._data.agents[name] = replace(row, duty=duty, changed_at=at)

    async def keep_guesses(self, name: str, guesses: Guesses) -> None:
        """Keep how many wrong PINs there were, of an agent who is known."""
        if name in self._data.agents:
            self._data.agents[name] = replace(self._data.agents[name], guesses=guesses)

    async def set_pin(self, name: str, pin_hash: str | None, *, duty_if_new: Duty, at: datetime) -> None:
        """Give an agent another PIN."""
        row = self._data.agents.get(name, AgentRow(duty_if_new, None, Guesses(), at))
        self._data.agents[name] = replace(row, pin_hash=pin_hash, guesses=Guesses(), changed_at=at)


class MemoryLineAudit:
    """`LineAudit`."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data

    async def record(self, decisions: Sequence[Decision]) -> None:
        """Keep decisions in their order."""
        self._data.decisions += decisions


def _kept(name: str, row: AgentRow) -> KeptAgent:
    return KeptAgent(name, row.duty, row.pin_hash, row.guesses, row.changed_at)
