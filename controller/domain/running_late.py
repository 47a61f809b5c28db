"""When it is time to say that a window cannot be kept, and what is said instead. Times are aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.domain.promise import Promise
    from controller.domain.slots import Slot
    from controller.domain.wait_estimate import WaitRange

    CallableFrom = Callable[[datetime], datetime | None]
    """The first instant from another on at which the customer may be called; None: there is none near."""

DEFAULT_NOTICE_S = 300.0
STEP = timedelta(minutes=5)
"""An estimate is told in such steps."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_STEPS = 12


def tell_by(slot: Slot, notice_s: float) -> datetime:
    """Return when it is told at the latest: so long before the end, but of a short window not in its first half."""
    half = slot.starts_at + (slot.ends_at - slot.starts_at) / 2
    return max(half, slot.ends_at - timedelta(seconds=notice_s))


def cannot_be_kept(
    promise: Promise, now: datetime, wait: WaitRange | None, callable_from: CallableFrom, notice_s: float
) -> bool:
    """Tell whether the customer of a promise that waits is to be told now that its window cannot be kept.

    So it is when they may not be called in what is left of it, when even the near end of `wait` lies behind it, and
    when nobody has called them shortly before its end. `wait` is what the line expects of its place; None: nothing.
    """
    slot = promise.slot
    if slot is None or promise.told_late or now >= slot.ends_at:
        return False
    first_at = callable_from(max(now, promise.not_before, slot.starts_at))
    if first_at is None or first_at >= slot.ends_at:
        return True
    if now < slot.starts_at:
        return False  # Who will be in line by then is not known.
    left_s = (slot.ends_at - now).total_seconds()
    return now >= tell_by(slot, notice_s) or (wait is not None and wait.low_s > left_s)


def look_again_at(slot: Slot, now: datetime, wait: WaitRange | None, notice_s: float) -> datetime:
    """Return when the answer can be another although nothing happens, of a window that is not over."""
    instants = [slot.starts_at, tell_by(slot, notice_s)]
    if wait is not None:
        instants.append(slot.ends_at - timedelta(seconds=wait.low_s))
    return min((at for at in instants if at > now), default=slot.ends_at)


def expected_at(promise: Promise, now: datetime, wait: WaitRange | None, callable_from: CallableFrom) -> datetime:
    """Return when a customer whose window cannot be kept is likely to be called: after it, on a full five minutes.

    The far end of what the line expects; where that is nothing, as long again as the window was. Raises ValueError for
    a promise without a window.
    """
    slot = promise.slot
    if slot is None:
        raise ValueError(f"promise {promise.id} has no window")
    guess = slot.ends_at + (slot.ends_at - slot.starts_at)
    if wait is not None:
        guess = now + timedelta(seconds=wait.high_s)
    at = _rounded_up(max(guess, promise.not_before, slot.ends_at + STEP))
    for _ in range(_MOST_STEPS):
        first_at = callable_from(at)
        if first_at is None or first_at == at:
            return at
        at = _rounded_up(first_at)
    return at


def _rounded_up(at: datetime) -> datetime:
    return at + (_EPOCH - at) % STEP
