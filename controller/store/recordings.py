"""Recordings of talks, in the database: a row before the first sound is kept, and one that says when it was gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update

from controller.domain.line import WaiterKind
from controller.domain.recording import Consent, Recording
from controller.store.dialect import insert_if_new
from controller.store.sms_rows import writable
from controller.store.staff_tables import HAS_NO_END, HAS_NUMBER, IS_KEPT, IS_TO_ERASE, recordings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, RowMapping, Select, TextClause, Update
    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.ports.recordings import After, WantedRecordings
    from controller.store.engine import Database

_OF = recordings.c
_LONGEST_NUMBER = 64
"""A caller may show anything as their number; a server refuses what is longer than its column."""


class StoredRecordingBook:
    """`RecordingBook` on SQL. `unwanted` is called after a commit that leaves sound to be erased."""

    def __init__(self, database: Database, *, unwanted: Callable[[], None]) -> None:
        self._database = database
        self._unwanted = unwanted

    async def begin(self, recording: Recording) -> None:
        """Write that a talk is about to be recorded, before it is. Repeatable. Raises StoreUnavailableError."""
        row = {
            "id": recording.id,
            "waiter_id": recording.waiter_id,
            "kind": recording.kind.value,
            "attempt_id": recording.attempt_id,
            "pbx": recording.pbx,
            "queue": recording.queue,
            "agent": recording.agent,
            "number": writable(recording.number, _LONGEST_NUMBER),
            "consent": recording.consent.value,
            "began_at": recording.began_at,
            "ended_at": recording.ended_at,
            "paused_at": recording.paused_at,
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert_if_new(connection, recordings).values(row))

        await self._database.write(work)

    async def end(self, recording_id: str, ended_at: datetime) -> bool:
        """Write that it is over; the first end stays. False: there is none that goes on. Raises as `begin`."""
        return await self._change(_going_on(recording_id).values(ended_at=ended_at))

    async def note_pause(self, recording_id: str, paused_at: datetime | None) -> bool:
        """Write since when it is paused; None: it goes on. False: there is none that goes on. Raises as `begin`."""
        return await self._change(_going_on(recording_id).values(paused_at=paused_at))

    async def find(self, recording_id: str) -> Recording | None:
        """Return one, erased or not. Raises as `begin`."""
        found = await self._read(select(recordings).where(_OF.id == recording_id))
        return found[0] if found else None

    async def page(self, wanted: WantedRecordings, *, after: After | None, limit: int) -> list[Recording]:
        """Return recordings whose sound is there, the last to begin first. Raises as `begin`."""
        query = select(recordings).where(IS_KEPT, _OF.erased_at.is_(None), *_conditions(wanted))
        if after is not None:
            # The first condition is one that an index can answer; the second decides between those of one instant.
            is_older = or_(_OF.began_at < after.began_at, and_(_OF.began_at == after.began_at, _OF.id < after.id))
            query = query.where(_OF.began_at <= after.began_at, is_older)
        return await self._read(query.order_by(_OF.began_at.desc(), _OF.id.desc()).limit(limit))

    async def going_on(self, pbx: str) -> list[Recording]:
        """Return those of an Asterisk that have no end, first to begin first. Raises as `begin`."""
        return await self._read(select(recordings).where(HAS_NO_END, _OF.pbx == pbx).order_by(_OF.began_at, _OF.id))

    async def delete(self, recording_id: str) -> bool:
        """Mark one that is over as unwanted, and forget whose it was; False: there is none such. Raises as `begin`."""
        is_it = (_OF.id == recording_id, _OF.ended_at.is_not(None), IS_KEPT)
        change = update(recordings).where(*is_it).values(number="", unwanted=True)

        def tell(was_there: bool) -> None:
            if was_there:
                self._unwanted()

        return await self._change(change, then=tell)

    async def to_erase(self, pbx: str, limit: int) -> list[str]:
        """Return the ids of unwanted ones of an Asterisk whose sound may still be there. Raises as `begin`."""
        query = select(_OF.id).where(IS_TO_ERASE, _OF.pbx == pbx).order_by(_OF.id).limit(limit)

        async def work(connection: AsyncConnection) -> list[str]:
            return list(await connection.scalars(query))

        return await self._database.read(work)

    async def erased(self, recording_id: str, at: datetime) -> None:
        """Write that the sound is gone. The first time stays. Raises as `begin`."""
        change = update(recordings).where(_OF.id == recording_id, _OF.erased_at.is_(None))
        await self._change(change.values(erased_at=at))

    async def _change(self, change: Update, *, then: Callable[[bool], None] | None = None) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            return bool((await connection.execute(change)).rowcount)

        return await self._database.write(work, then=then)

    async def _read(self, query: Select[tuple[object, ...]]) -> list[Recording]:
        async def work(connection: AsyncConnection) -> list[Recording]:
            return [_recording(row) for row in (await connection.execute(query)).mappings()]

        return await self._database.read(work)


def _going_on(recording_id: str) -> Update:
    return update(recordings).where(_OF.id == recording_id, HAS_NO_END)


def _conditions(wanted: WantedRecordings) -> Iterator[ColumnElement[bool] | TextClause]:
    if wanted.since is not None:
        yield _OF.began_at >= wanted.since
    if wanted.until is not None:
        yield _OF.began_at < wanted.until
    if wanted.queue:
        yield _OF.queue == wanted.queue
    if wanted.agent:
        yield _OF.agent == wanted.agent
    if wanted.spelled:
        yield HAS_NUMBER
        yield _OF.number.in_(wanted.spelled)
    if wanted.waiter_id:
        yield _OF.waiter_id == wanted.waiter_id


def _recording(row: RowMapping) -> Recording:
    return Recording(
        id=row[_OF.id],
        waiter_id=row[_OF.waiter_id],
        kind=WaiterKind(row[_OF.kind]),
        pbx=row[_OF.pbx],
        queue=row[_OF.queue],
        agent=row[_OF.agent],
        consent=Consent(row[_OF.consent]),
        began_at=row[_OF.began_at],
        number=row[_OF.number],
        attempt_id=row[_OF.attempt_id],
        ended_at=row[_OF.ended_at],
        paused_at=row[_OF.paused_at],
        unwanted=row[_OF.unwanted],
        erased_at=row[_OF.erased_at],
    )
