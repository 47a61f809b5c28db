"""One account with each provider, and the controller's side of their webhooks without the controller."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from controller.ports.sms import ForgedWebhookError, MalformedWebhookError, WebhookRequest
from controller.sms.twilio import TwilioAccount, TwilioGateway, TwilioWebhook
from controller.sms.vonage import VonageAccount, VonageGateway, VonageWebhook
from controller.system_clock import SystemClock
from lab.sms_providers.server import LOCALHOST, ProviderServer
from lab.sms_providers.twilio import TwilioProvider
from lab.sms_providers.vonage import VonageProvider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from controller.ports.sms import IncomingSms, Receipt, SendResult, SmsGateway, Webhook
    from lab.sms_providers.provider import SignedWebhook

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "fedcba9876543210" * 2
API_KEY, API_SECRET = "abcd1234", "Zx9wVu8tSr7qPo6n"
SIGNATURE_SECRET = "0rNxN5XjVGqyMCPwxNz8xQmYyOCtCK2PB3BSFY5M1rfCQNV3Uz7kLw2HqTj9bXeA"
PUBLIC_URL = "https://callbacks.example.jp"
SENDER, NUMBER = "+815012345678", "+819012345678"
KEY = "0190f5f0-7a3c-7000-8000-0242ac120002:not_reached"
TEXT = "【営業部】折り返しお電話しましたが、\nつながりませんでした。100% & +?"
TIMEOUT_S = 20.0
SHORT_S = 2.0
"""For who is sure not to be answered."""


def provider(name: str, public_url: str = PUBLIC_URL) -> TwilioProvider | VonageProvider:
    """Return the provider's side of our account."""
    if name == "twilio":
        return TwilioProvider(account_sid=ACCOUNT_SID, secret=AUTH_TOKEN, public_url=public_url)
    return VonageProvider(api_key=API_KEY, secret=API_SECRET, signature_secret=SIGNATURE_SECRET, public_url=public_url)


def gateway(server: ProviderServer, public_url: str | None = PUBLIC_URL, *, timeout_s: float = TIMEOUT_S) -> SmsGateway:
    """Return our side."""
    if server.provider.name == "twilio":
        account = TwilioAccount(ACCOUNT_SID, AUTH_TOKEN, base_url=server.url)
        return TwilioGateway(account, public_url=public_url, clock=SystemClock(), timeout_s=timeout_s)
    vonage = VonageAccount(API_KEY, API_SECRET, base_url=server.url)
    return VonageGateway(vonage, public_url=public_url, clock=SystemClock(), timeout_s=timeout_s)


async def hand_over(sending: SmsGateway, *, sender: str = SENDER, number: str = NUMBER, text: str = TEXT) -> SendResult:
    """Send one SMS by a gateway that runs just so long."""
    running = asyncio.create_task(sending.run())
    try:
        return await sending.send(key=KEY, sender=sender, number=number, text=text)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def webhook(name: str, public_url: str = PUBLIC_URL) -> Webhook:
    """Return what reads the provider's requests."""
    if name == "twilio":
        return TwilioWebhook(AUTH_TOKEN, account_sid=ACCOUNT_SID, public_url=public_url)
    return VonageWebhook(SIGNATURE_SECRET, api_key=API_KEY)


def as_request(made: SignedWebhook, now: datetime) -> WebhookRequest:
    """Return a webhook as it arrives."""
    headers = {name.lower(): value for name, value in made.headers.items()}
    return WebhookRequest("POST", made.url, headers, made.body, now)


class Receiver:
    """Answers webhooks as the controller does, and remembers what they told, in their order."""

    def __init__(self) -> None:
        self.public_url = ""
        self.told: list[Receipt | IncomingSms] = []
        self.away = 0
        """How many requests find the database away."""
        self._clock = SystemClock()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Listen for the length of the block."""
        app = web.Application()
        app.router.add_post("/sms/{provider}/{kind}", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOCALHOST, 0).start()
        self.public_url = f"http://{LOCALHOST}:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        url = self.public_url + request.raw_path
        asked = WebhookRequest(request.method, url, headers, await request.read(), self._clock.now())
        try:
            told = webhook(request.match_info["provider"], self.public_url).read(asked)
        except ForgedWebhookError:
            return web.Response(status=403)
        except MalformedWebhookError:
            return web.Response(status=400)
        if self.away:
            self.away -= 1
            return web.Response(status=503)
        self.told += told
        return web.Response(status=204)
