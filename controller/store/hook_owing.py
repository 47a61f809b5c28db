"""What hooks are owed, written in the transaction of the change: nobody is told of what did not happen, or not told.

Which hooks there are goes with the engine, so that whoever writes inside a transaction need not know of them. Where
there are none, nothing here asks the database anything.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import select

from controller.domain.agents import AgentState
from controller.domain.hook_events import (
    AGENT_TYPE,
    of_agent,
    of_call,
    of_promise,
    of_reply,
    of_sms,
    promise_type,
    sms_type,
    wants,
)
from controller.domain.hook_facts import AgentFacts, CallFacts, SmsFacts
from controller.domain.sms import SmsStatus
from controller.ports.news import Kind
from controller.store.dialect import HOOKS, insert_if_new, tell_others
from controller.store.engine import Database
from controller.store.staff_tables import agent_spans, hook_deliveries
from controller.store.tables import calls, sms_outbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from controller.domain.hook_events import HookEvent
    from controller.domain.promise import Promise, PromiseState
    from controller.ports.agent_spans import SpanRecord
    from controller.ports.hooks import HookWish

T = TypeVar("T")

_was_owed: ContextVar[list[bool] | None] = ContextVar("_was_owed", default=None)
"""Of the transaction that is under way: something was owed in it."""


@dataclass(frozen=True, slots=True)
class HookPlan:
    """Who wants to hear of what. `now` is the clock's."""

    wishes: tuple[HookWish, ...]
    now: Callable[[], datetime]

    def wanting(self, event_type: str) -> list[HookWish]:
        """Return the hooks that want to hear of a type."""
        return [wish for wish in self.wishes if wish.enabled and wants(wish.events, event_type)]


class TellingDatabase(Database):
    """A database that calls `owed` after each commit by which a hook is owed something."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.owed: Callable[[], None] = lambda: None

    async def write(
        self, work: Callable[[AsyncConnection], Awaitable[T]], *, then: Callable[[T], None] | None = None
    ) -> T:
        """Commit `work` as every database does; then tell, even if cancelled meanwhile."""
        noted: list[bool] = []

        async def noting(connection: AsyncConnection) -> T:
            noted.clear()  # an earlier run of the same work was undone
            before = _was_owed.set(noted)
            try:
                return await work(connection)
            finally:
                _was_owed.reset(before)

        def tell(result: T) -> None:
            if then is not None:
                then(result)
            if noted:
                self.owed()

        return await super().write(noting, then=tell)


def plan_of(connection: AsyncConnection) -> HookPlan | None:
    """Return the hooks with which the database was opened; None: there are none."""
    found = connection.engine.get_execution_options().get(HOOKS)
    return found if isinstance(found, HookPlan) else None


async def owe(connection: AsyncConnection, event: HookEvent) -> None:
    """Write an event down for each hook that wants to hear of it, in a transaction that is under way."""
    plan = plan_of(connection)
    if plan is None:
        return
    now = plan.now()
    for wish in plan.wanting(event.type):
        row = {
            "hook": wish.name,
            "event_id": event.id,
            "event": event.type,
            "subject": event.subject,
            "body": msgspec.json.encode(event.body(with_numbers=wish.with_numbers)).decode(),
            "made_at": now,
            "not_before": now,
        }
        added = await connection.execute(insert_if_new(connection, hook_deliveries).values(row))
        if added.rowcount == 1:
            await tell_others(connection, Kind.HOOK)
            noted = _was_owed.get()
            if noted is not None:
                noted.append(True)


async def owe_promise(
    connection: AsyncConnection, promise: Promise, *, event: str, before: PromiseState | None, at: datetime, detail: str
) -> None:
    """Owe what happened to a promise; the words are those of its history."""
    if is_wanted(connection, promise_type(event, before, promise)):
        await owe(connection, of_promise(promise, event=event, before=before, at=at, detail=detail))


async def owe_call(connection: AsyncConnection, call_id: str, *, step: str, at: datetime) -> None:
    """Owe a step of a call, once its row says so: `arrived`, `joined`, `answered` or `ended`."""
    if not is_wanted(connection, f"call.{step}"):
        return
    row = (await connection.execute(select(calls).where(calls.c.id == call_id))).mappings().one_or_none()
    if row is not None:
        await owe(connection, of_call(step, _call_from(row), at))


async def is_in_queue(connection: AsyncConnection, call_id: str, queue: str) -> bool:
    """Tell whether a call is known to be in a queue already, if anybody wants to hear that it comes there."""
    if not is_wanted(connection, "call.joined"):
        return False
    query = select(calls.c.id).where(calls.c.id == call_id, calls.c.queue == queue, calls.c.joined_at.is_not(None))
    return (await connection.execute(query)).first() is not None


async def owe_new_sms(connection: AsyncConnection, key: str, now: datetime) -> None:
    """Owe that an SMS is owed."""
    if is_wanted(connection, "sms.queued"):
        row = (await connection.execute(select(sms_outbox).where(sms_outbox.c.key == key))).mappings().one()
        await owe(connection, of_sms(_sms_from(row), status=SmsStatus.QUEUED, before=None, at=now))


async def owe_sms_change(connection: AsyncConnection, sms_id: int, values: Mapping[str, Any]) -> None:
    """Owe what is about to be written over an SMS, while its row still says what it was."""
    plan = plan_of(connection)
    if plan is None or "status" not in values:
        return
    status = SmsStatus(values["status"])
    kind = sms_type(status)
    if kind is None or status is SmsStatus.QUEUED or not plan.wanting(kind):  # put off: it is queued still
        return
    row = (await connection.execute(select(sms_outbox).where(sms_outbox.c.id == sms_id))).mappings().one()
    before = SmsStatus(row[sms_outbox.c.status])
    if before is not status:
        at = values.get("receipt_at") or values.get("settled_at") or plan.now()
        await owe(connection, of_sms(_sms_from(row), status=status, before=before, at=at))


async def owe_reply(
    connection: AsyncConnection, *, number: str, about_id: int | None, reply: str, at: datetime
) -> None:
    """Owe that somebody wrote to us. `reply` is its id with the provider."""
    if not is_wanted(connection, "sms.replied"):
        return
    query = select(sms_outbox).where(sms_outbox.c.id == about_id)
    row = None if about_id is None else (await connection.execute(query)).mappings().one_or_none()
    await owe(connection, of_reply(number, None if row is None else _sms_from(row), reply=reply, at=at))


async def owe_spans(connection: AsyncConnection, spans: Iterable[SpanRecord]) -> None:
    """Owe the states that agents have begun to be in, once they are in the record.

    Being signed out is no span of its own: it is told where an agent's last span has ended.
    """
    if not is_wanted(connection, AGENT_TYPE):
        return
    in_order = sorted(spans, key=lambda span: span.since)
    for span in in_order:
        if span.is_new:
            facts = AgentFacts(span.agent, span.state.value, span.since, span.pbx, span.reason, span.queue)
            told = replace(facts, waiter_id=span.waiter_id)
            await owe(connection, of_agent(told, before=await _state_before(connection, span)))
    for span in {span.agent: span for span in in_order}.values():
        if span.until is not None:
            told = AgentFacts(span.agent, AgentState.SIGNED_OUT.value, span.until, span.pbx)
            await owe(connection, of_agent(told, before=span.state.value))


def is_wanted(connection: AsyncConnection, event_type: str) -> bool:
    """Tell whether a hook wants to hear of a type, before anything is looked up for it."""
    plan = plan_of(connection)
    return plan is not None and bool(plan.wanting(event_type))


async def _state_before(connection: AsyncConnection, span: SpanRecord) -> str:
    of = agent_spans.c
    query = (
        select(of.state, of.until)
        .where(of.agent == span.agent, of.since < span.since)
        .order_by(of.since.desc(), of.id.desc())
        .limit(1)
    )
    last = (await connection.execute(query)).one_or_none()
    is_on_duty = last is not None and (last.until is None or last.until >= span.since)
    return str(last.state) if last is not None and is_on_duty else AgentState.SIGNED_OUT.value


def _call_from(row: RowMapping) -> CallFacts:
    of = calls.c
    return CallFacts(
        id=row[of.id],
        dialled=row[of.dialled],
        number=row[of.number],
        arrived_at=row[of.arrived_at],
        pbx=row[of.pbx],
        queue=row[of.queue],
        was_closed=row[of.was_closed],
        joined_at=row[of.joined_at],
        agent=row[of.agent],
        answered_at=row[of.answered_at],
        ending=row[of.ending],
        ended_at=row[of.ended_at],
    )


def _sms_from(row: RowMapping) -> SmsFacts:
    of = sms_outbox.c
    return SmsFacts(row[of.id], row[of.queue], row[of.template], row[of.number], row[of.promise_id], row[of.queued_at])
