"""What is known of people: told as a whole, forgotten as a whole, gone when its time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.call_ending import Ending
from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.lifecycle import AttemptEnded, CustomerConnected
from controller.domain.outcome import Outcome
from controller.domain.promise import Promise, PromiseState
from controller.domain.retention import Period, Periods, cutoffs
from controller.domain.spellings import spellings
from controller.ports.privacy import Forgotten
from controller.ports.sms import IncomingSms
from controller.store.privacy_places import PLACES
from controller.store.tables import metadata
from tests.contract.privacy_lives import a_call, a_kept_promise, a_whole_life, an_exchange, traces
from tests.contract.recorded import begun, heard_by
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    HandClock,
    dialling,
    everything,
    make,
    rows,
    take_all_sms,
    wanted,
)

if TYPE_CHECKING:
    from controller.store import Store

SPELLED = spellings(NUMBER, "JP")
OTHER = "+819087654321"
EVERYWHERE = {
    "calls",
    "promises",
    "attempts",
    "sms_outbox",
    "sms_replies",
    "booking_links",
    "challenges",
    "callers",
    "call_notes",
    "recordings",
    "hook_deliveries",
    "answered_requests",
}
LATER = cutoffs(Periods(), NOON + timedelta(days=400))


async def sweep_all(store: Store, limit: int = 500) -> dict[str, int]:
    """Sweep until nothing is left; return how many batches each kind took."""
    batches: dict[str, int] = {}
    while some := await store.privacy.sweep(LATER, limit):
        for name in some:
            batches[name] = batches.get(name, 0) + 1
    return batches


def test_every_column_that_has_numbers_is_known() -> None:
    """Whoever adds one is told here. The do-not-call list has rules of its own."""
    with_numbers = {table.name for table in metadata.tables.values() if "number" in table.c}
    known = {place.table.name for place in PLACES if place.number is not None}
    assert with_numbers - {"do_not_call"} == known
    assert {place.table.name for place in PLACES} - known == {
        "sms_receipts",
        "hook_deliveries",
        "audit",
        "answered_requests",
        "sessions",
    }


async def test_what_is_older_than_its_period_leaves_no_trace_of_the_number(store: Store) -> None:
    """In no table and no column: keys, texts, JSON. The rows that the figures are made of are still there."""
    await a_whole_life(store)
    assert await traces(store) == EVERYWHERE
    before = await everything(store)
    await sweep_all(store)
    assert await traces(store) == set()
    after = await everything(store)
    for name in ("calls", "promises", "attempts", "sms_outbox", "sms_replies", "call_notes", "promise_events"):
        assert len(after[name]) == len(before[name]), name
    kept = {
        "calls": {"number"},
        "promises": {"number"},
        "attempts": {"number"},
        "recordings": {"number", "unwanted"},
    }
    for name, gone in kept.items():
        for was, row in zip(before[name], after[name], strict=True):
            assert {key for key in row if row[key] != was[key]} == gone
    assert "山田" not in repr(after)
    assert "奥様" not in repr(after)
    assert {row["disposition"] for row in after["call_notes"]} == {"解決"}


async def test_what_is_younger_than_its_period_is_not_touched(store: Store) -> None:
    """To the instant: everything is from noon, and noon is not before noon."""
    await a_whole_life(store)
    before = await everything(store)
    assert await store.privacy.sweep(dict.fromkeys(Period, NOON), 500) == {}
    assert await everything(store) == before


async def test_a_period_that_never_ends_is_not_swept(store: Store) -> None:
    """Each stands for itself."""
    await a_whole_life(store)
    swept = await store.privacy.sweep({Period.NOTES: NOON + timedelta(days=1)}, 500)
    assert swept == {"notes": 1}
    assert await traces(store) == EVERYWHERE - {"call_notes"}


async def test_what_goes_on_is_let_be_however_old_it_is(store: Store) -> None:
    """An open promise with its call for it, a recorded talk, an SMS that waits, a reply that nobody has read."""
    await a_call(store, "goes-on", NUMBER, ending=None)
    waits = (await make(store, wanted("call-1", queue="support"))).promise
    dialled = await dialling(store, "call-2")
    await begun(store, "goes-on")
    await store.texts.owe(SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales"))
    await store.inbox.note_reply(IncomingSms("p", "1", NUMBER, "+81312345678", "STOP"), NOON)
    before = await everything(store)
    assert await sweep_all(store) == {}
    assert await everything(store) == before
    assert (await store.promises.get(waits.id)).number == (await store.promises.get(dialled.id)).number == NUMBER


async def test_an_attempt_of_a_promise_that_is_still_open_keeps_its_number(store: Store) -> None:
    """It was busy, and is called again: caps and the next call want to know."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, AttemptEnded(Outcome.BUSY))
    assert await sweep_all(store) == {}
    (attempt,) = await rows(store, "SELECT number FROM attempts")
    assert attempt == {"number": NUMBER}


async def test_a_sweep_takes_a_few_rows_at_a_time_oldest_first(store: Store) -> None:
    """So that no call waits for it; the next batch goes on where this one stopped."""
    for n in range(5):
        await a_call(store, f"call-{n}", f"+8190000000{n:02}")
    assert await store.privacy.sweep(LATER, 2) == {"calls": 2}
    left = [row["number"] for row in await rows(store, "SELECT number FROM calls ORDER BY id")]
    assert sum(number is None for number in left) == 2
    assert await sweep_all(store, 2) == {"calls": 2}
    assert await store.privacy.sweep(LATER, 2) == {}


async def test_two_numbers_that_are_gone_do_not_stand_in_each_others_way(store: Store) -> None:
    """Nothing is unique that was a number once."""
    for n in range(3):
        number = f"+8190000000{n:02}"
        await a_kept_promise(store, number, str(n))
        await an_exchange(store, number, str(n))
    await sweep_all(store)
    assert {row["number"] for row in await rows(store, "SELECT number FROM promises")} == {""}
    assert len({row["key"] for row in await rows(store, "SELECT key FROM sms_outbox")}) == 3


async def test_a_number_is_told_with_everything_that_is_known_of_it(store: Store, clock: HandClock) -> None:
    """And nothing of anybody else's; however the network wrote it down; as JSON has it."""
    promise = await a_whole_life(store)
    await a_whole_life(store, OTHER, "other")
    await a_call(store, "as-at-home", "09012345678")
    await store.do_not_call.block(NUMBER, reason="STOP by SMS")
    known = await store.privacy.known(SPELLED)
    assert {name for name, found in known.items() if found} == {
        "calls",
        "promises",
        "promise_events",
        "promise_requests",
        "attempts",
        "sms",
        "sms_replies",
        "booking_links",
        "codes",
        "languages",
        "notes",
        "recordings",
        "webhooks",
        "answers",
        "do_not_call",
    }
    assert {row["id"] for row in known["calls"]} == {"call-", "as-at-home"}
    assert [row["id"] for row in known["promises"]] == [promise.id]
    assert [row["event"] for row in known["promise_events"]] == [
        "Made",
        "AttemptStarted",
        "CustomerConnected",
        "AttemptEnded",
    ]
    assert known["calls"][0]["arrived_at"] == NOON.isoformat()
    assert known["notes"][0]["text"] == "奥様が折り返しをご希望"
    (recording,) = known["recordings"]
    assert (recording["id"], recording["consent"], recording["began_at"]) == ("talk-", "told", NOON.isoformat())
    assert recording["sound"] == "/api/v1/recordings/talk-/sound"
    assert OTHER[1:] not in repr(known)
    assert clock.now() == NOON


async def test_nothing_is_known_of_a_stranger(store: Store) -> None:
    """Not even that a number without digits in common is there."""
    await a_whole_life(store)
    assert {name for name, found in (await store.privacy.known(spellings(OTHER, "JP"))).items() if found} == set()


async def test_who_is_forgotten_leaves_no_trace_and_others_stay_as_they_are(store: Store) -> None:
    """At once, whatever the periods are; also where a network wrote the number as at home."""
    await a_whole_life(store)
    await a_whole_life(store, OTHER, "other")
    await a_call(store, "as-at-home", "09012345678")
    theirs = await store.privacy.known(spellings(OTHER, "JP"))
    done = await store.privacy.forget(SPELLED, NOON)
    assert done.left == {}
    assert done.erased["calls"] == 2
    assert await traces(store) == set()
    assert await store.privacy.known(spellings(OTHER, "JP")) == theirs
    assert await store.privacy.forget(SPELLED, NOON) == Forgotten()


async def test_what_was_promised_to_who_is_forgotten_is_cancelled_without_a_word(store: Store) -> None:
    """As by STOP, but that nothing is sent; the line hears of each, and the dial that is on its way is taken back."""
    waits = (await make(store, wanted("call-1", queue="support"))).promise
    dialled = await dialling(store, "call-2", queue="sales")
    await store.texts.owe(SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales"))
    heard: list[Promise] = []
    store.changed.append(heard.append)
    done = await store.privacy.forget(SPELLED, NOON)
    assert {promise.id for promise in done.cancelled} == {waits.id, dialled.id}
    assert heard == list(done.cancelled)
    assert {promise.state for promise in heard} == {PromiseState.CANCELLED}
    assert await store.promises.waiting() == []
    assert await take_all_sms(store, NOON + timedelta(minutes=1)) == []
    # The call that rings has the number yet: one number has one call at a time.
    assert done.left == {"attempts": 1}
    await store.promises.advance(dialled.id, AttemptEnded(Outcome.WITHDRAWN))
    assert (await store.privacy.forget(SPELLED, NOON)).left == {}
    assert await traces(store) == set()


async def test_a_talk_is_not_cut_and_can_be_forgotten_afterwards(store: Store) -> None:
    """It says what is left."""
    promise = await dialling(store)
    await store.promises.advance(promise.id, CustomerConnected())
    await a_call(store, "call-1", NUMBER, ending=None)
    await begun(store, "talk")
    heard = heard_by(store)
    done = await store.privacy.forget(SPELLED, NOON)
    assert done.cancelled == ()
    assert done.left == {"calls": 1, "promises": 1, "attempts": 1, "recordings": 1}
    assert heard == []
    await store.promises.advance(promise.id, AttemptEnded(Outcome.TALKED))
    await store.calls.ended("call-1", ending=Ending.SERVED, ended_at=NOON)
    await store.recordings.end("talk", NOON)
    assert (await store.privacy.forget(SPELLED, NOON)).left == {}
    assert await traces(store) == set()


async def test_the_link_of_who_is_forgotten_leads_nowhere(store: Store) -> None:
    """It would promise a call to nobody."""
    await a_whole_life(store)
    assert await store.links.find("link-", NOON) is not None
    await store.privacy.forget(SPELLED, NOON)
    assert await store.links.find("link-", NOON) is None


async def test_who_asked_never_to_be_called_is_not_called_although_forgotten(store: Store) -> None:
    """Being forgotten and being called again are two things."""
    await a_kept_promise(store)
    await store.do_not_call.block(NUMBER, reason="STOP by SMS")
    await store.privacy.forget(SPELLED, NOON)
    assert await store.do_not_call.is_blocked(NUMBER)


@pytest.mark.parametrize("days", [0, 1])
async def test_the_book_of_claims_works_on_after_a_sweep(store: Store, days: int) -> None:
    """Who was forgotten rings again: a new call, a new promise, a new attempt."""
    await a_whole_life(store)
    await sweep_all(store)
    promise = await dialling(store, "call-new", "attempt-new", since=NOON + timedelta(days=days))
    assert promise.state is PromiseState.DIALLING
