"""Writes down what agents do with their time, behind their desk: no state ever waits for the database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from controller.domain.agents import BUSY, AgentState, RestKind
from controller.domain.promise import DEFAULT_PBX
from controller.ports.agent_spans import SpanRecord
from controller.workers.until_stored import GROWING_S, until_stored
from controller.workers.write_behind import KEPT, WriteBehind

if TYPE_CHECKING:
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from controller.domain.agents import Agent
    from controller.ports.agent_spans import AgentSpans
    from controller.ports.clock import Clock
    from controller.ports.promises import StoreUnavailableError
    from controller.workers.agent_desk import Serving

MISSED = "missed"
"""The reason of a pause that nobody asked for: the phone rang, and was not answered."""
_FOR_SOMEBODY = BUSY | {AgentState.WRAP_UP}


class SpanRecorder:
    """Takes agents as they are by `note`, and writes the spans of one Asterisk.

    First what a controller that died has left open is closed. A talk that is found going on afterwards goes on in the
    record too: it is one talk, not two.
    """

    def __init__(
        self,
        spans: AgentSpans,
        clock: Clock,
        log: FilteringBoundLogger,
        *,
        pbx: str = DEFAULT_PBX,
        keep: int = KEPT,
    ) -> None:
        self._spans = spans
        self._clock = clock
        self._log = log
        self._pbx = pbx
        self._began_at = clock.now()
        self._open: dict[str, SpanRecord] = {}
        self._found: set[tuple[str, str, str, datetime, str]] = set()
        self._left: dict[str, SpanRecord] = {}
        self._goes_on: dict[tuple[str, str, str, datetime, str], datetime] = {}
        self._writing: WriteBehind[SpanRecord] = WriteBehind(self._write, clock, log, what="agent_spans", keep=keep)
        self._writing.at_end = self._end_all_but_talks

    def note(self, agent: Agent, serving: Serving | None) -> None:
        """Take note of an agent as they are now, and whom they are there for. Returns at once and never raises."""
        before, now = self._open.get(agent.name), self._span_of(agent, serving)
        if before is not None and now is not None and replace(now, since=before.since) == before:
            return
        if before is not None:
            del self._open[agent.name]
            self._end(before, agent.state_since)
        if now is not None:
            if serving is not None and serving.goes_on and now.state is AgentState.ON_CALL:
                self._found.add(now.identity)
            self._open[agent.name] = now
            self._writing.note(now)

    async def run(self) -> None:
        """Write until cancelled; then end every span but talks, which go on without us, and write what is left."""
        await self._writing.run(self._close_what_was_left)

    async def _close_what_was_left(self) -> None:
        left = await until_stored(
            lambda: self._spans.close_left_open(self._pbx, before=self._began_at),
            self._clock,
            self._tell_unavailable,
            pauses_s=GROWING_S,
        )
        self._left = {span.agent: span for span in left if span.state is AgentState.ON_CALL}

    def _span_of(self, agent: Agent, serving: Serving | None) -> SpanRecord | None:
        if agent.state is AgentState.SIGNED_OUT:
            return None
        span = SpanRecord(
            agent=agent.name,
            state=agent.state,
            since=agent.state_since,
            reason=_reason_of(agent),
            queues=agent.queues,
            pbx=self._pbx,
        )
        if serving is None or agent.state not in _FOR_SOMEBODY:
            return span
        return replace(span, queue=serving.queue, waiter_id=serving.waiter_id, kind=serving.kind)

    def _end(self, span: SpanRecord, at: datetime) -> None:
        # The wall clock may have been set back meanwhile.
        self._writing.note(replace(span, until=max(span.since, at), is_new=False))

    def _end_all_but_talks(self) -> None:
        now = self._clock.now()
        for span in self._open.values():
            if span.state is not AgentState.ON_CALL:
                self._end(span, now)
        self._open.clear()

    async def _write(self, batch: list[SpanRecord]) -> None:
        await self._spans.record([self._as_kept(span) for span in batch])

    def _as_kept(self, span: SpanRecord) -> SpanRecord:
        """Return a span as the record is to have it: the rest of a talk from before the restart is part of that one."""
        key = span.identity
        left = self._left.get(span.agent)
        if key in self._found and left is not None and left.waiter_id == span.waiter_id:
            del self._left[span.agent]
            self._goes_on[key] = left.since
        # Kept for its end, and for a batch that has to be written again.
        return replace(span, since=self._goes_on[key], is_new=False) if key in self._goes_on else span

    def _tell_unavailable(self, error: StoreUnavailableError, retry_in_s: float) -> None:
        self._log.warning("agent_spans_unavailable", error=str(error), retry_in_s=retry_in_s)


def _reason_of(agent: Agent) -> str:
    if agent.state is not AgentState.PAUSED:
        return ""
    if agent.pause_reason is not None:
        return agent.pause_reason
    return MISSED if agent.rest is not None and agent.rest.kind is RestKind.MISSED else ""
