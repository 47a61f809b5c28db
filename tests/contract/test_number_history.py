"""The card of whom an agent serves, and the history of their number, on each database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.domain.call_ending import Ending
from controller.domain.card import Arrival, PastKind
from controller.domain.line import WaiterKind
from controller.domain.promise import PromiseState
from controller.store.staff_tables import agent_spans
from controller.store.tables import sms_outbox, sms_replies
from tests.contract.noted import HANAKO, TARO, about, answered, later, put, span, written
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    make,
    slot_after,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store


async def test_a_caller_is_told_with_their_wait_and_what_was_announced(store: Store) -> None:
    """From the arrival to the answer."""
    found = await about(store, await answered(store))
    assert found.arrival == Arrival(
        kind=WaiterKind.LIVE,
        queue="sales",
        number=NUMBER,
        since=later(-2),
        dialled="0312345678",
        joined_at=later(-1.5),
        left_at=NOON,
        answered_at=NOON,
        quoted_low_s=60,
        quoted_high_s=180,
    )
    assert (found.promised, found.note, found.past, found.is_all) == (None, None, (), True)


async def test_a_promise_is_told_with_the_call_that_asked_for_it_first(store: Store, clock: HandClock) -> None:
    """And with what was promised."""
    for call_id, minutes in (("call-1", -9.0), ("call-2", -4.0)):
        await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=later(minutes))
        await store.calls.joined(call_id, queue="sales", joined_at=later(minutes + 0.5))
        await store.calls.ended(call_id, ending=Ending.PROMISED, ended_at=later(minutes + 2))
    slot = slot_after(2)
    made = await make(store, wanted("call-1", since=later(-9)))
    clock.turn(60)
    await make(store, wanted("call-2", slot=slot, slot_capacity=3))
    found = await about(store, made.promise.id)
    assert found.arrival.kind is WaiterKind.PROMISE
    assert (found.arrival.joined_at, found.arrival.left_at) == (later(-8.5), later(-7))
    assert found.promised is not None
    assert (found.promised.state, found.promised.attempts_used) == (PromiseState.WAITING, 0)
    assert (found.promised.slot_starts_at, found.promised.slot_ends_at) == (slot.starts_at, slot.ends_at)
    assert [line.kind for line in found.past] == [PastKind.CALL, PastKind.CALL]


async def test_nothing_is_known_of_who_is_not_there(store: Store) -> None:
    """Neither a call nor a promise."""
    assert await store.notes.about("call-9", HANAKO, home="JP", limit=20) is None


async def eventful(store: Store) -> str:
    """Let a number have a past of every kind, and ring again; return that call's id."""
    await answered(store, "call-1", agent=TARO, number="819012345678")
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=later(3))
    await written(store, "is kind", at=later(4), agent=TARO, disposition="solved")
    made = await make(store, wanted("call-1"))
    await store.promises.open_attempt(made.promise, attempt_for(made.promise, started_at=later(6), agent=TARO))
    sms = {"key": "k", "number": NUMBER, "template": "not_reached", "language": "ja", "queue": "sales", "tries": 1}
    more = {"status": "delivered", "queued_at": later(8), "not_before": later(8), "valid_until": later(99)}
    await put(store, sms_outbox, **sms, **more)
    reply = {"provider": "log", "event_id": "1", "number": NUMBER, "sent_to": "0312345678", "text": "<b>9</b>"}
    await put(store, sms_replies, **reply, received_at=later(9), needs_person=True)
    await store.calls.arrived("call-2", dialled="0312345678", number="09012345678", arrived_at=later(10))
    await store.calls.answered("call-2", agent=HANAKO, answered_at=later(11))
    return "call-2"


async def test_the_past_of_a_number_is_told_newest_first_however_it_was_shown(store: Store) -> None:
    """Calls, notes, promises, attempts, SMS and replies; the call that goes on is not the past."""
    found = await about(store, await eventful(store))
    told = [(line.kind.value, line.what, line.agent, line.text) for line in found.past]
    assert told == [
        ("reply", "", "", "<b>9</b>"),
        ("sms", "not_reached", "", ""),
        ("attempt", "", TARO, ""),
        ("note", "solved", TARO, "is kind"),
        ("promise", "dialling", "", ""),
        ("call", "served", TARO, ""),
    ]
    call = found.past[-1]
    assert (call.waited_s, call.talked_s, call.about) == (90, 180, "call-1")
    assert found.past[1].status == "delivered"


async def test_of_a_long_past_the_newest_is_told_and_that_there_is_more(store: Store) -> None:
    """Of a number with a hundred calls no more is read than is shown."""
    for minute in range(30):
        await store.calls.arrived(f"old-{minute}", dialled="1", number=NUMBER, arrived_at=later(minute - 60))
    found = await about(store, await answered(store), limit=20)
    assert ([line.about for line in found.past], found.is_all) == ([f"old-{n}" for n in range(29, 9, -1)], False)
    assert (await about(store, limit=30)).is_all


async def test_the_past_of_others_is_nobodys(store: Store) -> None:
    """Nor has who withheld the number a past: it would be that of all who did."""
    await eventful(store)
    other = await about(store, await answered(store, "call-3", number=OTHER_NUMBER))
    assert other.past == ()
    for call_id in ("call-4", "call-5"):
        assert (await about(store, await answered(store, call_id, number=None))).past == ()


async def test_ones_own_note_of_the_talk_is_the_note_and_that_of_a_colleague_the_past(store: Store) -> None:
    """A promise on which two agents talked; a note that was emptied tells nothing."""
    promise = await dialling(store)
    await put(store, agent_spans, **{**span(promise.id), "agent": TARO})
    await written(store, "mine", waiter=promise.id)
    theirs = await written(store, "theirs", waiter=promise.id, agent=TARO)
    found = await about(store, promise.id)
    assert found.note is not None
    assert (found.note.text, [line.text for line in found.past if line.kind is PastKind.NOTE]) == ("mine", ["theirs"])
    await written(store, "", waiter=promise.id, agent=TARO, seen=theirs.changed_at)
    assert [line for line in (await about(store, promise.id)).past if line.kind is PastKind.NOTE] == []
