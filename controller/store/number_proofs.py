"""Proofs of a number, in the database. The code is nowhere: it is worked out from the challenge's id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from controller.ports.links import Challenge
from controller.store import outbox
from controller.store.dialect import insert_if_new
from controller.store.proof_tables import challenges
from controller.store.tables import sms_outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.effects import SendSms
    from controller.ports.clock import Clock
    from controller.store.engine import Database


class StoredNumberProofs:
    """`NumberProofs` on SQL. `sms_queued` is called after a commit that added an SMS."""

    def __init__(self, database: Database, *, clock: Clock, sms_queued: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._sms_queued = sms_queued

    async def start(self, challenge: Challenge, sms: SendSms | None) -> None:
        """Write a challenge and the SMS that carries its code, once; None: nothing is sent."""
        now = self._clock.now()
        row = {
            "id": challenge.id,
            "queue": challenge.queue,
            "number": challenge.number,
            "language": challenge.language,
            "expires_at": challenge.expires_at,
            "tries_left": challenge.tries_left,
            "sms_key": None if sms is None else sms.key,
        }

        async def work(connection: AsyncConnection) -> bool:
            is_new = (await connection.execute(insert_if_new(connection, challenges).values(row))).rowcount == 1
            return is_new and sms is not None and await outbox.queue(connection, sms, now)

        def tell(owes: bool) -> None:
            if owes:
                self._sms_queued()

        await self._database.write(work, then=tell)

    async def guess(self, challenge_id: str, *, is_right: bool, now: datetime) -> Challenge | None:
        """Count one try; return the challenge if the code was right and it was open, which proves it, once.

        One that has no number proves nothing, whatever is guessed.
        """
        of = challenges.c
        is_open = (of.id == challenge_id, of.proved_at.is_(None), of.expires_at > now, of.tries_left > 0)
        # One statement looks and counts: of guesses at the same time, no more than there are tries are looked at.
        count = update(challenges).where(*is_open).values(tries_left=of.tries_left - 1)
        prove = update(challenges).where(of.id == challenge_id, of.number != "").values(proved_at=now)

        async def work(connection: AsyncConnection) -> Challenge | None:
            if (await connection.execute(count)).rowcount == 0 or not is_right:
                return None
            if (await connection.execute(prove)).rowcount == 0:
                return None
            row = (await connection.execute(select(challenges).where(of.id == challenge_id))).mappings().one()
            its_sms = update(sms_outbox).where(sms_outbox.c.key == row[of.sms_key])
            await connection.execute(its_sms.values(converted_at=now))
            return _challenge_from(row)

        return await self._database.write(work)

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """Return a challenge that has not expired, used or not."""
        query = select(challenges).where(challenges.c.id == challenge_id, challenges.c.expires_at > now)

        async def work(connection: AsyncConnection) -> Challenge | None:
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else _challenge_from(row)

        return await self._database.read(work)


def _challenge_from(row: RowMapping) -> Challenge:
    of = challenges.c
    return Challenge(
        id=row[of.id],
        queue=row[of.queue],
        number=row[of.number],
        language=row[of.language],
        expires_at=row[of.expires_at],
        tries_left=row[of.tries_left],
    )
