"""The demo's SMS: a provider that speaks Twilio's language on this machine, and what customers read and write there."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from controller.provision.files import read_secrets, write_private
from controller.provision.site import CONTROL_HOST
from controller.settings.first_file import with_value
from lab.sms_providers.server import ProviderServer
from lab.sms_providers.twilio import TwilioProvider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from lab.sms_providers.provider import TakenSms

ACCOUNT = "AC" + "0123456789abcdef" * 2
SENDER = "05012345678"
"""Rented at the provider: the number of a trunk takes no SMS, so nobody could reply to it."""
SECRET = "ORIKAESHI_SMS_SECRET"  # noqa: S105 - its name


class TextMessages:
    """What the phones of the customers show, and what their owners write back. Numbers are E.164."""

    def __init__(self, server: ProviderServer, web_port: int) -> None:
        self._server = server
        self._web_port = web_port
        self._news = asyncio.Condition()

    def settings(self, text: str) -> str:
        """Return a controller's settings with this provider in them, and with the pages."""
        return with_provider(text, self._server.url, self._web_port)

    def to(self, number: str) -> list[str]:
        """Return the texts that a number got, oldest first."""
        return [sms.text for sms in self._server.taken if sms.number == number]

    async def next_to(self, number: str, *, seen: int, timeout_s: float) -> str:
        """Return the text after the `seen` first ones that a number gets. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: len(self.to(number)) > seen)
        return self.to(number)[seen]

    async def reply(self, number: str, text: str) -> int:
        """Answer the last SMS that a number got; return the HTTP status that the controller gave to the webhook."""
        last = [sms for sms in self._server.taken if sms.number == number][-1]
        return await self._server.reply(number, last.sender, text)

    async def tell(self) -> None:
        """Wake those who wait for an SMS."""
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def text_messages(home: Path, on_sms: Callable[[TakenSms], None]) -> AsyncIterator[TextMessages]:
    """Run the provider until the context is left; the site in `home`, a folder that exists, gets its secret.

    `on_sms` sees each SMS as it is delivered.
    """
    secret = await asyncio.to_thread(secret_of, home / "secrets.env")
    web_port = free_port()
    provider = TwilioProvider(account_sid=ACCOUNT, secret=secret, public_url=public_url(web_port))
    wakers: set[asyncio.Task[None]] = set()

    def taken(sms: TakenSms) -> None:
        on_sms(sms)
        waker = asyncio.create_task(phones.tell())
        wakers.add(waker)
        waker.add_done_callback(wakers.discard)

    server = ProviderServer(provider, on_taken=taken)
    phones = TextMessages(server, web_port)
    async with server.serving():
        yield phones


def with_provider(text: str, provider_url: str, web_port: int) -> str:
    """Return a controller's settings with pages, and with a provider that speaks Twilio's language."""
    text = with_value(text, "sms", "gateway", f'"twilio"\nsender = "{SENDER}"')
    text = with_value(text, "web", "enabled", "true")
    text = with_value(text, "web", "port", f'{web_port}\npublic_url = "{public_url(web_port)}"')
    return f'{text}\n[sms.twilio]\naccount_sid = "{ACCOUNT}"\nbase_url = "{provider_url}"\n'


def public_url(web_port: int) -> str:
    """Return where a controller serves its pages, and takes replies."""
    return f"http://{CONTROL_HOST}:{web_port}"


def secret_of(path: Path) -> str:
    """Return the secret that a site's controller and the provider share; it is drawn if there is none."""
    found = read_secrets(path).get(SECRET)
    if found is None:
        found = secrets.token_hex(16)
        write_private(path, (path.read_text("utf-8") if path.exists() else "") + f"{SECRET}={found}\n")
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((CONTROL_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
