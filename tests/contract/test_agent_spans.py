from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.agents import AgentState
from controller.domain.line import WaiterKind
from controller.ports.agent_spans import SpanRecord
from controller.ports.promises import StoreUnavailableError
from tests.contract.store_under_test import NOON, NUMBER, refuse_writes, rows

if TYPE_CHECKING:
    from controller.store import Store


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


TALK = SpanRecord(
    agent="hanako",
    state=AgentState.ON_CALL,
    since=NOON,
    queues=frozenset({"support", "sales"}),
    queue="sales",
    waiter_id="call-1",
    kind=WaiterKind.LIVE,
    pbx="pbx-2",
)


async def written(store: Store) -> list[tuple[Any, ...]]:
    """Return agent, state, and both ends of every span, in seconds after noon."""
    found = await rows(store, "SELECT agent, state, since, until FROM agent_spans ORDER BY id")
    return [(row["agent"], row["state"], seconds(row["since"]), seconds(row["until"])) for row in found]


def seconds(kept: str | None) -> float | None:
    """Return an instant of the database as seconds after noon."""
    return None if kept is None else (datetime.fromisoformat(f"{kept}+00:00") - NOON).total_seconds()


async def test_a_span_is_written_whole_when_it_begins_and_closed_when_it_ends(store: Store) -> None:
    """Whom they served, for which queues they were there, at which Asterisk."""
    await store.agent_spans.record([TALK])
    (row,) = await rows(store, "SELECT * FROM agent_spans")
    del row["id"]
    assert row == {
        "pbx": "pbx-2",
        "agent": "hanako",
        "state": "on_call",
        "reason": "",
        "queues": '["sales", "support"]',
        "queue": "sales",
        "waiter_id": "call-1",
        "kind": "live",
        "since": "2030-05-06 03:00:00.123456",
        "until": None,
    }
    paused = SpanRecord("taro", AgentState.PAUSED, at(5), reason="lunch")
    await store.agent_spans.record([paused, replace(TALK, until=at(60), is_new=False)])
    assert await written(store) == [("hanako", "on_call", 0, 60), ("taro", "paused", 5, None)]
    assert [row["reason"] for row in await rows(store, "SELECT reason FROM agent_spans ORDER BY id")] == ["", "lunch"]


async def test_a_span_that_begins_and_ends_in_one_batch_is_one_row(store: Store) -> None:
    """Whatever came between; and one that lasted no time at all is kept, for what it tells of the one before."""
    wrap_up = replace(TALK, state=AgentState.WRAP_UP, since=at(9))
    await store.agent_spans.record(
        [
            TALK,
            replace(TALK, until=at(9), is_new=False),
            wrap_up,
            replace(wrap_up, until=at(9), is_new=False),
            replace(TALK, agent="taro"),
        ]
    )
    assert await written(store) == [
        ("hanako", "on_call", 0, 9),
        ("hanako", "wrap_up", 9, 9),
        ("taro", "on_call", 0, None),
    ]


async def test_the_end_of_one_span_ends_no_other(store: Store) -> None:
    """Of the same agent at the same instant with another waiter, of another agent, at another Asterisk."""
    others = [
        replace(TALK, waiter_id="call-2"),
        replace(TALK, agent="taro"),
        replace(TALK, pbx="pbx-1"),
        replace(TALK, state=AgentState.RINGING),
        replace(TALK, since=at(1)),
    ]
    await store.agent_spans.record([*others, TALK])
    await store.agent_spans.record([replace(TALK, until=at(7), is_new=False)])
    assert [until for *_, until in await written(store)] == [None] * 5 + [7]


async def test_what_a_controller_that_died_left_open_ends_with_the_last_thing_that_is_known(store: Store) -> None:
    """Of that Asterisk, before the start: a span's end here. What another Asterisk did tells nothing of it."""
    idle = SpanRecord("hanako", AgentState.AVAILABLE, at(-60), pbx="pbx-2")
    over = SpanRecord("taro", AgentState.WRAP_UP, at(10), at(40), pbx="pbx-2")
    elsewhere = SpanRecord("jiro", AgentState.AVAILABLE, at(90), pbx="pbx-1")
    since_the_start = SpanRecord("saburo", AgentState.AVAILABLE, at(301), pbx="pbx-2")
    await store.agent_spans.record([idle, over, elsewhere, since_the_start, replace(TALK, agent="goro")])
    closed = await store.agent_spans.close_left_open("pbx-2", before=at(300))
    assert sorted(closed, key=lambda span: span.agent) == [
        replace(TALK, agent="goro", until=at(40), is_new=False),
        replace(idle, until=at(40), is_new=False),
    ]
    assert {(agent, until) for agent, _, _, until in await written(store)} == {
        ("hanako", 40),
        ("taro", 40),
        ("jiro", None),
        ("saburo", None),
        ("goro", 40),
    }
    assert await store.agent_spans.close_left_open("pbx-2", before=at(300)) == []


async def test_a_call_that_came_later_tells_that_the_controller_lived(store: Store) -> None:
    """What was written of it after the start does not: so do calls end that nobody saw the end of."""
    await store.agent_spans.record([SpanRecord("hanako", AgentState.AVAILABLE, NOON)])
    await store.calls.arrived("call-1", dialled="0312345678", number=NUMBER, arrived_at=at(100))
    await store.calls.joined("call-1", queue="sales", joined_at=at(130))
    await store.calls.close_orphans(frozenset(), ended_at=at(900))
    await store.agent_spans.close_left_open("asterisk", before=at(600))
    assert await written(store) == [("hanako", "available", 0, 130)]


async def test_a_span_of_which_nothing_more_is_known_lasted_no_time(store: Store) -> None:
    """Rather too little than a night that nobody worked."""
    await store.agent_spans.record([SpanRecord("hanako", AgentState.AVAILABLE, NOON)])
    await store.agent_spans.close_left_open("asterisk", before=at(40_000))
    assert await written(store) == [("hanako", "available", 0, 0)]


async def test_a_talk_that_was_closed_too_soon_can_be_opened_again(store: Store) -> None:
    """It is found going on after a restart."""
    await store.agent_spans.record([TALK])
    (left,) = await store.agent_spans.close_left_open("pbx-2", before=at(5))
    await store.agent_spans.record([replace(left, until=None, is_new=False)])
    assert await written(store) == [("hanako", "on_call", 0, None)]
    await store.agent_spans.record([replace(left, until=at(70), is_new=False)])
    assert await written(store) == [("hanako", "on_call", 0, 70)]


async def test_no_spans_need_no_database_and_a_batch_that_fails_writes_nothing(store: Store) -> None:
    """The recorder writes it again."""
    await store.agent_spans.record([TALK])
    await refuse_writes(store)
    await store.agent_spans.record([])
    with pytest.raises(StoreUnavailableError, match="can be read but not written"):
        await store.agent_spans.record([replace(TALK, until=at(5), is_new=False), replace(TALK, agent="taro")])
    assert await written(store) == [("hanako", "on_call", 0, None)]
