"""Promises, their calls and their SMS as facts; and what was promised, which no later step moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from controller.domain.agents import AgentState
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.evidence import Evidence
from controller.domain.figure_facts import AttemptFact, PromiseFact, SmsFact, TalkFact
from controller.domain.lifecycle import (
    AttemptEnded,
    Cancelled,
    CustomerConnected,
    CustomerRangIn,
    Postponed,
    PostponeReason,
)
from controller.domain.line import WaiterKind
from controller.domain.outcome import Outcome
from controller.domain.promise import PromiseState
from controller.domain.signed import Purpose
from controller.domain.sms import Delivery, SmsStatus
from controller.ports.agent_spans import SpanRecord
from controller.ports.links import BookingLink, Withdraw
from controller.ports.sms import Accepted, IncomingSms, Receipt
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    HandClock,
    attempt_for,
    dialling,
    make,
    slot_after,
    take_sms,
    wanted,
)

if TYPE_CHECKING:
    from datetime import datetime

    from controller.domain.figure_facts import Facts
    from controller.store import Store

HOUR = timedelta(hours=1)


def at(seconds: float) -> datetime:
    """Return the instant so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


async def of_the_hour(store: Store) -> Facts:
    """Return the facts from noon to one."""
    return await store.facts.facts(NOON, NOON + HOUR, as_of=at(7200))


async def arrives(store: Store, call_id: str, at_s: float) -> None:
    """Record a call."""
    await store.calls.arrived(call_id, dialled="0312345678", number=NUMBER, arrived_at=at(at_s))


async def test_a_promise_belongs_to_the_instant_at_which_its_first_caller_came(store: Store, clock: HandClock) -> None:
    """However late it was made, wherever its place went, and whoever asked again."""
    slot = slot_after(5)
    await arrives(store, "call-1", 0)
    clock.turn(5000)
    made = await make(store, wanted("call-1", slot=slot, slot_capacity=9))
    await arrives(store, "call-2", 5000)
    await make(store, wanted("call-2"))
    (found,) = (await of_the_hour(store)).promises
    assert found == PromiseFact(made.promise.id, "sales", NOON, PromiseState.WAITING, due_by=slot.ends_at)


async def test_a_promise_asked_for_in_writing_belongs_to_the_instant_at_which_it_was_made(
    store: Store, clock: HandClock
) -> None:
    """No call has that id. Its place, a window of another day, does not matter."""
    clock.turn(60)
    await make(store, wanted("link-1", slot=slot_after(30), slot_capacity=9))
    clock.turn(3600)
    await make(store, wanted("link-2", number=OTHER_NUMBER))
    found = (await of_the_hour(store)).promises
    assert [(one.arrived_at, one.due_by) for one in found] == [(at(60), slot_after(30).ends_at)]


async def test_an_older_promise_that_took_a_request_in_is_told_too(store: Store, clock: HandClock) -> None:
    """Its call wants to know whether they have talked since; it counts where its own caller came."""
    await arrives(store, "long ago", -9000)
    made = await make(store, wanted("long ago"))
    clock.turn(4000)
    await arrives(store, "call-2", 100)
    await make(store, wanted("call-2"))
    found = await of_the_hour(store)
    assert [(one.id, one.arrived_at) for one in found.promises] == [(made.promise.id, at(-9000))]
    assert [call.promise_id for call in found.calls] == [made.promise.id]


async def test_a_customer_talked_when_they_were_joined_with_an_agent_however_often_they_were_called(
    store: Store, clock: HandClock
) -> None:
    """Each call that was made for it is told with how it ended."""
    await arrives(store, "call-1", 0)
    promise = await dialling(store)
    clock.turn(30)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    again = await store.promises.get(promise.id)
    await store.promises.open_attempt(again, attempt_for(again, "attempt-2", started_at=at(600)))
    clock.turn(600)
    await store.promises.advance(promise.id, CustomerConnected())
    clock.turn(100)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED))
    found = await of_the_hour(store)
    assert [(one.state, one.talked_at, one.rang_in) for one in found.promises] == [
        (PromiseState.FULFILLED, at(630), False)
    ]
    assert set(found.attempts) == {
        AttemptFact(promise.id, NOON, Outcome.BUSY),
        AttemptFact(promise.id, at(600), Outcome.TALKED),
    }


async def test_a_customer_who_rang_in_talked_when_their_call_was_answered(store: Store, clock: HandClock) -> None:
    """Not when it could be written that the promise is kept; where the call's own record was lost, then."""
    for nth, (call_id, number) in enumerate((("known", NUMBER), ("lost", OTHER_NUMBER))):
        made = await make(store, wanted(f"first-{nth}", number=number, slot=slot_after(9), slot_capacity=9))
        await arrives(store, call_id, 100)
        if call_id == "known":
            await store.calls.answered(call_id, agent="hanako", answered_at=at(120))
        clock.turn(500)
        await store.promises.advance(made.promise.id, CustomerRangIn(call_id))
    found = (await of_the_hour(store)).promises
    assert {(one.talked_at, one.rang_in) for one in found} == {(at(120), True), (at(1000), True)}


async def test_a_talk_that_was_not_written_down_is_known_from_how_its_attempt_ended(store: Store) -> None:
    """The database was away while they talked: then from when they said yes, else from when they answered."""
    said_yes, picked_up = (await dialling(store), await dialling(store, "call-2", "attempt-2", number=OTHER_NUMBER))
    seen = Evidence(answered_at=at(5), confirmed_at=at(9))
    await store.promises.advance(said_yes.id, AttemptEnded(Outcome.TALKED, evidence=seen))
    await store.promises.advance(picked_up.id, AttemptEnded(Outcome.TALKED, evidence=replace(seen, confirmed_at=None)))
    found = {one.id: one.talked_at for one in (await of_the_hour(store)).promises}
    assert found == {said_yes.id: at(9), picked_up.id: at(5)}


async def test_a_promise_that_was_never_talked_about_has_no_talk(store: Store) -> None:
    """Whatever else became of it."""
    made = await make(store, wanted())
    await store.promises.advance(made.promise.id, Cancelled())
    (found,) = (await of_the_hour(store)).promises
    assert (found.state, found.talked_at, found.rang_in) == (PromiseState.CANCELLED, None, False)


def on_call(since_s: float, until_s: float | None, waiter_id: str, kind: WaiterKind) -> SpanRecord:
    """Return hanako's time on the phone for somebody who waited for sales."""
    until = None if until_s is None else at(until_s)
    return SpanRecord("hanako", AgentState.ON_CALL, at(since_s), until, queue="sales", waiter_id=waiter_id, kind=kind)


async def test_a_talk_on_a_callback_begins_when_the_two_are_joined_and_ringing_is_none(
    store: Store, clock: HandClock
) -> None:
    """The agent is on the phone while the customer's rings; nobody was talked with on the first call."""
    promise = await dialling(store)
    clock.turn(40)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    again = await store.promises.get(promise.id)
    await store.promises.open_attempt(again, attempt_for(again, "attempt-2"))
    clock.turn(90)
    await store.promises.advance(promise.id, CustomerConnected())
    await store.agent_spans.record(
        [
            on_call(10, 40, promise.id, WaiterKind.PROMISE),
            on_call(100, 300, promise.id, WaiterKind.PROMISE),
        ]
    )
    assert (await of_the_hour(store)).talks == (
        TalkFact("hanako", "sales", at(130), at(300), None, WaiterKind.PROMISE),
    )


async def test_a_talk_with_a_customer_who_was_dialled_ahead_is_one_on_a_callback(
    store: Store, clock: HandClock
) -> None:
    """They stood in line as a caller does."""
    promise = await dialling(store)
    clock.turn(75)
    await store.promises.advance(promise.id, CustomerConnected())
    await store.agent_spans.record([on_call(70, 170, "customer-attempt-1", WaiterKind.LIVE)])
    assert (await of_the_hour(store)).talks == (TalkFact("hanako", "sales", at(75), at(170), None, WaiterKind.PROMISE),)


async def test_a_callback_whose_talk_was_not_written_down_began_when_the_customer_said_yes(store: Store) -> None:
    """Of one who was dialled ahead no sooner than the agent was there."""
    first, ahead = await dialling(store), await dialling(store, "call-2", "attempt-2", number=OTHER_NUMBER)
    seen = Evidence(answered_at=at(5), confirmed_at=at(20))
    for promise in (first, ahead):
        await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED, evidence=seen))
    await store.agent_spans.record(
        [
            on_call(10, 60, first.id, WaiterKind.PROMISE),
            replace(on_call(30, 90, "customer-attempt-2", WaiterKind.LIVE), agent="taro"),
        ]
    )
    found = {(talk.agent, talk.began_at, talk.kind) for talk in (await of_the_hour(store)).talks}
    assert found == {("hanako", at(20), WaiterKind.PROMISE), ("taro", at(30), WaiterKind.PROMISE)}


async def not_reached(store: Store, clock: HandClock) -> str:
    """Owe an SMS, because the customer did not answer; return the promise's id."""
    promise = await dialling(store, queue="support")
    await store.promises.advance(promise.id, AttemptEnded(Outcome.NO_ANSWER))
    clock.turn(60)
    return promise.id


async def leaves(store: Store, at_s: float) -> None:
    """Let what is owed be sent."""
    sms = await take_sms(store, at(at_s))
    assert sms is not None
    await store.outbox.record(sms, Accepted(f"ref-{at_s}"), at(at_s))


async def test_an_sms_is_told_with_where_it_stands_and_when_it_was_answered(store: Store, clock: HandClock) -> None:
    """By the first reply to it; a receipt says that it is there."""
    promise_id = await not_reached(store, clock)
    queued = SmsFact(promise_id, SmsTemplate.NOT_REACHED, SmsStatus.QUEUED, NOON)
    assert (await of_the_hour(store)).texts == (queued,)
    sms = await take_sms(store, at(60))
    assert sms is not None
    await store.outbox.record(sms, Accepted("ref"), at(61))
    await store.inbox.note_receipt(Receipt("p", "1", "ref", Delivery.DELIVERED), at(70))
    for event_id, at_s in (("2", 300), ("3", 200)):
        await store.inbox.note_reply(IncomingSms("p", event_id, NUMBER, "0312345678", "2"), at(at_s))
    assert (await of_the_hour(store)).texts == (replace(queued, status=SmsStatus.DELIVERED, answered_at=at(200)),)


async def test_a_link_that_was_used_answers_the_last_sms_that_had_left_by_then(store: Store, clock: HandClock) -> None:
    """One that was sent later is not what they had at hand."""
    promise_id = await not_reached(store, clock)
    await leaves(store, 61)
    late = SendSms("late", SmsTemplate.RUNNING_LATE, NUMBER, "ja", "support", promise_id=promise_id)
    await store.texts.owe(late)
    await leaves(store, 500)
    await store.links.issue(BookingLink("L", Purpose.PROMISE, "support", NUMBER, "ja", at(9999), promise_id=promise_id))
    await store.links.redeem("L", Withdraw(), at(400))
    found = (await of_the_hour(store)).texts
    assert {(one.queued_at, one.answered_at) for one in found} == {(NOON, at(400)), (at(60), None)}


# -- what was promised


async def due_by(store: Store) -> list[Any]:
    """Return what each promise of the hour is due by."""
    return [one.due_by for one in (await of_the_hour(store)).promises]


async def test_what_was_promised_is_the_end_of_the_window_or_of_the_wait_that_was_told(store: Store) -> None:
    """Or nothing, where no time was named; of a window its own end counts, whatever was told in line before."""
    slot = slot_after(2)
    await make(store, wanted("told", due_by=at(900)))
    await make(store, wanted("not told", number="+819011112222"))
    await make(store, wanted("window", number=OTHER_NUMBER, due_by=at(900), slot=slot, slot_capacity=1))
    assert set(await due_by(store)) == {at(900), None, slot.ends_at}


async def test_a_later_step_moves_the_promise_and_not_what_was_promised(store: Store, clock: HandClock) -> None:
    """A retry, an agent who puts it off, and a customer who asks again as soon as possible."""
    promise = await dialling(store, queue="support", due_by=at(900))
    clock.turn(30)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.POSTPONED, later_s=3000))
    await store.promises.advance(promise.id, Postponed(at(5000), PostponeReason.AGENT))
    await make(store, wanted("again", queue="support", due_by=at(2000)))
    assert await due_by(store) == [at(900)]


async def test_who_asks_again_for_another_window_is_promised_that_one(store: Store) -> None:
    """And who then takes a call as soon as possible gives nobody their word back."""
    await make(store, wanted("call-1", due_by=at(900)))
    for nth, hours in ((2, 2), (3, 4)):
        await make(store, wanted(f"call-{nth}", slot=slot_after(hours), slot_capacity=9))
        assert await due_by(store) == [slot_after(hours).ends_at]
    await make(store, wanted("call-4", due_by=at(100)))
    assert await due_by(store) == [slot_after(4).ends_at]
