"""The life of a promise: one table. `advance` is the only writer of a promise's state.

waiting ── AttemptStarted ──> dialling ── CustomerConnected ──> connected ── AttemptEnded ──> fulfilled
   ^                             │                                  │
   └───── AttemptEnded ──────────┘ (retry)      AttemptEnded(unknown) after a talk is a kept promise
   dialling ── AttemptEnded ──> exhausted, cancelled      by the retry policy
   waiting, dialling ── Cancelled ──> cancelled           the dial on its way is taken back, and its attempt closed by
   cancelled ── AttemptEnded ──> cancelled                this: nothing leads out of a final state
   waiting ── DeadlinePassed ──> expired
   waiting ── CustomerRangIn ──> fulfilled     (they rang, and talked with an agent, before we called)
   waiting ── Postponed ──> waiting            (not now; uses up nothing)
   waiting ── RunningLate ──> waiting          (the window cannot be kept, and the customer is told, once)
   waiting, dialling ── Merged ──> the same    (asked for once more: keeps the better place)
   waiting ── Prioritised, Assigned, Moved ──> waiting     (a supervisor: `supervising.py`)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.asking_again import asked_again
from controller.domain.effects import Effect, SmsTemplate
from controller.domain.evidence import NO_EVIDENCE, Evidence
from controller.domain.outcome import NEVER_SENT, Fault, Outcome
from controller.domain.owed_texts import can_tell_late, owed, running_late
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import next_try
from controller.domain.supervising import Assigned, Moved, Prioritised, supervised

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.retry_policy import RetryPolicy
    from controller.domain.slots import Slot


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt row is being committed; nothing has been dialled yet."""


@dataclass(frozen=True, slots=True)
class CustomerConnected:
    """The customer confirmed and is about to be bridged with an agent."""


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The open attempt is over."""

    outcome: Outcome
    later_s: float | None = None
    """How much later the customer asked to be called again; only with `POSTPONED`."""
    evidence: Evidence = NO_EVIDENCE
    at_once: bool = False
    """There is another way to try right now (a second trunk): the gap is not waited for."""
    agent: str = ""
    """Who talked with the customer, where the customer was dialled first."""


class CancelReason(StrEnum):
    """On whose behalf a promise is cancelled."""

    CUSTOMER = "customer"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    STOP = "stop"
    """The number asked never to be called again."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The customer, or somebody on their behalf, no longer wants the call.

    It wins over a dial that is on its way, which is taken back; a talk that has begun wins over it.
    """

    reason: CancelReason = CancelReason.CUSTOMER
    confirm: bool = False
    """It was asked for by SMS, and is confirmed by one."""


class PostponeReason(StrEnum):
    """Why a promise that nobody has dialled is not due yet after all."""

    AGENT = "agent"
    """The agent, who sees the promise before it is dialled, put it off."""
    SUPERVISOR = "supervisor"
    OVER_CAP = "over_cap"
    OUTSIDE_HOURS = "outside_hours"


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not dialled now, and not before `until` (aware UTC). No attempt is used."""

    until: datetime
    reason: PostponeReason


@dataclass(frozen=True, slots=True)
class RunningLate:
    """The window that was promised cannot be kept. Once for each window, and before it ends."""

    expected_at: datetime
    """When the call is likely to come. Aware UTC."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The promise's lifetime is over."""


@dataclass(frozen=True, slots=True)
class CustomerRangIn:
    """The customer called us and has talked with an agent: there is nothing left to call back for."""

    call_id: str = ""
    """The call on which they talked; for the history."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The same number asked the same queue again. Times are aware UTC."""

    since: datetime
    not_before: datetime
    slot: Slot | None
    """The window that was chosen this time; None: as soon as possible."""
    expires_at: datetime


Event = (
    AttemptStarted
    | CustomerConnected
    | AttemptEnded
    | Cancelled
    | Postponed
    | RunningLate
    | DeadlinePassed
    | CustomerRangIn
    | Merged
    | Prioritised
    | Assigned
    | Moved
)

ALLOWED: frozenset[tuple[PromiseState, type[Event]]] = frozenset(
    {
        (PromiseState.WAITING, AttemptStarted),
        (PromiseState.WAITING, Cancelled),
        (PromiseState.WAITING, Postponed),
        (PromiseState.WAITING, RunningLate),
        (PromiseState.WAITING, DeadlinePassed),
        (PromiseState.WAITING, CustomerRangIn),
        (PromiseState.WAITING, Merged),
        (PromiseState.WAITING, Prioritised),
        (PromiseState.WAITING, Assigned),
        (PromiseState.WAITING, Moved),
        (PromiseState.DIALLING, Merged),
        (PromiseState.DIALLING, CustomerConnected),
        (PromiseState.DIALLING, AttemptEnded),
        (PromiseState.DIALLING, Cancelled),
        (PromiseState.CANCELLED, AttemptEnded),
        (PromiseState.CONNECTED, AttemptEnded),
    }
)
"""Every move there is. A pair that is not here is refused."""


class RefusedTransitionError(Exception):
    """The event does not fit the promise's state; nothing was changed."""

    def __init__(self, promise: Promise, event: Event) -> None:
        super().__init__(f"promise {promise.id} is {promise.state}; {type(event).__name__} does not apply")


@dataclass(frozen=True, slots=True)
class Advance:
    """The promise as it is from now on, and what is owed to the outside world."""

    promise: Promise
    effects: tuple[Effect, ...] = ()


def advance(promise: Promise, event: Event, now: datetime, policy: RetryPolicy) -> Advance:
    """Return what `event`, at `now`, makes of `promise` under `policy`.

    Raises RefusedTransitionError when the pair (state, event) is not in `ALLOWED`, and when there is no window, or no
    longer one, of which to say that it cannot be kept, or that was said.
    """
    if not _is_allowed(promise, event, now):
        raise RefusedTransitionError(promise, event)
    moved = replace(promise, version=promise.version + 1)
    match event:
        case AttemptEnded():
            return _after_attempt(moved, event, now, policy)
        case Cancelled(confirm=confirm):
            farewell = (owed(promise, SmsTemplate.CANCELLED),) if confirm else ()
            return Advance(replace(moved, state=PromiseState.CANCELLED, slot=None), farewell)
        case RunningLate(expected_at=expected_at):
            return Advance(replace(moved, told_late=True), (running_late(promise, expected_at, now),))
        case DeadlinePassed():
            return Advance(replace(moved, state=PromiseState.EXPIRED), (owed(moved, SmsTemplate.EXPIRED),))
        case _:
            return Advance(_without_a_word(moved, event, policy))


def _without_a_word(
    promise: Promise,
    event: AttemptStarted | CustomerConnected | CustomerRangIn | Postponed | Merged | Prioritised | Assigned | Moved,
    policy: RetryPolicy,
) -> Promise:
    """Return what an event makes of a promise that owes no text for it."""
    match event:
        case AttemptStarted():
            return replace(promise, state=PromiseState.DIALLING, dials=promise.dials + 1)
        case CustomerConnected():
            return replace(promise, state=PromiseState.CONNECTED)
        case CustomerRangIn():
            return replace(promise, state=PromiseState.FULFILLED, slot=None)
        case Postponed(until=until):
            return replace(promise, not_before=max(promise.not_before, until))
        case Merged():
            return asked_again(promise, event, policy)
        case _:
            return supervised(promise, event)


def _is_allowed(promise: Promise, event: Event, now: datetime) -> bool:
    if isinstance(event, RunningLate) and not can_tell_late(promise, now):
        return False
    return (promise.state, type(event)) in ALLOWED


def _after_attempt(promise: Promise, ended: AttemptEnded, now: datetime, policy: RetryPolicy) -> Advance:
    outcome, call = ended.outcome, promise.dials
    if outcome in NEVER_SENT:
        promise = replace(promise, dials=max(0, promise.dials - 1))
    if promise.state is PromiseState.CANCELLED:  # The dial was taken back, or came too late to be: it ends here.
        return Advance(replace(promise, last_outcome=outcome))
    # Once they talked the promise is kept, whatever we failed to see of the end.
    if outcome is Outcome.TALKED or promise.state is PromiseState.CONNECTED:
        used = promise.attempts_used + 1
        kept = replace(promise, state=PromiseState.FULFILLED, last_outcome=Outcome.TALKED, attempts_used=used)
        return Advance(_free_later_slot(kept, now))
    rule = policy.rule(outcome)
    used = promise.attempts_used + rule.uses_attempt
    tried = replace(promise, attempts_used=used, last_outcome=outcome)
    if outcome is Outcome.DECLINED:
        return Advance(_free_later_slot(replace(tried, state=PromiseState.CANCELLED), now))
    if rule.ends or used >= policy.max_attempts or promise.dials >= policy.max_dials:
        # Not the text that says "we will try again".
        farewell = (owed(tried, SmsTemplate.GAVE_UP),) if rule.last_word else ()
        return Advance(_free_later_slot(replace(tried, state=PromiseState.EXHAUSTED), now), farewell)
    effects = (owed(tried, SmsTemplate.NOT_REACHED),) if rule.tell else ()
    return Advance(_waiting_again(tried, ended, now, policy, call), effects)


def _waiting_again(promise: Promise, ended: AttemptEnded, now: datetime, policy: RetryPolicy, call: int) -> Promise:
    """Return the promise back in line, due when the gap of its outcome is over; `call` is the number of that call."""
    # Not before a window that was chosen while the dial was on its way.
    waiting = replace(
        promise,
        state=PromiseState.WAITING,
        not_before=max(promise.not_before, now),
        told_late=promise.told_late or _was_called_in_window(promise, ended.outcome, now, policy),
    )
    if ended.outcome is Outcome.POSTPONED and ended.later_s is not None:
        due_at = max(promise.not_before, now + timedelta(seconds=ended.later_s))
        # As for a new promise, the lifetime counts from the moment that the customer chose.
        lives_until = max(promise.expires_at, due_at + timedelta(seconds=policy.lifetime_s))
        return replace(waiting, not_before=due_at, expires_at=lives_until)
    if ended.at_once:
        return waiting
    due_at = next_try(policy.rule(ended.outcome).gap, now, promise_id=promise.id, call=call, zone=policy.zone)
    return replace(waiting, not_before=max(promise.not_before, due_at))


def _was_called_in_window(promise: Promise, outcome: Outcome, now: datetime, policy: RetryPolicy) -> bool:
    """Tell whether the window was kept as far as it was up to us: they know that we called, or chose another time."""
    if promise.slot is None or now < promise.slot.starts_at:
        return False
    return outcome is Outcome.POSTPONED or outcome.fault is Fault.CUSTOMER or policy.rule(outcome).tell


def _free_later_slot(promise: Promise, now: datetime) -> Promise:
    """Return a promise that is over, without a window that was chosen during its last dial: others can have it."""
    is_later = promise.slot is not None and promise.slot.starts_at > now
    return replace(promise, slot=None) if is_later else promise
