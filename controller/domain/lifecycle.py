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
   waiting, dialling ── Merged ──> the same    (asked for once more: keeps the better place)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from controller.domain.effects import Effect, SendSms, SmsTemplate
from controller.domain.evidence import NO_EVIDENCE, Evidence
from controller.domain.outcome import NEVER_SENT, Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.retry_policy import next_try

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
    STOP = "stop"
    """The number asked never to be called again."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The customer, or somebody on their behalf, no longer wants the call.

    It wins over a dial that is on its way, which is taken back; a talk that has begun wins over it.
    """

    reason: CancelReason = CancelReason.CUSTOMER


class PostponeReason(StrEnum):
    """Why a promise that nobody has dialled is not due yet after all."""

    AGENT = "agent"
    """The agent, who sees the promise before it is dialled, put it off."""
    OVER_CAP = "over_cap"
    OUTSIDE_HOURS = "outside_hours"


@dataclass(frozen=True, slots=True)
class Postponed:
    """Not dialled now, and not before `until` (aware UTC). No attempt is used."""

    until: datetime
    reason: PostponeReason


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
    AttemptStarted | CustomerConnected | AttemptEnded | Cancelled | Postponed | DeadlinePassed | CustomerRangIn | Merged
)

ALLOWED: frozenset[tuple[PromiseState, type[Event]]] = frozenset(
    {
        (PromiseState.WAITING, AttemptStarted),
        (PromiseState.WAITING, Cancelled),
        (PromiseState.WAITING, Postponed),
        (PromiseState.WAITING, DeadlinePassed),
        (PromiseState.WAITING, CustomerRangIn),
        (PromiseState.WAITING, Merged),
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

    Raises RefusedTransitionError when the pair (state, event) is not in `ALLOWED`.
    """
    if (promise.state, type(event)) not in ALLOWED:
        raise RefusedTransitionError(promise, event)
    moved = replace(promise, version=promise.version + 1)
    match event:
        case AttemptStarted():
            return Advance(replace(moved, state=PromiseState.DIALLING, dials=promise.dials + 1))
        case CustomerConnected():
            return Advance(replace(moved, state=PromiseState.CONNECTED))
        case Cancelled():
            return Advance(replace(moved, state=PromiseState.CANCELLED, slot=None))
        case CustomerRangIn():
            return Advance(replace(moved, state=PromiseState.FULFILLED, slot=None))
        case Postponed(until=until):
            return Advance(replace(moved, not_before=max(promise.not_before, until)))
        case Merged():
            return Advance(_with_a_try_left(_merged(moved, event), policy))
        case DeadlinePassed():
            return Advance(replace(moved, state=PromiseState.EXPIRED), (_sms(moved, SmsTemplate.EXPIRED),))
        case AttemptEnded():
            return _after_attempt(moved, event, now, policy)


def _merged(promise: Promise, again: Merged) -> Promise:
    """Return the promise with the newer wish and the better place.

    A window that was chosen counts from its start, like everybody's; it replaces an earlier wish, whichever that was.
    """
    if again.slot is not None:
        return replace(
            promise, slot=again.slot, since=again.since, not_before=again.not_before, expires_at=again.expires_at
        )
    if promise.slot is not None:  # Not at that time any more, but as soon as possible.
        since = min(promise.since, again.since)
        return replace(promise, slot=None, since=since, not_before=again.not_before, expires_at=again.expires_at)
    return replace(
        promise,
        since=min(promise.since, again.since),
        not_before=min(promise.not_before, again.not_before),
        expires_at=max(promise.expires_at, again.expires_at),
    )


def _with_a_try_left(promise: Promise, policy: RetryPolicy) -> Promise:
    """Return the promise with tries given back, if the call that is on its way would be the last.

    They asked anew, so at least one call follows that one; `max_dials` bounds how often this can be. With one attempt
    in all this leaves -1 used: the call that is on its way was made for the first request, and is not held against the
    second.
    """
    if promise.state is not PromiseState.DIALLING:
        return promise
    return replace(promise, attempts_used=min(promise.attempts_used, policy.max_attempts - 2))


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
        farewell = (_sms(tried, SmsTemplate.GAVE_UP),) if rule.last_word else ()
        return Advance(_free_later_slot(replace(tried, state=PromiseState.EXHAUSTED), now), farewell)
    effects = (_sms(tried, SmsTemplate.NOT_REACHED),) if rule.tell else ()
    return Advance(_waiting_again(tried, ended, now, policy, call), effects)


def _waiting_again(promise: Promise, ended: AttemptEnded, now: datetime, policy: RetryPolicy, call: int) -> Promise:
    """Return the promise back in line, due when the gap of its outcome is over; `call` is the number of that call."""
    # Not before a window that was chosen while the dial was on its way.
    waiting = replace(promise, state=PromiseState.WAITING, not_before=max(promise.not_before, now))
    if ended.outcome is Outcome.POSTPONED and ended.later_s is not None:
        due_at = max(promise.not_before, now + timedelta(seconds=ended.later_s))
        # As for a new promise, the lifetime counts from the moment that the customer chose.
        lives_until = max(promise.expires_at, due_at + timedelta(seconds=policy.lifetime_s))
        return replace(waiting, not_before=due_at, expires_at=lives_until)
    if ended.at_once:
        return waiting
    due_at = next_try(policy.rule(ended.outcome).gap, now, promise_id=promise.id, call=call, zone=policy.zone)
    return replace(waiting, not_before=max(promise.not_before, due_at))


def _free_later_slot(promise: Promise, now: datetime) -> Promise:
    """Return a promise that is over, without a window that was chosen during its last dial: others can have it."""
    is_later = promise.slot is not None and promise.slot.starts_at > now
    return replace(promise, slot=None) if is_later else promise


def _sms(promise: Promise, template: SmsTemplate) -> SendSms:
    return SendSms(
        key=f"{promise.id}:{template}",
        template=template,
        number=promise.number,
        language=promise.language,
        queue=promise.queue,
    )
