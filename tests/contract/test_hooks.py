"""What hooks are owed, on both databases: with the change or not at all, and settled one after the other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from controller.domain.agents import AgentState
from controller.domain.call_ending import Ending
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.hook_events import of_call
from controller.domain.hook_facts import CallFacts
from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CustomerConnected,
    DeadlinePassed,
    RefusedTransitionError,
)
from controller.domain.outcome import Outcome
from controller.domain.promise import Wish
from controller.domain.sms import Delivery
from controller.domain.supervising import Prioritised
from controller.ports.agent_spans import SpanRecord
from controller.ports.hooks import HookWish
from controller.ports.sms import Accepted, IncomingSms, Receipt
from controller.store.engine import VersionConflictError
from controller.store.hook_owing import owe
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    HandClock,
    attempt_for,
    dialling,
    make,
    rows,
    store_at,
    take_sms,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from controller.store import Store

ALL = HookWish("all", "https://crm.example.jp/secret/path", ("*",), with_numbers=True)
CHAT = HookWish("chat", "https://chat.example.jp/in", ("promise.made", "call.*"))
OFF = HookWish("off", "https://off.example.jp/in", ("*",), enabled=False)


@pytest.fixture
async def hooked(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open a database with three hooks: one hears all, one little, one is switched off."""
    async with store_at(url, clock, hooks=(ALL, CHAT, OFF)) as store:
        yield store


async def owed(store: Store, hook: str = "all") -> list[str]:
    """Return the types of what a hook is or was owed, in their order."""
    found = await rows(store, "SELECT hook, event FROM hook_deliveries ORDER BY id")
    return [row["event"] for row in found if row["hook"] == hook]


async def bodies(store: Store, hook: str = "all") -> list[dict[str, Any]]:
    """Return what a hook is sent, in its order."""
    found = await rows(store, "SELECT hook, body FROM hook_deliveries ORDER BY id")
    return [json.loads(row["body"]) for row in found if row["hook"] == hook]


async def test_the_whole_life_of_a_promise_is_owed(hooked: Store) -> None:
    """In the order in which it happened, with what it was before; a number only where it is asked for."""
    moved = await dialling(hooked)
    await hooked.promises.advance(moved.id, CustomerConnected())
    await hooked.promises.advance(moved.id, AttemptEnded(Outcome.TALKED))
    assert await owed(hooked) == ["promise.made", "promise.dialling", "promise.connected", "promise.fulfilled"]
    told = [body["data"] for body in await bodies(hooked)]
    assert [(one["before"], one["state"]) for one in told] == [
        (None, "waiting"),
        ("waiting", "dialling"),
        ("dialling", "connected"),
        ("connected", "fulfilled"),
    ]
    assert {one["id"] for one in told} == {moved.id}
    assert {one["number"] for one in told} == {NUMBER}
    assert await owed(hooked, "chat") == ["promise.made"]
    assert [body["data"]["number"] for body in await bodies(hooked, "chat")] == ["+81901234****"]
    assert await owed(hooked, "off") == []


async def test_each_entry_of_a_history_is_owed_once(hooked: Store) -> None:
    """Whoever makes it: asked again, cancelled, prioritised, not kept; and what comes of it in SMS."""
    first = (await make(hooked, wanted("call-1"))).promise
    await make(hooked, wanted("call-2"))
    await hooked.promises.advance(first.id, Prioritised(urgent=True))
    await hooked.promises.advance(first.id, Cancelled(confirm=True))
    other = (await make(hooked, wanted("call-3", number="+819011112222"))).promise
    await hooked.do_not_call.block(other.number, reason="asked")
    history = await rows(hooked, "SELECT promise_id, seq FROM promise_events ORDER BY at, promise_id, seq")
    told = [body for body in await bodies(hooked) if body["type"].startswith("promise.")]
    assert len(told) == len(history) == 6
    assert len({body["id"] for body in told}) == 6
    pairs = {(body["data"]["id"], body["data"]["version"]) for body in told}
    assert pairs == {(row["promise_id"], row["seq"]) for row in history}
    assert (await owed(hooked)).count("sms.queued") == 1


async def test_what_was_not_done_is_not_told(hooked: Store) -> None:
    """A move that is refused, a call that asked before, an attempt that is not claimed."""
    promise = (await make(hooked, wanted())).promise
    await make(hooked, wanted())
    with pytest.raises(RefusedTransitionError):
        await hooked.promises.advance(promise.id, CustomerConnected())
    stale = replace(promise, version=promise.version + 7)
    assert not hasattr(await hooked.promises.open_attempt(stale, attempt_for(stale)), "state")
    assert await owed(hooked) == ["promise.made"]


async def test_a_transaction_that_comes_to_nothing_owes_nothing_and_wakes_nobody(hooked: Store) -> None:
    """Whether it fails after the event was written, or is run again and then has nothing to tell."""
    woken: list[int] = []
    hooked.hooks_queued.append(lambda: woken.append(1))
    happened = of_call("arrived", CallFacts("c1", "0311112222", NUMBER, NOON, "east"), NOON)

    async def fails(connection: AsyncConnection) -> None:
        await owe(connection, happened)
        raise LookupError("afterwards")

    runs: list[int] = []

    async def is_run_again(connection: AsyncConnection) -> None:
        runs.append(1)
        if len(runs) == 1:
            await owe(connection, happened)
            raise VersionConflictError

    with pytest.raises(LookupError):
        await hooked.database.write(fails)
    await hooked.database.write(is_run_again)
    assert (len(runs), await owed(hooked), woken) == (2, [], [])
    await hooked.database.write(lambda connection: owe(connection, happened))
    await hooked.database.write(lambda connection: owe(connection, happened))
    assert (await owed(hooked), woken) == (["call.arrived"], [1])


async def test_whoever_sends_is_woken_once_something_is_owed_and_committed(hooked: Store, clock: HandClock) -> None:
    """And by nothing else: not by what no hook wants to hear of, not by a look."""
    woken: list[int] = []
    hooked.hooks_queued.append(lambda: woken.append(1))
    promise = (await make(hooked, wanted())).promise
    assert len(woken) == 1
    await hooked.promises.note_wish("none", Wish(Outcome.DECLINED))
    await hooked.promises.get(promise.id)
    await hooked.calls.offered("call-9", offered_at=clock.now())
    assert len(woken) == 1
    await hooked.promises.advance(promise.id, DeadlinePassed())
    assert len(woken) == 2
    assert len(await rows(hooked, "SELECT id FROM hook_deliveries")) == 4


async def test_a_call_is_told_of_once_at_each_step(hooked: Store) -> None:
    """Said again, as after a restart, it is not told again; another queue is."""
    log = hooked.calls
    for second in (0, 2):
        said_at = NOON + timedelta(seconds=second)
        await log.arrived("c1", dialled="0311112222", number=NUMBER, arrived_at=said_at, pbx="east")
        await log.joined("c1", queue="sales", joined_at=said_at)
    await log.joined("c1", queue="support", joined_at=NOON + timedelta(seconds=5))
    for second in (10, 11):
        await log.answered("c1", agent="hanako", answered_at=NOON + timedelta(seconds=second))
        await log.ended("c1", ending=Ending.SERVED, ended_at=NOON + timedelta(seconds=second + 50))
    await log.joined("unknown", queue="sales", joined_at=NOON)
    assert await owed(hooked) == ["call.arrived", "call.joined", "call.joined", "call.answered", "call.ended"]
    told = [body["data"] for body in await bodies(hooked)]
    assert [one["queue"] for one in told] == [None, "sales", "support", "support", "support"]
    assert [one["before"] for one in told] == [None, "arrived", "in_line", "in_line", "answered"]
    assert (told[-1]["ending"], told[-1]["agent"], told[-1]["pbx"]) == ("served", "hanako", "east")
    assert (told[-1]["arrived_at"], told[-1]["ended_at"]) == ("2030-05-06T03:00:00.123Z", "2030-05-06T03:01:00.123Z")


async def test_calls_that_a_crash_left_open_are_told_to_have_ended(hooked: Store) -> None:
    """Those that are gone, and no others."""
    for name in ("c1", "c2"):
        await hooked.calls.arrived(name, dialled="0311112222", number=None, arrived_at=NOON)
    await hooked.calls.close_orphans(frozenset({"c2"}), ended_at=NOON)
    ended = [body["data"] for body in await bodies(hooked) if body["type"] == "call.ended"]
    assert [(one["id"], one["ending"], one["number"]) for one in ended] == [("c1", "abandoned", None)]


async def test_an_sms_is_told_of_from_the_outbox_to_the_phone(hooked: Store) -> None:
    """A receipt that says nothing new is not; nor that it is being handed over."""
    await hooked.texts.owe(SendSms("k1", SmsTemplate.MISSED_YOU, NUMBER, "ja", "sales"))
    sms = await take_sms(hooked, NOON)
    assert sms is not None
    await hooked.outbox.record(sms, Accepted("ref-1"), NOON)
    for event_id in ("e1", "e2", "e2"):
        await hooked.inbox.note_receipt(Receipt("log", event_id, "ref-1", Delivery.DELIVERED), NOON)
    assert await owed(hooked) == ["sms.queued", "sms.sent", "sms.delivered"]
    told = [body["data"] for body in await bodies(hooked)]
    assert [(one["before"], one["state"]) for one in told] == [
        (None, "queued"),
        ("sending", "sent"),
        ("sent", "delivered"),
    ]
    assert {(one["template"], one["queue"], one["number"]) for one in told} == {("missed_you", "sales", NUMBER)}


async def test_an_sms_that_does_not_arrive_or_may_have_is_told_of(hooked: Store) -> None:
    """One that is blocked, and one that was on its way when the program stopped."""
    await hooked.texts.owe(SendSms("k1", SmsTemplate.MISSED_YOU, NUMBER, "ja", "sales"))
    sms = await hooked.outbox.due(NOON)
    assert sms is not None
    await hooked.outbox.block(sms, "because", NOON)
    await hooked.texts.owe(SendSms("k2", SmsTemplate.MISSED_YOU, NUMBER, "ja", "sales"))
    assert await take_sms(hooked, NOON) is not None
    assert await hooked.outbox.settle_interrupted() == 1
    told = [(body["type"], body["data"]["state"], body["data"]["before"]) for body in await bodies(hooked)]
    assert told[1::2] == [("sms.failed", "blocked", "queued"), ("sms.unknown", "unknown", "sending")]


async def test_a_reply_is_told_of_without_its_words(hooked: Store) -> None:
    """Once, and with what it answers."""
    await hooked.texts.owe(SendSms("k1", SmsTemplate.MISSED_YOU, NUMBER, "ja", "sales"))
    sms = await take_sms(hooked, NOON)
    assert sms is not None
    for _ in range(2):
        await hooked.inbox.note_reply(IncomingSms("log", "r1", NUMBER, "0312345678", "my secret words"), NOON)
    await hooked.inbox.note_reply(IncomingSms("log", "r2", "+819099999999", "0312345678", "hello"), NOON)
    replies = [body["data"] for body in await bodies(hooked) if body["type"] == "sms.replied"]
    assert [(one["sms"], one["number"]) for one in replies] == [(sms.id, NUMBER), (None, "+819099999999")]
    assert "secret words" not in json.dumps(await bodies(hooked))


async def test_an_agent_is_told_of_in_each_state_signed_out_included(hooked: Store) -> None:
    """Which is no span of its own. Written again after a lost answer, nothing is told twice."""

    def at(second: int) -> Any:
        return NOON + timedelta(seconds=second)

    free = SpanRecord("hanako", AgentState.AVAILABLE, at(0))
    talks = SpanRecord("hanako", AgentState.ON_CALL, at(9), queue="sales", waiter_id="c1")
    back = SpanRecord("hanako", AgentState.PAUSED, at(90), reason="lunch")
    await hooked.agent_spans.record([free])
    await hooked.agent_spans.record([replace(free, until=at(9), is_new=False), talks])
    await hooked.agent_spans.record([replace(talks, until=at(60), is_new=False)])
    await hooked.agent_spans.record([back])
    told = [body["data"] for body in await bodies(hooked)]
    assert [(one["before"], one["state"]) for one in told] == [
        ("signed_out", "available"),
        ("available", "on_call"),
        ("on_call", "signed_out"),
        ("signed_out", "paused"),
    ]
    assert [(one["waiter"], one["reason"]) for one in told] == [("", ""), ("c1", ""), ("", ""), ("", "lunch")]


async def test_without_hooks_nothing_is_written_and_nothing_more_is_asked(url: str, clock: HandClock) -> None:
    """The same statements as if there were no hooks in the world: none names their table, none looks anything up."""
    async with store_at(url, clock) as store:
        without = await _statements_of_a_day(store)
    assert [statement for statement in without if "hook_deliveries" in statement] == []
    assert [statement for statement in without if statement.startswith("SELECT calls.")] == []
    looks = [statement.replace('"', "") for statement in without]
    assert [statement for statement in looks if "WHERE sms_outbox.key = " in statement] == []
    async with store_at(url, clock, prefix="other", hooks=(replace(ALL, events=("agent.state",)),)) as store:
        assert await _statements_of_a_day(store, shift=1) == without
        assert await rows(store, "SELECT id FROM hook_deliveries") == []


async def _statements_of_a_day(store: Store, shift: int = 0) -> list[str]:
    """Return what is asked of the database by a call, a promise, an SMS and its receipt."""
    seen: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(store.database.sync_engine, "before_cursor_execute", see)
    number = f"+8190555566{shift:02}"
    await store.calls.arrived(f"c{shift}", dialled="0311112222", number=number, arrived_at=NOON)
    await store.calls.joined(f"c{shift}", queue="sales", joined_at=NOON)
    await store.calls.answered(f"c{shift}", agent="hanako", answered_at=NOON)
    await store.calls.ended(f"c{shift}", ending=Ending.SERVED, ended_at=NOON)
    promise = await dialling(store, f"c{shift}", f"a{shift}", number=number)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    await store.texts.owe(replace(SendSms(f"k{shift}", SmsTemplate.MISSED_YOU, NUMBER, "ja", "sales"), number=number))
    sms = await take_sms(store, NOON)
    assert sms is not None
    await store.outbox.record(sms, Accepted(f"ref-{shift}"), NOON)
    await store.inbox.note_receipt(Receipt("log", f"e{shift}", f"ref-{shift}", Delivery.DELIVERED), NOON)
    event.remove(store.database.sync_engine, "before_cursor_execute", see)
    return seen
