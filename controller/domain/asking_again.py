"""What becomes of a promise whose number asks once more: the newer wish, and the better place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.promise import Promise, PromiseState

if TYPE_CHECKING:
    from controller.domain.lifecycle import Merged
    from controller.domain.retry_policy import RetryPolicy


def asked_again(promise: Promise, again: Merged, policy: RetryPolicy) -> Promise:
    """Return an open promise with a further request taken in."""
    return _with_a_try_left(_with_the_newer_wish(promise, again), policy)


def _with_the_newer_wish(promise: Promise, again: Merged) -> Promise:
    """Return the promise with the newer wish and the better place.

    A window that was chosen counts from its start, like everybody's; it replaces an earlier wish, whichever that was.
    """
    if again.slot is not None:
        return replace(
            promise,
            slot=again.slot,
            since=again.since,
            not_before=again.not_before,
            expires_at=again.expires_at,
            told_late=promise.told_late and again.slot == promise.slot,
        )
    if promise.slot is not None:  # Not at that time any more, but as soon as possible.
        since = min(promise.since, again.since)
        return replace(
            promise,
            slot=None,
            since=since,
            not_before=again.not_before,
            expires_at=again.expires_at,
            told_late=False,
        )
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
