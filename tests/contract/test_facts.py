"""What the tables hold of a time, as facts: each kind from what the house itself writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.fairness import Turn
from controller.domain.figure_facts import AgentSpan, CallFact, Facts, Quote, TalkFact
from controller.domain.line import Decision, WaiterKind
from controller.ports.agent_spans import SpanRecord
from controller.ports.promises import StoreUnavailableError
from tests.contract.store_under_test import NOON, NUMBER, OTHER_NUMBER, HandClock, dialling, make, store_at, wanted

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from controller.store import Store

HOUR = timedelta(hours=1)
BOTH = frozenset({"sales", "support"})


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


async def of_the_hour(store: Store, *, queue: str | None = None, as_of: datetime | None = None) -> Facts:
    """Return the facts from noon to one."""
    return await store.facts.facts(NOON, NOON + HOUR, as_of=as_of or at(7200), queue=queue)


async def arrives(
    store: Store, call_id: str, at_s: float, queue: str | None = "sales", *, closed: bool = False
) -> None:
    """Record a call, and that it came to a queue two seconds later."""
    await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=at(at_s))
    if queue is not None:
        await store.calls.joined(call_id, queue=queue, joined_at=at(at_s + 2), closed=closed)


def span(state: AgentState, since_s: float, until_s: float | None, **more: Any) -> SpanRecord:
    """Return a span of hanako's."""
    until = None if until_s is None else at(until_s)
    return replace(SpanRecord("hanako", state, at(since_s), until, queues=BOTH), **more)


def on_call(
    since_s: float, until_s: float | None, waiter_id: str, kind: WaiterKind = WaiterKind.LIVE, **more: Any
) -> SpanRecord:
    """Return a time on the phone for somebody who waited for sales."""
    return span(AgentState.ON_CALL, since_s, until_s, waiter_id=waiter_id, kind=kind, **{"queue": "sales", **more})


def wrap_up(since_s: float, until_s: float | None, waiter_id: str, **more: Any) -> SpanRecord:
    """Return the wrap-up after it."""
    return span(AgentState.WRAP_UP, since_s, until_s, waiter_id=waiter_id, **{"queue": "sales", **more})


async def test_calls_are_those_that_arrived_in_the_time_with_all_that_became_of_them_later(store: Store) -> None:
    """The start belongs to it, the end does not."""
    for call_id, at_s in (("before", -0.001), ("first", 0), ("last", 3599.999), ("after", 3600)):
        await arrives(store, call_id, at_s)
    await store.calls.offered("first", offered_at=at(10))
    await store.calls.quoted("first", low_s=60, high_s=180, quoted_at=at(5))
    await store.calls.answered("first", agent="hanako", answered_at=at(5000))
    await store.calls.ended("first", ending=Ending.SERVED, ended_at=at(5060))
    found = (await of_the_hour(store)).calls
    assert {call.id for call in found} == {"first", "last"}
    assert next(call for call in found if call.id == "first") == CallFact(
        id="first",
        arrived_at=NOON,
        queue="sales",
        joined_at=at(2),
        answered_at=at(5000),
        ended_at=at(5060),
        ending=Ending.SERVED,
        agent="hanako",
        quote=Quote(at(5), 60, 180),
        was_offered_callback=True,
    )


async def test_a_call_names_the_promise_that_it_made_or_that_took_its_request_in(store: Store) -> None:
    """And tells whether its queue was closed; one that came to no queue has none."""
    await arrives(store, "call-1", 0)
    made = await make(store, wanted("call-1"))
    await arrives(store, "call-2", 60, closed=True)
    await make(store, wanted("call-2"))
    await arrives(store, "call-3", 90, queue=None)
    found = {call.id: (call.queue, call.promise_id, call.was_closed) for call in (await of_the_hour(store)).calls}
    assert found == {
        "call-1": ("sales", made.promise.id, False),
        "call-2": ("sales", made.promise.id, True),
        "call-3": (None, "", False),
    }


async def test_facts_of_one_queue_are_those_that_all_facts_hold_of_it(store: Store) -> None:
    """Whoever asks for one queue gets what `Facts.of_queue` would leave."""
    await arrives(store, "call-1", 0)
    await arrives(store, "call-2", 10, "support")
    await arrives(store, "call-3", 10, queue=None)
    await make(store, wanted("call-1"))
    await make(store, wanted("call-2", queue="support"))
    await store.agent_spans.record(
        [
            on_call(20, 50, "call-1"),
            on_call(60, 90, "call-2", queue="support"),
            replace(span(AgentState.AVAILABLE, 0, 99), agent="taro", queues=frozenset({"support"})),
        ]
    )
    await store.line_audit.record([decision("call-1", 20), decision("call-2", 60, queue="support")])
    everything = await of_the_hour(store)
    for queue in ("sales", "support"):
        one, whole = await of_the_hour(store, queue=queue), everything.of_queue(queue)
        for kind in ("calls", "talks", "promises", "attempts", "texts", "spans", "turns"):
            assert set(getattr(one, kind)) == set(getattr(whole, kind)), (queue, kind)
            assert kind in {"attempts", "texts"} or getattr(one, kind), (queue, kind)


async def test_spans_are_those_that_touch_the_time_wherever_they_began(store: Store) -> None:
    """Of each agent the one that goes into it; not those before, nor one that ended just then."""
    await store.agent_spans.record(
        [
            span(AgentState.AVAILABLE, -9000, -8000),
            span(AgentState.PAUSED, -8000, 60, reason="lunch"),
            span(AgentState.AVAILABLE, 60, 3599),
            span(AgentState.RESERVED, 3600, None),
            replace(span(AgentState.AVAILABLE, -99_999, None), agent="aoi", queues=frozenset({"sales"})),
            replace(span(AgentState.AVAILABLE, -500, 0), agent="taro"),
            replace(span(AgentState.AVAILABLE, 0, 0), agent="umi"),
        ]
    )
    found = (await of_the_hour(store)).spans
    assert set(found) == {
        AgentSpan("hanako", AgentState.PAUSED, at(-8000), at(60), BOTH),
        AgentSpan("hanako", AgentState.AVAILABLE, at(60), at(3599), BOTH),
        AgentSpan("aoi", AgentState.AVAILABLE, at(-99_999), None, frozenset({"sales"})),
        AgentSpan("umi", AgentState.AVAILABLE, NOON, NOON, BOTH),
    }


async def test_a_talk_is_the_time_on_the_phone_with_the_wrap_up_that_follows_at_once(store: Store) -> None:
    """Of one that goes on neither end is known; nor is the wrap-up of an agent who went straight into a pause."""
    for nth in range(1, 5):
        await arrives(store, f"call-{nth}", nth)
        await store.calls.answered(f"call-{nth}", agent="hanako", answered_at=at(100 * nth))
    await store.agent_spans.record(
        [
            on_call(100, 150, "call-1"),
            wrap_up(150, 160, "call-1"),
            on_call(200, 250, "call-2"),
            wrap_up(250, None, "call-2"),
            on_call(300, 350, "call-3"),
            span(AgentState.PAUSED, 350, 355),
            wrap_up(355, 360, "call-3"),
            on_call(400, None, "call-4"),
        ]
    )
    found = sorted((await of_the_hour(store)).talks, key=lambda talk: talk.began_at)
    assert found == [
        TalkFact("hanako", "sales", at(100), at(150), at(160)),
        TalkFact("hanako", "sales", at(200), at(250), None),
        TalkFact("hanako", "sales", at(300), at(350), None),
        TalkFact("hanako", "sales", at(400), None, None),
    ]


async def test_a_talk_belongs_to_a_time_that_it_touches_with_its_wrap_up(store: Store) -> None:
    """One whose wrap-up alone goes into it, and one that ends, and is wrapped up, after it."""
    await store.agent_spans.record(
        [
            on_call(-300, -200, "long ago"),
            wrap_up(-200, -100, "long ago"),
            on_call(-100, -5, "before"),
            wrap_up(-5, 5, "before"),
            on_call(3500, 3700, "late"),
            wrap_up(3700, 3710, "late"),
            on_call(3800, 3900, "after"),
        ]
    )
    found = sorted((await of_the_hour(store)).talks, key=lambda talk: talk.began_at)
    assert found == [
        TalkFact("hanako", "sales", at(-100), at(-5), at(5)),
        TalkFact("hanako", "sales", at(3500), at(3700), at(3710)),
    ]


async def test_an_agent_who_picked_up_for_a_caller_who_was_gone_had_no_talk(store: Store) -> None:
    """Nor had the one who did not stay until they were joined, when another agent talked with the caller later."""
    for call_id in ("gone", "served", "lost record"):
        await arrives(store, call_id, 0)
    await store.calls.ended("gone", ending=Ending.ABANDONED, ended_at=at(101))
    await store.calls.answered("served", agent="taro", answered_at=at(300))
    await store.calls.ended("served", ending=Ending.SERVED, ended_at=at(360))
    await store.calls.ended("lost record", ending=Ending.SERVED, ended_at=at(700))
    await store.agent_spans.record(
        [
            on_call(100, 101, "gone"),
            on_call(200, 202, "served"),
            replace(on_call(300, 360, "served"), agent="taro"),
            on_call(600, 700, "lost record"),
        ]
    )
    found = {(talk.agent, talk.began_at) for talk in (await of_the_hour(store)).talks}
    assert found == {("taro", at(300)), ("hanako", at(600))}


def decision(waiter_id: str, at_s: float, *, queue: str = "sales", **more: Any) -> Decision:
    """Return that somebody who came at noon got hanako."""
    found = Decision(at(at_s), queue, waiter_id, WaiterKind.LIVE, "hanako", NOON, 1, False, False, ())
    return replace(found, **more)


async def test_turns_are_the_lines_decisions_of_the_time_and_when_their_waiters_were_due(store: Store) -> None:
    """A caller since they came; a promise that had to wait from then on. A clock that was set back is borne."""
    await store.line_audit.record(
        [
            decision("too early", -1),
            decision("call-1", 60),
            decision("promise-1", 90, kind=WaiterKind.PROMISE, due_at=at(70)),
            decision("back in time", 100, since=at(130)),
            decision("too late", 3600),
        ]
    )
    assert set((await of_the_hour(store)).turns) == {
        Turn("call-1", "sales", WaiterKind.LIVE, NOON, NOON, at(60)),
        Turn("promise-1", "sales", WaiterKind.PROMISE, NOON, at(70), at(90)),
        Turn("back in time", "sales", WaiterKind.LIVE, at(130), at(100), at(100)),
    }


async def test_a_customer_who_was_dialled_ahead_has_one_turn_the_one_at_the_front_of_the_line(
    store: Store, clock: HandClock
) -> None:
    """As a promise; the agent who had been kept for them was let go then. Before they said yes they were not due."""
    promise = await dialling(store)
    await store.line_audit.record(
        [
            decision(promise.id, 10, kind=WaiterKind.PROMISE),
            decision("call-9", 20),
            decision("customer-attempt-1", 30, since=at(-300)),
        ]
    )
    assert set((await of_the_hour(store)).turns) == {
        Turn("call-9", "sales", WaiterKind.LIVE, NOON, NOON, at(20)),
        Turn(promise.id, "sales", WaiterKind.PROMISE, at(-300), at(-300), at(30)),
    }
    assert clock.now() == NOON


async def test_facts_need_a_database_that_can_be_read(tmp_path: Path) -> None:
    """What is told is its trouble, for a person."""
    path = tmp_path / "orikaeshi.db"
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock()):
        pass
    async with store_at(f"sqlite+aiosqlite:///{path}", HandClock(), busy_timeout_s=0.05) as store:
        store.database.sync_engine.dispose()
        path.write_bytes(b"this is not a database" * 100)
        with pytest.raises(StoreUnavailableError, match="is not a database"):
            await of_the_hour(store)


async def test_nothing_is_found_where_nothing_happened(store: Store) -> None:
    """Empty, and as of the instant that was asked for."""
    await make(store, wanted("of another day", number=OTHER_NUMBER))
    day_after = await store.facts.facts(NOON + 24 * HOUR, NOON + 25 * HOUR, as_of=at(1))
    assert day_after == Facts(as_of=at(1))
