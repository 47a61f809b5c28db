"""The do-not-call list as keyed hashes: it protects the same numbers, and shows them to nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from controller.domain.opt_out import NumberKey
from controller.domain.spellings import spellings
from controller.ports.do_not_call import Blocked
from controller.ports.promises import NotClaimed, NotClaimedReason, NumberBlocked, StoreUnavailableError
from controller.store import open_beside
from controller.store.tables import do_not_call
from tests.contract.privacy_lives import traces
from tests.contract.store_under_test import (
    NOON,
    NUMBER,
    OTHER_NUMBER,
    POLICIES,
    HandClock,
    attempt_for,
    make,
    rows,
    store_at,
    take_all_sms,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from controller.store import Store

KEY = NumberKey(b"a key of thirty-two bytes or more")
OTHER_KEY = NumberKey(b"another key of thirty-two bytes or more")
MASKED = "+81901234****"


@pytest.fixture
async def hashed(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open a store that has the key."""
    async with store_at(url, clock, number_key=KEY) as opened:
        yield opened


async def test_a_number_on_a_hashed_list_is_neither_called_nor_texted_nor_promised_anything(hashed: Store) -> None:
    """As on one in clear: asked by a claim, by a hold, by an SMS, by a new request."""
    promise = (await make(hashed, wanted())).promise
    other = (await make(hashed, wanted("call-2", number=OTHER_NUMBER))).promise
    await hashed.texts.owe(SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales"))
    (cancelled,) = await hashed.do_not_call.block(NUMBER, reason="STOP by SMS")
    assert cancelled.id == promise.id
    assert await hashed.do_not_call.is_blocked(NUMBER)
    assert not await hashed.do_not_call.is_blocked(OTHER_NUMBER)
    assert await hashed.promises.make(wanted("call-3")) == NumberBlocked()
    assert await take_all_sms(hashed, NOON) == []
    assert await hashed.promises.hold(other, "asterisk", 0) is None
    await hashed.do_not_call.block(OTHER_NUMBER, reason="STOP by SMS")
    assert await hashed.promises.open_attempt(other, attempt_for(other)) == NotClaimed(NotClaimedReason.MOVED)


async def test_a_claim_is_refused_for_a_hashed_number(hashed: Store) -> None:
    """Also where the promise is still open: it was put on the list by somebody without the key, who cancels nothing."""
    promise = (await make(hashed, wanted())).promise
    entry = KEY.entry(NUMBER)
    async with hashed.database.engine.begin() as connection:
        row = {"number": entry, "shown": "", "reason": "r", "blocked_at": NOON}
        await connection.execute(do_not_call.insert().values(row))
    blocked = NotClaimed(NotClaimedReason.BLOCKED)
    assert await hashed.promises.open_attempt(promise, attempt_for(promise)) == blocked
    assert await hashed.promises.hold(promise, "asterisk", 0) == blocked


async def test_the_number_stands_nowhere_and_people_see_what_logs_show_too(hashed: Store) -> None:
    """Not its last four digits, which everything else hides: together they would be the number."""
    await hashed.do_not_call.block(NUMBER, reason="STOP by SMS")
    assert await traces(hashed) == set()
    assert await hashed.do_not_call.listed() == [Blocked(MASKED, "STOP by SMS", NOON)]
    assert "5678" not in repr(await rows(hashed, "SELECT shown FROM do_not_call"))


async def test_a_number_comes_off_a_hashed_list_by_the_number(hashed: Store) -> None:
    """Once; then it can be promised a call again."""
    await hashed.do_not_call.block(NUMBER, reason="STOP")
    assert await hashed.do_not_call.unblock(NUMBER)
    assert not await hashed.do_not_call.unblock(NUMBER)
    assert not await hashed.do_not_call.is_blocked(NUMBER)
    await make(hashed, wanted())


async def test_what_stands_in_clear_is_hashed_by_the_first_start_that_has_the_key(url: str, clock: HandClock) -> None:
    """All of it, with when and why; whoever is on it stays protected, and a second start changes nothing."""
    numbers = [f"+8190000{n:05}" for n in range(1203)]
    async with store_at(url, clock) as store:
        for number in (*numbers[:3], NUMBER):
            await store.do_not_call.block(number, reason=f"asked {number[-2:]}")
        async with store.database.engine.begin() as connection:
            bulk = {"shown": "", "reason": "bulk", "blocked_at": NOON}
            await connection.execute(do_not_call.insert(), [{"number": number, **bulk} for number in numbers[3:]])
        assert await traces(store) == {"do_not_call"}
    for _ in range(2):
        async with store_at(url, clock, number_key=KEY) as store:
            assert await traces(store) == set()
            (count,) = await rows(store, "SELECT COUNT(*) AS n FROM do_not_call WHERE number LIKE 'h1:%'")
            assert count == {"n": len(numbers) + 1}
            assert await store.do_not_call.is_blocked(numbers[0])
            assert await store.do_not_call.is_blocked(numbers[-1])
            (ours,) = [one for one in await store.do_not_call.listed() if one.number == MASKED]
            assert ours == Blocked(MASKED, "asked 78", NOON)


async def test_an_entry_that_was_made_without_the_key_counts_at_once(url: str, hashed: Store, clock: HandClock) -> None:
    """A command beside the controller may not have it. Both forms are one number: the first entry stays."""
    async with open_beside(url, policies=POLICIES, clock=clock) as beside:
        await beside.do_not_call.block(NUMBER, reason="by letter")
    assert await hashed.do_not_call.is_blocked(NUMBER)
    clock.turn(60)
    await hashed.do_not_call.block(NUMBER, reason="again")
    assert await hashed.do_not_call.listed() == [Blocked(NUMBER, "by letter", NOON)]
    assert await hashed.do_not_call.unblock(NUMBER)
    assert not await hashed.do_not_call.is_blocked(NUMBER)


@pytest.mark.parametrize("key", [None, OTHER_KEY])
async def test_without_the_right_key_no_controller_starts_on_a_hashed_list(
    url: str, clock: HandClock, key: NumberKey | None
) -> None:
    """It would call everybody on it. Nothing was changed: with the right one it goes on."""
    async with store_at(url, clock, number_key=KEY) as store:
        await store.do_not_call.block(NUMBER, reason="STOP")
    with pytest.raises(StoreUnavailableError, match="ORIKAESHI_NUMBER_KEY"):
        async with store_at(url, clock, number_key=key):
            pass
    async with open_beside(url, policies=POLICIES, clock=clock, number_key=key) as beside:
        with pytest.raises(StoreUnavailableError, match="ORIKAESHI_NUMBER_KEY"):
            await beside.do_not_call.unblock(NUMBER)
    async with store_at(url, clock, number_key=KEY) as store:
        assert await store.do_not_call.is_blocked(NUMBER)


async def test_a_process_that_was_there_before_the_list_was_hashed_calls_nobody_without_the_key(
    url: str, clock: HandClock
) -> None:
    """Another one starts with the key: whoever has none refuses from then on, claims, SMS and promises alike."""
    async with store_at(url, clock) as without:
        promise = (await make(without, wanted())).promise
        await without.texts.owe(SendSms("page:1", SmsTemplate.WEB_PAGE, NUMBER, "ja", "sales"))
        async with store_at(url, clock, prefix="other", number_key=KEY):
            pass
        for work in (
            lambda: without.promises.open_attempt(promise, attempt_for(promise)),
            lambda: without.do_not_call.is_blocked(NUMBER),
            lambda: without.promises.make(wanted("call-2", number=OTHER_NUMBER)),
            lambda: take_all_sms(without, NOON),
        ):
            with pytest.raises(StoreUnavailableError, match="ORIKAESHI_NUMBER_KEY, which is not set"):
                await work()
        assert await without.do_not_call.listed() == []


async def test_a_command_that_has_the_key_beside_a_controller_without_it_hides_nothing_from_it(
    url: str, clock: HandClock
) -> None:
    """It writes the entry as the list is kept: in clear."""
    async with store_at(url, clock) as without:
        async with open_beside(url, policies=POLICIES, clock=clock, number_key=KEY) as beside:
            await beside.do_not_call.block(NUMBER, reason="by letter")
        assert await without.do_not_call.is_blocked(NUMBER)


async def test_the_entry_of_who_is_forgotten_stays_as_a_hash(hashed: Store) -> None:
    """And is told to whoever asks what is known of them."""
    await hashed.do_not_call.block(NUMBER, reason="STOP by SMS")
    spelled = spellings(NUMBER, "JP")
    await hashed.privacy.forget(spelled, NOON + timedelta(days=1))
    assert await hashed.do_not_call.is_blocked(NUMBER)
    (entry,) = (await hashed.privacy.known(spelled))["do_not_call"]
    assert entry["reason"] == "STOP by SMS"
