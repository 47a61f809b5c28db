"""The demo's SMS: a site that is led to a provider of its own, and what its customers read and write there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from controller.provision.files import read_secrets
from controller.settings import load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE
from lab.chaos.post import link_in
from lab.text_messages import ACCOUNT, SECRET, SENDER, free_port, public_url, secret_of, text_messages, with_provider

if TYPE_CHECKING:
    from pathlib import Path

    from lab.sms_providers.provider import TakenSms

NUMBER, OTHER = "+819012340006", "+819012340005"


def test_the_settings_of_the_demo_are_in_order_and_say_what_can_be_replied(tmp_path: Path) -> None:
    """The default ones, with a provider, its number, and the pages."""
    path = tmp_path / "controller.toml"
    path.write_text(with_provider(DEFAULT_TEMPLATE.read_text("utf-8"), "http://127.0.0.1:8099", 8091), "utf-8")
    settings = load_settings(path, {}, needs_secrets=False)
    assert settings.sms_two_way
    assert settings.web.public_url == public_url(8091) == "http://127.0.0.1:8091"
    assert settings.sms.twilio is not None
    assert settings.sms.twilio.base_url == "http://127.0.0.1:8099"


def test_a_site_has_one_secret_with_its_provider_and_what_stood_beside_it_stays(tmp_path: Path) -> None:
    """As a second start of the site finds it."""
    path = tmp_path / "secrets.env"
    path.write_text("ORIKAESHI_ARI_PASSWORD=0123456789abcdef\n", "utf-8")
    secret = secret_of(path)
    assert secret_of(path) == secret
    assert read_secrets(path) == {"ORIKAESHI_ARI_PASSWORD": "0123456789abcdef", SECRET: secret}


async def sent(provider: str, number: str, text: str, secret: str) -> int:
    """Ask the provider to take an SMS as the controller does; return the status."""
    url = f"{provider}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    async with aiohttp.ClientSession(headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, secret)}) as session:
        form = {"To": number, "From": SENDER, "Body": text}
        async with session.post(url, data=form) as answer:
            return answer.status


async def test_customers_read_their_own_sms_and_reply_to_who_sent_it(tmp_path: Path) -> None:
    """The reply goes to the controller's address, to the number that the SMS came from."""
    shown: list[TakenSms] = []
    replies: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        replies.append({key: str(value) for key, value in (await request.post()).items()})
        return web.Response(status=200)

    async with text_messages(tmp_path, shown.append) as texts:
        text = texts.settings(DEFAULT_TEMPLATE.read_text("utf-8"))
        (tmp_path / "controller.toml").write_text(text, "utf-8")
        settings = load_settings(tmp_path / "controller.toml", {}, needs_secrets=False)
        assert settings.sms.twilio is not None
        secret = read_secrets(tmp_path / "secrets.env")[SECRET]
        coming = asyncio.create_task(texts.next_to(NUMBER, seen=0, timeout_s=20))
        for number, said in ((OTHER, "for another"), (NUMBER, "first"), (NUMBER, "second")):
            assert await sent(settings.sms.twilio.base_url, number, said, secret) == 201
        assert await coming == "first"
        assert await texts.next_to(NUMBER, seen=1, timeout_s=20) == "second"
        assert texts.to(OTHER) == ["for another"]
        assert [sms.text for sms in shown] == ["for another", "first", "second"]
        app = web.Application()
        app.router.add_post("/sms/twilio/reply", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.web.port).start()
        try:
            assert await texts.reply(NUMBER, "15:42") == 200
        finally:
            await runner.cleanup()
    assert [(reply["From"], reply["To"], reply["Body"]) for reply in replies] == [(NUMBER, SENDER, "15:42")]


async def test_who_waits_for_an_sms_that_does_not_come_is_told(tmp_path: Path) -> None:
    """A script that waited for ever would not be a script."""
    async with text_messages(tmp_path, lambda _sms: None) as texts:
        with pytest.raises(TimeoutError):
            await texts.next_to(NUMBER, seen=0, timeout_s=0.1)


def test_the_link_in_an_sms_is_found_wherever_it_stands() -> None:
    """And an SMS without one says so."""
    link = f"{public_url(free_port())}/l/AbC-_9"
    assert link_in({"text": f"reply 1 or choose: {link}"}) == link
    assert link_in({"text": f"{link} or call"}) == link
    with pytest.raises(ValueError, match="no link in: call us"):
        link_in({"text": "call us"})
