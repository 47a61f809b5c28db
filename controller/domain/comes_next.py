"""What comes next for a promise: the earliest moment of a call, what it waits for, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.owed_texts import can_tell_late
from controller.domain.plain_words import duration, moment
from controller.domain.promise import PromiseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next. Times are aware UTC; all but `lines` are None once the promise is over."""

    lines: tuple[str, ...]
    """The same for a person, with times on the clock of the policy."""
    not_before: datetime | None = None
    """When it is due; nothing while a call is on its way."""
    callable_from: datetime | None = None
    """The first moment from then on, or from now, at which the number may be rung; None also when there is none."""
    attempts_left: int | None = None
    calls_left: int | None = None
    expires_at: datetime | None = None


def comes_next(
    promise: Promise, now: datetime, policy: RetryPolicy, opens_at: Callable[[datetime], datetime | None]
) -> Next:
    """Return what comes next as of `now` (aware).

    `opens_at` gives the first instant from another on at which the promise's number may be rung, which is that one when
    it may be then; None when it may never be.
    """
    if promise.state.is_final:
        return Next((f"nothing: the promise is {promise.state}",))
    attempts_left = max(0, policy.max_attempts - promise.attempts_used)
    calls_left = max(0, policy.max_dials - promise.dials)
    is_waiting = promise.state is PromiseState.WAITING
    callable_from = opens_at(max(now, promise.not_before)) if is_waiting else None
    lines = [*_when(promise, now, policy, callable_from)] if is_waiting else [_UNDER_WAY[promise.state]]
    lines += [
        f"left: {attempts_left} of {policy.max_attempts} attempts, {calls_left} of {policy.max_dials} calls",
        f"expires {moment(promise.expires_at, policy.zone)}",
    ]
    if is_waiting and can_tell_late(promise, now) and promise.slot is not None:
        ends = moment(promise.slot.ends_at, policy.zone)
        lines.append(f"its window ends {ends}: if it cannot be kept, the customer is told by SMS before")
    if is_waiting and callable_from is not None and callable_from >= promise.expires_at:
        lines.append("it expires before it may be called: the customer will be told by SMS")
    return Next(
        tuple(lines),
        not_before=promise.not_before if is_waiting else None,
        callable_from=callable_from,
        attempts_left=attempts_left,
        calls_left=calls_left,
        expires_at=promise.expires_at,
    )


def _when(promise: Promise, now: datetime, policy: RetryPolicy, callable_from: datetime | None) -> Iterator[str]:
    due_at = max(now, promise.not_before)
    if promise.not_before > now:
        in_how_long = duration((promise.not_before - now).total_seconds())
        yield f"not before {moment(promise.not_before, policy.zone)} (in {in_how_long})"
    else:
        yield f"due since {moment(promise.not_before, policy.zone)}: its turn comes with its place in line"
    if callable_from is None:
        yield "the number may not be rung at any hour"
    elif callable_from > due_at:
        yield f"inside the calling hours from {moment(callable_from, policy.zone)}"
    else:
        yield "inside the calling hours then" if promise.not_before > now else "inside the calling hours now"


_UNDER_WAY = {
    PromiseState.DIALLING: "a call is on its way: how it ends decides",
    PromiseState.CONNECTED: "customer and agent are talking: the promise is kept when they end",
}
