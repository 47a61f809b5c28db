"""The life of a promise: one table. `advance` is the only writer of a promise's state.

waiting ── AttemptStarted ──> dialling ── CustomerConnected ──> connected ── AttemptEnded ──> fulfilled
   ^                             │                                  │
   └───── AttemptEnded ──────────┘ (retry)      AttemptEnded(unknown) after a talk is a kept promise
   waiting, dialling ── AttemptEnded ──> exhausted, cancelled      by the retry policy
   waiting ── Cancelled ──> cancelled     waiting ── DeadlinePassed ──> expired
   waiting ── CustomerRangIn ──> fulfilled     (they rang, and talked with an agent, before we called)
   waiting, dialling ── Merged ──> the same    (asked for once more: keeps the better place)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import Effect, SendSms, SmsTemplate
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState

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


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The customer, or somebody on their behalf, no longer wants the call."""


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


Event = AttemptStarted | CustomerConnected | AttemptEnded | Cancelled | DeadlinePassed | CustomerRangIn | Merged

ALLOWED: frozenset[tuple[PromiseState, type[Event]]] = frozenset(
    {
        (PromiseState.WAITING, AttemptStarted),
        (PromiseState.WAITING, Cancelled),
        (PromiseState.WAITING, DeadlinePassed),
        (PromiseState.WAITING, CustomerRangIn),
        (PromiseState.WAITING, Merged),
        (PromiseState.DIALLING, Merged),
        (PromiseState.DIALLING, CustomerConnected),
        (PromiseState.DIALLING, AttemptEnded),
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
            return Advance(replace(moved, state=PromiseState.DIALLING))
        case CustomerConnected():
            return Advance(replace(moved, state=PromiseState.CONNECTED))
        case Cancelled():
            return Advance(replace(moved, state=PromiseState.CANCELLED, slot=None))
        case CustomerRangIn():
            return Advance(replace(moved, state=PromiseState.FULFILLED, slot=None))
        case Merged():
            return Advance(_merged(moved, event))
        case DeadlinePassed():
            return Advance(replace(moved, state=PromiseState.EXPIRED), (_sms(moved, SmsTemplate.EXPIRED),))
        case AttemptEnded(outcome):
            return _after_attempt(moved, outcome, now, policy)


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


def _after_attempt(promise: Promise, outcome: Outcome, now: datetime, policy: RetryPolicy) -> Advance:
    # Once they talked the promise is kept, whatever we failed to see of the end.
    if outcome is Outcome.TALKED or promise.state is PromiseState.CONNECTED:
        used = promise.attempts_used + 1
        kept = replace(promise, state=PromiseState.FULFILLED, last_outcome=Outcome.TALKED, attempts_used=used)
        return Advance(_free_later_slot(kept, now))
    rule = policy.rule(outcome)
    used = promise.attempts_used + rule.uses_attempt
    ended = replace(promise, attempts_used=used, last_outcome=outcome)
    if outcome is Outcome.DECLINED:
        return Advance(_free_later_slot(replace(ended, state=PromiseState.CANCELLED), now))
    if rule.ends or used >= policy.max_attempts:
        # Not the text that says "we will try again".
        farewell = (_sms(ended, SmsTemplate.GAVE_UP),) if rule.last_word else ()
        return Advance(_free_later_slot(replace(ended, state=PromiseState.EXHAUSTED), now), farewell)
    effects = (_sms(ended, SmsTemplate.NOT_REACHED),) if rule.tell else ()
    # Not before a window that was chosen while the dial was on its way.
    retry_at = max(promise.not_before, now + timedelta(seconds=rule.gap_s))
    return Advance(replace(ended, state=PromiseState.WAITING, not_before=retry_at), effects)


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
