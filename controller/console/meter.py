"""What happens while this process runs, counted for Prometheus: true counters, and how long things took.

Nothing here is a figure of the day: those are reckoned in `controller.domain.figures` alone. Counters begin at zero
with the process; what Prometheus makes of that is its affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector

from controller.domain.agents import AgentState
from controller.domain.promise import PromiseState
from controller.domain.queue_events import (
    Abandoned,
    Connected,
    Entered,
    LeftAfterMaxWait,
    LeftEmptyQueue,
    LeftWithKey,
    RangOut,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from controller.domain.agents import Agent
    from controller.domain.outcome import Outcome
    from controller.domain.promise import Promise
    from controller.domain.queue_events import QueueEvent
    from controller.domain.sms import SmsStatus
    from controller.ports.clock import Clock

WAITS_S = (5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
RINGS_S = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60)
QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_LEFT = {Abandoned: "abandoned", LeftWithKey: "key", LeftAfterMaxWait: "max_wait", LeftEmptyQueue: "no_agents"}
_UNDER_WAY = frozenset({PromiseState.DIALLING, PromiseState.CONNECTED})
_CALLBACK = "customer-"
"""How the id of a call begins that we placed (`Attempt.channel_id`)."""


@dataclass(slots=True)
class _Live:
    """An incoming call that goes on."""

    arrived_at: datetime
    queue: str = ""
    was_answered: bool = False


class Meter:
    """Counts. Every method is quick and may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._live: dict[str, _Live] = {}
        self._open: set[str] = set()
        self._dialling: dict[str, Promise] = {}
        self._on_call: dict[str, datetime] = {}
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._arrived = Counter("orikaeshi_calls_arrived", "Incoming calls that came in", registry=registry)
        self._calls = Counter(
            "orikaeshi_calls", "Incoming calls that are over, by their ending", ["queue", "ending"], registry=registry
        )
        self._entered = Counter("orikaeshi_line_entered", "Callers who joined a line", ["queue"], registry=registry)
        self._hold = _histogram(
            "hold_wait_seconds", "From joining the line to its end", ["queue", "end"], WAITS_S, self
        )
        self._true = _histogram(
            "true_wait_seconds", "From the arrival to the talk, held or called back", ["queue", "way"], WAITS_S, self
        )
        self._ring = _histogram("agent_ring_seconds", "How long agents' phones rang", ["result"], RINGS_S, self)
        self._hand_over = _histogram(
            "hand_over_seconds", "From the agent's answer until both hear each other", [], QUICK_S, self
        )
        self._promises = Counter(
            "orikaeshi_promises", "Promises that were made, or came to an end", ["queue", "step"], registry=registry
        )
        self._attempts = Counter(
            "orikaeshi_attempts", "Calls for promises that are over", ["queue", "outcome"], registry=registry
        )
        self._sms = Counter("orikaeshi_sms", "SMS, by where they got to", ["template", "status"], registry=registry)
        self._ari = _histogram("ari_request_seconds", "From a request to Asterisk's answer", ["pbx"], QUICK_S, self)
        self._transaction = _histogram(
            "database_transaction_seconds", "From begin to commit or rollback", ["kind"], QUICK_S, self
        )
        self._lag = _histogram(
            "event_loop_lag_seconds", "How much later than asked the loop woke up", [], QUICK_S, self
        )

    # -- calls

    @property
    def calls_that_go_on(self) -> int:
        """How many incoming calls are remembered."""
        return len(self._live)

    def arrived(self, call_id: str, arrived_at: datetime) -> None:
        """Take note of an incoming call; of one that is known already, nothing."""
        if call_id not in self._live:
            self._live[call_id] = _Live(arrived_at)
            self._arrived.inc()

    def joined(self, call_id: str, queue: str) -> None:
        """Take note of the queue that a call came to."""
        if call_id in self._live:
            self._live[call_id].queue = queue

    def answered(self, call_id: str, answered_at: datetime) -> None:
        """Take note that an agent and the caller hear each other."""
        live = self._live.get(call_id)
        if live is not None and not live.was_answered:
            live.was_answered = True
            waited_s = (answered_at - live.arrived_at).total_seconds()
            self._true.labels(live.queue, "held").observe(max(0.0, waited_s))

    def ended(self, call_id: str, ending: str) -> None:
        """Take note of how a call ended, once. Whose beginning was not seen here has no queue."""
        live = self._live.pop(call_id, None)
        self._calls.labels(live.queue if live else "", ending).inc()

    def queue_event(self, event: QueueEvent) -> None:
        """Take note of what the queue_log is told."""
        match event:
            case Entered() if not event.call_id.startswith(_CALLBACK):
                self._entered.labels(event.queue).inc()
            case Connected():
                self._ring.labels("answered").observe(max(0.0, event.ring_s))
                self._note_hand_over(event.agent)
                if not event.call_id.startswith(_CALLBACK):
                    self._hold.labels(event.queue, "answered").observe(max(0.0, event.hold_s))
            case RangOut():
                self._ring.labels("missed").observe(max(0.0, event.ring_s))
            case Abandoned() | LeftWithKey() | LeftAfterMaxWait() | LeftEmptyQueue():
                self._hold.labels(event.queue, _LEFT[type(event)]).observe(max(0.0, event.wait_s))
            case _:
                pass

    def agent_changed(self, before: Agent, after: Agent) -> None:
        """Take note of an agent's state."""
        if before.state is not after.state and after.state is AgentState.ON_CALL:
            self._on_call[after.name] = after.state_since

    def _note_hand_over(self, agent: str) -> None:
        answered_at = self._on_call.pop(agent, None)
        if answered_at is not None:
            self._hand_over.observe(max(0.0, (self._clock.now() - answered_at).total_seconds()))

    # -- promises

    def found(self, promises: Iterable[Promise]) -> None:
        """Take note of open promises that an earlier process made, or has dialled."""
        for promise in promises:
            self._open.add(promise.id)
            if promise.state in _UNDER_WAY:
                self._dialling.setdefault(promise.id, promise)

    def promise_changed(self, promise: Promise) -> None:
        """Take note of a promise as it stands after each commit of ours."""
        if promise.version == 0 and promise.id not in self._open:
            self._promises.labels(promise.queue, "made").inc()
        self._open.add(promise.id)
        before = self._dialling.get(promise.id)
        if promise.state in _UNDER_WAY:
            if promise.state is PromiseState.CONNECTED and (before is None or before.state is not promise.state):
                self._note_called_back(promise)
            self._dialling[promise.id] = promise
        elif before is not None:
            self._note_end_of_dial(before, promise)
        if promise.state.is_final:
            self._open.discard(promise.id)
            if before is None or not before.state.is_final:
                self._promises.labels(promise.queue, promise.state.value).inc()

    def _note_called_back(self, promise: Promise) -> None:
        # Whoever chose a time has not waited until then.
        if promise.slot is None:
            waited_s = (self._clock.now() - promise.since).total_seconds()
            self._true.labels(promise.queue, "called_back").observe(max(0.0, waited_s))

    def _note_end_of_dial(self, before: Promise, promise: Promise) -> None:
        """Count the attempt. A promise that is cancelled while it is dialled keeps its attempt: that ends later."""
        was_only_cancelled = promise.state is PromiseState.CANCELLED and promise.last_outcome is before.last_outcome
        if was_only_cancelled and not before.state.is_final:
            self._dialling[promise.id] = promise
            return
        del self._dialling[promise.id]
        outcome: Outcome | None = promise.last_outcome
        if outcome is not None:
            self._attempts.labels(promise.queue, outcome.value).inc()

    # -- all else

    def sms(self, template: str, status: SmsStatus) -> None:
        """Take note of where an SMS got to."""
        self._sms.labels(template, status.value).inc()

    def ari_answered(self, pbx: str, took_s: float) -> None:
        """Take note of an answer of Asterisk's."""
        self._ari.labels(pbx).observe(took_s)

    def transaction(self, kind: str, took_s: float) -> None:
        """Take note of a transaction: `read` or `write`."""
        self._transaction.labels(kind).observe(took_s)

    def lag(self, late_s: float) -> None:
        """Take note of how late the event loop woke up."""
        self._lag.observe(max(0.0, late_s))


def _histogram(name: str, about: str, labels: list[str], buckets: tuple[float, ...], meter: Meter) -> Histogram:
    return Histogram(f"orikaeshi_{name}", about, labels, buckets=buckets, registry=meter.registry)
