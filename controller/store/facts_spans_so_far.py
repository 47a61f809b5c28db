"""What agents do in a time that goes on: the spans and talks that are over for good, and the others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import and_, func, or_, select

from controller.domain.agents import AgentState
from controller.store.facts_agents import read_spans_where, read_talks_where, talking, touching, unsettled
from controller.store.staff_tables import agent_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.domain.figure_facts import AgentSpan, TalkFact
    from controller.store.facts_agents import OnCall

T = TypeVar("T")

AT_ONCE = 500
"""So many ids go into one statement."""
_OF = agent_spans.c


@dataclass(frozen=True, slots=True)
class SpansMark:
    """What is to be known of the looks so far."""

    read_to: int
    """Spans after this id are read again: one before the last may be committed after it."""
    into: frozenset[int]
    """Those that began before the time, and went into it, when all was read."""
    spans: frozenset[int]
    """Those up to `read_to` that are to be read again."""
    talks: frozenset[int]
    """Likewise, of talks."""


@dataclass(frozen=True, slots=True)
class SpansSoFar:
    """What one look found."""

    settled: tuple[AgentSpan, ...]
    going_on: tuple[AgentSpan, ...]
    talks_settled: tuple[TalkFact, ...]
    talks_going_on: tuple[TalkFact, ...]
    mark: SpansMark


class SpansLook:
    """One look, in one transaction."""

    def __init__(
        self, connection: AsyncConnection, start: datetime, end: datetime, as_of: datetime, quiet: datetime
    ) -> None:
        self._connection = connection
        self._start = start
        self._end = end
        self._as_of = as_of
        self._quiet = quiet

    async def read(self, mark: SpansMark | None) -> SpansSoFar | None:
        """Return what is new since the look of `mark`, and what goes on; None where all is to be read anew."""
        connection, within = self._connection, and_(_OF.since >= self._start, _OF.since < self._end)
        if mark is None:
            into, in_it = [dict(await read_spans_where(connection, when)) for when in touching(self._start, self._end)]
            first = min(in_it, default=None)
            read_to = first - 1 if first is not None else await connection.scalar(select(func.max(_OF.id))) or 0
            mark = SpansMark(read_to, frozenset(into), frozenset(), frozenset())
            spans = into | in_it
            on_call = await read_talks_where(connection, talking(self._start, self._end), self._as_of)
        else:
            if await self._reaches_in_late(mark):
                return None
            new = and_(_OF.id > mark.read_to, within)
            spans = dict(await read_spans_where(connection, new))
            for ids in in_parts(mark.spans):
                spans |= dict(await read_spans_where(connection, _OF.id.in_(ids)))
            either = (new, *(_OF.id.in_(ids) for ids in in_parts(mark.talks)))
            on_call = await read_talks_where(connection, either, self._as_of)
        settled = await self._settled(on_call)
        return self._told(mark, spans, {one.id: one for one in on_call}, settled)

    async def _reaches_in_late(self, mark: SpansMark) -> bool:
        """Tell whether a span turned up that began before the time and goes into it."""
        reaches_in = and_(_OF.since < self._start, or_(_OF.until.is_(None), _OF.until > self._start))
        late = await self._connection.scalars(select(_OF.id).where(_OF.id > mark.read_to, reaches_in))
        return not set(late) <= mark.into

    async def _settled(self, on_call: Iterable[OnCall]) -> set[int]:
        """Return the ids of the times on the phone that cannot become anything else any more."""
        over = {one.id: one for one in on_call if self._is_over(one)}
        # A talk's end is written again when it was found going on after a restart: not once its call is over.
        asked = [nth for nth, one in over.items() if one.is_callback or not one.has_wrap_up]
        for ids in in_parts(asked):
            for nth in await unsettled(self._connection, ids):
                del over[nth]
        return set(over)

    def _is_over(self, one: OnCall) -> bool:
        if one.until is None or one.until >= self._quiet or one.call_goes_on:
            return False
        if one.call_ended_at is not None and one.call_ended_at >= self._quiet:
            return False
        if one.talk is None or not one.has_wrap_up:
            return True
        return one.talk.wrapped_up_at is not None and one.talk.wrapped_up_at < self._quiet

    def _told(
        self, mark: SpansMark, spans: dict[int, AgentSpan], on_call: dict[int, OnCall], over: set[int]
    ) -> SpansSoFar:
        early = (nth for nth, span in spans.items() if self._start <= span.since < self._quiet)
        read_to = max(mark.read_to, max(early, default=0))

        def is_read(nth: int, since: datetime) -> bool:
            return nth <= read_to or since < self._start

        done = {nth for nth, span in spans.items() if is_read(nth, span.since) and self._has_ended(nth, span, over)}
        talked = {nth for nth in over if is_read(nth, on_call[nth].since)}
        talks = [one for one in on_call.values() if one.touches(self._start, self._end, self._as_of)]
        return SpansSoFar(
            settled=tuple(span for nth, span in spans.items() if nth in done),
            going_on=tuple(span for nth, span in spans.items() if nth not in done),
            talks_settled=tuple(one.talk for one in talks if one.talk is not None and one.id in talked),
            talks_going_on=tuple(one.talk for one in talks if one.talk is not None and one.id not in talked),
            mark=SpansMark(
                read_to=read_to,
                into=mark.into,
                spans=frozenset(nth for nth, span in spans.items() if nth not in done and is_read(nth, span.since)),
                talks=frozenset(nth for nth, one in on_call.items() if nth not in talked and is_read(nth, one.since)),
            ),
        )

    def _has_ended(self, nth: int, span: AgentSpan, over: set[int]) -> bool:
        if span.state is AgentState.ON_CALL:
            return nth in over
        return span.until is not None and span.until < self._quiet


def in_parts(ids: Iterable[T]) -> Iterator[list[T]]:
    """Yield ids, as many at once as fit into a statement."""
    left = iter(ids)
    while part := list(islice(left, AT_ONCE)):
        yield part
