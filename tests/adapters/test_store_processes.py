"""Several processes on one database, as controllers that were started twice: what only one may have, one gets."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from controller.domain.effects import SendSms, SmsTemplate
from tests.contract.databases import READY_ENGINES
from tests.contract.store_under_test import HandClock, make, rows, store_at, wanted

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=READY_ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database of each engine."""
    return READY_ENGINES[request.param](tmp_path)


CLAIMER = """
import asyncio, json, sys
from controller.domain.caps import Caps
from controller.domain.promise import Promise
from tests.contract.store_under_test import HandClock, attempt_for, store_at

async def main():
    url, name = sys.argv[1:]
    async with store_at(url, HandClock(), busy_timeout_s=30) as store:
        waits = await store.promises.waiting()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        lease = await store.leases.take("pbx:asterisk", name, name, 4)
        answers = await asyncio.gather(*(
            store.promises.open_attempt(one, attempt_for(one, f"{name}-{n}", term=1), Caps(per_prefix={"+8190": 3}))
            for n, one in enumerate(waits)
        ))
        opened = [one.id for one in answers if isinstance(one, Promise)]
        others = sorted({one.reason for one in answers if not isinstance(one, Promise)})
        print(json.dumps({"holder": lease.holder, "term": lease.term, "opened": opened, "others": others}))

asyncio.run(main())
"""
"""A process that takes the lease and claims all that waits, at a word."""


async def test_four_processes_that_claim_at_once_pass_no_cap_and_share_no_promise(url: str) -> None:
    """Twenty promises, a cap of three; one of the four has the lease."""
    async with store_at(url, HandClock()) as store:
        for n in range(20):
            await make(store, wanted(f"call-{n}", number=f"+8190000000{n:02}"))
        pipe = asyncio.subprocess.PIPE
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", CLAIMER, url, f"p{n}", stdin=pipe, stdout=pipe)
            for n in range(4)
        ]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        told: list[dict[str, Any]] = [json.loads(out) for out, _ in said]
        opened = [promise for one in told for promise in one["opened"]]
        assert len(opened) == len(set(opened)) == 3
        assert {(one["holder"], one["term"]) for one in told} == {(told[0]["holder"], 1)}
        assert {reason for one in told for reason in one["others"]} <= {"moved", "over_cap"}
        assert len(await rows(store, "SELECT id FROM attempts")) == 3


SENDER = """
import asyncio, json, sys
from controller.domain.sms_limits import SmsBill, SmsLimits
from tests.contract.store_under_test import NOON, HandClock, store_at

LIMITS = SmsLimits(per_prefix={"+8190": 5}, max_cost_milli=11_000)

async def send_all(store):
    sent = []
    while (sms := await store.outbox.due(NOON)) is not None:
        claim = await store.outbox.claim(sms, SmsBill(1, 3_000), LIMITS, NOON)
        if claim.status == "sending":
            sent.append(sms.key)
    return sent

async def main():
    async with store_at(sys.argv[1], HandClock(), busy_timeout_s=30) as store:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        several = await asyncio.gather(*(send_all(store) for _ in range(3)))
        print(json.dumps(sum(several, [])))

asyncio.run(main())
"""
"""A process in which three senders claim all that is due, at a word."""


async def test_four_processes_that_send_at_once_pass_no_cap_and_send_nothing_twice(url: str) -> None:
    """Twenty SMS, and money for three; all the others are settled as blocked."""
    async with store_at(url, HandClock()) as store:
        for n in range(20):
            number = f"+8190000000{n:02}"
            await store.texts.owe(SendSms(f"page:{n}", SmsTemplate.WEB_PAGE, number, "ja", "sales"))
        pipe = asyncio.subprocess.PIPE
        processes = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", SENDER, url, stdin=pipe, stdout=pipe)
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
        sent = [key for out, _ in said for key in json.loads(out)]
        assert len(sent) == len(set(sent)) == 3
        found = await rows(store, "SELECT status FROM sms_outbox ORDER BY 1")
        assert [row["status"] for row in found] == ["blocked"] * 17 + ["sending"] * 3
