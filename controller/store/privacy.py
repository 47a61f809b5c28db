"""`PrivacyBook` on SQL: what is known of a number, forgetting one, and the sweep of what is older than its period."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from controller.domain.lifecycle import ALLOWED, Cancelled
from controller.domain.sms import SmsStatus
from controller.ports.privacy import Forgotten
from controller.store import opt_outs
from controller.store import promise_rows as rows
from controller.store.dialect import wait_for_other_bookings
from controller.store.privacy_places import PLACES
from controller.store.promise_steps import DEFAULT_POLICY, take_step
from controller.store.staff_tables import answered_requests, hook_deliveries
from controller.store.tables import (
    IS_QUEUED,
    booking_links,
    do_not_call,
    promise_events,
    promise_requests,
    promises,
    sms_outbox,
    sms_receipts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.promise import Promise
    from controller.domain.retention import Period
    from controller.domain.retry_policy import RetryPolicy
    from controller.ports.privacy import Known
    from controller.store.engine import Database

_WITHDRAWN = "the number is to be forgotten"
_RECORDINGS = "recordings"
_SOUND = "/api/v1/recordings/{}/sound"
"""Where the console has what the database has not."""
_WITH_NUMBER = tuple(place for place in PLACES if place.number is not None)


class StoredPrivacyBook:
    """`PrivacyBook` on SQL. After a commit, `changed` is called for each promise, `unwanted` when sound is to go."""

    def __init__(
        self,
        database: Database,
        *,
        policies: Mapping[str, RetryPolicy],
        changed: Callable[[Promise], None],
        unwanted: Callable[[], None],
    ) -> None:
        self._database = database
        self._policies = policies
        self._changed = changed
        self._unwanted = unwanted

    async def known(self, spelled: Sequence[str]) -> Known:
        """Return everything under a number, in whichever way it was written down; E.164 first."""

        async def work(connection: AsyncConnection) -> Known:
            found = {
                place.name: await _rows(connection, select(place.table).where(place.of(spelled)).order_by(place.since))
                for place in _WITH_NUMBER
            }
            theirs = select(promises.c.id).where(promises.c.number.in_(spelled))
            keys = select(sms_outbox.c.key).where(sms_outbox.c.number.in_(spelled))
            of = {
                "promise_events": select(promise_events).where(promise_events.c.promise_id.in_(theirs)),
                "promise_requests": select(promise_requests).where(promise_requests.c.promise_id.in_(theirs)),
                "sms_receipts": select(sms_receipts).where(sms_receipts.c.key.in_(keys)),
                "webhooks": select(hook_deliveries).where(_names(hook_deliveries.c.body, spelled)),
                "answers": select(answered_requests).where(_names(answered_requests.c.answer, spelled)),
            }
            found |= {name: await _rows(connection, query) for name, query in of.items()}
            entries = opt_outs.entries_for(connection, spelled[0])
            listed = await _rows(connection, select(do_not_call).where(do_not_call.c.number.in_(entries)))
            found[_RECORDINGS] = [row | {"sound": _SOUND.format(row["id"])} for row in found[_RECORDINGS]]
            return found | {"do_not_call": listed}

        return await self._database.read(work)

    async def forget(self, spelled: Sequence[str], now: datetime) -> Forgotten:
        """Cancel what the number (E.164 first) was promised, without a word, and erase it everywhere."""

        async def work(connection: AsyncConnection) -> Forgotten:
            await wait_for_other_bookings(connection, opt_outs.CLAIMS)
            cancelled = [
                (await take_step(connection, held, Cancelled(), now, self._policy(held.queue)))[0]
                for held in await rows.open_of(connection, spelled[0])
                if (held.state, Cancelled) in ALLOWED
            ]
            await _withdraw(connection, spelled, now)
            erased = {
                place.name: (await connection.execute(place.erase_of(spelled))).rowcount for place in _WITH_NUMBER
            }
            told = _names(hook_deliveries.c.body, spelled)
            settled = delete(hook_deliveries).where(told, hook_deliveries.c.settled_at.is_not(None))
            erased["webhooks"] = (await connection.execute(settled)).rowcount
            answers = update(answered_requests).where(_names(answered_requests.c.answer, spelled)).values(answer="{}")
            erased["answers"] = (await connection.execute(answers)).rowcount
            left = {place.name: await _count(connection, place.count_of(spelled)) for place in _WITH_NUMBER}
            left["webhooks"] = await _count(connection, select(func.count()).select_from(hook_deliveries).where(told))
            return Forgotten(tuple(cancelled), _some(erased), _some(left))

        def tell(done: Forgotten) -> None:
            for promise in done.cancelled:
                self._changed(promise)
            self._tell_swept(_RECORDINGS, done.erased.get(_RECORDINGS, 0))

        return await self._database.write(work, then=tell)

    async def sweep(self, before: Mapping[Period, datetime], limit: int) -> Mapping[str, int]:
        """Erase what is older than its period, `limit` rows of each kind at most, each kind in its own transaction."""
        erased: dict[str, int] = {}
        for place in PLACES:
            if place.period not in before:
                continue
            statement = place.erase_older(before[place.period], limit)

            async def work(connection: AsyncConnection, statement: Any = statement) -> int:
                return int((await connection.execute(statement)).rowcount)

            erased[place.name] = await self._database.write(work, then=partial(self._tell_swept, place.name))
        return _some(erased)

    def _tell_swept(self, name: str, count: int) -> None:
        if name == _RECORDINGS and count:
            self._unwanted()

    def _policy(self, queue: str) -> RetryPolicy:
        return self._policies.get(queue, DEFAULT_POLICY)


async def _withdraw(connection: AsyncConnection, spelled: Sequence[str], now: datetime) -> None:
    """Let nothing of what waits for the number come to be: SMS that are owed, links that could be followed."""
    owed = update(sms_outbox).where(IS_QUEUED, sms_outbox.c.number.in_(spelled))
    await connection.execute(owed.values(status=SmsStatus.BLOCKED.value, settled_at=now, error=_WITHDRAWN))
    links = update(booking_links).where(booking_links.c.number.in_(spelled), booking_links.c.expires_at > now)
    await connection.execute(links.values(expires_at=now))


def _names(text: Column[Any], spelled: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a text has the number in it; its digits are in all spellings but the one at home."""
    return or_(*(text.contains(each, autoescape=True) for each in (spelled[0].removeprefix("+"), spelled[-1])))


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[dict[str, Any]]:
    found = (await connection.execute(query)).mappings()
    return [{str(name): _plain(value) for name, value in row.items()} for row in found]


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


async def _count(connection: AsyncConnection, query: Select[Any]) -> int:
    return int((await connection.execute(query)).scalar_one())


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count > 0}
