"""The texts that a promise comes to owe its customer: what is in them, and the key that makes each one once only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.promise import PromiseState

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.promise import Promise


_SAYS_WE_WILL_CALL = frozenset({SmsTemplate.CONFIRMED, SmsTemplate.NOT_REACHED, SmsTemplate.RUNNING_LATE})
_SAYS_WE_WILL_NOT = frozenset({SmsTemplate.GAVE_UP, SmsTemplate.EXPIRED, SmsTemplate.CANCELLED})


def owed(promise: Promise, template: SmsTemplate) -> SendSms:
    """Return a text that a promise owes once in its life."""
    return SendSms(
        key=f"{promise.id}:{template}",
        template=template,
        number=promise.number,
        language=promise.language,
        queue=promise.queue,
        promise_id=promise.id,
    )


def confirmation(promise: Promise) -> SendSms:
    """Return the SMS that tells a customer what was promised, as it stands now: once for each version of it."""
    slot = promise.slot
    if slot is None:
        when = {"not_before": promise.not_before.isoformat()}
    else:
        when = {"starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}
    text = owed(promise, SmsTemplate.CONFIRMED)
    return replace(text, key=f"{text.key}:{promise.version}", details=when)


def outdated(template: str, promise: Promise | None, asked_anew: Promise | None) -> str | None:
    """Return why a text that waited is not true any more; None: it is. It waits while a provider is busy, or silent.

    `promise` is the one that it is about, `asked_anew` what its number holds with its queue now.
    """
    if promise is None:
        return None
    if template in _SAYS_WE_WILL_CALL and promise.state.is_final:
        return f"the promise is {promise.state.value} by now"
    if template == SmsTemplate.NOT_REACHED and promise.state is PromiseState.CONNECTED:
        return "they are talking by now"
    if template == SmsTemplate.RUNNING_LATE and promise.state is not PromiseState.WAITING:
        return "they are being called by now"
    if template in _SAYS_WE_WILL_NOT and asked_anew is not None:
        return "they have asked anew by now"
    return None


def can_tell_late(promise: Promise, now: datetime) -> bool:
    """Tell whether there is a window of which to say that it cannot be kept: it is not over, and that was not said."""
    return promise.slot is not None and not promise.told_late and now < promise.slot.ends_at


def running_late(promise: Promise, expected_at: datetime, now: datetime) -> SendSms:
    """Return the SMS that says that the window cannot be kept, once for each window; of no use when that is over.

    Raises ValueError for a promise without a window.
    """
    slot = promise.slot
    if slot is None:
        raise ValueError(f"promise {promise.id} has no window")
    text = owed(promise, SmsTemplate.RUNNING_LATE)
    return replace(
        text,
        key=f"{text.key}:{slot.starts_at:%Y%m%dT%H%M}",
        details={"expected_at": expected_at.isoformat()},
        valid_s=(slot.ends_at - now).total_seconds(),
    )
