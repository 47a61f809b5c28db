from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.effects import SendSms, SmsTemplate
from controller.ports.links import Challenge
from controller.ports.sms import Accepted
from tests.contract.store_under_test import NOON, NUMBER, HandClock, everything, rows, store_at, take_sms

if TYPE_CHECKING:
    from controller.store import Store

CHALLENGE = Challenge("challenge-1", "sales", NUMBER, "ja", NOON + timedelta(minutes=10), tries_left=5)
CODE = SendSms("code:1", SmsTemplate.CODE, NUMBER, "ja", "sales", {"challenge": "challenge-1"})


async def test_a_challenge_is_written_with_the_sms_that_carries_its_code(url: str, store: Store) -> None:
    """In one transaction; started again it is the same one."""
    woken: list[bool] = []
    store.sms_queued.append(lambda: woken.append(True))
    await store.proofs.start(CHALLENGE, CODE)
    before = await everything(store)
    await store.proofs.start(replace(CHALLENGE, tries_left=99), replace(CODE, key="code:2"))
    assert await everything(store) == before
    assert woken == [True]
    async with store_at(url, HandClock()) as other:
        assert await other.proofs.find("challenge-1", NOON) == CHALLENGE
    assert await store.proofs.find("challenge-1", CHALLENGE.expires_at) is None
    assert await store.proofs.find("nobody's", NOON) is None
    owed = await rows(store, "SELECT key, details FROM sms_outbox")
    assert owed == [{"key": "code:1", "details": '{"challenge": "challenge-1"}'}]


async def test_the_right_code_proves_the_number_once_and_its_sms_counts_as_used(store: Store) -> None:
    """A second person with the same code gets nothing."""
    await store.proofs.start(CHALLENGE, CODE)
    sms = await take_sms(store, NOON)
    assert sms is not None
    await store.outbox.record(sms, Accepted("ref"), NOON)
    assert await store.proofs.guess("challenge-1", is_right=False, now=NOON) is None
    assert await rows(store, "SELECT converted_at FROM sms_outbox") == [{"converted_at": None}]
    assert await store.proofs.guess("challenge-1", is_right=True, now=NOON) == replace(CHALLENGE, tries_left=3)
    assert len(await rows(store, "SELECT id FROM sms_outbox WHERE converted_at IS NOT NULL")) == 1
    assert await store.proofs.guess("challenge-1", is_right=True, now=NOON) is None


async def test_after_the_last_try_the_right_code_proves_nothing(store: Store) -> None:
    """Five are five."""
    await store.proofs.start(CHALLENGE, CODE)
    for _ in range(5):
        assert await store.proofs.guess("challenge-1", is_right=False, now=NOON) is None
    assert await store.proofs.guess("challenge-1", is_right=True, now=NOON) is None
    found = await store.proofs.find("challenge-1", NOON)
    assert found is not None
    assert found.tries_left == 0


async def test_what_has_expired_or_is_none_or_has_no_number_proves_nothing(store: Store) -> None:
    """One that was never sent anywhere cannot be answered; its tries are counted like any other's."""
    await store.proofs.start(CHALLENGE, CODE)
    await store.proofs.start(replace(CHALLENGE, id="nowhere", number=""), None)
    assert await store.proofs.guess("challenge-1", is_right=True, now=CHALLENGE.expires_at) is None
    assert await store.proofs.guess("nobody's", is_right=True, now=NOON) is None
    assert await store.proofs.guess("nowhere", is_right=True, now=NOON) is None
    found = await store.proofs.find("nowhere", NOON)
    assert found is not None
    assert found.tries_left == 4


async def test_of_a_hundred_guesses_at_once_five_are_looked_at(url: str, store: Store) -> None:
    """Over two stores; the right one among the first five, or not at all."""
    async with store_at(url, HandClock(), busy_timeout_s=30) as other:
        for n in range(6):
            await store.proofs.start(replace(CHALLENGE, id=f"many-{n}"), None)
            guesses = [
                (store, other)[m % 2].proofs.guess(f"many-{n}", is_right=m >= 90, now=NOON) for m in range(n, 100)
            ]
            answers = await asyncio.gather(*guesses)
            proved = [answer for answer in answers if answer is not None]
            assert len(proved) <= 1
            found = await store.proofs.find(f"many-{n}", NOON)
            assert found is not None
            assert found.tries_left == (proved[0].tries_left if proved else 0)


async def test_of_twenty_right_answers_at_once_one_proves_it(url: str, store: Store) -> None:
    """Over two stores: one booking link, and not twenty."""
    await store.proofs.start(replace(CHALLENGE, tries_left=50), CODE)
    async with store_at(url, HandClock(), busy_timeout_s=30) as other:
        answers = await asyncio.gather(
            *((store, other)[n % 2].proofs.guess("challenge-1", is_right=True, now=NOON) for n in range(20))
        )
    assert [answer is not None for answer in answers].count(True) == 1
