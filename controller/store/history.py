"""`HistoryBook` on SQL, for the command line: reads only, so that a look neither makes a file nor upgrades one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from controller.domain.evidence import AnsweredBy, Evidence
from controller.domain.history import History, Replied, Step, Tried, Written
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.ports.history import Found
from controller.store.line_audit import decision_from
from controller.store.looking import look
from controller.store.promise_rows import promise_from
from controller.store.tables import attempts, line_decisions, promise_events, promises, sms_outbox, sms_replies

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, RowMapping

    from controller.domain.promise import Promise


class StoredHistory:
    """What the database at `url` holds about promises."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def of_number(self, number: str, limit: int) -> Found:
        """Return the promises of a number (E.164), over or not, the last to be made first."""
        return await self._find(promises.c.number == number, limit)

    async def with_id(self, beginning: str, limit: int) -> Found:
        """Return the promises whose id begins so: first the one whose whole id it is, then the last to be made."""
        begins_so = promises.c.id.startswith(beginning, autoescape=True)
        return await self._find(begins_so, limit, promises.c.id == beginning)

    async def history(self, promise_id: str) -> History:
        """Return all that is known of one promise. Raises LookupError when there is none."""
        return await look(self._url, lambda connection: history_in(connection, promise_id))

    async def _find(
        self, condition: ColumnElement[bool], limit: int, first: ColumnElement[bool] | None = None
    ) -> Found:
        newest = (promises.c.made_at.desc(), promises.c.id)
        order = newest if first is None else (first.desc(), *newest)
        query = select(promises).where(condition).order_by(*order).limit(limit + 1)

        def work(connection: Connection) -> list[Promise]:
            return [promise_from(row) for row in connection.execute(query).mappings()]

        found = await look(self._url, work)
        return Found(tuple(found[:limit]), is_all=len(found) <= limit)


def history_in(connection: Connection, promise_id: str) -> History:
    """Return all that a database holds about one promise. Raises LookupError when there is none."""
    one = select(promises).where(promises.c.id == promise_id)
    events = select(promise_events).where(promise_events.c.promise_id == promise_id).order_by(promise_events.c.seq)
    tried = select(attempts).where(attempts.c.promise_id == promise_id).order_by(attempts.c.started_at)
    served = select(line_decisions).where(line_decisions.c.waiter_id == promise_id).order_by(line_decisions.c.id)
    texts = select(sms_outbox).where(sms_outbox.c.promise_id == promise_id).order_by(sms_outbox.c.id)
    replies = (
        select(sms_replies)
        .join(sms_outbox, sms_replies.c.about_id == sms_outbox.c.id)
        .where(sms_outbox.c.promise_id == promise_id)
        .order_by(sms_replies.c.id)
    )
    row = connection.execute(one).mappings().one_or_none()
    if row is None:
        raise LookupError(f"there is no promise {promise_id}")
    return History(
        promise_from(row),
        steps=tuple(_step(each) for each in connection.execute(events).mappings()),
        tried=tuple(_tried(each) for each in connection.execute(tried).mappings()),
        decisions=tuple(decision_from(each) for each in connection.execute(served).mappings()),
        written=tuple(_written(each) for each in connection.execute(texts).mappings()),
        replied=tuple(_replied(each) for each in connection.execute(replies).mappings()),
    )


def _step(row: RowMapping) -> Step:
    of = promise_events.c
    return Step(row[of.at], row[of.event], PromiseState(row[of.to_state]), row[of.detail])


def _tried(row: RowMapping) -> Tried:
    of = attempts.c
    evidence = Evidence(
        trunk=row[of.trunk],
        cause=row[of.cause],
        tech_cause=row[of.tech_cause],
        rang=row[of.rang],
        timed_out=row[of.timed_out],
        placed_at=row[of.placed_at],
        answered_at=row[of.answered_at],
        answered_by=AnsweredBy(row[of.answered_by]),
        confirmed_at=row[of.confirmed_at],
    )
    outcome = None if row[of.outcome] is None else Outcome(row[of.outcome])
    return Tried(
        row[of.id],
        row[of.agent],
        row[of.started_at],
        row[of.ended_at],
        outcome,
        row[of.by_hand],
        evidence,
        row[of.customer_first],
    )


def _written(row: RowMapping) -> Written:
    of = sms_outbox.c
    return Written(
        row[of.template],
        row[of.status],
        row[of.queued_at],
        row[of.settled_at],
        row[of.tries],
        row[of.error] or "",
        row[of.receipt_at],
        row[of.receipt_error] or "",
    )


def _replied(row: RowMapping) -> Replied:
    of = sms_replies.c
    return Replied(row[of.received_at], row[of.meaning] or "", row[of.handled_at], row[of.needs_person])
