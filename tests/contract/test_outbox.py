from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import DeadlinePassed
from controller.domain.sms import SmsStatus
from controller.domain.sms_limits import SmsBill, SmsLimits
from controller.ports.promises import StoreUnavailableError
from controller.ports.sms import Accepted, Claim, QueuedSms, Refused, SendResult, Unclear
from tests.contract.store_under_test import (
    NO_LIMITS,
    NOON,
    NUMBER,
    HandClock,
    make,
    refuse_writes,
    rows,
    store_at,
    take_all_sms,
    take_sms,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store


async def owe(store: Store, count: int) -> None:
    """Queue `count` SMS in the way they are queued: a promise that was not kept owes an apology."""
    for n in range(count):
        made = await make(store, wanted(f"call-{n}", number=f"+8190123456{n:02}"))
        await store.promises.advance(made.promise.id, DeadlinePassed())


async def owe_and_take_one(store: Store) -> QueuedSms:
    """Queue one and claim it."""
    await owe(store, 1)
    sms = await take_sms(store, NOON)
    assert sms is not None
    return sms


async def status_of(store: Store, sms: QueuedSms) -> str:
    """Return the status in the row."""
    (row,) = await rows(store, f"SELECT status FROM sms_outbox WHERE id = {sms.id}")  # noqa: S608 - an int of ours
    return str(row["status"])


async def test_what_is_claimed_is_marked_as_sending_before_anybody_may_send_it(url: str, store: Store) -> None:
    """Seen from another store, as a process would that starts after a crash. Looking at it marks nothing."""
    await owe(store, 1)
    sms = await store.outbox.due(NOON)
    assert sms is not None
    assert sms == QueuedSms(
        id=sms.id,
        key="promise-1:expired",
        number=NUMBER[:-2] + "00",
        template="expired",
        language="ja",
        queue="sales",
        tries=1,
        queued_at=NOON,
        valid_until=NOON + timedelta(hours=12),
        promise_id="promise-1",
    )
    assert await status_of(store, sms) == "queued"
    assert await store.outbox.claim(sms, SmsBill(2, 3300), NO_LIMITS, NOON) == Claim(SmsStatus.SENDING)
    async with store_at(url, HandClock()) as other:
        assert await status_of(other, sms) == "sending"
    assert await store.outbox.due(NOON) is None
    bill = await rows(store, "SELECT segments, cost_milli FROM sms_outbox")
    assert bill == [{"segments": 2, "cost_milli": 3300}]


async def test_the_longest_due_is_the_first(store: Store, clock: HandClock) -> None:
    """Five owed, one after the other."""
    for n in range(5):
        made = await make(store, wanted(f"call-{n}", number=f"+81901234567{n}"))
        await store.promises.advance(made.promise.id, DeadlinePassed())
        clock.turn(1)
    taken = [sms.key for sms in await take_all_sms(store, clock.now())]
    assert taken == [f"promise-{n}:expired" for n in range(1, 6)]


async def test_nothing_is_due_before_its_time(store: Store) -> None:
    """To the second."""
    await owe(store, 1)
    assert await store.outbox.due(NOON - timedelta(seconds=1)) is None
    assert await store.outbox.due(NOON) is not None


async def test_of_twenty_senders_at_once_one_may_send_it(url: str, store: Store) -> None:
    """Over two stores; none of the others is told that it is being sent, as if it were by them."""
    await owe(store, 1)
    sms = await store.outbox.due(NOON)
    assert sms is not None
    async with store_at(url, HandClock(), busy_timeout_s=30) as other:
        claims = await asyncio.gather(
            *((store, other)[n % 2].outbox.claim(sms, SmsBill(1), NO_LIMITS, NOON) for n in range(20))
        )
    assert sorted(claim.status for claim in claims) == ["queued"] * 19 + ["sending"]
    assert await rows(store, "SELECT tries FROM sms_outbox") == [{"tries": 1}]


async def test_one_that_was_sent_meanwhile_cannot_be_claimed_again(store: Store) -> None:
    """Nor one that was put off: it has another try's number by then. Both say where they stand."""
    first = await owe_and_take_one(store)
    await store.outbox.record(first, Refused("too fast", 30), NOON)
    assert (await store.outbox.claim(first, SmsBill(1), NO_LIMITS, NOON)).status is SmsStatus.QUEUED
    again = await take_sms(store, NOON + timedelta(seconds=30))
    assert again is not None
    await store.outbox.record(again, Accepted("ref-1"), NOON)
    for sms in (first, again):
        assert (await store.outbox.claim(sms, SmsBill(1), NO_LIMITS, NOON)).status is SmsStatus.SENT


async def test_what_came_to_be_of_no_use_is_not_handed_over(store: Store) -> None:
    """A text says how long it is of use, or its template does; from that very moment on it lapses."""
    await store.texts.owe(replace(PAGE, key="short", valid_s=60))
    await store.texts.owe(PAGE)
    at = NOON + timedelta(seconds=60)
    short = await store.outbox.due(at)
    assert short is not None
    assert short.valid_until == at
    claim = await store.outbox.claim(short, SmsBill(1), NO_LIMITS, at)
    assert claim == Claim(SmsStatus.LAPSED, "it could not be handed over while it was of use")
    page = await take_sms(store, at)
    assert page is not None
    assert (page.key, page.valid_until) == (PAGE.key, NOON + timedelta(hours=1))
    lapsed = await rows(store, "SELECT status, tries, sent_at, error FROM sms_outbox WHERE key = 'short'")
    assert lapsed == [{"status": "lapsed", "tries": 0, "sent_at": None, "error": claim.reason}]


async def test_what_the_settings_do_not_allow_is_settled_once_and_says_why(store: Store) -> None:
    """It is not due any more; and what is being sent is not settled so."""
    await owe(store, 2)
    sms = await store.outbox.due(NOON)
    assert sms is not None
    assert await store.outbox.block(sms, "+1 is no country of ours", NOON) is SmsStatus.BLOCKED
    assert await store.outbox.block(sms, "said again", NOON) is SmsStatus.BLOCKED
    found = await rows(store, f"SELECT status, tries, error FROM sms_outbox WHERE id = {sms.id}")  # noqa: S608 - an int of ours
    assert found == [{"status": "blocked", "tries": 0, "error": "+1 is no country of ours"}]
    other = await take_sms(store, NOON)
    assert other is not None
    assert other.id != sms.id
    assert await store.outbox.block(other, "too late", NOON) is SmsStatus.SENDING
    assert await store.outbox.next_due_at() is None


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
    later = await store.outbox.due(NOON + timedelta(days=1))
    assert (later is not None) == (status is SmsStatus.QUEUED)


async def test_a_refused_sms_is_due_again_when_the_gateway_said_and_its_tries_count(store: Store) -> None:
    """Tries are counted when it is claimed."""
    sms = await owe_and_take_one(store)
    await store.outbox.record(sms, Refused("too fast", 30), NOON)
    assert await store.outbox.next_due_at() == NOON + timedelta(seconds=30)
    assert await take_sms(store, NOON + timedelta(seconds=29)) is None
    again = await take_sms(store, NOON + timedelta(seconds=30))
    assert again is not None
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
    again = await take_sms(store, NOON)
    assert again is not None
    assert await store.outbox.record(sms, Accepted("ref-1"), NOON) is SmsStatus.SENDING
    assert await store.outbox.record(again, Unclear("timeout"), NOON) is SmsStatus.UNKNOWN


async def test_a_result_for_an_sms_that_does_not_exist_is_a_lookup_error(store: Store) -> None:
    """That would be a mistake of ours."""
    sms = QueuedSms(404, "k", NUMBER, "expired", "ja", "sales", 1, NOON, NOON)
    with pytest.raises(LookupError, match="404"):
        await store.outbox.record(sms, Accepted("ref-1"), NOON)
    with pytest.raises(LookupError, match="404"):
        await store.outbox.claim(sms, SmsBill(1), NO_LIMITS, NOON)


async def test_the_next_due_time_is_the_earliest_of_those_queued(store: Store, clock: HandClock) -> None:
    """None when none is queued; what is being sent does not count."""
    assert await store.outbox.next_due_at() is None
    await owe(store, 1)
    clock.turn(10)
    made = await make(store, wanted("call-9"))
    await store.promises.advance(made.promise.id, DeadlinePassed())
    assert await store.outbox.next_due_at() == NOON
    await take_sms(store, NOON)
    assert await store.outbox.next_due_at() == NOON + timedelta(seconds=10)


async def test_what_a_dead_process_was_sending_is_unknown_and_is_not_sent_again(store: Store) -> None:
    """It may have been sent; the one that was only queued goes out as usual."""
    await owe(store, 3)
    sent, _ = await take_sms(store, NOON), await take_sms(store, NOON)
    assert sent is not None
    await store.outbox.record(sent, Accepted("ref-1"), NOON)
    assert await store.outbox.settle_interrupted() == 1
    assert await store.outbox.settle_interrupted() == 0
    statuses = await rows(store, "SELECT status FROM sms_outbox ORDER BY id")
    assert [row["status"] for row in statuses] == ["sent", "unknown", "queued"]
    assert [sms.key for sms in await take_all_sms(store, NOON)] == ["promise-3:expired"]


PAGE = SendSms("page:hours:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales", {"page": "営業時間", "n": '"{'})


async def test_an_sms_that_no_promise_owes_is_claimed_with_its_details_as_they_were(store: Store) -> None:
    """Whatever characters are in them."""
    assert await store.texts.owe(PAGE)
    (sms,) = await take_all_sms(store, NOON)
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
    store.sms_queued.append(lambda: woken.append("here"))
    assert await store.texts.owe(PAGE)
    async with store_at(url, HandClock()) as other:
        other.sms_queued.append(lambda: woken.append("there"))
        assert not await other.texts.owe(replace(PAGE, language="en"))
        (sms,) = await take_all_sms(other, NOON)
        await other.outbox.record(sms, Accepted("ref"), NOON)
    assert not await store.texts.owe(PAGE)
    assert await rows(store, "SELECT language, status FROM sms_outbox") == [{"language": "ja", "status": "sent"}]
    assert woken == ["here"]


async def test_an_sms_cannot_be_owed_without_the_database(store: Store) -> None:
    """The journey says so, instead of promising it."""
    await refuse_writes(store)
    with pytest.raises(StoreUnavailableError, match="can be read but not written"):
        await store.texts.owe(PAGE)


async def test_a_promise_owes_an_sms_without_details(store: Store) -> None:
    """An empty object, as for every row of an older version."""
    await owe(store, 1)
    assert await rows(store, "SELECT details FROM sms_outbox") == [{"details": "{}"}]
    (sms,) = await take_all_sms(store, NOON)
    assert sms.details == {}


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Refused("no credit", None), SmsStatus.SENDING),
        (Refused("too fast", 30), SmsStatus.SENDING),
        (Unclear("timeout"), SmsStatus.BLOCKED),
        (Accepted("ref-1"), SmsStatus.BLOCKED),
    ],
)
async def test_what_did_not_leave_counts_towards_no_cap(store: Store, result: SendResult, status: SmsStatus) -> None:
    """What may have left does; the next one to the same number is sent or not."""
    sms = await owe_and_take_one(store)
    await store.outbox.record(sms, result, NOON)
    await store.texts.owe(replace(PAGE, number=sms.number))
    page = await store.outbox.due(NOON)
    assert page is not None
    assert (await store.outbox.claim(page, SmsBill(1), SmsLimits(per_number=1), NOON)).status is status
