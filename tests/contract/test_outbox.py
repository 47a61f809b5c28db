from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import DeadlinePassed
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Accepted, QueuedSms, Refused, SendResult, SmsStatus, Unclear
from tests.contract.store_under_test import NOON, NUMBER, HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from controller.store import Store


async def owe(store: Store, count: int) -> None:
    """Queue `count` SMS in the way they are queued: a promise that was not kept owes an apology."""
    for n in range(count):
        made = await make(store, wanted(f"call-{n}", number=f"+8190123456{n:02}"))
        await store.promises.advance(made.promise.id, DeadlinePassed())


async def owe_and_take_one(store: Store) -> QueuedSms:
    """Queue one and take it."""
    await owe(store, 1)
    (sms,) = await store.outbox.take_due(NOON, 10)
    return sms


async def status_of(store: Store, sms: QueuedSms) -> str:
    """Return the status in the row."""
    (row,) = await rows(store, f"SELECT status FROM sms_outbox WHERE id = {sms.id}")  # noqa: S608 - an int of ours
    return str(row["status"])


async def test_what_is_taken_is_marked_as_sending_before_it_is_returned(url: str, store: Store) -> None:
    """Seen from another store, as a process would that starts after a crash."""
    await owe(store, 1)
    taken = await store.outbox.take_due(NOON, 10)
    assert taken == [
        QueuedSms(
            id=taken[0].id,
            key="promise-1:expired",
            number=NUMBER[:-2] + "00",
            template="expired",
            language="ja",
            queue="sales",
            tries=1,
        )
    ]
    async with store_at(url, HandClock()) as other:
        assert await status_of(other, taken[0]) == "sending"
    assert await store.outbox.take_due(NOON, 10) == []


async def test_the_longest_due_are_taken_first_and_no_more_than_asked_for(store: Store, clock: HandClock) -> None:
    """Five owed, two and two and one."""
    for n in range(5):
        made = await make(store, wanted(f"call-{n}", number=f"+81901234567{n}"))
        await store.promises.advance(made.promise.id, DeadlinePassed())
        clock.turn(1)
    batches = [[sms.key for sms in await store.outbox.take_due(clock.now(), 2)] for _ in range(4)]
    assert [len(batch) for batch in batches] == [2, 2, 1, 0]
    assert [key for batch in batches for key in batch] == [f"promise-{n}:expired" for n in range(1, 6)]


async def test_nothing_is_taken_before_it_is_due(store: Store) -> None:
    """To the second."""
    await owe(store, 1)
    assert await store.outbox.take_due(NOON - timedelta(seconds=1), 10) == []
    assert len(await store.outbox.take_due(NOON, 10)) == 1


async def test_twenty_senders_at_once_never_take_the_same_sms(store: Store) -> None:
    """Each of thirty is taken by one of them."""
    await owe(store, 30)
    batches = await asyncio.gather(*(store.outbox.take_due(NOON, 3) for _ in range(20)))
    keys = [sms.key for batch in batches for sms in batch]
    assert len(keys) == len(set(keys)) == 30


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Accepted("ref-1"), SmsStatus.SENT),
        (Refused("no credit", None), SmsStatus.FAILED),
        (Refused("too fast", 30), SmsStatus.QUEUED),
        (Unclear("timeout"), SmsStatus.UNKNOWN),
    ],
)
async def test_a_result_decides_where_an_sms_stands(store: Store, result: SendResult, status: SmsStatus) -> None:
    """Only a refusal that names a time is ever taken again."""
    sms = await owe_and_take_one(store)
    assert await store.outbox.record(sms, result, NOON) is status
    assert await status_of(store, sms) == status.value
    later = await store.outbox.take_due(NOON + timedelta(days=1), 10)
    assert len(later) == (1 if status is SmsStatus.QUEUED else 0)


async def test_a_refused_sms_is_due_again_when_the_gateway_said_and_its_tries_count(store: Store) -> None:
    """Tries are counted when it is taken."""
    sms = await owe_and_take_one(store)
    await store.outbox.record(sms, Refused("too fast", 30), NOON)
    assert await store.outbox.next_due_at() == NOON + timedelta(seconds=30)
    assert await store.outbox.take_due(NOON + timedelta(seconds=29), 10) == []
    (again,) = await store.outbox.take_due(NOON + timedelta(seconds=30), 10)
    assert (again.id, again.key, again.tries) == (sms.id, sms.key, 2)


async def test_a_result_recorded_again_changes_nothing(store: Store) -> None:
    """A sender that did not hear the database's answer says it again."""
    sms = await owe_and_take_one(store)
    await store.outbox.record(sms, Accepted("ref-1"), NOON)
    assert await store.outbox.record(sms, Refused("late", 30), NOON) is SmsStatus.SENT
    assert await rows(store, "SELECT reference, error FROM sms_outbox") == [{"reference": "ref-1", "error": None}]


async def test_a_late_result_of_an_earlier_try_does_not_settle_a_later_one(store: Store) -> None:
    """The second try is under way."""
    sms = await owe_and_take_one(store)
    await store.outbox.record(sms, Refused("too fast", 0), NOON)
    (again,) = await store.outbox.take_due(NOON, 10)
    assert await store.outbox.record(sms, Accepted("ref-1"), NOON) is SmsStatus.SENDING
    assert await store.outbox.record(again, Unclear("timeout"), NOON) is SmsStatus.UNKNOWN


async def test_a_result_for_an_sms_that_does_not_exist_is_a_lookup_error(store: Store) -> None:
    """That would be a mistake of ours."""
    sms = QueuedSms(404, "k", NUMBER, "expired", "ja", "sales", 1)
    with pytest.raises(LookupError, match="404"):
        await store.outbox.record(sms, Accepted("ref-1"), NOON)


async def test_the_next_due_time_is_the_earliest_of_those_queued(store: Store, clock: HandClock) -> None:
    """None when none is queued; what is being sent does not count."""
    assert await store.outbox.next_due_at() is None
    await owe(store, 1)
    clock.turn(10)
    made = await make(store, wanted("call-9"))
    await store.promises.advance(made.promise.id, DeadlinePassed())
    assert await store.outbox.next_due_at() == NOON
    await store.outbox.take_due(NOON, 10)
    assert await store.outbox.next_due_at() == NOON + timedelta(seconds=10)


async def test_what_a_dead_process_was_sending_is_unknown_and_is_not_sent_again(store: Store) -> None:
    """It may have been sent; the one that was only queued goes out as usual."""
    await owe(store, 3)
    (sent, *_) = await store.outbox.take_due(NOON, 2)
    await store.outbox.record(sent, Accepted("ref-1"), NOON)
    assert await store.outbox.settle_interrupted() == 1
    assert await store.outbox.settle_interrupted() == 0
    statuses = await rows(store, "SELECT status FROM sms_outbox ORDER BY id")
    assert [row["status"] for row in statuses] == ["sent", "unknown", "queued"]
    assert [sms.key for sms in await store.outbox.take_due(NOON, 10)] == ["promise-3:expired"]


PAGE = SendSms("page:hours:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales", {"page": "営業時間", "n": '"{'})


async def test_an_sms_that_no_promise_owes_is_taken_with_its_details_as_they_were(store: Store) -> None:
    """Whatever characters are in them."""
    assert await store.texts.owe(PAGE)
    (sms,) = await store.outbox.take_due(NOON, 10)
    assert (sms.key, sms.number, sms.template, sms.language, sms.queue, sms.details) == (
        "page:hours:1",
        NUMBER,
        "web_page",
        "ja",
        "sales",
        PAGE.details,
    )


async def test_an_sms_that_is_owed_is_durable_and_owed_once(url: str, store: Store) -> None:
    """The same key from another process is the same SMS, also when it was sent; its sender is woken once."""
    woken: list[str] = []
    store.on_sms_queued = lambda: woken.append("here")
    assert await store.texts.owe(PAGE)
    async with store_at(url, HandClock()) as other:
        other.on_sms_queued = lambda: woken.append("there")
        assert not await other.texts.owe(replace(PAGE, language="en"))
        (sms,) = await other.outbox.take_due(NOON, 10)
        await other.outbox.record(sms, Accepted("ref"), NOON)
    assert not await store.texts.owe(PAGE)
    assert await rows(store, "SELECT language, status FROM sms_outbox") == [{"language": "ja", "status": "sent"}]
    assert woken == ["here"]


async def test_an_sms_cannot_be_owed_without_the_database(store: Store) -> None:
    """The journey says so, instead of promising it."""
    async with store.database.engine.connect() as holder:
        await holder.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailableError, match="can be read but not written"):
        await store.texts.owe(PAGE)


async def test_a_promise_owes_an_sms_without_details(store: Store) -> None:
    """An empty object, as for every row of an older version."""
    await owe(store, 1)
    assert await rows(store, "SELECT details FROM sms_outbox") == [{"details": "{}"}]
    (sms,) = await store.outbox.take_due(NOON, 10)
    assert sms.details == {}
