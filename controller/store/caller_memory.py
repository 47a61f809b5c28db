"""What is remembered of callers, in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from controller.domain.phone_number import mask
from controller.ports.promises import StoreUnavailableError
from controller.store.dialect import insert_if_new
from controller.store.tables import callers

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection
    from structlog.typing import FilteringBoundLogger

    from controller.ports.clock import Clock
    from controller.store.engine import Database


class StoredCallerMemory:
    """`CallerMemory` on SQL. What cannot be read or written is logged (`caller_memory_failed`) and the call goes on."""

    def __init__(self, database: Database, clock: Clock, log: FilteringBoundLogger) -> None:
        self._database = database
        self._clock = clock
        self._log = log

    async def language_of(self, number: str) -> str | None:
        """Return the language that this number chose on an earlier call; None when it chose none, or is not known."""

        async def work(connection: AsyncConnection) -> str | None:
            found: str | None = await connection.scalar(select(callers.c.language).where(callers.c.number == number))
            return found

        try:
            return await self._database.read(work)
        except StoreUnavailableError as error:
            self._log.warning("caller_memory_failed", number=mask(number), doing="read", error=str(error))
            return None

    async def remember_language(self, number: str, language: str) -> None:
        """Keep the language that this number (E.164) has chosen by key, in place of an earlier one."""
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            row = {"number": number, "language": language, "changed_at": now}
            added = await connection.execute(insert_if_new(connection, callers).values(row))
            if added.rowcount != 1:
                await connection.execute(
                    update(callers).where(callers.c.number == number).values(language=language, changed_at=now)
                )

        try:
            await self._database.write(work)
        except StoreUnavailableError as error:
            self._log.warning("caller_memory_failed", number=mask(number), doing="write", error=str(error))
