"""The do-not-call list, in the database. What it forbids is asked in `claims.py` and where an SMS is taken.

How an entry is written, in clear or as a keyed hash, is `opt_outs.py`'s affair.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from controller.domain.lifecycle import ALLOWED, Cancelled, CancelReason
from controller.ports.do_not_call import Blocked
from controller.store import claims, opt_outs
from controller.store import promise_rows as rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.promise_steps import DEFAULT_POLICY, take_step
from controller.store.tables import do_not_call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.promise import Promise
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.clock import Clock
    from controller.store.engine import Database

_E164 = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)


async def block_in(
    connection: AsyncConnection, number: str, reason: str, now: datetime, policy_of: Callable[[str], RetryPolicy]
) -> tuple[list[Promise], bool]:
    """Put a number on the list in a transaction that has waited by `CLAIMS`; as `take_step`, of each open promise.

    Return what was cancelled, by id, and whether any of it owes a new SMS.
    """
    await opt_outs.put(connection, number, reason, now)
    steps = [
        await take_step(connection, held, Cancelled(CancelReason.STOP), now, policy_of(held.queue))
        for held in await rows.open_of(connection, number)
        if (held.state, Cancelled) in ALLOWED
    ]
    return [promise for promise, _ in steps], any(owes for _, owes in steps)


class StoredDoNotCallBook:
    """`DoNotCallBook` on SQL. `changed` and `sms_queued` are called after a commit, `changed` for each promise."""

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        clock: Clock,
        changed: Callable[[Promise], None],
        sms_queued: Callable[[], None],
    ) -> None:
        self._database = database
        self._policies = policies
        self._clock = clock
        self._changed = changed
        self._sms_queued = sms_queued

    async def block(self, number: str, *, reason: str) -> list[Promise]:
        """Put a number (E.164) on the list, and cancel what it holds; return those, by id.

        A number that is on the list keeps its first entry. Raises ValueError for what is no E.164 number: it would
        protect nobody.
        """
        if not _E164.fullmatch(number):
            raise ValueError("not an E.164 number")  # not repeated: the text ends up in a log
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> tuple[list[Promise], bool]:
            await wait_for_other_bookings(connection, claims.CLAIMS)
            return await block_in(connection, number, reason, now, self._policy)

        def tell(result: tuple[list[Promise], bool]) -> None:
            for promise in result[0]:
                self._changed(promise)
            if result[1]:
                self._sms_queued()

        return (await self._database.write(work, then=tell))[0]

    async def unblock(self, number: str) -> bool:
        """Take a number off the list; False when it was not on it. What was cancelled stays cancelled."""
        return await self._database.write(lambda connection: opt_outs.take_off(connection, number))

    async def is_blocked(self, number: str) -> bool:
        """Tell whether a number is on the list."""
        return await self._database.read(lambda connection: claims.is_listed(connection, number))

    async def listed(self) -> list[Blocked]:
        """Return the list, newest first."""

        async def work(connection: AsyncConnection) -> list[Blocked]:
            query = opt_outs.entries().order_by(do_not_call.c.blocked_at.desc(), do_not_call.c.number.desc())
            return [
                Blocked(opt_outs.shown_of(row.number, row.shown), row.reason, row.blocked_at)
                for row in await connection.execute(query)
            ]

        return await self._database.read(work)

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, DEFAULT_POLICY)
