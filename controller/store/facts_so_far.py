"""A time that goes on, read again and again: what is new, and what had not come to its end when it was read before.

What came to its end a while ago (`QUIET`) is read once. That what goes on is all that can change is how the books of
this store write; where something is not as they leave it (a call that turns up in a time that was read, the clock set
back) all is read anew, and so it is once in a while (`ANEW`), for what nobody thought of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from controller.domain.callback_figures import AFTER_A_CALL
from controller.domain.figure_facts import Facts, FactsSince
from controller.domain.sms import SmsStatus
from controller.store.facts_calls import read_calls_where
from controller.store.facts_promises import read_promises, read_promises_of
from controller.store.facts_spans_so_far import SpansLook, in_parts
from controller.store.facts_turns_so_far import read_turns_so_far
from controller.store.tables import calls, promises

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.figure_facts import CallFact, SmsFact
    from controller.store.facts_promises import Read
    from controller.store.facts_spans_so_far import SpansMark
    from controller.store.facts_turns_so_far import TurnsMark

    Work = Callable[[AsyncConnection], Awaitable["tuple[FactsSince, _Mark]"]]
    Reader = Callable[[Work], Awaitable["tuple[FactsSince, _Mark]"]]

QUIET = timedelta(minutes=1)
"""What came to its end so long ago has been written down by all who write of it, and committed."""
ANEW = timedelta(hours=1)
_NEVER_HANDED_OVER = frozenset({SmsStatus.BLOCKED, SmsStatus.LAPSED})


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is to be known of the looks so far."""

    as_of: datetime
    anew_at: datetime
    read_to: datetime
    """Calls that came, and promises that were made, from then on are all read again."""
    calls_before: int
    """So many calls had come before `read_to`."""
    calls: frozenset[str]
    """Of them, those that go on, to be read again."""
    held: Mapping[str, CallFact]
    """And those that are over, and whose promise is not."""
    promises: frozenset[str]
    """All that may change."""
    resting: Mapping[str, int]
    """Of them, those that nobody calls or writes to now, with their versions: they change with these alone."""
    rest: Read
    """What was read of those."""
    spans: SpansMark
    turns: TurnsMark

    def is_good(self, as_of: datetime) -> bool:
        """Tell whether one can go on from here."""
        return self.as_of <= as_of < self.anew_at + ANEW


class StoredFactsSoFar:
    """`FactsSoFar` on SQL."""

    def __init__(self, read: Reader, start: datetime, end: datetime) -> None:
        self._read = read
        self._start = start
        self._end = end
        self._mark: _Mark | None = None

    async def read(self, as_of: datetime) -> FactsSince:
        """Return what is new, and what goes on. Raises StoreUnavailableError."""
        # Whatever goes wrong on the way, and where it is done a second time: from the beginning.
        last, self._mark = self._mark, None
        marks = [last] if last is not None and last.is_good(as_of) else []

        async def work(connection: AsyncConnection) -> tuple[FactsSince, _Mark]:
            look = _Look(connection, self._start, self._end, as_of)
            if marks and await look.goes_on_from(mark := marks.pop()):
                return await look.further(mark)
            return await look.anew()

        news, self._mark = await self._read(work)
        return news


class _Look:
    """One look, in one transaction."""

    def __init__(self, connection: AsyncConnection, start: datetime, end: datetime, as_of: datetime) -> None:
        self._connection = connection
        self._start = start
        self._end = end
        self._as_of = as_of
        self._quiet = as_of - QUIET
        self._read_to = max(start, min(end, self._quiet))

    async def goes_on_from(self, mark: _Mark) -> bool:
        """Tell whether no call turned up where all had been read."""
        came = and_(calls.c.arrived_at >= self._start, calls.c.arrived_at < mark.read_to)
        query = select(func.count()).select_from(calls).where(came)
        return await self._connection.scalar(query) == mark.calls_before

    async def anew(self) -> tuple[FactsSince, _Mark]:
        came = and_(calls.c.arrived_at >= self._start, calls.c.arrived_at < self._end)
        found = await read_calls_where(self._connection, came)
        asked = await read_promises(self._connection, self._start, self._end, None)
        return await self._told(found, asked, None)

    async def further(self, mark: _Mark) -> tuple[FactsSince, _Mark]:
        came = and_(calls.c.arrived_at >= mark.read_to, calls.c.arrived_at < self._end)
        found = {one.id: one for one in await read_calls_where(self._connection, came)}
        for ids in in_parts(mark.calls):
            found |= {one.id: one for one in await read_calls_where(self._connection, calls.c.id.in_(ids))}
        named = {one.promise_id for one in found.values() if one.promise_id}
        versions = await self._versions(mark.resting)
        same = {one for one, version in mark.resting.items() if versions.get(one) == version} - named
        wanted = (mark.promises | named | await self._made_since(mark.read_to)) - same
        of = promises.c.id
        reads = [await read_promises_of(self._connection, select(of).where(of.in_(some))) for some in in_parts(wanted)]
        asked = _joined([*reads, _of_promises(mark.rest, same)])
        return await self._told((*found.values(), *mark.held.values()), asked, mark)

    async def _versions(self, ids: Iterable[str]) -> dict[str, int]:
        of = promises.c
        found: dict[str, int] = {}
        for some in in_parts(ids):
            query = select(of.id, of.version).where(of.id.in_(some))
            found |= {row.id: row.version for row in await self._connection.execute(query)}
        return found

    async def _made_since(self, since: datetime) -> set[str]:
        query = select(promises.c.id).where(promises.c.made_at >= since, promises.c.made_at < self._end)
        return set(await self._connection.scalars(query))

    async def _told(self, found: Sequence[CallFact], asked: Read, mark: _Mark | None) -> tuple[FactsSince, _Mark]:
        spans = await SpansLook(self._connection, self._start, self._end, self._as_of, self._quiet).read(
            mark.spans if mark else None
        )
        if spans is None:
            return await self.anew()
        young = await self._made_since(self._read_to)
        over = {one.id for one in found if self._is_over(one)}
        held = {one.promise_id for one in found if one.id not in over} | young
        still = set(self._at_rest(asked))
        kept = {one.id for one in asked[0] if one.state.is_final and one.id in still - held}
        settled_calls = [one for one in found if one.id in over and (not one.promise_id or one.promise_id in kept)]
        done = {one.id for one in settled_calls}
        open_calls = [one for one in found if one.id not in done]
        open_promises = {one.id for one in asked[0]} - kept
        settled, going_on = _of_promises(asked, kept), _of_promises(asked, open_promises)
        before = [one.id for one in open_calls if one.arrived_at < self._read_to]
        was_settled = mark.calls_before - len(mark.calls) - len(mark.held) if mark else 0
        # At the very end, since it changes what the mark holds.
        turns = await read_turns_so_far(
            self._connection, self._start, self._end, self._quiet, mark.turns if mark else None
        )
        news = FactsSince(
            settled=Facts(self._as_of, tuple(settled_calls), spans.talks_settled, *settled, spans.settled),
            going_on=Facts(self._as_of, tuple(open_calls), spans.talks_going_on, *going_on, spans.going_on),
            turns_came=turns.came,
            turns_gone=turns.gone,
            is_anew=mark is None,
        )
        return news, _Mark(
            as_of=self._as_of,
            anew_at=mark.anew_at if mark else self._as_of,
            read_to=self._read_to,
            calls_before=was_settled + len(settled_calls) + len(before),
            calls=frozenset(before) - over,
            held={one.id: one for one in open_calls if one.id in over},
            promises=frozenset(open_promises),
            resting=await self._versions(open_promises & still),
            rest=_of_promises(asked, open_promises & still),
            spans=spans.mark,
            turns=turns.mark,
        )

    def _is_over(self, call: CallFact) -> bool:
        is_early = call.arrived_at < self._read_to
        return is_early and call.ended_at is not None and call.ended_at < self._quiet

    def _at_rest(self, asked: Read) -> Iterator[str]:
        """Yield the ids of promises that nobody calls, and whose SMS nobody may answer any more."""
        found, attempts, texts = asked
        dialled = {one.promise_id for one in attempts if one.outcome is None}
        texted = {one.promise_id for one in texts if _may_be_answered(one)}
        for one in found:
            # When the call was answered on which they rang in is written beside it.
            is_late = one.rang_in and one.talked_at is not None and one.talked_at >= self._quiet
            if one.id not in dialled and one.id not in texted and not is_late:
                yield one.id


def _may_be_answered(sms: SmsFact) -> bool:
    """Tell whether an SMS that counts may still get a receipt or an answer."""
    return sms.template in AFTER_A_CALL and sms.answered_at is None and sms.status not in _NEVER_HANDED_OVER


def _of_promises(asked: Read, ids: AbstractSet[str]) -> Read:
    """Return what was read of some promises."""
    found, attempts, texts = asked
    return (
        tuple(one for one in found if one.id in ids),
        tuple(one for one in attempts if one.promise_id in ids),
        tuple(one for one in texts if one.promise_id in ids),
    )


def _joined(reads: Sequence[Read]) -> Read:
    return (
        tuple(one for read in reads for one in read[0]),
        tuple(one for read in reads for one in read[1]),
        tuple(one for read in reads for one in read[2]),
    )
