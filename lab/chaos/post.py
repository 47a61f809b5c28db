"""Customers who write back: the provider as the process that it is, and what its customers answer to their SMS."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp

from controller.system_clock import SystemClock
from lab.ledger.facts import Means
from lab.ledger.post_ear import word_of
from lab.ledger.watching import lines_of
from lab.text_messages import ACCOUNT, SECRET, free_port, public_url, secret_of, with_provider

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator
    from pathlib import Path

    from lab.sms_providers.provider import Fault

ZONE = ZoneInfo("Asia/Tokyo")
ANSWERED = frozenset({"not_reached", "gave_up"})
"""The SMS that customers answer."""
WORDS = {Means.NOW: ("1", "今すぐ", "now"), Means.CANCEL: ("2", "キャンセル"), Means.STOP: ("STOP", "停止")}
AT_LEAST = timedelta(seconds=5)
PATIENCE_S = 30.0
"""So long does somebody press the button of the page again when nobody answers."""
_LINK = re.compile(r"http://\S+/l/\S+")
_MINUTE = timedelta(minutes=1)


@dataclass
class Post:
    """The provider, and what its customers do."""

    provider_port: int
    web_port: int
    record: Path
    """What the provider saw and did, one JSON line each."""
    booked: Path
    """What customers chose on the page, and was acknowledged, in the same form."""
    secret: str
    rng: random.Random
    session: aiohttp.ClientSession
    names_times: bool = True
    """Whether customers name times: whoever does is called in the minute after next at the soonest."""
    trouble: list[str] = field(default_factory=list)
    """Replies that nobody acknowledged."""
    _clock: SystemClock = field(default_factory=SystemClock)

    def settings(self, text: str) -> str:
        """Return a controller's settings with this provider, and without bounds on who asks how often."""
        text = with_provider(text, f"http://127.0.0.1:{self.provider_port}", self.web_port)
        for key in ("per_address_per_minute", "per_subnet_per_minute"):
            text = re.sub(rf"(?m)^{key} = \d+", f"{key} = 100000", text)
        return re.sub(r"(?m)^trusted_proxies = \[\]", 'trusted_proxies = ["127.0.0.1/32"]', text)

    async def plan(self, *faults: Fault) -> None:
        """Have the next requests go wrong, one each, and none after them."""
        await self._tell("faults", list(faults))

    async def behave(self, **manners: Any) -> None:
        """Have the provider bring its webhooks so."""
        await self._tell("manners", manners)

    async def _tell(self, what: str, order: Any) -> None:
        async with self.session.post(f"http://127.0.0.1:{self.provider_port}/lab/{what}", json=order) as answer:
            answer.raise_for_status()

    def taken(self) -> list[dict[str, Any]]:
        """Return the SMS that were taken, oldest first."""
        text = self.record.read_text("utf-8") if self.record.exists() else ""
        lines = map(json.loads, text[: text.rfind("\n") + 1].splitlines())
        return [line for line in lines if line["event"] == "taken"]

    def requests(self) -> int:
        """Return how many SMS the provider was asked to take."""
        return self.record.read_text("utf-8").count('"event": "request"') if self.record.exists() else 0

    async def answer_all(self) -> None:
        """Have each customer who gets an SMS from now on answer it, once, until cancelled.

        Answers that were begun are brought to their end: what was acknowledged is then written down.
        """
        seen = len(self.taken())
        answered: dict[str, asyncio.Task[None]] = {}
        try:
            async for line in lines_of(self.record):
                sms = json.loads(line)
                if sms["event"] != "taken":
                    continue
                seen -= 1
                if seen < 0 and word_of(sms["key"]) in ANSWERED and sms["number"] not in answered:
                    answered[sms["number"]] = asyncio.create_task(self._answer(sms))
        finally:
            await asyncio.gather(*answered.values())

    async def _answer(self, sms: dict[str, Any]) -> None:
        await asyncio.sleep(self.rng.uniform(0, 2))
        link = _LINK.search(sms["text"])
        if link is not None and self.rng.random() < 0.3:  # noqa: PLR2004 - so many prefer the page
            await self.press(link[0], self.rng.choice((Means.NOW, Means.CANCEL)), sms["number"])
        else:
            await self.reply(sms, self._wish())

    def _wish(self) -> Means:
        wishes: tuple[Means, ...] = (
            Means.NOW,
            Means.NOW,
            Means.CANCEL,
            Means.STOP,
            *((Means.AT,) if self.names_times else ()),
        )
        return self.rng.choice(wishes)

    async def reply(self, sms: dict[str, Any], means: Means) -> None:
        """Have a customer answer an SMS."""
        order = {"number": sms["number"], "to": sms["sender"], "means": means.value}
        if means is Means.AT:
            wants = (self._clock.now().astimezone(ZONE) + AT_LEAST + _MINUTE).replace(second=0, microsecond=0)
            order |= {"text": f"{wants:%H:%M}", "wants": wants.isoformat()}
        else:
            order["text"] = self.rng.choice(WORDS[means])
        url = f"http://127.0.0.1:{self.provider_port}/lab/reply"
        async with self.session.post(url, json=order, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            status = (await answer.json())["status"]
        if status not in range(200, 300):
            self.trouble.append(f"the reply {order['text']} of {sms['number']} was answered with {status}")

    async def press(self, link: str, means: Means, number: str) -> int:
        """Have a customer press a button of the page behind a link, again while nobody answers; return the status."""
        until = self._clock.now() + timedelta(seconds=PATIENCE_S)
        status = 0
        while (status == 0 or status >= 500) and self._clock.now() < until:  # noqa: PLR2004 - HTTP
            status = await self._pressed(link, means)
            if status == 0:
                await asyncio.sleep(0.1)
        now = self._clock.now()
        line = {"time": now.isoformat(), "event": "booked", "number": number, "means": means.value, "status": status}
        await asyncio.to_thread(_append, self.booked, json.dumps(line) + "\n")
        return status

    async def _pressed(self, link: str, means: Means) -> int:
        with suppress(aiohttp.ClientError, OSError):  # TimeoutError is one, and so is a line that was cut.
            async with self.session.post(
                link, data={"action": means.value}, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=10)
            ) as answer:
                return answer.status
        return 0


def link_in(sms: dict[str, Any]) -> str:
    """Return the address in an SMS. Raises ValueError: it has none."""
    found = _LINK.search(sms["text"])
    if found is None:
        raise ValueError(f"no link in: {sms['text']}")
    return found[0]


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


@asynccontextmanager
async def running_post(home: Path, rng: random.Random) -> AsyncIterator[Post]:
    """Run the provider until the context is left; the site in `home`, a folder that exists, gets its secret."""
    secret = await asyncio.to_thread(secret_of, home / "secrets.env")
    web_port, record = free_port(), home / "provider.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lab.sms_providers", "twilio", "--account", ACCOUNT),
        *("--public-url", public_url(web_port), "--out", str(record)),
        env={**os.environ, SECRET: secret},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the provider was started without its first line")
        port = json.loads(await process.stdout.readline())["port"]
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            yield Post(port, web_port, record, home / "booked.jsonl", secret, rng, session)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
