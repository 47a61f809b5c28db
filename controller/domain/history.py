"""What was written down of one promise, as it was found: for whoever asks what became of it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from controller.domain.evidence import NO_EVIDENCE, Evidence

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.line import Decision
    from controller.domain.outcome import Outcome
    from controller.domain.promise import Promise, PromiseState


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the promise's life. `at` is aware UTC."""

    at: datetime
    event: str
    """`Made`, or the name of an event of `lifecycle.py`."""
    state: PromiseState
    """The state that it led to."""
    detail: str = ""
    """Words, apart by a blank: an outcome, a call, a reason, an instant (ISO 8601)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt as it was recorded. Times are aware UTC; `ended_at` and `outcome` are None while it goes on."""

    id: str
    agent: str
    """"" where the customer was dialled first and has not talked with anybody."""
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    by_hand: bool = False
    evidence: Evidence = NO_EVIDENCE
    customer_first: bool = False
    """The customer was dialled before there was an agent for them."""


@dataclass(frozen=True, slots=True)
class Written:
    """One SMS that the promise came to owe. Times are aware UTC."""

    template: str
    status: str
    """`controller.domain.sms.SmsStatus`, or another that the outbox knows."""
    queued_at: datetime
    settled_at: datetime | None = None
    """When it was handed over, or what was to come of it was known without."""
    tries: int = 0
    error: str = ""
    receipt_at: datetime | None = None
    """When a receipt last said what became of it; `status` says what. None: there was none."""
    receipt_error: str = ""
    """Why the network did not deliver it."""


@dataclass(frozen=True, slots=True)
class Replied:
    """One SMS with which the customer answered to one of the promise's. Times are aware UTC.

    What they wrote is not here: it is theirs, and `controller sms replies` shows it to whoever has to read it.
    """

    at: datetime
    meaning: str = ""
    """What it was taken for (`controller.journeys.sms_reply.Settled`); "" until it was acted on."""
    handled_at: datetime | None = None
    needs_person: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """One promise and all that was written down about it, each list in the order of time."""

    promise: Promise
    steps: tuple[Step, ...]
    tried: tuple[Tried, ...] = ()
    decisions: tuple[Decision, ...] = ()
    """When it was first in line and an agent was free."""
    written: tuple[Written, ...] = ()
    replied: tuple[Replied, ...] = ()
