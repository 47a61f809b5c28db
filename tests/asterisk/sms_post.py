"""What is asked of the provider of SMS, as customers read and write there, and of the pages, as a phone opens them."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from controller.provision.site import CONTROL_HOST
from lab.sms_providers.provider import TakenSms
from lab.sms_providers.twilio import TwilioProvider
from tests.asterisk.floor import e164

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lab.phone import Phone
    from lab.sms_providers.provider import SignedWebhook

ACCOUNT = "AC" + "0123456789abcdef" * 2
_LINK = re.compile(r"http://[0-9.]+:[0-9]+(/l/\S+)")
_WINDOW = re.compile(r'name="starts_at" value="([^"]+)"')
_STATE = re.compile(r'<p id="state"[^>]*>(.*?)</p>')


@dataclass(frozen=True)
class Page:
    """What came back from the pages."""

    status: int
    text: str

    @property
    def state(self) -> str:
        """Where the promise stands, in the page's words."""
        found = _STATE.search(self.text)
        assert found is not None, self.text
        return found[1]

    @property
    def windows(self) -> list[str]:
        """When each window begins that can be chosen."""
        return _WINDOW.findall(self.text)

    @property
    def is_spent(self) -> bool:
        """Tell whether it is the page of a link that was used."""
        return 'id="done"' in self.text


class Post:
    """What is asked of the provider and the pages."""

    def __init__(self, web_port: int, secret: str) -> None:
        self.public_url = f"http://{CONTROL_HOST}:{web_port}"
        self.wire = TwilioProvider(account_sid=ACCOUNT, secret=secret, public_url=self.public_url)
        """Signs as the provider does, for what is brought by the tests themselves."""
        self.provider_url = ""
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """A client that keeps no cookies."""
        assert self._session is not None
        return self._session

    @asynccontextmanager
    async def open(self, provider_port: int) -> AsyncIterator[None]:
        """Be able to ask, for the length of the block."""
        self.provider_url = f"http://{CONTROL_HOST}:{provider_port}"
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as self._session:
            yield

    async def texts_to(self, phone: Phone) -> list[TakenSms]:
        """Return the SMS that a phone has got by now, oldest first."""
        async with self.session.get(f"{self.provider_url}/lab/taken") as answer:
            taken = [TakenSms(**sms) for sms in await answer.json()]
        return [sms for sms in taken if sms.number == e164(phone.user)]

    async def replies(self, phone: Phone, text: str) -> int:
        """Answer the last SMS that a phone got; return with which HTTP status the controller took it."""
        last = (await self.texts_to(phone))[-1]
        wish = {"number": last.number, "to": last.sender, "text": text}
        async with self.session.post(f"{self.provider_url}/lab/reply", json=wish) as answer:
            return int((await answer.json())["status"])

    async def is_told(self, what: str, how: Any) -> None:
        """Tell the provider of its next `faults`, or its `manners` (`lab.sms_providers.control`)."""
        async with self.session.post(f"{self.provider_url}/lab/{what}", json=how) as answer:
            assert answer.status == 204

    async def brings(self, webhook: SignedWebhook, *, from_address: str = CONTROL_HOST) -> int:
        """Bring a webhook as somebody at an address does; return the HTTP status of the answer."""
        headers = {**webhook.headers, "X-Forwarded-For": from_address}
        url = URL(webhook.url, encoded=True)
        async with self.session.post(url, data=webhook.body, headers=headers) as answer:
            return answer.status

    async def page(self, path: str, *, head: bool = False) -> Page:
        """Open a page."""
        async with self.session.request("HEAD" if head else "GET", self.public_url + path) as answer:
            return Page(answer.status, await answer.text())

    async def sends_form(self, path: str, **fields: str) -> tuple[int, Page]:
        """Send a form of a page; return the status, and the page to which it leads."""
        async with self.session.post(self.public_url + path, data=fields, allow_redirects=False) as answer:
            if answer.status != 303:
                return answer.status, Page(answer.status, await answer.text())
            return answer.status, await self.page(answer.headers["Location"])


def link_in(sms: TakenSms) -> str:
    """Return the path of the link that an SMS carries."""
    found = _LINK.search(sms.text)
    assert found is not None, sms.text
    return found[1]
