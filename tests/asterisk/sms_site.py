"""A site that texts: a provider of SMS as a process of its own, in Twilio's wire format, and pages on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import socket
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from controller.provision.files import write_private
from controller.provision.site import CONTROL_HOST
from controller.system_clock import SystemClock
from lab.controller_process import die_with_parent
from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import AGENT_HZ, CALLER_HZ, Floor, e164
from tests.asterisk.hours_site import Timetable
from tests.asterisk.seen_from_outside import LEAVES_A_NUMBER, Story, command, let_count, watched, way_in
from tests.asterisk.sentences import dialled
from tests.asterisk.sms_post import ACCOUNT, Post

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from lab.phone import Phone, PhoneCall
    from lab.sms_providers.provider import TakenSms
    from tests.asterisk.seen_from_outside import Network

SECRET = "ORIKAESHI_SMS_SECRET"
IN_JAPANESE = "0312345699"
"""Dialled to leave a number in Japanese; `LEAVES_A_NUMBER` is in English."""
FORGERS_PROXY = "127.0.0.1/32"
SENDER = "05087654321"
"""Takes SMS, so that the texts say what can be replied."""
LOOK_AGAIN_S = 0.5
RING_S = 8
"""So long does a customer's phone ring: long enough to write an SMS meanwhile."""
_ALWAYS_NEW = frozenset({"leases", "line_decisions"})
"""Tables that are written to although nothing happens to a promise."""


@dataclass
class SmsSite:
    """Everything: the floor, the count of calls, the SMS."""

    floor: Floor
    network: Network
    post: Post
    timetable: Timetable
    news: asyncio.Event
    """Set whenever the controller logs something."""

    async def until(self, is_so: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
        """Wait until something is so; looked at whenever the controller logs something, and now and then."""
        async with asyncio.timeout(timeout_s):
            while not await is_so():
                self.news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.news.wait(), LOOK_AGAIN_S)

    async def row(self, query: str, *values: str, timeout_s: float = 60) -> sqlite3.Row:
        """Return the one row of the controller's database that there is, once there is one."""

        async def is_there() -> bool:
            return bool(self.floor.rows(query, *values))

        await self.until(is_there, timeout_s)
        (found,) = self.floor.rows(query, *values)
        return found

    async def none(self, *queries: str) -> None:
        """Wait until the controller's database has no such rows."""

        async def are_gone() -> bool:
            return not any(self.floor.rows(query) for query in queries)

        await self.until(are_gone)

    async def text(self, phone: Phone, part: str, timeout_s: float = 60) -> TakenSms:
        """Return the one SMS to a phone whose key has this part, once it has come."""

        async def has_come() -> bool:
            return any(part in sms.key for sms in await self.post.texts_to(phone))

        await self.until(has_come, timeout_s)
        (sms,) = [sms for sms in await self.post.texts_to(phone) if part in sms.key]
        return sms

    async def story(self, promise_id: str, state: str) -> Story:
        """Return what is told of a promise, once it stands so."""
        await self.row("select id from promises where id = ? and state = ?", promise_id, state)
        return Story((await command(self.floor, "explain", promise_id, "--json")).data)

    async def settled(self, phone: Phone) -> list[str]:
        """Return what the replies of a phone were taken for, oldest first, once each was acted on."""
        await self.none("select id from sms_replies where handled_at is null")
        rows = self.floor.rows("select meaning from sms_replies where number = ? order by id", e164(phone.user))
        return [str(row["meaning"]) for row in rows]

    async def misses(self, phone: Phone, number: str = LEAVES_A_NUMBER) -> tuple[str, TakenSms]:
        """Leave a number, and let the phone ring in vain; return the promise's id, and the SMS that says so.

        The first agent, who has to be signed in, is rung for it and answers.
        """
        call = await dialled(phone, number, "1")
        promise = await self.row("select id from promises where number = ?", e164(phone.user))
        await call.hang_up()
        await call.ended
        await self.introduced(self.floor.agents[0])
        ringing = await phone.rings()
        await ringing.ended
        return str(promise["id"]), await self.text(phone, "not_reached")

    async def introduced(self, agent: Phone, timeout_s: float = 60) -> PhoneCall:
        """See that an agent is rung for a callback, and cuts short what they hear of the customer."""
        leg = await agent.rings(timeout_s)
        await leg.answered()
        await leg.press("0")
        return leg

    async def talks(self, promise_id: str, callback: PhoneCall, leg: PhoneCall) -> None:
        """Answer for the customer, who says yes; both hear each other, and the promise is kept."""
        await callback.answer()
        await callback.answered()
        await callback.press("1")
        callback.talk(CALLER_HZ)
        await asyncio.gather(callback.heard.until_tone(AGENT_HZ), leg.heard.until_tone(CALLER_HZ))
        await callback.hang_up()
        await leg.ended
        await self.row("select id from promises where id = ? and state = 'fulfilled'", promise_id)

    async def quiet(self) -> None:
        """Wait until nothing is under way: no call, no SMS, no reply."""
        await self.none(
            "select id from attempts where ended_at is null",
            "select id from calls where ending is null",
            "select id from sms_outbox where status in ('queued', 'sending', 'sent')",
            "select id from sms_replies where handled_at is null",
        )

    def everything(self) -> Mapping[str, list[tuple[Any, ...]]]:
        """Return the whole database, but for what changes all the time."""
        tables = [row["name"] for row in self.floor.rows("select name from sqlite_master where type = 'table'")]
        return {
            name: [tuple(row) for row in self.floor.rows(f"select * from {name} order by 1")]  # noqa: S608 - its own
            for name in tables
            if name not in _ALWAYS_NEW
        }


def clock(at: datetime, timetable: Timetable) -> str:
    """Return a time of day on the clock of the site."""
    return f"{at.astimezone(timetable.zone):%H:%M}"


def now() -> datetime:
    """Return the time (aware UTC)."""
    return SystemClock().now()


def instant(text: str) -> datetime:
    """Return an instant (aware UTC) as the pages write it, and as the database does, which leaves the zone out."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def next_minute(least_s: float) -> datetime:
    """Return the first full minute that is at least so far ahead."""
    at = now() + timedelta(seconds=least_s, minutes=1)
    return at.replace(second=0, microsecond=0)


# ---------------------------------------------------------------- how it is started


@asynccontextmanager
async def sms_site(
    home: Path,
    more: Callable[[Timetable], str] = lambda _: "",
    *,
    edit: Callable[[str], str] = lambda text: text,
    agents: int = 2,
) -> AsyncIterator[SmsSite]:
    """Run everything; `edit` changes the lab's settings, and `more` returns what comes after them."""
    timetable, news = Timetable(now()), asyncio.Event()
    web_port, secret = free_port(), secrets.token_hex(16)
    post = Post(web_port, secret)

    def settings(text: str) -> str:
        return _settings(edit(text), post) + more(timetable)

    changes = {
        **QUICK,
        ("[queues]", "customer_ring_timeout_s"): str(RING_S),
        ("[queues]", "max_attempts"): "3",
        ("queues.retry_gap_s", "no_answer"): "3600",  # Who is called sooner has asked for it.
        ("dialer", "time_zone"): f'"{timetable.zone}"',
        ("sms", "gateway"): '"twilio"',
        ("web", "enabled"): "true",
        ("web", "port"): str(web_port),
        ("web", "trusted_proxies"): f'["{FORGERS_PROXY}"]',
    }
    async with (
        _provider(home, post, secret) as port,
        post.open(port),
        running_stack(
            home,
            changes=changes,
            edit=settings,
            on_line=lambda _line: news.set(),
            furnish=let_count,
            agents=agents,
        ) as stack,
        watched(stack.site) as network,
        PhoneShelf() as shelf,
    ):
        yield SmsSite(await Floor.furnished(stack, shelf), network, post, timetable, news)


def _settings(text: str, post: Post) -> str:
    for table, key, value in (("web", "public_url", post.public_url), ("sms", "sender", SENDER)):
        before, header, section = text.partition(f"\n[{table}]")
        section, count = re.subn(rf'^#{key} = "[^"]*"', f'{key} = "{value}"', section, count=1, flags=re.MULTILINE)
        assert count == 1
        text = before + header + section
    japanese = way_in(IN_JAPANESE, "support").replace('"to-', '"ja-').replace('"en"', '"ja"')
    account = f'[sms.twilio]\naccount_sid = "{ACCOUNT}"\nbase_url = "{post.provider_url}"\n'
    return "\n".join(
        (
            text,
            account,
            way_in(LEAVES_A_NUMBER, "support"),
            japanese,
        )
    )


@asynccontextmanager
async def _provider(home: Path, post: Post, secret: str) -> AsyncIterator[int]:
    """Run the provider as a process of its own, and give its port; the site in `home` gets to know its secret."""
    _write_down(home, secret)
    words = ("twilio", "--account", ACCOUNT, "--public-url", post.public_url, "--out", str(home / "provider.jsonl"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lab.sms_providers", *words),
        env={**os.environ, SECRET: secret},
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=die_with_parent,
    )
    try:
        assert process.stdout is not None
        yield int(json.loads(await process.stdout.readline())["port"])
    finally:
        process.terminate()
        await process.wait()


def _write_down(home: Path, secret: str) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(home / "secrets.env", f"{SECRET}={secret}\n")


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind((CONTROL_HOST, 0))
        return int(probe.getsockname()[1])
