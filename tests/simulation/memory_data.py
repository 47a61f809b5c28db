"""What the books in memory share: rows, as the database has them, and a look at them by SQL for those who test."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, insert

from controller.domain.evidence import NO_EVIDENCE
from controller.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from controller.domain.agents import Duty
    from controller.domain.evidence import Evidence
    from controller.domain.line import Decision
    from controller.domain.outcome import Outcome
    from controller.domain.pin import Guesses
    from controller.domain.promise import Attempt, Promise, Wish
    from controller.domain.sms import Delivery, SmsStatus
    from controller.ports.do_not_call import Blocked
    from controller.ports.lease import Lease
    from controller.ports.links import BookingLink, Challenge


@dataclass(slots=True)
class AttemptRow:
    """One attempt. `ended_at` None: it is live."""

    attempt: Attempt
    counts_from: datetime | None
    """When the caps' period of it begins; None: it counts towards none."""
    cost_milli: int = 0
    per_call_milli: int = 0
    per_minute_milli: int = 0
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    evidence: Evidence = NO_EVIDENCE
    wish: Wish | None = None


@dataclass(slots=True)
class SmsRow:
    """One SMS of the outbox. `sent_at` None: nothing left, and it counts towards no cap."""

    id: int
    key: str
    number: str
    template: str
    language: str
    queue: str
    details: dict[str, str]
    status: SmsStatus
    queued_at: datetime
    not_before: datetime
    valid_until: datetime
    promise_id: str | None = None
    tries: int = 0
    sent_at: datetime | None = None
    segments: int = 0
    cost_milli: int = 0
    converted_at: datetime | None = None
    settled_at: datetime | None = None
    reference: str | None = None
    error: str | None = None
    receipt_at: datetime | None = None
    receipt_error: str | None = None


@dataclass(slots=True)
class ReceiptRow:
    """What a provider told of an SMS. Not applied: it came before the reference was known."""

    id: int
    provider: str
    event_id: str
    reference: str
    key: str | None
    delivery: Delivery
    error: str
    received_at: datetime
    applied: bool = False


@dataclass(slots=True)
class ReplyRow:
    """What somebody sent to us. `about_id` is the last SMS that they had from us."""

    id: int
    provider: str
    event_id: str
    number: str
    sent_to: str
    text: str
    about_id: int | None
    received_at: datetime
    handled_at: datetime | None = None
    meaning: str | None = None
    needs_person: bool = False


@dataclass(slots=True)
class ChallengeRow:
    """Somebody who says that a number is theirs."""

    challenge: Challenge
    sms_key: str | None
    proved_at: datetime | None = None


@dataclass(slots=True)
class CallRow:
    """One incoming call."""

    id: str
    dialled: str
    number: str | None
    arrived_at: datetime
    pbx: str
    queue: str | None = None
    joined_at: datetime | None = None
    quoted_low_s: float | None = None
    quoted_high_s: float | None = None
    quoted_at: datetime | None = None
    agent: str | None = None
    answered_at: datetime | None = None
    ending: str | None = None
    ended_at: datetime | None = None
    offered_at: datetime | None = None
    was_closed: bool = False


@dataclass(slots=True)
class AgentRow:
    """What is kept of one agent."""

    duty: Duty
    pin_hash: str | None
    guesses: Guesses
    changed_at: datetime


@dataclass
class MemoryData:
    """Every row there is. What two stores on the same data see of each other is what two processes would."""

    promises: dict[str, Promise] = field(default_factory=dict)
    made_at: dict[str, datetime] = field(default_factory=dict)
    open_numbers: dict[tuple[str, str], str] = field(default_factory=dict)
    """The id of the open promise, by queue and number."""
    requests: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Promise and time, by the call that asked."""
    attempts: dict[str, AttemptRow] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    """The id of the live attempt, by number."""
    history: list[dict[str, Any]] = field(default_factory=list)
    sms: dict[str, SmsRow] = field(default_factory=dict)
    receipts: dict[tuple[str, str], ReceiptRow] = field(default_factory=dict)
    """By provider and event."""
    replies: dict[tuple[str, str], ReplyRow] = field(default_factory=dict)
    links: dict[str, BookingLink] = field(default_factory=dict)
    challenges: dict[str, ChallengeRow] = field(default_factory=dict)
    calls: dict[str, CallRow] = field(default_factory=dict)
    agents: dict[str, AgentRow] = field(default_factory=dict)
    callers: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    leases: dict[str, Lease] = field(default_factory=dict)
    holds: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Asterisk and term, by promise."""
    blocked: dict[str, Blocked] = field(default_factory=dict)


class MemoryDatabase:
    """The rows as an engine of SQLAlchemy shows them; each connection gets a copy of its own."""

    def __init__(self, data: MemoryData) -> None:
        self._data = data

    @property
    def engine(self) -> MemoryDatabase:
        """Itself."""
        return self

    def begin(self) -> AbstractAsyncContextManager[_Connection]:
        """Open a copy too."""
        return self.connect()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[_Connection]:
        """Open a copy that can be read."""
        engine = create_engine("sqlite://")
        with engine.begin() as connection:
            metadata.create_all(connection)
            for name, rows in rows_of(self._data).items():
                table = metadata.tables[name]
                known = set(table.c.keys())
                if rows:
                    connection.execute(insert(table), [{key: row[key] for key in row.keys() & known} for row in rows])
            yield _Connection(connection)
        engine.dispose()


class _Connection:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Any) -> Any:
        return self._connection.execute(statement)


def rows_of(data: MemoryData) -> dict[str, list[dict[str, Any]]]:
    """Return all rows, by table, with the database's names."""
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in metadata.tables}
    tables["promises"] = [_promise_row(each, data) for each in data.promises.values()]
    tables["promise_requests"] = [
        {"call_id": call_id, "promise_id": promise_id, "requested_at": at}
        for call_id, (promise_id, at) in data.requests.items()
    ]
    tables["attempts"] = [_attempt_row(each) for each in data.attempts.values()]
    tables["promise_events"] = [{**each} for each in data.history]
    tables["sms_outbox"] = [
        asdict(each) | {"status": each.status.value, "details": json.dumps(each.details, ensure_ascii=False)}
        for each in data.sms.values()
    ]
    tables["sms_receipts"] = [asdict(each) | {"delivery": each.delivery.value} for each in data.receipts.values()]
    tables["sms_replies"] = [asdict(each) for each in data.replies.values()]
    tables["booking_links"] = [asdict(each) | {"purpose": each.purpose.value} for each in data.links.values()]
    tables["challenges"] = [
        asdict(each.challenge) | {"proved_at": each.proved_at, "sms_key": each.sms_key}
        for each in data.challenges.values()
    ]
    tables["calls"] = [asdict(each) for each in data.calls.values()]
    tables["agents"] = [
        {
            "name": name,
            "pin_hash": each.pin_hash,
            "signed_in": each.duty.signed_in,
            "pause_reason": each.duty.pause_reason,
            "wrong_pins": each.guesses.wrong,
            "locked_until": each.guesses.locked_until,
            "changed_at": each.changed_at,
        }
        for name, each in data.agents.items()
    ]
    tables["callers"] = [
        {"number": number, "language": language, "changed_at": at} for number, (language, at) in data.callers.items()
    ]
    tables["line_decisions"] = [
        asdict(each) | {"id": nth, "passed": json.dumps(each.passed), "kind": each.kind.value}
        for nth, each in enumerate(data.decisions, start=1)
    ]
    tables["do_not_call"] = [asdict(each) for each in data.blocked.values()]
    tables["leases"] = [asdict(each) for each in data.leases.values()]
    tables["holds"] = [{"promise_id": key, "pbx": pbx, "term": term} for key, (pbx, term) in data.holds.items()]
    return tables


def _promise_row(promise: Promise, data: MemoryData) -> dict[str, Any]:
    return asdict(promise) | {
        "made_at": data.made_at[promise.id],
        "state": promise.state.value,
        "last_outcome": promise.last_outcome and promise.last_outcome.value,
        "slot_starts_at": promise.slot and promise.slot.starts_at,
        "slot_ends_at": promise.slot and promise.slot.ends_at,
    }


def _attempt_row(row: AttemptRow) -> dict[str, Any]:
    return (
        asdict(row.evidence)
        | {"answered_by": row.evidence.answered_by.value}
        | asdict(row.attempt)
        | {
            "ended_at": row.ended_at,
            "outcome": row.outcome and row.outcome.value,
            "wish": row.wish and row.wish.outcome.value,
            "wish_later_s": row.wish and row.wish.later_s,
            "counts_from": row.counts_from,
            "cost_milli": row.cost_milli,
            "per_call_milli": row.per_call_milli,
            "per_minute_milli": row.per_minute_milli,
        }
    )
