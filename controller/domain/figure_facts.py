"""The plain facts that the figures of a call centre are reckoned from, and how they are to be counted.

Times are aware UTC. A fact that is missing is None, never a guess. Where something goes on (a talk without an end), it
counts up to `Facts.as_of`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.line import WaiterKind
from controller.domain.outcome import NEVER_SENT, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.agents import AgentState
    from controller.domain.call_ending import Ending
    from controller.domain.effects import SmsTemplate
    from controller.domain.fairness import Turn
    from controller.domain.promise import PromiseState
    from controller.domain.sms import SmsStatus


class ClockStart(StrEnum):
    """From when on a caller waits, for the answer speed, the service level and short abandons alike."""

    ARRIVAL = "arrival"
    """The call came in: greeting and menus count as waiting, as they do for the caller."""
    LINE = "line"
    """The caller joined the line: what most ACDs count. For comparison with those."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What a centre has agreed on. Raises ValueError for what is no length of time."""

    answer_within_s: float = 20.0
    """The service level's target time; a wait of exactly so long is within it."""
    short_abandon_s: float = 0.0
    """Who hangs up sooner than this is counted apart (a wrong number, a change of mind); 0: nobody is."""
    clock_start: ClockStart = ClockStart.ARRIVAL

    def __post_init__(self) -> None:
        for name in ("answer_within_s", "short_abandon_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, and has to be 0 or more")


@dataclass(frozen=True, slots=True)
class Quote:
    """The first expected wait that a caller was told: a range in seconds from `at` on."""

    at: datetime
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class CallFact:
    """One incoming call."""

    id: str
    arrived_at: datetime
    queue: str | None = None
    """The last one that the caller came to; None: the call never got beyond the menus."""
    joined_at: datetime | None = None
    answered_at: datetime | None = None
    """When an agent and the caller heard each other."""
    ended_at: datetime | None = None
    ending: Ending | None = None
    """None: it goes on."""
    agent: str = ""
    quote: Quote | None = None
    was_offered_callback: bool = False
    """A callback was offered in words."""
    promise_id: str = ""
    """The promise that this call made, or that took in its request; "" for none."""
    was_closed: bool = False
    """The queue was closed when the caller came to it."""


@dataclass(frozen=True, slots=True)
class TalkFact:
    """One talk of an agent with a customer, on an incoming call or a callback."""

    agent: str
    queue: str
    began_at: datetime
    ended_at: datetime | None = None
    wrapped_up_at: datetime | None = None
    """The end of the wrap-up (後処理); None: it goes on, or nobody knows."""
    kind: WaiterKind = WaiterKind.LIVE


@dataclass(frozen=True, slots=True)
class PromiseFact:
    """One promise, and how it stands."""

    id: str
    queue: str
    arrived_at: datetime
    """When the caller who first asked for it came in; of one that was asked for in writing, when that was read."""
    state: PromiseState
    due_by: datetime | None = None
    """The end of what was promised: of the window, or of the wait that was told; None: no time was named."""
    talked_at: datetime | None = None
    """When the customer first talked with an agent: called back, or ringing in."""
    rang_in: bool = False
    """They talked because they rang again."""


@dataclass(frozen=True, slots=True)
class AttemptFact:
    """One outbound call for a promise."""

    promise_id: str
    started_at: datetime
    outcome: Outcome | None = None
    """None: it goes on."""

    @property
    def left(self) -> bool:
        """Tell whether it left, or may have left, as `Promise.dials` counts."""
        return self.outcome not in NEVER_SENT


@dataclass(frozen=True, slots=True)
class SmsFact:
    """One SMS about a promise."""

    promise_id: str
    template: SmsTemplate
    status: SmsStatus
    queued_at: datetime
    answered_at: datetime | None = None
    """When the customer replied to it, or used the link in it."""


@dataclass(frozen=True, slots=True)
class AgentSpan:
    """An unbroken time that an agent spent in one state."""

    agent: str
    state: AgentState
    since: datetime
    until: datetime | None = None
    """None: they still are."""
    queues: frozenset[str] = frozenset()
    """The queues that the agent served meanwhile."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found, as of an instant; each tuple in any order."""

    as_of: datetime
    calls: tuple[CallFact, ...] = ()
    talks: tuple[TalkFact, ...] = ()
    promises: tuple[PromiseFact, ...] = ()
    attempts: tuple[AttemptFact, ...] = ()
    texts: tuple[SmsFact, ...] = ()
    spans: tuple[AgentSpan, ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return not (self.calls or self.talks or self.promises or self.spans or self.turns)

    @property
    def queues(self) -> list[str]:
        """Every queue that occurs, by name."""
        named = {one.queue for group in (self.calls, self.talks, self.promises, self.turns) for one in group}
        return sorted({queue for queue in named if queue} | {queue for span in self.spans for queue in span.queues})

    @property
    def agents(self) -> list[str]:
        """Every agent who occurs, by name."""
        return sorted({one.agent for group in (self.calls, self.talks, self.spans) for one in group} - {""})

    def of_queue(self, queue: str) -> Facts:
        """Return what concerns one queue; of agents, the time of all who serve it, whatever they did then."""
        promises = tuple(one for one in self.promises if one.queue == queue)
        ids = {one.id for one in promises}
        return replace(
            self,
            calls=tuple(one for one in self.calls if one.queue == queue),
            talks=tuple(one for one in self.talks if one.queue == queue),
            promises=promises,
            attempts=tuple(one for one in self.attempts if one.promise_id in ids),
            texts=tuple(one for one in self.texts if one.promise_id in ids),
            spans=tuple(one for one in self.spans if queue in one.queues),
            turns=tuple(one for one in self.turns if one.queue == queue),
        )


@dataclass(frozen=True, slots=True)
class FactsSince:
    """What a look at a time that is not over yet found, told in addition to what earlier looks had found.

    `settled` and what was settled by the looks before make, together with `going_on`, all that is known now.
    """

    settled: Facts
    """What cannot change any more, each fact once; no turns."""
    going_on: Facts
    """What may still change, as it is now, with all of it that was there before; no turns."""
    turns_came: tuple[Turn, ...] = ()
    turns_gone: tuple[Turn, ...] = ()
    """Told before as `turns_came`, and known by now to be none."""
    is_anew: bool = False
    """All was read again: what was told before does not count."""
