"""SMS and replies for a person at the command line. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller.domain.sms import SmsStatus
from controller.ports.sms_listing import ReplyLine, SmsLine
from controller.store.tables import sms_outbox, sms_replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database


class StoredSmsListing:
    """`SmsListing` on SQL. Every method raises StoreUnavailableError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listed(self, statuses: Sequence[SmsStatus], limit: int, number: str | None = None) -> list[SmsLine]:
        """Return the `limit` newest SMS that stand so, newest first; with a number (E.164), only those to it."""
        of = sms_outbox.c
        query = (
            select(sms_outbox, func.coalesce(of.receipt_error, of.error, "").label("why"))
            .where(of.status.in_([status.value for status in statuses]))
            .order_by(of.id.desc())
            .limit(limit)
        )
        if number is not None:
            query = query.where(of.number == number)

        async def work(connection: AsyncConnection) -> list[SmsLine]:
            return [
                SmsLine(
                    key=row.key,
                    number=row.number,
                    template=row.template,
                    queue=row.queue,
                    status=SmsStatus(row.status),
                    queued_at=row.queued_at,
                    settled_at=row.receipt_at or row.settled_at,
                    tries=row.tries,
                    error=row.why,
                    promise_id=row.promise_id,
                )
                for row in await connection.execute(query)
            ]

        return await self._database.read(work)

    async def replies(self, *, needs_person_only: bool, limit: int) -> list[ReplyLine]:
        """Return the `limit` newest replies, newest first: all, or those that a person has to look at."""
        of = sms_replies.c
        query = select(sms_replies).order_by(of.id.desc()).limit(limit)
        if needs_person_only:
            query = query.where(of.needs_person)

        async def work(connection: AsyncConnection) -> list[ReplyLine]:
            return [
                ReplyLine(row.received_at, row.number, row.text, row.meaning, row.needs_person, row.handled_at)
                for row in await connection.execute(query)
            ]

        return await self._database.read(work)
