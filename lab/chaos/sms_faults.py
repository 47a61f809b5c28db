"""Faults of the post: a provider that misbehaves, a controller killed at it, forgers, links in many hands."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import aiohttp

from controller.system_clock import SystemClock
from lab.chaos.bench import RULES, back_in_control
from lab.chaos.faults import LOAD_PER_S, started
from lab.chaos.post import link_in
from lab.far_end import Does, Refusal
from lab.ledger.facts import Kind, Means
from lab.ledger.post_ear import word_of
from lab.sms_providers.forgeries import forgeries
from lab.sms_providers.provider import Fault
from lab.sms_providers.twilio import TwilioProvider
from lab.sms_providers.vonage import VonageProvider
from lab.text_messages import ACCOUNT, public_url

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from lab.chaos.bench import Bench
    from lab.chaos.figures import Figures
    from lab.controller_process import ControllerProcess
    from lab.sms_providers.forgeries import Forgery

MISHAPS = tuple(fault for fault in Fault if fault not in {Fault.NONE, Fault.REFUSED})
QUICK_MISHAPS = (Fault.THROTTLED, Fault.BROKEN, Fault.CUT, Fault.TAKEN_THEN_CUT)
AT_WORST_S = 90.0
"""Two of them are answered by nothing until the controller gives up, one SMS at a time."""
WHO_PRESS = 2
PRESSES = 8
"""Of each of them at once. A link bears 30 a minute."""
AT_A_TIME = 20
"""Forged requests."""
QUIET_S = 3.0
"""In which the last receipts come, and agents are done with their last call."""
REFUSED = frozenset({400, 403, 404, 413, 415, 429})
NOT_COMPARED = frozenset({"leases", "sqlite_sequence"})
"""The lease is renewed all the while."""


async def provider_misbehaves(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Have each thing go wrong that can with a request, with receipts early, twice and in the wrong order."""
    controller = await started(bench)
    began = len(bench.ledger.facts())
    for turn in range(times):
        faults = list(MISHAPS)
        bench.rng.shuffle(faults)
        await bench.post.behave(copies=2, backwards=turn % 2 == 0, early=bench.rng.random() < 0.5)  # noqa: PLR2004
        asked = bench.post.requests()
        await bench.post.plan(*faults)
        async with bench.load(per_s=LOAD_PER_S, who=bench.somebody_calls_in_vain):
            await _asked(bench, asked + len(faults), AT_WORST_S)
        figures.runs += min(len(faults), bench.post.requests() - asked)
        await bench.post.plan()
    await bench.post.behave(copies=1, backwards=False, early=False)
    figures.untold_allowed = _left_open(bench, began)
    return controller


async def killed_while_texting(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Kill the controller at any moment while SMS, receipts and replies go to and fro."""
    return await _killed(bench, figures, times)


async def killed_in_doubt(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Do the same while a few things go wrong at the provider that are over at once."""
    return await _killed(bench, figures, times, *QUICK_MISHAPS)


async def _killed(bench: Bench, figures: Figures, times: int, *mishaps: Fault) -> ControllerProcess:
    controller = await started(bench)
    began = len(bench.ledger.facts())
    await bench.post.behave(copies=2, backwards=True, early=True)
    await bench.post.plan(*mishaps)
    async with bench.load(per_s=2 * LOAD_PER_S, who=bench.somebody_calls_in_vain):
        for _ in range(times):
            # Soon after an SMS went out: then there is a receipt, and before long a reply.
            asked = bench.post.requests()
            await _asked(bench, asked + 1, 20)
            await asyncio.sleep(bench.rng.choice((0, 0.01, bench.rng.uniform(0, 0.2), bench.rng.uniform(0, 2.5))))
            killed_s = time.monotonic()
            await controller.kill9()
            figures.back(await back_in_control(controller, since_s=killed_s))
            figures.runs += 1
    await bench.post.plan()
    await bench.post.behave(copies=1, backwards=False, early=False)
    # What was being handed over just then may have gone out, so it is not sent again, and may never have.
    interrupted = sum(line["count"] for line in controller.lines if line.get("event") == "sms_interrupted")
    figures.untold_allowed = interrupted + _left_open(bench, began)
    return controller


async def one_link_many_at_once(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Have the link in an SMS pressed many times at once, and the controller killed in the midst of it."""
    controller = await started(bench)
    before = await asyncio.to_thread(_changes_by_link, bench.site.home / "orikaeshi.db")
    for _ in range(times):
        numbers = [bench.calls_in(Does.LET_RING, 0, 1) for _ in range(WHO_PRESS)]
        letters = await asyncio.gather(*(_letter(bench, number) for number in numbers))
        async with asyncio.TaskGroup() as hands:
            presses = [
                hands.create_task(bench.post.press(link_in(sms), Means.NOW, sms["number"]))
                for sms in letters
                for _ in range(PRESSES)
            ]
            await asyncio.sleep(bench.rng.uniform(0, 0.1))
            killed_s = time.monotonic()
            await controller.kill9()
            figures.back(await back_in_control(controller, since_s=killed_s))
        statuses = sorted({press.result() for press in presses})
        if statuses != [303]:
            figures.broken.append(f"the page answered {statuses} to a change that may be made")
        figures.runs += 1
    changes = await asyncio.to_thread(_changes_by_link, bench.site.home / "orikaeshi.db") - before
    if changes != times * WHO_PRESS:
        figures.broken.append(f"{times * WHO_PRESS} links made {changes} changes")
    return controller


async def forged_webhooks(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Bring forged webhooks, so many, to a controller that has served customers: nothing in its database changes."""
    controller = await started(bench)
    numbers = [bench.calls_in(Does.REFUSE, Refusal.REJECTED, tries) for tries in (1, 2)]
    for sms in [await _letter(bench, number) for number in numbers]:
        await bench.post.reply(sms, Means.NOW)
    await _forge(bench, figures, times)
    return controller


async def forged_after_links(bench: Bench, figures: Figures, times: int) -> ControllerProcess:
    """Have links pressed by many at once, over a kill, and then bring so many forged webhooks."""
    controller = await one_link_many_at_once(bench, figures, 1)
    await _forge(bench, figures, times)
    return controller


async def _forge(bench: Bench, figures: Figures, count: int) -> None:
    """Wait until nothing is owed; bring forged webhooks; see that no table is another."""
    figures.broken += await bench.settle()
    await asyncio.sleep(QUIET_S)
    before = await asyncio.to_thread(_state, bench.site.home / "orikaeshi.db")
    clock, url = SystemClock(), public_url(bench.post.web_port)
    made = forgeries(
        count,
        bench.rng.randrange(10**6),
        twilio=TwilioProvider(account_sid=ACCOUNT, secret=bench.post.secret, public_url=url),
        # As long as the longest of its algorithms wants it.
        vonage=VonageProvider(
            api_key="abcd1234", signature_secret=2 * bench.post.secret, secret=bench.post.secret, public_url=url
        ),
        public_url=url,
        now=clock.now(),
    )
    forgers = asyncio.Semaphore(AT_A_TIME)
    async with asyncio.TaskGroup() as brought:
        for place, forgery in enumerate(made):
            await forgers.acquire()
            task = brought.create_task(_bring(bench, figures, forgery, place))
            task.add_done_callback(lambda _: forgers.release())
    after = await asyncio.to_thread(_state, bench.site.home / "orikaeshi.db")
    figures.broken += [f"{table} is not what it was" for table in before if before[table] != after[table]]


async def _bring(bench: Bench, figures: Figures, forgery: Forgery, place: int) -> None:
    """Bring a forgery, each from another address: whoever brings many is not listened to for long."""
    headers = {**forgery.webhook.headers, "X-Forwarded-For": f"198.18.{place // 250 % 250}.{place % 250}"}
    try:
        async with bench.post.session.post(
            forgery.webhook.url, data=forgery.webhook.body, headers=headers, allow_redirects=False
        ) as answer:
            status = answer.status
    except (aiohttp.ClientError, ValueError):
        return  # No request at all: a client would not send such headers.
    figures.runs += 1
    if status not in REFUSED:
        figures.broken.append(f"{forgery.provider}, {forgery.how}: {status}")


def _left_open(bench: Bench, began: int) -> int:
    """Count last words that never came to a phone, and may have for all that the controller can know."""
    doubtful = [fact for fact in bench.ledger.facts()[began:] if fact.kind is Kind.SMS_OPEN]
    return sum(fact.text in RULES.final_sms for fact in doubtful)


async def _letter(bench: Bench, number: str) -> dict[str, Any]:
    """Return the SMS by which somebody hears that they were not reached. Raises TimeoutError."""
    async with asyncio.timeout(90):
        while True:
            for sms in bench.post.taken():
                if sms["number"] == number and word_of(sms["key"]) == "not_reached":
                    return sms
            await asyncio.sleep(0.2)


async def _asked(bench: Bench, count: int, timeout_s: float) -> None:
    """Wait until the provider was asked to take so many SMS in all, but not for ever."""
    until_s = time.monotonic() + timeout_s
    while True:
        if bench.post.requests() >= count or time.monotonic() > until_s:
            return
        await asyncio.sleep(0.05)


def _changes_by_link(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        query = "select count(*) from promise_requests where call_id like 'link-%'"
        count: int = database.execute(query).fetchone()[0]
        return count


def _state(path: Path) -> dict[str, str]:
    """Return a checksum of every table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        return {name: _checksum(database, name) for name in names if name not in NOT_COMPARED}


def _checksum(database: sqlite3.Connection, table: str) -> str:
    rows = sorted(map(repr, database.execute(f'select * from "{table}"')))  # noqa: S608 - the name is the database's own
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
