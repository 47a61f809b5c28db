"""Some hours of a call centre, played with dice on the books of a store: with what comes late, and what is lost."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.evidence import Evidence
from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerConnected, CustomerRangIn
from controller.domain.line import Decision, WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.sms import Delivery
from controller.ports.agent_spans import SpanRecord
from controller.ports.promises import Made
from controller.ports.sms import Accepted, IncomingSms, Receipt
from tests.contract.store_under_test import attempt_for, take_sms, wanted

if TYPE_CHECKING:
    from datetime import datetime

    from controller.store import Store
    from tests.contract.store_under_test import HandClock

QUEUES = ("sales", "support")
AGENTS = ("hanako", "taro", "umi")


@dataclass
class Attempted:
    """A promise that is being called."""

    promise_id: str
    attempt_id: str
    agent: str
    is_ahead: bool
    is_connected: bool = False


@dataclass
class PlayedHours:
    """What goes on; each `step` lets something happen, and some time pass."""

    store: Store
    clock: HandClock
    seed: int
    dice: random.Random = field(init=False)
    ids: int = 0
    calls: dict[str, str] = field(default_factory=dict)
    """Those that go on: id and queue."""
    talking: dict[str, str] = field(default_factory=dict)
    """Agent and call."""
    spans: dict[str, SpanRecord] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    """Promises that nobody calls now."""
    dialled: list[Attempted] = field(default_factory=list)
    to_be_noted: tuple[str, datetime] | None = None
    """A call that was answered then, which is written down a moment later."""
    sent: list[str] = field(default_factory=list)
    """References of SMS, newest last."""

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - plays, guards nothing

    async def step(self) -> None:
        """Let one thing happen."""
        moves = (
            *(self.call_comes, self.call_comes, self.call_comes, self.caller_is_served, self.caller_is_served),
            *(self.caller_leaves, self.talk_ends, self.talk_ends, self.wrap_up_ends, self.wrap_up_ends),
            *(self.promise_is_called, self.promise_is_called, self.customer_says_yes, self.attempt_ends),
            *(self.attempt_ends, self.customer_rings_in, self.promise_is_cancelled, self.somebody_writes),
            *(self.sms_leaves, self.sms_is_answered, self.agent_goes, self.controller_dies),
        )
        if self.to_be_noted is not None:
            (call_id, answered_at), self.to_be_noted = self.to_be_noted, None
            await self.store.calls.answered(call_id, agent="hanako", answered_at=answered_at)
            await self.store.calls.ended(call_id, ending=Ending.SERVED, ended_at=self.now)
        await self.dice.choice(moves)()
        self.clock.turn(5 if self.is_to_be_noted else self.dice.choice((0, 1, 2, 7, 20, 40, 130)))

    @property
    def is_to_be_noted(self) -> bool:
        """Tell whether something was not written down yet that has happened."""
        return self.to_be_noted is not None

    @property
    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def new_id(self, kind: str) -> str:
        """Return a new id."""
        self.ids += 1
        return f"{kind}-{self.ids}"

    def ago(self, *seconds: float) -> datetime:
        """Return an instant some time ago."""
        return self.now - timedelta(seconds=self.dice.choice(seconds))

    async def call_comes(self) -> None:
        """To a queue, or to none; now and then it was kept for minutes before it was written down."""
        call_id, arrived_at = self.new_id("call"), self.ago(*[0, 1, 2, 3, 5] * 8, 400)
        await self.store.calls.arrived(call_id, dialled="0312345678", number=None, arrived_at=arrived_at)
        if self.dice.random() < 0.1:
            await self.store.calls.ended(call_id, ending=Ending.ABANDONED, ended_at=self.now)
            return
        queue = self.dice.choice(QUEUES)
        closed = self.dice.random() < 0.1
        await self.store.calls.joined(call_id, queue=queue, joined_at=self.now, closed=closed)
        if self.dice.random() < 0.5:
            await self.store.calls.quoted(call_id, low_s=30, high_s=self.dice.choice((60, 99.9)), quoted_at=self.now)
            await self.store.calls.offered(call_id, offered_at=self.now)
        self.calls[call_id] = queue

    async def caller_leaves(self) -> None:
        """By hanging up, or with a promise: a new one, or the one that the number has."""
        if not self.calls:
            return
        call_id, queue = self.calls.popitem()
        ending = self.dice.choice((Ending.ABANDONED, Ending.PROMISED, Ending.PROMISED, Ending.GUIDED))
        if ending is Ending.PROMISED:
            number = f"+81901234{self.dice.randrange(12):04}"
            due_by = self.dice.choice((None, self.now + timedelta(seconds=200)))
            request = wanted(call_id, number=number, queue=queue, since=self.now, due_by=due_by)
            made = await self.store.promises.make(request)
            if isinstance(made, Made) and made.promise.state is PromiseState.WAITING:
                self.waiting += [made.promise.id] if made.promise.id not in self.waiting else []
        await self.store.calls.ended(call_id, ending=ending, ended_at=self.now)

    async def caller_is_served(self) -> None:
        """Give them to an agent; the record of it may be lost."""
        agent = self.dice.choice(AGENTS)
        if not self.calls or agent in self.talking or self._is_dialling(agent):
            return
        call_id, queue = self.calls.popitem()
        await self._decide(call_id, queue, WaiterKind.LIVE, agent)
        await self._now_is(agent, AgentState.ON_CALL, queue=queue, waiter_id=call_id, kind=WaiterKind.LIVE)
        if self.dice.random() < 0.9:
            await self.store.calls.answered(call_id, agent=agent, answered_at=self.now)
        self.talking[agent] = call_id

    async def talk_ends(self) -> None:
        """Hang up; the wrap-up follows, or the agent is gone."""
        if not self.talking:
            return
        agent, call_id = self.talking.popitem()
        await self.store.calls.ended(call_id, ending=Ending.SERVED, ended_at=self.now)
        await self._after_talk(agent)

    async def wrap_up_ends(self) -> None:
        """Whoever does nothing else is there for the next."""
        agent = self.dice.choice(AGENTS)
        if agent not in self.talking and not self._is_dialling(agent):
            await self._now_is(agent, AgentState.AVAILABLE)

    async def agent_goes(self) -> None:
        """Time signed out is not kept."""
        agent = self.dice.choice(AGENTS)
        if agent not in self.talking and not self._is_dialling(agent):
            await self._end_span(agent)

    async def promise_is_called(self) -> None:
        """Agent first, or customer first, with an agent who is let go meanwhile or with none yet."""
        agent = self.dice.choice(AGENTS)
        if not self.waiting or agent in self.talking or self._is_dialling(agent):
            return
        promise = await self.store.promises.get(self.waiting[0])
        is_ahead = self.dice.random() < 0.5
        await self._decide(promise.id, promise.queue, WaiterKind.PROMISE, agent)
        attempt = attempt_for(promise, self.new_id("attempt"), started_at=self.now, agent=agent)
        del self.waiting[0]
        await self.store.promises.open_attempt(promise, attempt)
        self.dialled.append(Attempted(promise.id, attempt.id, agent, is_ahead))
        if not is_ahead:
            of = {"queue": promise.queue, "waiter_id": promise.id, "kind": WaiterKind.PROMISE}
            await self._now_is(agent, AgentState.ON_CALL, **of)

    async def customer_says_yes(self) -> None:
        """Who was called before there was an agent stands at the front of the line."""
        one = next((each for each in self.dialled if not each.is_connected), None)
        if one is None:
            return
        promise = await self.store.promises.get(one.promise_id)
        if one.is_ahead:
            waiter_id = f"customer-{one.attempt_id}"
            await self._decide(waiter_id, promise.queue, WaiterKind.LIVE, one.agent)
            of = {"queue": promise.queue, "waiter_id": waiter_id, "kind": WaiterKind.LIVE}
            await self._now_is(one.agent, AgentState.ON_CALL, **of)
        one.is_connected = True
        if self.dice.random() < 0.8:  # It cannot be written down: their attempt tells it, when it has ended.
            await self.store.promises.advance(one.promise_id, CustomerConnected())

    async def attempt_ends(self) -> None:
        """With a talk, or without one and perhaps an SMS."""
        if not self.dialled:
            return
        one = self.dialled.pop(0)
        failed = self.dice.choice((Outcome.BUSY, Outcome.NO_ANSWER, Outcome.NO_ANSWER))
        seen = Evidence(answered_at=self.now, confirmed_at=self.now)
        ended = AttemptEnded(Outcome.TALKED, evidence=seen) if one.is_connected else AttemptEnded(failed)
        promise = await self.store.promises.advance(one.promise_id, ended)
        if promise.state is PromiseState.WAITING:
            self.waiting.append(promise.id)
        if one.agent in self.spans and self.spans[one.agent].state is AgentState.ON_CALL:
            await self._after_talk(one.agent)

    async def customer_rings_in(self) -> None:
        """Their call is answered; that it was is written a little later than that the promise is kept."""
        if not self.waiting or not self.calls:
            return
        call_id, _ = self.calls.popitem()
        self.to_be_noted = call_id, self.now
        self.clock.turn(2)
        await self.store.promises.advance(self.waiting.pop(0), CustomerRangIn(call_id))

    async def somebody_writes(self) -> None:
        """Ask for a promise without a call, and perhaps take that back at once."""
        self.ids += 1
        request = wanted(f"link-{self.ids}", number=f"+8190777{self.ids:05}", queue=self.dice.choice(QUEUES))
        made = await self.store.promises.make(request)
        assert isinstance(made, Made)
        if self.dice.random() < 0.5:
            await self.store.promises.advance(made.promise.id, Cancelled())
        else:
            self.waiting.append(made.promise.id)

    async def promise_is_cancelled(self) -> None:
        """Now and then."""
        if self.waiting and self.dice.random() < 0.5:
            await self.store.promises.advance(self.waiting.pop(), Cancelled())

    async def sms_leaves(self) -> None:
        """Send the next that is owed."""
        sms = await take_sms(self.store, self.now)
        if sms is not None:
            self.sent.append(self.new_id("ref"))
            await self.store.outbox.record(sms, Accepted(self.sent[-1]), self.now)

    async def sms_is_answered(self) -> None:
        """By a receipt, or by its reader: whenever that is."""
        if not self.sent:
            return
        if self.dice.random() < 0.5:
            receipt = Receipt("p", self.new_id("event"), self.dice.choice(self.sent), Delivery.DELIVERED)
            await self.store.inbox.note_receipt(receipt, self.now)
            return
        number = f"+81901234{self.dice.randrange(12):04}"
        await self.store.inbox.note_reply(IncomingSms("p", self.new_id("event"), number, "03", "hello"), self.now)

    async def controller_dies(self) -> None:
        """Let the next one close what was left open; a talk that goes on gets its end when it has one."""
        if self.dice.random() < 0.3:
            await self.store.agent_spans.close_left_open("asterisk", before=self.now)
            self.spans = {name: one for name, one in self.spans.items() if one.state is AgentState.ON_CALL}

    def _is_dialling(self, agent: str) -> bool:
        return any(one.agent == agent for one in self.dialled)

    async def _decide(self, waiter_id: str, queue: str, kind: WaiterKind, agent: str) -> None:
        since = self.ago(5, 60, 600, 4000)
        due_at = self.dice.choice((None, since + timedelta(seconds=3)))
        decision = Decision(self.now, queue, waiter_id, kind, agent, since, 1, False, False, (), due_at)
        await self.store.line_audit.record([decision])

    async def _after_talk(self, agent: str) -> None:
        talk = self.spans[agent]
        if self.dice.random() < 0.8:
            of = {"queue": talk.queue, "waiter_id": talk.waiter_id, "kind": talk.kind}
            await self._now_is(agent, AgentState.WRAP_UP, **of)
        else:
            await self._end_span(agent)

    async def _now_is(self, agent: str, state: AgentState, **more: object) -> None:
        await self._end_span(agent)
        span = SpanRecord(agent, state, self.now, None, queues=frozenset(QUEUES[: self.dice.choice((1, 2))]))
        self.spans[agent] = replace(span, **more)  # type: ignore[arg-type]
        await self.store.agent_spans.record([self.spans[agent]])

    async def _end_span(self, agent: str) -> None:
        span = self.spans.pop(agent, None)
        if span is not None:
            await self.store.agent_spans.record([replace(span, until=self.now, is_new=False)])
