from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import aiohttp
import pytest

from controller.domain.sms import Delivery, SmsStatus, after_receipt
from controller.ports.sms import (
    Accepted,
    IncomingSms,
    Receipt,
    Unclear,
)
from lab.sms_providers.provider import SILENT, Fault
from lab.sms_providers.server import Faults, Manners, ProviderServer
from tests.adapters.sms_receiver import (
    ACCOUNT_SID,
    API_KEY,
    API_SECRET,
    AUTH_TOKEN,
    KEY,
    NUMBER,
    SENDER,
    SHORT_S,
    SIGNATURE_SECRET,
    TIMEOUT_S,
    Receiver,
    gateway,
    hand_over,
    provider,
)

if TYPE_CHECKING:
    from pathlib import Path


FORGED = 1000
PROVIDERS = ["twilio", "vonage"]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("early", [False, True])
async def test_receipts_tell_the_same_in_any_order_however_often_and_even_before_the_answer(
    name: str, *, backwards: bool, copies: int, early: bool
) -> None:
    """Forged ones in between are turned away; in the end it is delivered, once for each event."""
    async with Receiver().listening() as receiver:
        manners = Manners(backwards=backwards, copies=copies, early=early, forged=True)
        server = ProviderServer(provider(name, receiver.public_url), manners=manners)
        async with server.serving():
            result = await hand_over(gateway(server, receiver.public_url))
            await server.settled()
            (sms,) = server.taken
    assert result == Accepted(sms.reference)
    receipts = [one for one in receiver.told if isinstance(one, Receipt)]
    statuses = server.provider.delivered
    assert Counter(one.event_id for one in receipts) == {f"{sms.reference}:{status}": copies for status in statuses}
    assert {(one.key, one.reference) for one in receipts} == {(KEY, sms.reference)}
    status = SmsStatus.SENDING
    for one in receipts:
        status = after_receipt(status, one.delivery)
    assert status is SmsStatus.DELIVERED
    answers = Counter((brought.forged, brought.status) for brought in server.brought)
    assert answers == {(False, 204): copies * len(statuses), (True, 403): len(statuses)}


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("fault", [Fault.TAKEN_THEN_SILENT, Fault.TAKEN_THEN_CUT, Fault.TAKEN_THEN_BROKEN])
async def test_an_sms_that_was_taken_without_an_answer_is_settled_by_its_receipt(name: str, fault: Fault) -> None:
    """It names our key, since we never learnt theirs."""
    async with Receiver().listening() as receiver:
        server = ProviderServer(provider(name, receiver.public_url))
        server.faults.planned.append(fault)
        timeout_s = SHORT_S if fault in SILENT else TIMEOUT_S
        async with server.serving():
            result = await hand_over(gateway(server, receiver.public_url, timeout_s=timeout_s))
            await server.settled()
    assert isinstance(result, Unclear)
    assert {one.key for one in receiver.told if isinstance(one, Receipt)} == {KEY}
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", PROVIDERS)
async def test_an_sms_that_no_phone_gets_is_told_with_the_reason(name: str) -> None:
    """The last receipt says so."""
    async with Receiver().listening() as receiver:
        server = ProviderServer(provider(name, receiver.public_url), manners=Manners(delivered=False))
        async with server.serving():
            await hand_over(gateway(server, receiver.public_url))
            await server.settled()
    last = receiver.told[-1]
    assert isinstance(last, Receipt)
    assert last.delivery is Delivery.UNDELIVERED
    assert last.error


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_reply_is_brought_again_until_it_could_be_written_down(name: str) -> None:
    """With the same id, so that the inbox knows it again."""
    async with Receiver().listening() as receiver:
        receiver.away = 1
        server = ProviderServer(provider(name, receiver.public_url))
        async with server.serving():
            await server.reply(NUMBER, SENDER, "16時に お願い&+%")
    assert [brought.status for brought in server.brought] == [503, 204]
    (told,) = receiver.told
    assert isinstance(told, IncomingSms)
    assert (told.number, told.to, told.text) == (NUMBER, SENDER, "16時に お願い&+%")


@pytest.mark.parametrize(("name", "account"), [("twilio", ACCOUNT_SID), ("vonage", API_KEY)])
async def test_a_provider_is_a_process_of_its_own_too(name: str, account: str, tmp_path: Path) -> None:
    """It prints its port, takes orders over HTTP, and writes down what happened. Twilio signs with the one secret."""
    out = tmp_path / "provider.jsonl"
    secrets = {
        "twilio": {"ORIKAESHI_SMS_SECRET": AUTH_TOKEN},
        "vonage": {"ORIKAESHI_SMS_SECRET": API_SECRET, "ORIKAESHI_SMS_WEBHOOK_SECRET": SIGNATURE_SECRET},
    }[name]
    async with Receiver().listening() as receiver:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lab.sms_providers", name, "--account", account, "--out", str(out)),
            *("--public-url", receiver.public_url, "--forged"),
            env={**os.environ, **secrets},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            port = json.loads(await process.stdout.readline())["port"]
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                reply = {"number": NUMBER, "to": SENDER, "text": "1"}
                async with session.post("/lab/reply", json=reply) as answer:
                    brought = (await answer.json())["status"]
                async with session.get("/lab/taken") as answer:
                    assert await answer.json() == []
        finally:
            process.terminate()
            await process.wait()
    assert brought == 204
    assert [told.text for told in receiver.told if isinstance(told, IncomingSms)] == ["1"]
    events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(event["event"], event["forged"]) for event in events] == [("webhook", True), ("webhook", False)]


def test_faults_come_by_plan_and_then_by_chance() -> None:
    """The same seed, the same faults; a rate of 0 is none."""
    some, others = (Faults(rate=0.5, dice=Random(5)) for _ in range(2))  # noqa: S311
    some.planned.append(Fault.HANG)
    assert some.next() is Fault.HANG
    drawn = [some.next() for _ in range(100)]
    assert drawn == [others.next() for _ in range(100)]
    assert 20 < drawn.count(Fault.NONE) < 80
    assert Faults().next() is Fault.NONE
