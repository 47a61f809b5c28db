"""What other systems are told: each event with its name, and what is in it. Small: ids, states, instants."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING

from controller.domain.lifecycle import (
    AttemptEnded,
    AttemptStarted,
    Cancelled,
    CustomerConnected,
    CustomerRangIn,
    DeadlinePassed,
    Merged,
    Postponed,
    RunningLate,
)
from controller.domain.outcome import Outcome
from controller.domain.phone_number import mask
from controller.domain.promise import PromiseState
from controller.domain.sms import SmsStatus
from controller.domain.supervising import Assigned, Moved, Prioritised

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from controller.domain.hook_facts import AgentFacts, CallFacts, SmsFacts
    from controller.domain.promise import Promise

PROMISE_TYPES = (
    "promise.made",
    "promise.dialling",
    "promise.connected",
    "promise.waiting",
    "promise.fulfilled",
    "promise.postponed",
    "promise.cancelled",
    "promise.exhausted",
    "promise.expired",
    "promise.merged",
    "promise.late",
    "promise.prioritised",
    "promise.assigned",
    "promise.moved",
    "promise.changed",
)
CALL_TYPES = ("call.arrived", "call.joined", "call.answered", "call.ended")
SMS_TYPES = ("sms.queued", "sms.sent", "sms.delivered", "sms.failed", "sms.unknown", "sms.replied")
AGENT_TYPE = "agent.state"
TEST_TYPE = "hook.test"
"""Sent by hand alone, to see whether the other end takes it."""
TYPES = (*PROMISE_TYPES, *CALL_TYPES, *SMS_TYPES, AGENT_TYPE)
FAMILIES = ("promise.*", "call.*", "sms.*", "agent.*")

MADE = "Made"
"""How the history of a promise calls its beginning; all else is called like the class of its event."""
_BY_EVENT = {
    MADE: "promise.made",
    AttemptStarted.__name__: "promise.dialling",
    CustomerConnected.__name__: "promise.connected",
    Cancelled.__name__: "promise.cancelled",
    Postponed.__name__: "promise.postponed",
    RunningLate.__name__: "promise.late",
    DeadlinePassed.__name__: "promise.expired",
    CustomerRangIn.__name__: "promise.fulfilled",
    Merged.__name__: "promise.merged",
    Prioritised.__name__: "promise.prioritised",
    Assigned.__name__: "promise.assigned",
    Moved.__name__: "promise.moved",
}
_BY_STATE = {
    PromiseState.WAITING: "promise.waiting",
    PromiseState.FULFILLED: "promise.fulfilled",
    PromiseState.EXHAUSTED: "promise.exhausted",
    PromiseState.CANCELLED: "promise.cancelled",
}
"""What an attempt that ended has made of it."""
_OF_SMS = {
    SmsStatus.QUEUED: "sms.queued",
    SmsStatus.SENT: "sms.sent",
    SmsStatus.DELIVERED: "sms.delivered",
    SmsStatus.UNDELIVERED: "sms.failed",
    SmsStatus.FAILED: "sms.failed",
    SmsStatus.BLOCKED: "sms.failed",
    SmsStatus.LAPSED: "sms.failed",
    SmsStatus.UNKNOWN: "sms.unknown",
}
"""`SENDING` is told to nobody: it lasts as long as a request."""
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class HookEvent:
    """Something that happened. The same thing has the same id, however often it is told."""

    type: str
    """One of `TYPES`."""
    subject: str
    """What it happened to, as `promise:5f1c9a0b7d3e2468`: events of one subject are told in their order."""
    at: datetime
    """When, aware UTC."""
    data: Mapping[str, object] = field(repr=False)
    """As JSON has it, with the number (`number`, where there is one) whole."""
    mark: str = ""
    """What tells it from others of its type, subject and instant."""

    @property
    def id(self) -> str:
        """Its id for the receiver: `evt_` and 32 hexadecimal digits."""
        words = "\n".join((self.type, self.subject, self.at.astimezone(UTC).isoformat(), self.mark))
        return f"evt_{hashlib.sha256(words.encode()).hexdigest()[:_ID_DIGITS]}"

    def body(self, *, with_numbers: bool) -> dict[str, object]:
        """Return what is sent, as JSON has it; the number masked unless it is asked for."""
        data = dict(self.data)
        number = data.get("number")
        if isinstance(number, str) and not with_numbers:
            data["number"] = mask(number)
        return {"type": self.type, "id": self.id, "at": _instant(self.at), "data": data}


def wants(patterns: Collection[str], event_type: str) -> bool:
    """Tell whether one of the patterns (`*`, `promise.*`, `call.ended`) takes in a type."""
    family = f"{event_type.partition('.')[0]}.*"
    return any(pattern in {"*", family, event_type} for pattern in patterns)


def of_promise(
    promise: Promise, *, event: str, before: PromiseState | None, at: datetime, detail: str = ""
) -> HookEvent:
    """Return what is told of a promise (as it now is) that `event`, as its history calls it, has happened to.

    `detail` as the history has it. An event that is not known here is told as `promise.changed`.
    """
    slot = promise.slot
    data: dict[str, object] = {
        "id": promise.id,
        "queue": promise.queue,
        "state": promise.state.value,
        "before": None if before is None else before.value,
        "number": promise.number,
        "language": promise.language,
        "since": _instant(promise.since),
        "not_before": _instant(promise.not_before),
        "expires_at": _instant(promise.expires_at),
        "slot": slot and {"starts_at": _instant(slot.starts_at), "ends_at": _instant(slot.ends_at)},
        "attempts_used": promise.attempts_used,
        "last_outcome": None if promise.last_outcome is None else promise.last_outcome.value,
        "urgent": promise.urgent,
        "assigned_to": promise.assigned_to,
        "version": promise.version,
    }
    kind = promise_type(event, before, promise)
    first_word = detail.partition(" ")[0]
    match kind:
        case "promise.cancelled" | "promise.postponed" if event != AttemptEnded.__name__:
            data["reason"] = first_word
        case "promise.late":
            data["expected_at"] = detail
        case "promise.moved":
            data["moved_from"] = first_word
    return HookEvent(kind, f"promise:{promise.id}", at, data, mark=str(promise.version))


def promise_type(event: str, before: PromiseState | None, promise: Promise) -> str:
    """Return the type under which an event of a promise's history is told; `promise` as it is afterwards."""
    if event != AttemptEnded.__name__:
        return _BY_EVENT.get(event, "promise.changed")
    if before is PromiseState.CANCELLED:  # It was told when it was cancelled; now its call has ended, too.
        return "promise.changed"
    if promise.state is PromiseState.WAITING and promise.last_outcome is Outcome.POSTPONED:
        return "promise.postponed"
    return _BY_STATE.get(promise.state, "promise.changed")


def of_call(step: str, call: CallFacts, at: datetime) -> HookEvent:
    """Return what is told of a call at a step: `arrived`, `joined`, `answered` or `ended`."""
    waited = "in_line" if call.joined_at else "arrived"
    state, before = {
        "arrived": ("arrived", None),
        "joined": ("in_line", "arrived" if call.joined_at == at else "in_line"),
        "answered": ("answered", waited),
        "ended": ("ended", "answered" if call.answered_at else waited),
    }[step]
    data: dict[str, object] = {
        "id": call.id,
        "queue": call.queue,
        "state": state,
        "before": before,
        "number": call.number,
        "dialled": call.dialled,
        "pbx": call.pbx,
        "was_closed": call.was_closed,
        "agent": call.agent,
        "ending": call.ending,
        "arrived_at": _instant(call.arrived_at),
        "joined_at": call.joined_at and _instant(call.joined_at),
        "answered_at": call.answered_at and _instant(call.answered_at),
        "ended_at": call.ended_at and _instant(call.ended_at),
    }
    return HookEvent(f"call.{step}", f"call:{call.id}", at, data, mark=call.queue or "")


def sms_type(status: SmsStatus) -> str | None:
    """Return the type under which it is told that an SMS stands so; None: nobody is told."""
    return _OF_SMS.get(status)


def of_sms(sms: SmsFacts, *, status: SmsStatus, before: SmsStatus | None, at: datetime) -> HookEvent:
    """Return what is told of an SMS that stands otherwise than before. Raises KeyError for `SENDING`."""
    data: dict[str, object] = {
        "id": sms.id,
        "queue": sms.queue,
        "state": status.value,
        "before": None if before is None else before.value,
        "template": sms.template,
        "number": sms.number,
        "promise": sms.promise_id,
        "queued_at": _instant(sms.queued_at),
    }
    return HookEvent(_OF_SMS[status], f"sms:{sms.id}", at, data, mark=status.value)


def of_reply(number: str, about: SmsFacts | None, *, reply: str, at: datetime) -> HookEvent:
    """Return what is told of an SMS that somebody sent to us: that it came, not what it says. `reply`: its id."""
    data: dict[str, object] = {
        "sms": about and about.id,
        "queue": about and about.queue,
        "promise": about and about.promise_id,
        "number": number,
        "received_at": _instant(at),
    }
    return HookEvent("sms.replied", f"sms:{about.id}" if about else "sms:replies", at, data, mark=reply)


def of_agent(span: AgentFacts, *, before: str | None) -> HookEvent:
    """Return what is told of an agent who is in another state than before."""
    data: dict[str, object] = {
        "agent": span.agent,
        "pbx": span.pbx,
        "state": span.state,
        "before": before,
        "reason": span.reason,
        "queue": span.queue,
        "waiter": span.waiter_id,
        "since": _instant(span.since),
    }
    return HookEvent(AGENT_TYPE, f"agent:{span.agent}", span.since, data, mark=f"{span.state} {span.waiter_id}")


def of_test(hook: str, at: datetime) -> HookEvent:
    """Return what is sent by hand, to see whether the other end takes it."""
    return HookEvent(TEST_TYPE, f"hook:{hook}", at, {"hook": hook})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
