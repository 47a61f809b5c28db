"""`BacklogBook` on SQL: three counts, each by an index that holds nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from controller.ports.backlog import Backlog
from controller.store.staff_tables import IS_UNSETTLED, hook_deliveries
from controller.store.tables import IS_QUEUED, IS_UNHANDLED, sms_outbox, sms_replies

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store.engine import Database


class StoredBacklogBook:
    """What waits, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def backlog(self) -> Backlog:
        """Return what waits. Raises StoreUnavailableError."""

        async def work(connection: AsyncConnection) -> Backlog:
            sms = select(func.count(), func.min(sms_outbox.c.not_before)).where(IS_QUEUED)
            hooks = select(func.count(), func.min(hook_deliveries.c.made_at)).where(IS_UNSETTLED)
            replies = select(func.count()).select_from(sms_replies).where(IS_UNHANDLED)
            sms_count, sms_due_since = (await connection.execute(sms)).one()
            hooks_count, hooks_since = (await connection.execute(hooks)).one()
            unread = (await connection.execute(replies)).scalar_one()
            return Backlog(sms_count, sms_due_since, hooks_count, hooks_since, unread)

        return await self._database.read(work)
