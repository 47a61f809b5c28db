"""A day of a small call centre, written into the tables as the controller would have: callers, callbacks, agents.

It is played with dice that always fall the same. Times from `began_at` on; whoever comes later than `now` is not there
yet, so a day can be looked at while it goes on.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.store import staff_tables, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from controller.store import Store

SEED = 20261124
AGENTS = ("agent-1", "agent-2", "agent-3", "agent-4")
BUSY_AT_H = 2.0
"""So many hours after the beginning most callers come."""
OFFER_S, LEAVES_A_NUMBER, PATIENCE_S = 60.0, 0.4, 150.0
PROMISED_WITHIN_S = 20 * 60.0


@dataclass
class Day:
    """What is written. `calls` and the others are rows of the tables of that name."""

    began_at: datetime
    now: datetime
    queue: str
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - plays, guards nothing
    calls: list[dict[str, Any]] = field(default_factory=list)
    promises: list[dict[str, Any]] = field(default_factory=list)
    promise_requests: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    free_at: dict[str, datetime] = field(init=False)

    def __post_init__(self) -> None:
        self.free_at = dict.fromkeys(AGENTS, self.began_at)

    def play(self, callers: int) -> None:
        """Let so many callers come, and be served in the order in which they came."""
        owed: list[tuple[datetime, str, datetime]] = []
        for nth, arrived_at in enumerate(self._arrivals(callers)):
            while owed and owed[0][0] <= arrived_at:
                self._call_back(*owed.pop(0))
            promise = self._caller(f"call-{nth}", arrived_at)
            owed += [promise] if promise else []
        for each in owed:
            self._call_back(*each)
        for agent, since in self.free_at.items():
            if since < self.now:
                self._span(agent, AgentState.AVAILABLE, since, None)

    def _arrivals(self, callers: int) -> Iterator[datetime]:
        hours = sorted(self.dice.triangular(0, 8, BUSY_AT_H) for _ in range(callers))
        return (at for at in (self.began_at + timedelta(hours=each) for each in hours) if at < self.now)

    def _caller(self, an_id: str, arrived_at: datetime) -> tuple[datetime, str, datetime] | None:
        """Let one call in; return the promise that they leave with: when it is due, its id, and when they arrived."""
        joined_at = arrived_at + timedelta(seconds=8)
        agent, turn_at = self._next_agent(joined_at)
        patience_s = self.dice.expovariate(1 / PATIENCE_S)
        wait_s = (turn_at - joined_at).total_seconds()
        is_offered = min(wait_s, patience_s) > OFFER_S
        call: dict[str, Any] = {
            "id": an_id,
            "queue": self.queue,
            "number": f"+8190{self.dice.randrange(10**8):08}",
            "arrived_at": arrived_at,
            "joined_at": joined_at,
            "quoted_low_s": 0.0,
            "quoted_high_s": 180.0,
            "quoted_at": joined_at,
            "offered_at": joined_at + timedelta(seconds=OFFER_S) if is_offered else None,
        }
        self.calls.append(call)
        if is_offered and self.dice.random() < LEAVES_A_NUMBER:
            left_at = joined_at + timedelta(seconds=OFFER_S + 20)
            self._ended(call, "promised", left_at)
            return left_at + timedelta(seconds=300), self._promise(call, left_at), arrived_at
        if wait_s > patience_s:
            self._ended(call, "abandoned", joined_at + timedelta(seconds=patience_s))
            return None
        if turn_at >= self.now:
            return None
        over_at = self._talk(agent, turn_at, an_id, WaiterKind.LIVE)
        self._decision(agent, turn_at, an_id, WaiterKind.LIVE, joined_at)
        call |= {"answered_at": turn_at, "agent": agent}
        self._ended(call, "served", over_at)
        return None

    def _ended(self, call: dict[str, Any], ending: str, at: datetime) -> None:
        if at < self.now:
            call |= {"ending": ending, "ended_at": at}

    def _promise(self, call: dict[str, Any], at: datetime) -> str:
        an_id = f"promise-of-{call['id']}"
        self.promises.append(
            {
                "id": an_id,
                "queue": self.queue,
                "number": call["number"],
                "language": "ja",
                "since": call["arrived_at"],
                "made_at": at,
                "not_before": at,
                "expires_at": at + timedelta(days=2),
                "state": PromiseState.WAITING.value,
                "attempts_used": 0,
                "version": 0,
                "due_by": at + timedelta(seconds=PROMISED_WITHIN_S),
            }
        )
        self.promise_requests.append({"call_id": call["id"], "promise_id": an_id, "requested_at": at})
        return an_id

    def _call_back(self, due_at: datetime, promise_id: str, since: datetime) -> None:
        agent, turn_at = self._next_agent(due_at)
        if turn_at >= self.now:
            return
        promise = next(each for each in self.promises if each["id"] == promise_id)
        over_at = self._talk(agent, turn_at, promise_id, WaiterKind.PROMISE)
        is_over = over_at < self.now
        self._decision(agent, turn_at, promise_id, WaiterKind.PROMISE, since)
        promise |= {
            "state": (PromiseState.FULFILLED if is_over else PromiseState.CONNECTED).value,
            "attempts_used": 1,
            "dials": 1,
        }
        self.attempts.append(
            {
                "id": f"attempt-of-{promise_id}",
                "promise_id": promise_id,
                "number": promise["number"],
                "agent": agent,
                "started_at": turn_at,
                "confirmed_at": turn_at + timedelta(seconds=5),
                "ended_at": over_at if is_over else None,
                "outcome": Outcome.TALKED.value if is_over else None,
            }
        )

    def _next_agent(self, at: datetime) -> tuple[str, datetime]:
        agent = min(self.free_at, key=lambda name: (self.free_at[name], name))
        return agent, max(at, self.free_at[agent])

    def _talk(self, agent: str, at: datetime, waiter_id: str, kind: WaiterKind) -> datetime:
        """Let an agent talk from `at` on; return when the talk is over."""
        over_at = at + timedelta(seconds=self.dice.uniform(120, 420))
        free_at = over_at + timedelta(seconds=self.dice.uniform(20, 60))
        who = {"waiter_id": waiter_id, "queue": self.queue, "kind": kind.value}
        self._span(agent, AgentState.AVAILABLE, self.free_at[agent], at)
        self._span(agent, AgentState.ON_CALL, at, over_at, **who)
        self._span(agent, AgentState.WRAP_UP, over_at, free_at, **who)
        self.free_at[agent] = free_at
        return over_at

    def _span(self, agent: str, state: AgentState, since: datetime, until: datetime | None, **who: str) -> None:
        if since < self.now and since != until:
            is_over = until is not None and until < self.now
            row = {"agent": agent, "state": state.value, "queues": json.dumps([self.queue]), "since": since}
            given = {"waiter_id": "", "queue": "", "kind": "", **who}
            self.spans.append({**row, **given, "until": until if is_over else None})

    def _decision(self, agent: str, at: datetime, waiter_id: str, kind: WaiterKind, since: datetime) -> None:
        row = {"at": at, "queue": self.queue, "waiter_id": waiter_id, "kind": kind.value, "agent": agent}
        more = {"since": since, "place": 1, "urgent": False, "starving": False, "passed": "[]"}
        self.decisions.append({**row, **more})


async def write_day(
    store: Store, began_at: datetime, now: datetime, *, queue: str = "support", callers: int = 200
) -> Day:
    """Write a day that began at an instant, as it is at another; return what was written."""
    day = Day(began_at, now, queue)
    day.play(callers)
    columns = {"answered_at": None, "agent": None, "ending": None, "ended_at": None}
    async with store.database.engine.begin() as connection:
        for table, rows in (
            (tables.calls, [{**columns, **row} for row in day.calls]),
            (tables.promises, [{"dials": 0, **row} for row in day.promises]),
            (tables.promise_requests, day.promise_requests),
            (tables.attempts, day.attempts),
            (staff_tables.agent_spans, day.spans),
            (tables.line_decisions, day.decisions),
        ):
            if rows:
                await connection.execute(table.insert(), rows)
    return day
