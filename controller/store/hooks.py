"""What hooks are owed, in the database: taken one after the other, and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, select, update

from controller.ports.hooks import GONE, Delivery, DeliveryLine, HookStanding
from controller.ports.news import Kind
from controller.store.dialect import tell_others
from controller.store.sms_rows import writable
from controller.store.staff_tables import IS_UNSETTLED, hook_deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.hooks import HookWish, NotTaken
    from controller.store.engine import Database

NOT_IN_SETTINGS = "the hook is not in the settings any more"
_OF = hook_deliveries.c
_LONGEST_ERROR = 300
_earlier = hook_deliveries.alias()
_IS_OLDEST_OF_ITS_SUBJECT = ~exists().where(
    _earlier.c.hook == _OF.hook,
    _earlier.c.subject == _OF.subject,
    _earlier.c.settled_at.is_(None),
    _earlier.c.id < _OF.id,
)
_FAILED = and_(_OF.settled_at.is_not(None), _OF.delivered.is_(False))


def gone_word(wish: HookWish) -> str:
    """Return by which words it is known that a receiver is gone from its address of today."""
    return f"410 Gone: nothing more is sent to this address ({wish.mark})"


class StoredHookBook:
    """`HookBook` on SQL. `queued` is called after a commit that owes something anew."""

    def __init__(self, database: Database, *, wishes: Sequence[HookWish], queued: Callable[[], None]) -> None:
        self._database = database
        self._wishes = tuple(wishes)
        self._queued = queued

    @property
    def wishes(self) -> Sequence[HookWish]:
        """The hooks of the settings."""
        return self._wishes

    async def next(self, hook: str) -> Delivery | None:
        """Return what a hook is to be sent first, though maybe not yet; None: it is owed nothing."""
        query = (
            select(hook_deliveries)
            .where(_OF.hook == hook, IS_UNSETTLED, _IS_OLDEST_OF_ITS_SUBJECT)
            .order_by(_OF.not_before, _OF.id)
            .limit(1)
        )

        async def work(connection: AsyncConnection) -> Delivery | None:
            row = (await connection.execute(query)).mappings().one_or_none()
            return None if row is None else _delivery_from(row)

        return await self._database.read(work)

    async def is_gone(self, wish: HookWish) -> bool:
        """Tell whether a hook said that it is gone from its address, and nobody asked for it since."""

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(_said_gone(wish))).first() is not None

        return await self._database.read(work)

    async def taken(self, delivery: Delivery, status: int, now: datetime) -> None:
        """Write that it arrived."""
        await self._settle(delivery, {"settled_at": now, "delivered": True, "last_status": status, "last_error": ""})

    async def put_off(self, delivery: Delivery, why: NotTaken, until: datetime) -> None:
        """Write that it is to be sent again, and when."""
        await self._settle(delivery, {"not_before": until, **_why(why)})

    async def given_up(self, delivery: Delivery, why: NotTaken, now: datetime) -> None:
        """Write that it never arrives."""
        await self._settle(delivery, {"settled_at": now, **_why(why)})

    async def gone(self, wish: HookWish, delivery: Delivery, now: datetime) -> None:
        """Write that the receiver said 410 to this one."""
        await self._settle(delivery, {"settled_at": now, "last_status": GONE, "last_error": gone_word(wish)})

    async def abandon(self, hook: str, reason: str, now: datetime, *, made_before: datetime | None = None) -> int:
        """Settle all that a hook is owed (and was made before then) as not delivered; return how many."""
        change = update(hook_deliveries).where(_OF.hook == hook, IS_UNSETTLED)
        if made_before is not None:
            change = change.where(_OF.made_at < made_before)
        return await self._change(change.values(settled_at=now, last_error=reason))

    async def abandon_unknown(self, now: datetime) -> int:
        """Likewise, for every hook that is not in the settings any more."""
        known = [wish.name for wish in self._wishes]
        change = update(hook_deliveries).where(IS_UNSETTLED, _OF.hook.not_in(known))
        return await self._change(change.values(settled_at=now, last_error=NOT_IN_SETTINGS))

    async def retry(self, hook: str, now: datetime) -> int:
        """Owe a hook anew all that it did not take, due at once; return how many. It is no longer gone."""
        ended = update(hook_deliveries).where(_OF.hook == hook, _FAILED)
        waiting = update(hook_deliveries).where(_OF.hook == hook, IS_UNSETTLED, _OF.not_before > now)

        async def work(connection: AsyncConnection) -> int:
            anew = {"settled_at": None, "tries": 0, "not_before": now, "last_status": None, "last_error": ""}
            count = (await connection.execute(ended.values(anew))).rowcount
            count += (await connection.execute(waiting.values(not_before=now))).rowcount
            await tell_others(connection, Kind.HOOK)
            return count

        return await self._database.write(work, then=lambda _count: self._queued())

    async def standing(self) -> Sequence[HookStanding]:
        """Return how each hook of the settings fares, in their order."""

        async def work(connection: AsyncConnection) -> Sequence[HookStanding]:
            return [await _standing_of(connection, wish) for wish in self._wishes]

        return await self._database.read(work)

    async def deliveries(self, hook: str, limit: int, *, failed_only: bool = False) -> Sequence[DeliveryLine]:
        """Return what a hook is or was owed, newest first; or what was not delivered alone."""
        query = select(hook_deliveries).where(_OF.hook == hook).order_by(_OF.id.desc()).limit(limit)
        if failed_only:
            query = query.where(_FAILED)

        async def work(connection: AsyncConnection) -> Sequence[DeliveryLine]:
            return [_line_from(row) for row in (await connection.execute(query)).mappings()]

        return await self._database.read(work)

    async def _settle(self, delivery: Delivery, values: dict[str, Any]) -> None:
        """Write what became of one try, unless that was written, or it was owed anew meanwhile."""
        its_try = (_OF.id == delivery.id, _OF.tries == delivery.tries, IS_UNSETTLED)
        change = update(hook_deliveries).where(*its_try).values(tries=delivery.tries + 1, **values)
        await self._change(change)

    async def _change(self, change: Any) -> int:
        async def work(connection: AsyncConnection) -> int:
            return int((await connection.execute(change)).rowcount)

        return await self._database.write(work)


async def _standing_of(connection: AsyncConnection, wish: HookWish) -> HookStanding:
    its_own = _OF.hook == wish.name
    owed = select(func.count(), func.min(_OF.made_at)).where(its_own, IS_UNSETTLED)
    backlog, oldest_at = (await connection.execute(owed)).one()
    settled = select(
        func.count(case((_OF.delivered.is_(True), 1))),
        func.count(case((_OF.delivered.is_(False), 1))),
        func.max(case((_OF.delivered.is_(True), _OF.settled_at))),
    ).where(its_own, _OF.settled_at.is_not(None))
    delivered, not_delivered, last_delivered_at = (await connection.execute(settled)).one()
    failed = (
        select(_OF.last_error, _OF.last_status)
        .where(its_own, _OF.delivered.is_(False), _OF.last_error != "")
        .order_by(_OF.id.desc())
        .limit(1)
    )
    last = (await connection.execute(failed)).one_or_none()
    return HookStanding(
        wish,
        backlog,
        oldest_at,
        delivered,
        not_delivered,
        last_delivered_at,
        last_error="" if last is None else last.last_error,
        last_status=None if last is None else last.last_status,
        is_gone=(await connection.execute(_said_gone(wish))).first() is not None,
    )


def _said_gone(wish: HookWish) -> Select[tuple[int]]:
    said = (_OF.hook == wish.name, _OF.last_status == GONE, _OF.last_error == gone_word(wish))
    return select(_OF.id).where(*said).order_by(_OF.id.desc()).limit(1)


def _why(why: NotTaken) -> dict[str, Any]:
    return {"last_status": why.status, "last_error": writable(why.reason, _LONGEST_ERROR)}


def _delivery_from(row: RowMapping) -> Delivery:
    return Delivery(
        id=row[_OF.id],
        hook=row[_OF.hook],
        event_id=row[_OF.event_id],
        event=row[_OF.event],
        body=row[_OF.body],
        made_at=row[_OF.made_at],
        not_before=row[_OF.not_before],
        tries=row[_OF.tries],
    )


def _line_from(row: RowMapping) -> DeliveryLine:
    return DeliveryLine(
        id=row[_OF.id],
        event_id=row[_OF.event_id],
        event=row[_OF.event],
        made_at=row[_OF.made_at],
        not_before=row[_OF.not_before],
        tries=row[_OF.tries],
        settled_at=row[_OF.settled_at],
        delivered=row[_OF.delivered],
        last_status=row[_OF.last_status],
        last_error=row[_OF.last_error],
    )
