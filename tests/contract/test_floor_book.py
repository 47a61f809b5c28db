"""What the floor asks the database, on each engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import update

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded, Cancelled, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.sms_limits import Breaker, SmsLimits
from controller.ports.floor_book import FloorLook
from controller.ports.sms import IncomingSms
from controller.store.tables import promises
from tests.contract.store_under_test import NOON, OTHER_NUMBER, HandClock, dialling, make, take_sms, wanted

if TYPE_CHECKING:
    from controller.store import Store

DAY = NOON - timedelta(hours=12)
HOUR = timedelta(hours=1)


async def look(store: Store) -> FloorLook:
    """Look as the floor does."""
    return await store.floor.look(day=DAY, codes_since=NOON - HOUR)


async def test_of_an_empty_database_there_is_nothing_to_tell(store: Store) -> None:
    """Nobody has talked, nothing is late, nobody has written."""
    assert await look(store) == FloorLook({}, {})


async def test_talks_of_the_day_are_counted_for_each_agent(store: Store) -> None:
    """With callers and with customers; yesterday's, and calls that nobody answered, are not."""
    for call_id, agent, arrived_at in (("c1", "hanako", NOON), ("c2", "taro", NOON), ("c3", "taro", DAY - HOUR)):
        await store.calls.arrived(call_id, dialled="0312345678", number=None, arrived_at=arrived_at)
        await store.calls.answered(call_id, agent=agent, answered_at=arrived_at + timedelta(seconds=20))
    await store.calls.arrived("c4", dialled="0312345678", number=None, arrived_at=NOON)
    for nth, outcome in enumerate((Outcome.TALKED, Outcome.NO_ANSWER)):
        number = f"+81901234567{nth}"
        promise = await dialling(store, f"call-{nth}", f"attempt-{nth}", number=number)
        if outcome is Outcome.TALKED:
            await store.promises.advance(promise.id, CustomerConnected())
        await store.promises.advance(promise.id, AttemptEnded(outcome))
    assert (await look(store)).talks == {"hanako": 2, "taro": 1}


async def test_of_open_promises_it_is_told_when_they_are_to_be_kept_at_the_latest(store: Store) -> None:
    """Of those that named a time, and are not over."""
    named, over, _ = [
        (await make(store, wanted(f"call-{nth}", number=f"+81901234567{nth}"))).promise for nth in range(3)
    ]
    async with store.database.engine.begin() as connection:
        change = update(promises).where(promises.c.id.in_([named.id, over.id])).values(due_by=NOON)
        await connection.execute(change)
    await store.promises.advance(over.id, Cancelled())
    assert (await look(store)).due_by == {named.id: NOON}


async def test_replies_that_a_person_has_to_read_are_counted_since_the_morning(store: Store) -> None:
    """Those that we have understood are not, nor those that are not looked at yet."""
    for nth, (received_at, needs_person) in enumerate(
        ((NOON, True), (NOON + timedelta(minutes=1), True), (NOON, False), (DAY - HOUR, True))
    ):
        await store.inbox.note_reply(IncomingSms("sms", f"event-{nth}", OTHER_NUMBER, "03", "?"), received_at)
        (reply,) = await store.inbox.unhandled()
        await store.inbox.settle(reply.id, "not understood", needs_person=needs_person, now=received_at)
    await store.inbox.note_reply(IncomingSms("sms", "event-9", OTHER_NUMBER, "03", "?"), NOON)
    seen = await look(store)
    assert (seen.replies, seen.first_reply_at) == (2, NOON)


async def test_a_breaker_that_holds_codes_back_is_told(store: Store, clock: HandClock) -> None:
    """As long as it was within the time that is asked for."""
    limits = SmsLimits(per_number=None, breaker=Breaker(min_sent=2, min_rate=0.5))
    for nth in range(3):
        await store.texts.owe(SendSms(f"code:{nth}", SmsTemplate.CODE, f"+81901234567{nth}", "ja", "sales"))
        await take_sms(store, clock.now(), limits=limits)
    assert (await look(store)).codes_stopped_at == NOON
    assert (await store.floor.look(day=DAY, codes_since=NOON + HOUR)).codes_stopped_at is None
