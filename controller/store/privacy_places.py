"""Where in the database something of a person stands, and what is left of it when its time is over.

What the figures are made of stays: ids, instants, endings. A number gives way to nothing, never to something that it
could be worked out from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, String, and_, cast, delete, func, literal, select, true, update

from controller.domain.promise import FINAL
from controller.domain.retention import Period
from controller.domain.sms import SmsStatus
from controller.store.proof_tables import challenges
from controller.store.staff_tables import (
    IS_KEPT,
    SAYS_SOMETHING,
    answered_requests,
    audit,
    call_notes,
    hook_deliveries,
    recordings,
    sessions,
)
from controller.store.tables import (
    HAS_NUMBER,
    IS_SHOWN,
    attempts,
    booking_links,
    callers,
    calls,
    promises,
    sms_outbox,
    sms_receipts,
    sms_replies,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Column, Delete, Select, Table, TextClause, Update

ALWAYS: ColumnElement[bool] = true()


@dataclass(frozen=True, slots=True)
class Place:
    """One table that has something of people."""

    name: str
    """As an export and the log call it."""
    table: Table
    period: Period
    since: Column[Any]
    """From when on its period counts."""
    number: Column[Any] | None = None
    """Whose it is; None: that cannot be told, or is told elsewhere."""
    erased: Mapping[str, Any] | None = None
    """What is written over it; None: the row goes."""
    is_over: ColumnElement[bool] = ALWAYS
    """What does not hold for something that goes on: that is let be."""
    has_some: ColumnElement[bool] | TextClause = ALWAYS
    """There is something left to be erased: word for word as the index has it that is to be used."""
    is_somebodys: ColumnElement[bool] | TextClause = ALWAYS
    """What holds wherever there is a number: word for word as the index of numbers has it, where that is in part."""

    @property
    def key(self) -> Column[Any]:
        """The column that names a row."""
        (key,) = self.table.primary_key.columns
        return key

    def of(self, spelled: Sequence[str]) -> ColumnElement[bool]:
        """Return the condition for the rows of a number, however it was written down."""
        assert self.number is not None  # noqa: S101 - only asked of those that have one
        return and_(self.is_somebodys, self.number.in_(spelled))

    def erase_older(self, before: datetime, limit: int) -> Update | Delete:
        """Return the statement that erases the oldest rows, `limit` at most."""
        oldest = (
            select(self.key)
            .where(self.has_some, self.since < before, self.is_over)
            .order_by(self.since)
            .limit(limit)
            .correlate(None)
        )
        return self._erase(self.key.in_(oldest))

    def erase_of(self, spelled: Sequence[str]) -> Update | Delete:
        """Return the statement that erases what is there of a number, but for what goes on."""
        return self._erase(self.of(spelled) & self.is_over)

    def count_of(self, spelled: Sequence[str]) -> Select[Any]:
        """Return the query for how many rows there are of a number."""
        return select(func.count()).select_from(self.table).where(self.of(spelled))

    def _erase(self, which: ColumnElement[bool]) -> Update | Delete:
        if self.erased is None:
            return delete(self.table).where(which)
        return update(self.table).where(which).values(self.erased)


_ENDED = [state.value for state in FINAL]
_ON_ITS_WAY = [SmsStatus.QUEUED.value, SmsStatus.SENDING.value]
_its_promise = promises.alias("its_promise")
_IS_OF_ONE_THAT_ENDED = (
    select(_its_promise.c.id)
    .where(_its_promise.c.id == attempts.c.promise_id, _its_promise.c.state.in_(_ENDED))
    .correlate(attempts)
    .exists()
)

PLACES = (
    Place(
        "calls",
        calls,
        Period.NUMBERS,
        calls.c.arrived_at,
        calls.c.number,
        {"number": None},
        calls.c.ending.is_not(None),
        IS_SHOWN,
    ),
    Place(
        "promises",
        promises,
        Period.NUMBERS,
        promises.c.made_at,
        promises.c.number,
        {"number": ""},
        promises.c.state.in_(_ENDED),
        HAS_NUMBER,
    ),
    Place(
        "attempts",
        attempts,
        Period.CALLED,
        attempts.c.started_at,
        attempts.c.number,
        {"number": ""},
        attempts.c.ended_at.is_not(None) & _IS_OF_ONE_THAT_ENDED,
        HAS_NUMBER,
    ),
    Place(
        "sms",
        sms_outbox,
        Period.SMS,
        sms_outbox.c.queued_at,
        sms_outbox.c.number,
        {
            "number": "",
            # Some keys have the number in them. Each is needed once, for a day at most.
            "key": literal("erased:") + cast(sms_outbox.c.id, String),
            "details": "{}",
            # By this the provider could be asked whose it was; and its errors are its own words.
            "reference": None,
            "error": None,
            "receipt_error": None,
        },
        sms_outbox.c.status.not_in(_ON_ITS_WAY),
        HAS_NUMBER,
    ),
    Place(
        "sms_replies",
        sms_replies,
        Period.SMS,
        sms_replies.c.received_at,
        sms_replies.c.number,
        {"number": "", "text": ""},
        sms_replies.c.handled_at.is_not(None),
        HAS_NUMBER,
    ),
    Place(
        "booking_links",
        booking_links,
        Period.NUMBERS,
        booking_links.c.expires_at,
        booking_links.c.number,
        {"number": ""},
        has_some=HAS_NUMBER,
    ),
    Place(
        "notes",
        call_notes,
        Period.NOTES,
        call_notes.c.written_at,
        call_notes.c.number,
        {"number": "", "text": ""},
        has_some=SAYS_SOMETHING,
    ),
    Place(
        "recordings",
        recordings,
        Period.RECORDINGS,
        recordings.c.began_at,
        recordings.c.number,
        # The sound is not here: whoever keeps it erases what nobody wants any more.
        {"number": "", "unwanted": True},
        recordings.c.ended_at.is_not(None),
        IS_KEPT,
        HAS_NUMBER,
    ),
    Place("languages", callers, Period.NUMBERS, callers.c.changed_at, callers.c.number),
    Place("codes", challenges, Period.OVER, challenges.c.expires_at, challenges.c.number),
    Place("sms_receipts", sms_receipts, Period.SMS, sms_receipts.c.received_at),
    Place(
        "webhooks",
        hook_deliveries,
        Period.HOOKS,
        hook_deliveries.c.settled_at,
        is_over=hook_deliveries.c.settled_at.is_not(None),
    ),
    Place("audit", audit, Period.AUDIT, audit.c.at),
    Place("answers", answered_requests, Period.OVER, answered_requests.c.asked_at),
    Place("sessions", sessions, Period.OVER, sessions.c.expires_at),
)
"""All of them. A test sees to it that no column of the database that has numbers is missing."""
